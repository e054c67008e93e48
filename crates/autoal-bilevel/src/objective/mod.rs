//! What SearchNet is rewarded for selecting: one file a reward, all fed with the same out-of-fold signals.

mod loss;

use crate::config::ObjectiveKind;

/// What FitNet says of labeled samples that it was not trained on.
#[derive(Debug, Clone)]
pub struct OutOfFold {
    /// Cross-entropy in nats of each labeled sample, `[n]`.
    pub losses: Vec<f64>,
}

/// The reward of selecting each labeled sample, `[n]`; higher is better.
pub fn rewards(kind: ObjectiveKind, signals: &OutOfFold) -> Vec<f64> {
    match kind {
        ObjectiveKind::Loss => loss::rewards(&signals.losses),
    }
}
