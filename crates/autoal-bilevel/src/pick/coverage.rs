//! The neighbourhoods that cover most of the scores' mass (specification 4.5).
//!
//! The highest scores of any measure of informativeness are near-duplicates and outliers. Here the combined score says how much the
//! model still has to learn at a sample, and the samples are chosen whose neighbourhoods cover most of that: max-herding on mass, with
//! `k(i, j) = exp(−‖ê_i − ê_j‖²/σ²)` on embeddings of length 1 (see [`autoal_strategies::coverage`]).

use autoal_strategies::coverage::{Coverage, Kernel, Pick, Similarity};
use autoal_strategies::{Rows, distance};

use crate::nominations::rank_levels;

/// `((rank of s_j from below + ½)/n)^γ` of each score, in (0, 1].
pub fn sharpened_mass(scores: &[f64], gamma: f64) -> Vec<f32> {
    rank_levels(scores).into_iter().map(|level| level.powf(gamma) as f32).collect()
}

/// The greedy maximiser of covered mass: `count` rows of `pool` with their gains, the largest first.
///
/// `pool` is `[N, D]` by ascending id, `labeled` `[L, D]`, `mass` `[N]`. Gains are sums over `witnesses` (rows of `pool`, ascending), or
/// over all of them.
pub fn coverage(
    pool: Rows<'_>,
    labeled: Rows<'_>,
    mass: &[f32],
    witnesses: Option<&[usize]>,
    count: usize,
    sigma: f64,
) -> Vec<Pick> {
    let (pool, labeled) = (distance::normalized(pool).0, distance::normalized(labeled).0);
    let rows = Rows::from_view(pool.view()).expect("normalised rows are row-major and as wide as before");
    let covered_by = if labeled.is_empty() { Rows::new(&[], rows.dim()) } else { Rows::from_view(labeled.view()) };
    let covered_by = covered_by.expect("normalised rows are row-major and as wide as before");
    Coverage { rows, mass, covered_by, similarity: Similarity::new(Kernel::Rbf, sigma), witnesses }.maximise(count)
}
