//! Greedy k-means++: each centre is the best of a few rows drawn with probability proportional to the squared distance to the centres
//! so far (Arthur & Vassilvitskii, SODA 2007; the trials as in their section on implementation).
//!
//! Wide rows are looked at through a random projection: enough to spread first centres, which Lloyd's iteration moves in full width.

use ndarray::Array2;
use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::{KMeans, projection};
use crate::Rows;
use crate::distance::{self, BLOCK};

/// Rows as first centres, `[K, D]`, looked for among `seeding_rows` random rows (at least four times `clusters`).
pub(super) fn seed(rows: Rows<'_>, options: &KMeans, rng: &mut impl Rng) -> Array2<f32> {
    let clusters = options.clusters.min(rows.len());
    let limit = options.seeding_rows.max(4 * clusters);
    let mut sample: Vec<usize> = (0..rows.len()).collect();
    if rows.len() > limit {
        sample = rand::seq::index::sample(rng, rows.len(), limit).into_vec();
        sample.sort_unstable();
    }
    let seen = if projection::is_worth_it(rows) { projection::project(rows, &sample, rng) } else { gather(rows, &sample) };
    let trials = if options.seeding_trials == 0 { 2 + (clusters.max(1) as f64).ln() as usize } else { options.seeding_trials };
    let chosen = plus_plus(Rows::from_view(seen.view()).expect("a fresh array is row-major"), clusters, trials, rng);
    gather(rows, &chosen.into_iter().map(|at| sample[at]).collect::<Vec<_>>())
}

/// The chosen rows one after the other.
pub(super) fn gather(rows: Rows<'_>, chosen: &[usize]) -> Array2<f32> {
    let mut gathered = Array2::zeros((chosen.len(), rows.dim()));
    for (mut to, &row) in gathered.outer_iter_mut().zip(chosen) {
        to.as_slice_mut().expect("a fresh array is row-major").copy_from_slice(rows.row(row));
    }
    gathered
}

/// `clusters` rows, repeated where rows are copies.
fn plus_plus(rows: Rows<'_>, clusters: usize, trials: usize, rng: &mut impl Rng) -> Vec<usize> {
    if clusters == 0 {
        return Vec::new();
    }
    let first = rng.random_range(0..rows.len());
    let mut chosen = vec![first];
    let mut nearest = distance::map_rows(rows, |row| distance::squared(row, rows.row(first)));
    while chosen.len() < clusters {
        let tried = draw(&nearest, trials, rng);
        if tried.is_empty() {
            // All rows lie on a centre: the rest are copies, and the empty clusters they make are harmless.
            chosen.push(chosen.len() % rows.len());
            continue;
        }
        let best = best_of(rows, &nearest, &tried);
        chosen.push(tried[best.trial]);
        nearest = best.nearest;
    }
    chosen
}

/// Rows drawn with probability proportional to their weight; none when all weights are zero.
fn draw(weights: &[f32], trials: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = weights
        .iter()
        .map(|&weight| {
            sum += f64::from(weight);
            sum
        })
        .collect();
    if !(sum > 0.0 && sum.is_finite()) {
        return Vec::new();
    }
    let mut rows: Vec<usize> = (0..trials)
        .map(|_| {
            let target = rng.random::<f64>() * sum;
            cumulative.partition_point(|&up_to| up_to <= target).min(weights.len() - 1)
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

struct Best {
    trial: usize,
    nearest: Vec<f32>,
}

/// The trial that lowers the potential most, and the distances after it. One pass over the rows for all trials.
fn best_of(rows: Rows<'_>, nearest: &[f32], tried: &[usize]) -> Best {
    let width = tried.len();
    let mut after = vec![0.0_f32; nearest.len() * width];
    let blocks =
        after.par_chunks_mut(BLOCK * width).zip(nearest.par_chunks(BLOCK)).zip(rows.data().par_chunks(BLOCK * rows.dim()));
    let potentials: Vec<Vec<f64>> = blocks
        .map(|((after, nearest), block)| {
            let mut sums = vec![0.0_f64; width];
            for ((after, &nearest), row) in after.chunks_exact_mut(width).zip(nearest).zip(block.chunks_exact(rows.dim())) {
                for ((after, &trial), sum) in after.iter_mut().zip(tried).zip(&mut sums) {
                    *after = distance::squared(row, rows.row(trial)).min(nearest);
                    *sum += f64::from(*after);
                }
            }
            sums
        })
        .collect();
    let total = |trial: usize| potentials.iter().map(|block| block[trial]).sum::<f64>();
    let trial = (0..width).min_by(|&a, &b| total(a).total_cmp(&total(b))).expect("at least one row was drawn");
    Best { trial, nearest: after.chunks_exact(width).map(|after| after[trial]).collect() }
}
