//! Gradient descent against PyTorch's formula in f64.

use autoal_kernels::{
    Isa,
    sgd::{self, SgdStep},
};
use proptest::prelude::*;

use crate::naive::{error, noise};

/// A few roundings of f32 relative to the largest value.
const ROUNDING: f64 = 1e-6;

fn naive(step: SgdStep, x: &[f64], gradient: &[f64], velocity: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let [lr, momentum, decay] = [step.lr, step.momentum, step.weight_decay].map(f64::from);
    let one = |i: usize| {
        let gradient = gradient[i] + decay * x[i];
        let velocity = momentum * velocity[i] + gradient;
        let direction = if step.nesterov { gradient + momentum * velocity } else { velocity };
        (x[i] - lr * direction, velocity)
    };
    (0..x.len()).map(one).unzip()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn steps_agree_with_the_formula(
        len in 1usize..300, lr in 0.0f32..1.0, momentum in 0.0f32..1.0, weight_decay in 0.0f32..0.1, nesterov: bool,
    ) {
        let step = SgdStep { lr, momentum, nesterov, weight_decay };
        let (x, gradient, velocity) = (noise(len, 1), noise(len, 2), noise(len, 3));
        let (parameters, velocities) = naive(step, &wide(&x), &wide(&gradient), &wide(&velocity));
        for isa in Isa::available() {
            let (actual, actual_velocity) = sgd::step(isa, step, &x, &gradient, &velocity);
            prop_assert!(error(&actual, &parameters) < ROUNDING, "{}", isa.name());
            prop_assert!(error(&actual_velocity, &velocities) < ROUNDING, "{}", isa.name());
        }
    }
}

#[test]
fn a_step_does_not_depend_on_the_number_of_threads() {
    let step = SgdStep { lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4 };
    let (x, gradient, velocity) = (noise(100_001, 1), noise(100_001, 2), noise(100_001, 3));
    for isa in Isa::available() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small thread pool");
            pool.install(|| sgd::step(isa, step, &x, &gradient, &velocity))
        };
        assert!(on(1) == on(3), "{}", isa.name());
    }
}
