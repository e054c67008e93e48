//! Probabilities on the host.

use ndarray::{Array2, ArrayView2};

/// Log-probabilities from logits, row by row, `[N, C]`; sums in `f64`.
pub(crate) fn log_softmax(logits: &ArrayView2<'_, f32>) -> Array2<f32> {
    let mut out = logits.to_owned();
    for mut row in out.outer_iter_mut() {
        let normalizer = log_sum_exp(row.iter().copied());
        row.mapv_inplace(|logit| (f64::from(logit) - normalizer) as f32);
    }
    out
}

/// `ln Σ exp(x)` in `f64`.
pub(crate) fn log_sum_exp(values: impl Iterator<Item = f32> + Clone) -> f64 {
    let largest = f64::from(values.clone().fold(f32::NEG_INFINITY, f32::max));
    largest + values.map(|value| (f64::from(value) - largest).exp()).sum::<f64>().ln()
}

/// Index of the largest of at least one value; ties go to the lowest index.
pub(crate) fn argmax(values: impl Iterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, value) in values.enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}
