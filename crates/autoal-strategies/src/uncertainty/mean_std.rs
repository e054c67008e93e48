//! Mean standard deviation of the class probabilities over passes with dropout.
//!
//! **Formula**: `(1 / C) Σ_c std_t(p_tc)`, population standard deviation. **References**: Kampffmeyer, Salberg & Jenssen, CVPR-W 2016;
//! Gal, Islam & Ghahramani, ICML 2017.

use super::score_rows;

acquisition!(
    /// Mean standard deviation over passes with dropout.
    MeanStd, "mean-std", "samples whose probabilities vary over dropout passes", "Kampffmeyer, Salberg & Jenssen, CVPR-W 2016", [McDropout],
    |context| {
        let std = score_rows(context.mc_dropout()?.std_proba.view(), |row| row.iter().map(|&s| f64::from(s)).sum());
        Ok(std / context.num_classes as f64)
    }
);
