//! Batch norm and pooling against plain formulas in f64 and finite differences.

use autoal_kernels::{
    Isa,
    batch_norm::{self, After, Gate, Parameters},
    pool::{self, PoolShape},
};
use proptest::prelude::*;

use crate::naive::{error, noise};

/// A few roundings of f32 relative to the largest value.
const ROUNDING: f64 = 5e-6;

const EPSILON: f64 = 1e-5;

/// One normalisation with everything that follows, in f64.
struct Case {
    channels: usize,
    x: Vec<f32>,
    residual: Option<Vec<f32>>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    relu: bool,
}

impl Case {
    fn new(rows: usize, channels: usize, with_residual: bool, relu: bool) -> Self {
        // Values far from zero show whether the variance cancels.
        let x = noise(rows * channels, 1).iter().map(|v| v + 20.0).collect();
        let residual = with_residual.then(|| noise(rows * channels, 2));
        Case { channels, x, residual, gamma: noise(channels, 3), beta: noise(channels, 4), relu }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters { gamma: &self.gamma, beta: &self.beta, epsilon: EPSILON }
    }

    fn after(&self) -> After<'_> {
        After { residual: self.residual.as_deref(), relu: self.relu }
    }

    /// The output for given inputs, and the mean and variance of each channel.
    fn naive(&self, x: &[f64], gamma: &[f64], beta: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let rows = (x.len() / self.channels) as f64;
        let column = |c: usize| x.iter().skip(c).step_by(self.channels);
        let mean: Vec<f64> = (0..self.channels).map(|c| column(c).sum::<f64>() / rows).collect();
        let variance: Vec<f64> =
            (0..self.channels).map(|c| column(c).map(|v| (v - mean[c]).powi(2)).sum::<f64>() / rows).collect();
        let output = |(i, v): (usize, &f64)| {
            let c = i % self.channels;
            let y = (v - mean[c]) / (variance[c] + EPSILON).sqrt() * gamma[c] + beta[c];
            let y = y + self.residual.as_ref().map_or(0.0, |r| f64::from(r[i]));
            if self.relu { y.max(0.0) } else { y }
        };
        (x.iter().enumerate().map(output).collect(), mean, variance)
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn outputs_and_statistics_agree_with_the_formula(
        rows in 2usize..700, channels in 1usize..70, with_residual: bool, relu: bool,
    ) {
        let case = Case::new(rows, channels, with_residual, relu);
        let (y, mean, variance) = case.naive(&wide(&case.x), &wide(&case.gamma), &wide(&case.beta));
        for isa in Isa::available() {
            let (actual, statistics) = batch_norm::forward(isa, &case.x, case.parameters(), case.after());
            // A value of 20 has a rounding of 20 units, which the normalisation scales up.
            prop_assert!(error(&actual, &y) < 20.0 * ROUNDING, "{}", error(&actual, &y));
            prop_assert!(error(&statistics.mean, &mean) < ROUNDING);
            prop_assert!(error(&statistics.variance, &variance) < 20.0 * ROUNDING);
        }
    }
}

