//! Least confidence: how much probability the most probable class leaves to the others.
//!
//! **Formula**: `1 - max_c p_c`, formed as the sum over the other classes, so that it still tells samples apart where `max p` rounds to 1.
//! **References**: Lewis & Gale, SIGIR 1994; with dropout, Gal & Ghahramani, ICML 2016.

use ndarray::ArrayView1;

use super::score_rows;

acquisition!(
    /// Least confidence of the deterministic prediction.
    LeastConfidence, "least-confidence", "samples whose most probable class is improbable", "Lewis & Gale, SIGIR 1994", [LogProba],
    |context| Ok(score_rows(context.log_proba()?, doubt))
);

acquisition!(
    /// Least confidence of the mean prediction over passes with dropout.
    LeastConfidenceMc, "least-confidence-mc", "least confidence of the mean over dropout passes", "Gal & Ghahramani, ICML 2016", [McDropout],
    |context| Ok(score_rows(context.mc_dropout()?.mean_proba.view(), mean_doubt))
);

/// `1 - max p` from log-probabilities.
pub(super) fn doubt(log_proba: ArrayView1<'_, f32>) -> f64 {
    all_but_largest(log_proba, |lp| f64::from(lp).exp())
}

/// `1 - max p` from probabilities.
pub(super) fn mean_doubt(proba: ArrayView1<'_, f32>) -> f64 {
    all_but_largest(proba, f64::from)
}

fn all_but_largest(row: ArrayView1<'_, f32>, proba: impl Fn(f32) -> f64) -> f64 {
    let mut top = 0;
    for (class, value) in row.iter().enumerate() {
        if value.is_nan() {
            return f64::NAN;
        }
        if *value > row[top] {
            top = class;
        }
    }
    row.iter().enumerate().filter(|(class, _)| *class != top).map(|(_, &value)| proba(value)).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::aview1;

    use super::*;

    #[test]
    fn the_winner_rounding_to_one_does_not_hide_the_others() {
        let near = doubt(aview1(&[0.0, -30.0]));
        let far = doubt(aview1(&[0.0, -60.0]));
        assert!(near > far && far > 0.0);
    }

    #[test]
    fn worked_examples() {
        // f32 probabilities have seven digits.
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(doubt(aview1(&[0.6_f32.ln(), 0.3_f32.ln(), 0.1_f32.ln()])), 0.4));
        assert!(close(mean_doubt(aview1(&[0.4, 0.35, 0.25])), 0.6));
        assert_eq!(doubt(aview1(&[0.0, f32::NEG_INFINITY, f32::NEG_INFINITY])), 0.0);
        assert!(doubt(aview1(&[f32::NAN, 0.0])).is_nan());
    }
}
