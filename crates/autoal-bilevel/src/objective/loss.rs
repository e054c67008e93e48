//! High loss, as in the paper's equation (8).
//!
//! Known hazard: high loss also means a wrong label or an outlier. Losses are standardised and clipped, so that no single sample decides.

use crate::mixture::mean_and_std;

/// Losses further from the mean, in standard deviations, count as this far.
const CLIP: f64 = 3.0;

/// `clip((ℓ_j − mean)/std, −3, 3)`; 0 when all losses are equal.
pub(super) fn rewards(losses: &[f64]) -> Vec<f64> {
    let (mean, std) = mean_and_std(losses);
    if std < 1e-12 {
        return vec![0.0; losses.len()];
    }
    losses.iter().map(|loss| ((loss - mean) / std).clamp(-CLIP, CLIP)).collect()
}
