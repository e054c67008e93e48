//! Very many clusters: coarse cells first, then clusters within each cell.
//!
//! One level costs O(N K D) an iteration; two cost O(N (K₁ + K / K₁) D). It is an approximation of the same objective: a cluster never
//! crosses the border of a cell.

use std::cmp::Reverse;

use ndarray::{Array2, s};
use rand::Rng;

use super::{Clustering, KMeans};
use crate::Rows;

/// Clusters within one cell, on average.
const PER_CELL: usize = 500;

pub(super) fn fit(options: &KMeans, rows: Rows<'_>, rng: &mut (impl Rng + Send)) -> Clustering {
    let cells = options.clusters.div_ceil(PER_CELL);
    let coarse = KMeans { clusters: cells, ..*options }.fit(rows, rng);
    let members = coarse.members();
    let quotas = quotas(&members.iter().map(Vec::len).collect::<Vec<_>>(), options.clusters);
    let mut whole = Clustering {
        centres: Array2::zeros((options.clusters, rows.dim())),
        assignment: vec![0; rows.len()],
        squared: vec![0.0; rows.len()],
        inertia: vec![0.0],
    };
    let mut first = 0;
    for (members, quota) in members.iter().zip(quotas) {
        let mut cell = Array2::zeros((members.len(), rows.dim()));
        for (mut to, &row) in cell.outer_iter_mut().zip(members) {
            to.as_slice_mut().expect("a fresh array is row-major").copy_from_slice(rows.row(row));
        }
        let inner = KMeans { clusters: quota, two_level_above: usize::MAX, ..*options };
        let inner = inner.fit(Rows::from_view(cell.view()).expect("a fresh array is row-major"), rng);
        for (&row, (&cluster, &squared)) in members.iter().zip(inner.assignment.iter().zip(&inner.squared)) {
            (whole.assignment[row], whole.squared[row]) = (first as u32 + cluster, squared);
        }
        whole.centres.slice_mut(s![first..first + inner.len(), ..]).assign(&inner.centres);
        whole.inertia[0] += inner.inertia.last().copied().unwrap_or_default();
        first += inner.len();
    }
    whole
}

/// Shares `total` among cells of these sizes: one each, the rest in proportion by largest remainders. No share exceeds its size; an
/// empty cell gets none. `total` lies between the number of non-empty cells and the sum of sizes.
fn quotas(sizes: &[usize], total: usize) -> Vec<usize> {
    let spare: Vec<usize> = sizes.iter().map(|&size| size.saturating_sub(1)).collect();
    let all = spare.iter().sum::<usize>().max(1);
    let rest = total - sizes.iter().filter(|&&size| size > 0).count();
    let mut shares: Vec<usize> = sizes.iter().zip(&spare).map(|(&size, &spare)| size.min(1) + spare * rest / all).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&cell| (Reverse(spare[cell] * rest % all), cell));
    let missing = total - shares.iter().sum::<usize>();
    let roomy: Vec<usize> = order.into_iter().filter(|&cell| shares[cell] < sizes[cell]).take(missing).collect();
    for cell in roomy {
        shares[cell] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_sizes_and_sum_to_the_total() {
        assert_eq!(quotas(&[51, 31, 21], 13), [6, 4, 3]);
        assert_eq!(quotas(&[1, 1, 98], 50), [1, 1, 48]);
        assert_eq!(quotas(&[3, 0, 2], 5), [3, 0, 2]);
        assert_eq!(quotas(&[4, 4, 4], 5), [2, 2, 1]);
    }
}