/// A small case whose loss is `sum(y * direction)`, so that its gradients can be had by differences of the f64 formula.
fn gradients_agree(rows: usize, channels: usize, with_residual: bool, relu: bool) {
    const STEP: f64 = 1e-5;
    /// Differences of the formula over `STEP` are exact to about its square root.
    const DIFFERENCE: f64 = 2e-4;
    let case = Case::new(rows, channels, with_residual, relu);
    let direction = noise(rows * channels, 5);
    let inputs = [wide(&case.x), wide(&case.gamma), wide(&case.beta)];
    let loss = |inputs: &[Vec<f64>; 3]| -> f64 {
        let (y, ..) = case.naive(&inputs[0], &inputs[1], &inputs[2]);
        y.iter().zip(&direction).map(|(y, &d)| y * f64::from(d)).sum()
    };
    let expected: [Vec<f64>; 3] = std::array::from_fn(|which| {
        (0..inputs[which].len())
            .map(|i| {
                let moved = |by: f64| {
                    let mut moved = inputs.clone();
                    moved[which][i] += by;
                    loss(&moved)
                };
                (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
            })
            .collect()
    });
    for isa in Isa::available() {
        let (y, statistics) = batch_norm::forward(isa, &case.x, case.parameters(), case.after());
        let gate = match (relu, with_residual) {
            (false, _) => Gate::Open,
            (true, false) => Gate::Normalised,
            (true, true) => Gate::Output(&y),
        };
        let actual = batch_norm::backward(isa, &case.x, &direction, case.parameters(), &statistics, gate, with_residual);
        for (actual, expected) in [&actual.input, &actual.gamma, &actual.beta].into_iter().zip(&expected) {
            assert!(error(actual, expected) < DIFFERENCE, "{}: {:.1e}", isa.name(), error(actual, expected));
        }
        if let Some(residual) = &actual.residual {
            let passed = |(i, &d): (usize, &f32)| if relu && y[i] <= 0.0 { 0.0 } else { d };
            let expected: Vec<f32> = direction.iter().enumerate().map(passed).collect();
            assert_eq!(*residual, expected);
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (with_residual, relu) in [(false, false), (false, true), (true, false), (true, true)] {
        gradients_agree(23, 5, with_residual, relu);
        gradients_agree(9, 19, with_residual, relu);
    }
}

/// Small enough for Miri.
#[test]
fn small_normalisations_agree_with_finite_differences() {
    for (with_residual, relu) in [(false, false), (false, true), (true, false), (true, true)] {
        gradients_agree(4, 5, with_residual, relu);
    }
}

#[test]
#[should_panic(expected = "statistics of 4 channels for 2")]
fn statistics_of_other_channels_are_declined() {
    let case = Case::new(6, 2, false, false);
    let statistics = batch_norm::statistics(Isa::detect(), &case.x, 4);
    batch_norm::backward(Isa::detect(), &case.x, &case.x, case.parameters(), &statistics, Gate::Open, false);
}

#[test]
fn normalisation_does_not_depend_on_the_number_of_threads() {
    let (rows, channels) = if cfg!(miri) { (260, 5) } else { (3000, 40) };
    let case = Case::new(rows, channels, true, true);
    let gy = noise(case.x.len(), 6);
    for isa in Isa::available() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small thread pool");
            pool.install(|| {
                let (y, statistics) = batch_norm::forward(isa, &case.x, case.parameters(), case.after());
                let g = batch_norm::backward(isa, &case.x, &gy, case.parameters(), &statistics, Gate::Output(&y), true);
                (y, statistics, g.input, g.residual, g.gamma, g.beta)
            })
        };
        let one = run(1);
        assert!([2, 3].into_iter().all(|threads| run(threads) == one), "{}", isa.name());
    }
}

#[test]
fn nan_passes_through_a_relu_as_in_pytorch() {
    for isa in Isa::available() {
        let after = After { residual: None, relu: true };
        let y = batch_norm::affine(isa, &[f32::NAN, -1.0, 2.0], &[1.0; 3], &[0.0; 3], after);
        assert!(y[0].is_nan() && y[1..] == [0.0, 2.0], "{}: {y:?}", isa.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_maximum_is_taken_and_its_gradient_goes_back_to_where_it_was(
        channels in 1usize..20, height in 1usize..9, width in 1usize..9, kernel in 1usize..4, stride in 1usize..4,
        padding in 0usize..2,
    ) {
        prop_assume!(2 * padding <= kernel && height.min(width) + 2 * padding >= kernel);
        let s = PoolShape { channels, height, width, kernel, stride, padding };
        let x = noise(2 * height * width * channels, 1);
        let (y, winners) = pool::max_pool(&s, &x);
        let gy = noise(y.len(), 2);
        let gx = pool::max_pool_gradient(&s, &gy, &winners);
        let mut expected = vec![0.0; x.len()];
        for (i, (&y, &gy)) in y.iter().zip(&gy).enumerate() {
            let (pixel, c) = (i / channels, i % channels);
            let (image, pixel) = (pixel / (s.out_height() * s.out_width()), pixel % (s.out_height() * s.out_width()));
            let (top, left) = (pixel / s.out_width() * stride, pixel % s.out_width() * stride);
            let inside = (top..top + kernel).flat_map(|p| (left..left + kernel).map(move |q| (p, q)));
            let inside = inside.filter(|&(p, q)| p >= padding && q >= padding && p - padding < height && q - padding < width);
            let at = |(p, q): (usize, usize)| ((image * height + p - padding) * width + q - padding) * channels + c;
            let best = inside.map(at).max_by(|&a, &b| x[a].total_cmp(&x[b])).expect("a window holds a pixel");
            prop_assert_eq!(x[best], y);
            expected[best] += gy;
        }
        prop_assert_eq!(gx, expected);
    }
}
