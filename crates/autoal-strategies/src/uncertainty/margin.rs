//! Margin: how close the two most probable classes are.
//!
//! **Formula**: `-(p₍₁₎ - p₍₂₎)`. **References**: Scheffer, Decomain & Wrobel, IDA 2001; with dropout, Gal & Ghahramani, ICML 2016.

use ndarray::ArrayView1;

use super::score_rows;

acquisition!(
    /// Margin of the deterministic prediction.
    Margin, "margin", "samples between two classes", "Scheffer, Decomain & Wrobel, IDA 2001", [LogProba],
    |context| Ok(score_rows(context.log_proba()?, |row| -gap(row, |lp| f64::from(lp).exp())))
);

acquisition!(
    /// Margin of the mean prediction over passes with dropout.
    MarginMc, "margin-mc", "margin of the mean over dropout passes", "Gal & Ghahramani, ICML 2016", [McDropout],
    |context| Ok(score_rows(context.mc_dropout()?.mean_proba.view(), |row| -gap(row, f64::from)))
);

/// `p₍₁₎ - p₍₂₎`; with a single class the second is 0.
pub(crate) fn gap(row: ArrayView1<'_, f32>, proba: impl Fn(f32) -> f64) -> f64 {
    let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for &value in row {
        if value.is_nan() {
            return f64::NAN;
        }
        if value > first {
            (first, second) = (value, first);
        } else {
            second = second.max(value);
        }
    }
    proba(first) - if row.len() < 2 { 0.0 } else { proba(second) }
}

#[cfg(test)]
mod tests {
    use ndarray::aview1;

    use super::*;

    #[test]
    fn worked_examples() {
        for (proba, expected) in
            [([1.0, 0.0, 0.0], 1.0), ([0.5, 0.5, 0.0], 0.0), ([0.6, 0.3, 0.1], 0.3), ([0.4, 0.35, 0.25], 0.05)]
        {
            assert!((gap(aview1(&proba), f64::from) - expected).abs() < 1e-7, "{proba:?}");
        }
        assert!(gap(aview1(&[0.5, f32::NAN]), f64::from).is_nan());
        assert_eq!(gap(aview1(&[f32::NEG_INFINITY, 0.0]), |lp| f64::from(lp).exp()), 1.0);
    }
}
