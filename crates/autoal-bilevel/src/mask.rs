//! Differentiable selection of about `k` of `n` samples: how SearchNet learns which weights select high rewards.
//!
//! Both masks are `m_j = σ((s_j − τ)/T)`. They differ in `τ`. [`exact_budget`] chooses it so that the mask sums to `k`, and lets the
//! gradient know how `τ` moves with the scores. [`soft_mask`] holds `τ` fixed and relies on [`budget_penalty`], the differentiable form
//! of the paper's equation (9).

use burn::tensor::{Tensor, activation::sigmoid};

use crate::tensors::{host_f64, tensor_1d};

/// Half-width of the search interval for the threshold, in temperatures beyond the extreme scores: there a sigmoid is 0 or 1 in `f64`.
const REACH: f64 = 40.0;
/// Steps of the search for the threshold; it needs about ten, and halvings alone would need fewer than this.
const STEPS: usize = 100;

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The threshold `τ` at which `Σ σ((s_j − τ)/T) = budget`, in `f64`: Newton's steps, and halvings where these leave the bracket.
///
/// `scores` are finite; `budget` lies strictly between 0 and their number, otherwise the nearest reachable end is returned.
pub fn budget_threshold(scores: &[f64], budget: f64, temperature: f64) -> f64 {
    let mut low = scores.iter().copied().fold(f64::INFINITY, f64::min) - REACH * temperature;
    let mut high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max) + REACH * temperature;
    let mut at = f64::midpoint(low, high);
    for _ in 0..STEPS {
        let masks = scores.iter().map(|s| logistic((s - at) / temperature));
        let (selected, slope) = masks.fold((0.0, 0.0), |(sum, slope), m| (sum + m, slope + m * (1.0 - m)));
        if selected > budget {
            low = at;
        } else {
            high = at;
        }
        let newton = at + (selected - budget) * temperature / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        // The next step would move by less than the rounding of the sum.
        if (next - at).abs() <= f64::EPSILON * (at.abs() + temperature) {
            return next;
        }
        at = next;
    }
    at
}

/// The mask of exactly `budget` samples, `[n] -> [n]`, with `∂m_i/∂s_j = g_i (δ_ij − g_j/Σg)`, `g_j = m_j (1 − m_j)/T`.
///
/// Automatic differentiation cannot see through the search for the threshold. The threshold is therefore written as its value plus
/// `Σ sg(g_l/Σg) (s_l − sg(s_l))`, which adds zero and has the right derivative (implicit function theorem).
pub fn exact_budget(scores: Tensor<1>, budget: f64, temperature: f64) -> Tensor<1> {
    let values = host_f64(&scores);
    let threshold = budget_threshold(&values, budget, temperature);
    let slopes: Vec<f64> = values
        .iter()
        .map(|s| {
            let mask = logistic((s - threshold) / temperature);
            mask * (1.0 - mask)
        })
        .collect();
    let total: f64 = slopes.iter().sum();
    // With every slope at zero the mask is a step: the threshold then has no derivative to pass on.
    let shares: Vec<f32> = slopes.iter().map(|g| if total > 0.0 { (g / total) as f32 } else { 0.0 }).collect();
    let shares = tensor_1d(&shares, &scores.device());
    let still = scores.clone().detach();
    let moving = (shares * (scores.clone() - still)).sum();
    sigmoid((scores - moving.sub_scalar(-threshold)) / temperature)
}

/// The mask `σ((s_j − τ)/T)` at a threshold without gradient, `[n] -> [n]`.
pub fn soft_mask(scores: Tensor<1>, threshold: f64, temperature: f64) -> Tensor<1> {
    sigmoid(scores.sub_scalar(threshold) / temperature)
}

/// `((Σ m_j − k)/k)²`: what [`soft_mask`] pays for selecting another number than the budget, `[n] -> [1]`.
pub fn budget_penalty(mask: Tensor<1>, budget: f64) -> Tensor<1> {
    (mask.sum().sub_scalar(budget) / budget).powi_scalar(2)
}

/// A threshold between the `budget`-th and the next lower score (the upper quantile of the sample itself).
pub fn sample_threshold(scores: &[f64], budget: usize) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    match (sorted.get(budget.wrapping_sub(1)), sorted.get(budget)) {
        (Some(inside), Some(outside)) => f64::midpoint(*inside, *outside),
        (Some(last), None) => *last,
        _ => sorted.first().copied().unwrap_or(0.0),
    }
}
