//! Variation ratio: the share of passes with dropout that do not vote for the most voted class.
//!
//! **Formula**: `1 - f_mode / T`. It has only `T + 1` levels, so ties within a level go by `1 - max_c mean_t p_tc`. The *coded* form, as in
//! widely used repositories, is `1 - max_c p_c` under the same name and ranks as least confidence does.
//! **References**: Freeman 1965; Gal, Islam & Ghahramani, ICML 2017.

use ndarray::{Array1, Zip};

use super::least_confidence::{doubt, mean_doubt};
use super::score_rows;
use crate::McOutputs;

/// Weight of the tie-break: below the distance of two levels of any number of passes in use, above the rounding of a level.
const TIE_BREAK: f64 = 1e-9;

acquisition!(
    /// Share of votes against the most voted class.
    VarRatioMc, "var-ratio-mc", "samples that dropout passes vote apart", "Gal, Islam & Ghahramani, ICML 2017", [McDropout],
    |context| Ok(vote_ratio(context.mc_dropout()?))
);

acquisition!(
    /// The coded form: `1 - max p` of the deterministic prediction.
    VarRatioCoded, "var-ratio-coded", "least confidence under the name some codes give it", "as coded in deepALplus", [LogProba],
    |context| Ok(score_rows(context.log_proba()?, doubt))
);

acquisition!(
    /// The coded form on the mean over passes with dropout.
    VarRatioCodedMc, "var-ratio-coded-mc", "the coded form on the mean over dropout passes", "as coded in deepALplus", [McDropout],
    |context| Ok(score_rows(context.mc_dropout()?.mean_proba.view(), mean_doubt))
);

/// `1 - f_mode / T` with the tie-break, `[N]`.
pub(super) fn vote_ratio(mc: &McOutputs) -> Array1<f64> {
    let level = |votes: u32| 1.0 - f64::from(votes) / mc.draws.max(1) as f64;
    Zip::from(mc.votes.rows())
        .and(mc.mean_proba.rows())
        .map_collect(|votes, proba| level(votes.iter().copied().max().unwrap_or(0)) + TIE_BREAK * mean_doubt(proba))
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn worked_example_and_ties_by_mean_probability() {
        let passes = [[[0.6, 0.4], [0.9, 0.1]], [[0.7, 0.3], [0.9, 0.1]], [[0.2, 0.8], [0.4, 0.6]]];
        let mc = McOutputs::from_passes(Array3::from_shape_fn((3, 2, 2), |(t, n, c)| passes[t][n][c]).view());
        let scores = vote_ratio(&mc);
        assert!((scores[0] - 1.0 / 3.0).abs() < 1e-8);
        assert!(scores[0] > scores[1], "same level, less sure on average");
    }
}
