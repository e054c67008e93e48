//! Optimizer steps against PyTorch's formulas in f64.

use autoal_kernels::{
    Isa,
    optimizer::{AdamStep, SgdStep},
};
use proptest::prelude::*;

use crate::naive::{error, noise};

/// A few roundings of f32 relative to the largest value.
const ROUNDING: f64 = 1e-6;

fn sgd(step: SgdStep, x: &[f64], gradient: &[f64], velocity: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let [lr, momentum, decay] = [step.lr, step.momentum, step.weight_decay].map(f64::from);
    let one = |i: usize| {
        let gradient = gradient[i] + decay * x[i];
        let velocity = momentum * velocity[i] + gradient;
        let direction = if step.nesterov { gradient + momentum * velocity } else { velocity };
        (x[i] - lr * direction, velocity)
    };
    (0..x.len()).map(one).unzip()
}

fn adam(step: AdamStep, x: &[f64], gradient: &[f64], [first, second]: [&[f64]; 2]) -> [Vec<f64>; 3] {
    let mut after = [vec![], vec![], vec![]];
    for i in 0..x.len() {
        let gradient = gradient[i] + step.penalty * x[i];
        let first = step.betas.0 * first[i] + (1.0 - step.betas.0) * gradient;
        let second = step.betas.1 * second[i] + (1.0 - step.betas.1) * gradient * gradient;
        let moved = step.kept * x[i] - step.rate * first / (step.correction * second.sqrt() + step.epsilon);
        after.iter_mut().zip([moved, first, second]).for_each(|(values, value)| values.push(value));
    }
    after
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Noise that is never negative.
fn squares(len: usize, seed: u64) -> Vec<f32> {
    noise(len, seed).into_iter().map(|v| v * v).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn steps_of_gradient_descent_agree_with_the_formula(
        len in 1usize..300, lr in 0.0f32..1.0, momentum in 0.0f32..1.0, weight_decay in 0.0f32..0.1, nesterov: bool,
    ) {
        let step = SgdStep { lr, momentum, nesterov, weight_decay };
        let (x, gradient, velocity) = (noise(len, 1), noise(len, 2), noise(len, 3));
        let (parameters, velocities) = sgd(step, &wide(&x), &wide(&gradient), &wide(&velocity));
        for isa in Isa::available() {
            let (mut x, mut velocity) = (x.clone(), velocity.clone());
            step.apply(isa, &mut x, &gradient, &mut velocity);
            prop_assert!(error(&x, &parameters) < ROUNDING, "{}", isa.name());
            prop_assert!(error(&velocity, &velocities) < ROUNDING, "{}", isa.name());
        }
    }

    #[test]
    fn steps_of_adam_agree_with_the_formula(
        len in 1usize..300, lr in 0.0f64..0.1, beta_1 in 0.0f64..0.95, beta_2 in 0.9f64..0.9999, time in 1i32..1000,
        penalty in 0.0f64..0.1, kept in 0.9f64..=1.0,
    ) {
        let betas = (beta_1, beta_2);
        let rate = lr / (1.0 - beta_1.powi(time));
        let correction = 1.0 / (1.0 - beta_2.powi(time)).sqrt();
        let step = AdamStep { rate, betas, correction, epsilon: 1e-8, penalty, kept };
        let (x, gradient, first, second) = (noise(len, 1), noise(len, 2), noise(len, 3), squares(len, 4));
        let [parameters, firsts, seconds] = adam(step, &wide(&x), &wide(&gradient), [&wide(&first), &wide(&second)]);
        for isa in Isa::available() {
            let (mut x, mut first, mut second) = (x.clone(), first.clone(), second.clone());
            step.apply(isa, &mut x, &gradient, [&mut first, &mut second]);
            prop_assert!(error(&x, &parameters) < ROUNDING, "{}", isa.name());
            prop_assert!(error(&first, &firsts) < ROUNDING, "{}", isa.name());
            prop_assert!(error(&second, &seconds) < ROUNDING, "{}", isa.name());
        }
    }
}

/// What a step makes of noise on so many threads.
fn on_threads(threads: usize, apply: impl Fn(&mut [f32], &[f32], [&mut [f32]; 2]) + Sync) -> [Vec<f32>; 3] {
    const LEN: usize = 100_001;
    let (mut x, gradient, mut first, mut second) = (noise(LEN, 1), noise(LEN, 2), noise(LEN, 3), squares(LEN, 4));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small thread pool");
    pool.install(|| apply(&mut x, &gradient, [&mut first, &mut second]));
    [x, first, second]
}

#[test]
fn steps_do_not_depend_on_the_number_of_threads() {
    let sgd = SgdStep { lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4 };
    let adam = AdamStep { rate: 0.1, betas: (0.9, 0.999), correction: 2.0, epsilon: 1e-8, penalty: 0.0, kept: 0.99 };
    for isa in Isa::available() {
        let descend = |x: &mut [f32], gradient: &[f32], [velocity, _]: [&mut [f32]; 2]| sgd.apply(isa, x, gradient, velocity);
        let adapt = |x: &mut [f32], gradient: &[f32], moments: [&mut [f32]; 2]| adam.apply(isa, x, gradient, moments);
        assert!(on_threads(1, descend) == on_threads(3, descend), "{}", isa.name());
        assert!(on_threads(1, adapt) == on_threads(3, adapt), "{}", isa.name());
    }
}
