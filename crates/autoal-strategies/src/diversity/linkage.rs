//! Average-linkage hierarchical clustering (UPGMA).
//!
//! Merges come from nearest-neighbour chains (Murtagh 1983): O(n²) time, one `n x n` matrix of distances. Since that matrix must stay
//! small, large sets are first cut into cells of about 1000 rows by k-means, and no cluster crosses the border of a cell. Heights of
//! average linkage never fall, so cutting at a height joins exactly the merges at or below it.

use rand::Rng;
use rayon::prelude::*;

use crate::kmeans::KMeans;
use crate::{Rows, distance};

/// Rows of a cell, on average; sets of up to twice as many are not cut.
const CELL: usize = 1000;

/// Iterations of the k-means that makes cells: a border need not be exact.
const CELL_ITERATIONS: usize = 5;

/// One merge of the tree: two rows of the clusters it joins, and the mean distance between their members.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// A row of the one cluster.
    pub a: usize,
    /// A row of the other.
    pub b: usize,
    /// Mean Euclidean distance between the members of the two.
    pub height: f64,
}

/// All merges of all cells, in no order.
pub fn merges(rows: Rows<'_>, rng: &mut (impl Rng + Send)) -> Vec<Merge> {
    let cells = cells(rows, rng);
    cells.par_iter().flat_map_iter(|cell| chain(rows, cell)).collect()
}

/// Clusters after the merges up to `threshold`, numbered by their lowest row, `[N]`.
pub fn cut(rows: usize, merges: &[Merge], threshold: f64) -> Vec<u32> {
    let mut parent: Vec<usize> = (0..rows).collect();
    for merge in merges.iter().filter(|merge| merge.height <= threshold) {
        let (a, b) = (root(&mut parent, merge.a), root(&mut parent, merge.b));
        parent[a.max(b)] = a.min(b);
    }
    let mut number = vec![u32::MAX; rows];
    let mut next = 0;
    for row in 0..rows {
        let root = root(&mut parent, row);
        if root == row {
            number[row] = next;
            next += 1;
        } else {
            number[row] = number[root];
        }
    }
    number
}

/// The height at which about `clusters` clusters are left.
pub fn height_for(rows: usize, merges: &[Merge], clusters: usize) -> f64 {
    let wanted = rows.saturating_sub(clusters).min(merges.len());
    if wanted == 0 {
        return -1.0;
    }
    let mut heights: Vec<f64> = merges.iter().map(|merge| merge.height).collect();
    *heights.select_nth_unstable_by(wanted - 1, f64::total_cmp).1
}

/// The lowest row of a cluster; halves the path on its way.
fn root(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}

fn cells(rows: Rows<'_>, rng: &mut (impl Rng + Send)) -> Vec<Vec<usize>> {
    if rows.len() <= 2 * CELL {
        return vec![(0..rows.len()).collect()];
    }
    let search = KMeans { max_iterations: CELL_ITERATIONS, ..KMeans::new(rows.len().div_ceil(CELL)) };
    let cells = search.fit(rows, rng).members();
    // Copies of one point fall into one cell however many they are.
    cells.iter().flat_map(|cell| cell.chunks(2 * CELL)).map(<[usize]>::to_vec).collect()
}

/// Merges within one cell.
fn chain(rows: Rows<'_>, cell: &[usize]) -> Vec<Merge> {
    let n = cell.len();
    let mut apart = vec![0.0_f64; n * n];
    for i in 0..n {
        for j in 0..i {
            let d = f64::from(distance::squared(rows.row(cell[i]), rows.row(cell[j]))).sqrt();
            (apart[i * n + j], apart[j * n + i]) = (d, d);
        }
    }
    let mut size = vec![1.0_f64; n];
    let mut alive: Vec<usize> = (0..n).collect();
    let mut path: Vec<usize> = Vec::new();
    let mut merges = Vec::with_capacity(n.saturating_sub(1));
    while alive.len() > 1 {
        let at = *path.last().unwrap_or(&alive[0]);
        if path.is_empty() {
            path.push(at);
        }
        let before = path.len().checked_sub(2).map(|i| path[i]);
        let next = nearest(&apart[at * n..(at + 1) * n], &alive, at, before);
        if Some(next) == before {
            path.truncate(path.len() - 2);
            merges.push(Merge { a: cell[at], b: cell[next], height: apart[at * n + next] });
            join(&mut apart, &mut size, &alive, n, at, next);
            alive.retain(|&other| other != next);
        } else {
            path.push(next);
        }
    }
    merges
}

/// The nearest other cluster; `before` wins ties, so that chains end.
fn nearest(apart: &[f64], alive: &[usize], at: usize, before: Option<usize>) -> usize {
    let mut best = before.or_else(|| alive.iter().copied().find(|&other| other != at)).expect("two clusters are alive");
    for &other in alive.iter().filter(|&&other| other != at) {
        if apart[other] < apart[best] {
            best = other;
        }
    }
    best
}

/// Makes `into` the union of both clusters.
fn join(apart: &mut [f64], size: &mut [f64], alive: &[usize], n: usize, into: usize, gone: usize) {
    let total = size[into] + size[gone];
    for &other in alive.iter().filter(|&&other| other != into && other != gone) {
        let d = (size[into] * apart[into * n + other] + size[gone] * apart[gone * n + other]) / total;
        (apart[into * n + other], apart[other * n + into]) = (d, d);
    }
    size[into] = total;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_mean_distances_and_the_cut_joins_what_is_below() {
        let rows = Rows::new(&[0.0, 1.0, 5.0, 20.0], 1).expect("rows");
        let mut merges = chain(rows, &[0, 1, 2, 3]);
        merges.sort_by(|a, b| a.height.total_cmp(&b.height));
        let heights: Vec<f64> = merges.iter().map(|merge| merge.height).collect();
        assert_eq!(heights, [1.0, 4.5, 18.0]);
        assert_eq!(cut(4, &merges, 4.5), [0, 0, 0, 1]);
        assert_eq!(cut(4, &merges, 0.5), [0, 1, 2, 3]);
        assert_eq!(cut(4, &merges, height_for(4, &merges, 2)), [0, 0, 0, 1]);
        assert_eq!(cut(4, &merges, height_for(4, &merges, 4)), [0, 1, 2, 3]);
    }
}
