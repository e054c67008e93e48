//! Greedy k-means++: each centre is the best of a few rows drawn with probability proportional to the squared distance to the centres
//! so far (Arthur & Vassilvitskii, SODA 2007; the trials as in their section on implementation).

use ndarray::Array2;
use rand::{Rng, RngExt};
use rayon::prelude::*;

use crate::Rows;
use crate::distance::{self, BLOCK};

/// `clusters` rows as first centres, `[K, D]`, looked for among `limit` random rows (at least four times `clusters`).
pub(super) fn seed(rows: Rows<'_>, clusters: usize, limit: usize, rng: &mut impl Rng) -> Array2<f32> {
    let limit = limit.max(4 * clusters);
    if rows.len() <= limit {
        return plus_plus(rows, clusters, rng);
    }
    let mut sample = Array2::zeros((limit, rows.dim()));
    for (mut to, from) in sample.outer_iter_mut().zip(rand::seq::index::sample(rng, rows.len(), limit)) {
        to.as_slice_mut().expect("a fresh array is row-major").copy_from_slice(rows.row(from));
    }
    plus_plus(Rows::from_view(sample.view()).expect("a fresh array is row-major"), clusters, rng)
}

fn plus_plus(rows: Rows<'_>, clusters: usize, rng: &mut impl Rng) -> Array2<f32> {
    let mut centres = Array2::zeros((clusters, rows.dim()));
    if clusters == 0 {
        return centres;
    }
    let trials = 2 + (clusters as f64).ln() as usize;
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
    centres.outer_iter_mut().zip(chosen).for_each(|(mut to, row)| {
        to.as_slice_mut().expect("a fresh array is row-major").copy_from_slice(rows.row(row));
    });
    centres
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
