//! The paper's gate: a mixture threshold and a sigmoid that turn combined scores into the selection `S̄ ∈ (0, 1)`.
//!
//! The authors' steepness of 1e11 saturates every sigmoid, so SearchNet receives no gradient. Here it follows the spread of the scores.

use burn::tensor::{Tensor, activation::sigmoid};
use rand::Rng;

use crate::config::Threshold;
use crate::mask::sample_threshold;
use crate::mixture::{Mixture, mean_and_std};

/// Gaussians in the mixture, as in the authors' code.
pub const COMPONENTS: usize = 5;
/// Draws of the sampled quantile, as in the authors' code.
const DRAWS: usize = 10_000;
/// The gate is this share of the scores' standard deviation wide.
const WIDTH_IN_STD: f64 = 0.25;
/// Scores that barely differ do not get an ever steeper gate.
const MAX_STEEPNESS: f64 = 100.0;

/// The threshold that a share `upper` of the scores should exceed (equation (4)); the first score when all are equal.
pub fn threshold(scores: &[f64], upper: f64, kind: Threshold, rng: &mut impl Rng) -> f64 {
    if kind == Threshold::Quantile {
        let budget = ((upper * scores.len() as f64).round() as usize).max(1);
        return sample_threshold(scores, budget);
    }
    match (Mixture::fit(scores, COMPONENTS, rng), kind) {
        (None, _) => scores.first().copied().unwrap_or(0.0),
        (Some(mixture), Threshold::SampledMixture) => mixture.sampled_upper_quantile(upper, DRAWS, rng),
        (Some(mixture), _) => mixture.upper_quantile(upper),
    }
}

/// The gate's steepness `λ` for these scores.
pub fn steepness(scores: &[f64]) -> f64 {
    let (_, std) = mean_and_std(scores);
    (1.0 / (WIDTH_IN_STD * std + 1e-6)).min(MAX_STEEPNESS)
}

/// `S̄_j = σ(λ (s_j − ϑ))`, reading F of equation (6), `[n] -> [n]`; neither `λ` nor `ϑ` has a gradient.
pub fn figure_gate(scores: Tensor<1>, threshold: f64, steepness: f64) -> Tensor<1> {
    sigmoid(scores.sub_scalar(threshold).mul_scalar(steepness))
}

/// `S̄_j = Σ_κ σ(z_jκ) (S_κ(x_j) − ϑ) W_jκ`, reading E: equations (4) and (6) to the letter with `λ = 1`.
///
/// `logits`, `weights` and `marks` are `[n, K]`; the result `[n]` may be negative.
pub fn equation_gate(logits: Tensor<2>, weights: Tensor<2>, marks: Tensor<2>, threshold: f64) -> Tensor<1> {
    (sigmoid(logits) * marks.sub_scalar(threshold) * weights).sum_dim(1).squeeze_dim(1)
}

/// `L_re = 1/(1 + exp(0.5 |α − tB|)) − 0.5` of equation (9): zero when the number selected meets the budget, else down to −½.
pub fn count_regularizer(selected: usize, budget: f64) -> f64 {
    1.0 / (1.0 + (0.5 * (selected as f64 - budget).abs()).exp()) - 0.5
}
