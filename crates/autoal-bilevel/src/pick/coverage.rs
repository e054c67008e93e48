//! The neighbourhoods that cover most of the scores' mass (specification 4.5).
//!
//! The highest scores of any measure of informativeness are near-duplicates and outliers. Here the combined score says how much the
//! model still has to learn at a sample, and the samples are chosen whose neighbourhoods cover most of that:
//! `G_i = Σ_j u_j max(0, k(i, j) − m_j)` with `k(i, j) = exp(−‖ê_i − ê_j‖²/σ²)` on normalised embeddings, `m_j` the best cover of `j` by
//! a labeled or chosen sample, and the highest `G_i` chosen each time (max-herding with mass; Bae, Noh and Sutherland, ECCV 2024).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use autoal_data::SampleId;
use autoal_strategies::Rows;
use ndarray::{Array1, Array2, ArrayView1};

use crate::nominations::rank_levels;

/// `((rank of s_j from below + ½)/n)^γ` of each score, in (0, 1].
pub fn sharpened_mass(scores: &[f64], gamma: f64) -> Vec<f64> {
    rank_levels(scores).into_iter().map(|level| level.powf(gamma)).collect()
}

/// A gain that was right when it was computed; gains only fall, so it bounds the present one.
struct Stale {
    gain: f64,
    row: usize,
    id: SampleId,
    round: usize,
}

impl Ord for Stale {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then_with(|| other.id.cmp(&self.id))
    }
}

impl PartialOrd for Stale {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stale {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Stale {}

/// The greedy maximiser of covered mass: `count` rows, the largest gain first, each with its gain.
///
/// `mass` and `ids` have one entry a row of `embeddings`. Lazy evaluation gives the plain greedy sequence. O(N² D) once, O(N²) memory.
pub fn coverage(
    embeddings: Rows<'_>,
    labeled: Rows<'_>,
    mass: &[f64],
    ids: &[SampleId],
    count: usize,
    sigma: f64,
) -> Vec<(usize, f64)> {
    let candidates = normalised(embeddings);
    let kernel = kernel(&candidates, &candidates, sigma);
    let mut covered = vec![0.0_f32; ids.len()];
    if !labeled.is_empty() {
        let known = self::kernel(&normalised(labeled), &candidates, sigma);
        known.outer_iter().for_each(|row| cover(&mut covered, &row));
    }
    let gain = |row: usize, covered: &[f32]| -> f64 {
        kernel.row(row).iter().zip(covered).zip(mass).map(|((k, m), u)| u * f64::from((k - m).max(0.0))).sum()
    };
    let mut heap: BinaryHeap<Stale> =
        (0..ids.len()).map(|row| Stale { gain: gain(row, &covered), row, id: ids[row], round: 0 }).collect();
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let Some(top) = heap.pop() else { break };
        if top.round == chosen.len() {
            cover(&mut covered, &kernel.row(top.row));
            chosen.push((top.row, top.gain));
        } else {
            heap.push(Stale { gain: gain(top.row, &covered), round: chosen.len(), ..top });
        }
    }
    chosen
}

/// Rows of length 1; a row of zeros stays.
fn normalised(rows: Rows<'_>) -> Array2<f32> {
    let mut array = rows.view().to_owned();
    for mut row in array.outer_iter_mut() {
        let norm = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if norm > 0.0 {
            row.mapv_inplace(|x| (f64::from(x) / norm) as f32);
        }
    }
    array
}

fn kernel(a: &Array2<f32>, b: &Array2<f32>, sigma: f64) -> Array2<f32> {
    let squares = |rows: &Array2<f32>| -> Array1<f32> { rows.outer_iter().map(|row| row.dot(&row)).collect() };
    let (left, right) = (squares(a), squares(b));
    let mut kernel = a.dot(&b.t());
    let scale = (sigma * sigma) as f32;
    for ((i, j), value) in kernel.indexed_iter_mut() {
        *value = (-(left[i] + right[j] - 2.0 * *value).max(0.0) / scale).exp();
    }
    kernel
}

fn cover(covered: &mut [f32], by: &ArrayView1<'_, f32>) {
    covered.iter_mut().zip(by.iter()).for_each(|(m, k)| *m = m.max(*k));
}
