//! Sums over stochastic passes of one sample.

use autoal_strategies::McOutputs;
use ndarray::{Array1, Array2};

use crate::proba::argmax;

/// What [`McOutputs`] keeps of one sample.
#[derive(Debug, Clone)]
pub(super) struct SampleSums {
    draws: usize,
    mean: Vec<f64>,
    squared_deviations: Vec<f64>,
    entropy: f64,
    votes: Vec<u32>,
    /// Probabilities of one pass relative to the largest; kept to save allocations.
    odds: Vec<f64>,
}

impl SampleSums {
    pub(super) fn new(classes: usize) -> Self {
        let zeros = vec![0.0; classes];
        Self {
            draws: 0,
            mean: zeros.clone(),
            squared_deviations: zeros,
            entropy: 0.0,
            votes: vec![0; classes],
            odds: Vec::with_capacity(classes),
        }
    }

    /// Adds a pass by its logits, which are finite (Welford's update, so that equal passes have a deviation of exactly 0).
    pub(super) fn add(&mut self, logits: &[f32]) {
        self.draws += 1;
        let winner = argmax(logits.iter().copied());
        let largest = f64::from(logits[winner]);
        self.odds.clear();
        self.odds.extend(logits.iter().map(|logit| (f64::from(*logit) - largest).exp()));
        let total: f64 = self.odds.iter().sum();
        self.entropy += total.ln();
        for (class, logit) in logits.iter().enumerate() {
            let proba = self.odds[class] / total;
            // H = ln Σ odds - Σ p (z - z_max); a class of probability 0 adds nothing.
            self.entropy -= proba * (f64::from(*logit) - largest);
            let deviation = proba - self.mean[class];
            self.mean[class] += deviation / self.draws as f64;
            self.squared_deviations[class] += deviation * (proba - self.mean[class]);
        }
        self.votes[winner] += 1;
    }
}

/// The samples' sums as one structure of arrays, in their order.
pub(super) fn collect(samples: Vec<SampleSums>, draws: usize, classes: usize) -> McOutputs {
    let rows = samples.len();
    let mut outputs = McOutputs {
        draws,
        mean_proba: Array2::zeros((rows, classes)),
        std_proba: Array2::zeros((rows, classes)),
        mean_entropy: Array1::zeros(rows),
        entropy_of_mean: Array1::zeros(rows),
        votes: Array2::zeros((rows, classes)),
    };
    for (row, sums) in samples.into_iter().enumerate() {
        outputs.mean_entropy[row] = sums.entropy / draws as f64;
        outputs.entropy_of_mean[row] = sums.mean.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        for class in 0..classes {
            outputs.mean_proba[[row, class]] = sums.mean[class] as f32;
            outputs.std_proba[[row, class]] = (sums.squared_deviations[class] / draws as f64).sqrt() as f32;
            outputs.votes[[row, class]] = sums.votes[class];
        }
    }
    outputs
}
