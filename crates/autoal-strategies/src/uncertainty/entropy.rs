//! Entropy of the predicted class in nats.
//!
//! **Formula**: `-Σ_c p_c ln p_c`, with `0 ln 0 = 0`. **References**: Shannon 1948; Dagan & Engelson, ICML 1995; with dropout, Gal &
//! Ghahramani, ICML 2016.

use ndarray::ArrayView1;

use super::score_rows;

acquisition!(
    /// Entropy of the deterministic prediction.
    Entropy, "entropy", "samples whose class is most open", "Dagan & Engelson, ICML 1995", [LogProba],
    |context| Ok(score_rows(context.log_proba()?, of_log_proba))
);

acquisition!(
    /// Entropy of the mean prediction over passes with dropout.
    EntropyMc, "entropy-mc", "entropy of the mean over dropout passes", "Gal & Ghahramani, ICML 2016", [McDropout],
    |context| Ok(context.mc_dropout()?.entropy_of_mean.clone())
);

/// Entropy from log-probabilities, in nats.
pub(crate) fn of_log_proba(row: ArrayView1<'_, f32>) -> f64 {
    row.iter().map(|&lp| term(f64::from(lp))).sum()
}

/// `-p ln p` from `ln p`; 0 where the probability is 0.
fn term(log_proba: f64) -> f64 {
    if log_proba == f64::NEG_INFINITY { 0.0 } else { -log_proba.exp() * log_proba }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    #[test]
    fn worked_examples() {
        let cases = [
            ([1.0, 0.0, 0.0], 0.0),
            ([0.5, 0.5, 0.0], std::f64::consts::LN_2),
            ([1.0 / 3.0; 3], 1.098_612),
            ([0.6, 0.3, 0.1], 0.897_946),
            ([0.4, 0.35, 0.25], 1.080_528),
        ];
        for (proba, expected) in cases {
            let log: Array1<f32> = proba.iter().map(|p: &f32| p.ln()).collect();
            assert!((of_log_proba(log.view()) - expected).abs() < 1e-6, "{proba:?}");
        }
    }
}
