//! Greedy k-means++: each centre is the best of a few rows drawn with probability proportional to the squared distance to the centres
//! so far (Arthur & Vassilvitskii, SODA 2007; the trials as in their section on implementation).
//!
//! Wide rows are looked at through their sketches: enough to spread first centres, which Lloyd's iteration moves in full width.

use ndarray::Array2;
use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::KMeans;
use crate::Rows;
use crate::distance::BLOCK;
use crate::simd::{self, TILE};
use crate::tiles::Tiles;

/// Rows as first centres, `[K, D]`, looked for among `seeding_rows` random rows (at least four times `clusters`) as `seen`, which are the
/// rows or their sketches.
pub(super) fn seed(rows: Rows<'_>, seen: Rows<'_>, options: &KMeans, rng: &mut impl Rng) -> Array2<f32> {
    let clusters = options.clusters.min(rows.len());
    let limit = options.seeding_rows.max(4 * clusters);
    let mut sample: Vec<usize> = (0..rows.len()).collect();
    if rows.len() > limit {
        sample = rand::seq::index::sample(rng, rows.len(), limit).into_vec();
        sample.sort_unstable();
    }
    let trials = if options.seeding_trials == 0 { 2 + (clusters.max(1) as f64).ln() as usize } else { options.seeding_trials };
    let chosen = plus_plus(&Tiles::of(seen, &sample), clusters, trials, rng);
    gather(rows, &chosen.into_iter().map(|at| sample[at]).collect::<Vec<_>>())
}

/// The chosen rows one after the other.
fn gather(rows: Rows<'_>, chosen: &[usize]) -> Array2<f32> {
    let mut gathered = Array2::zeros((chosen.len(), rows.dim()));
    for (mut to, &row) in gathered.outer_iter_mut().zip(chosen) {
        to.as_slice_mut().expect("a fresh array is row-major").copy_from_slice(rows.row(row));
    }
    gathered
}

/// Squared distances to the nearest centre so far, and their sums, by block.
struct Potential {
    /// Of every row, and 0 for the places behind the last.
    nearest: Vec<f32>,
    sums: Vec<f64>,
}

/// `clusters` rows, repeated where rows are copies.
fn plus_plus(tiles: &Tiles, clusters: usize, trials: usize, rng: &mut impl Rng) -> Vec<usize> {
    if clusters == 0 {
        return Vec::new();
    }
    let first = rng.random_range(0..tiles.len());
    let mut chosen = vec![first];
    let mut nearest = vec![f32::INFINITY; tiles.len()];
    nearest.resize(tiles.len().next_multiple_of(TILE), 0.0);
    let mut potential = best_of(tiles, &nearest, &[first]).1;
    while chosen.len() < clusters {
        let tried = potential.draw(trials, rng);
        if tried.is_empty() {
            // All rows lie on a centre: the rest are copies, and the empty clusters they make are harmless.
            chosen.push(chosen.len() % tiles.len());
            continue;
        }
        let (best, after) = best_of(tiles, &potential.nearest, &tried);
        chosen.push(tried[best]);
        potential = after;
    }
    chosen
}

impl Potential {
    /// Rows drawn with probability proportional to their squared distance; none when all are zero.
    fn draw(&self, trials: usize, rng: &mut impl Rng) -> Vec<usize> {
        let total: f64 = self.sums.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            return Vec::new();
        }
        let mut rows: Vec<usize> = (0..trials).map(|_| self.find(rng.random::<f64>() * total)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The row at which the sum so far exceeds `target`; the last one with a distance where rounding leaves none.
    fn find(&self, target: f64) -> usize {
        let mut rest = target;
        let mut block = 0;
        while block + 1 < self.sums.len() && rest >= self.sums[block] {
            rest -= self.sums[block];
            block += 1;
        }
        let rows = &self.nearest[block * BLOCK..];
        let exceeds = |squared: &f32| {
            rest -= f64::from(*squared);
            rest < 0.0
        };
        let found = rows.iter().position(exceeds).map(|at| block * BLOCK + at);
        found.unwrap_or_else(|| self.nearest.iter().rposition(|squared| *squared > 0.0).unwrap_or(0))
    }
}

/// The trial that lowers the potential most, and the potential after it. One pass over the rows for all trials.
fn best_of(tiles: &Tiles, nearest: &[f32], tried: &[usize]) -> (usize, Potential) {
    let points: Vec<Vec<f32>> = tried.iter().map(|&row| tiles.row(row)).collect();
    let of_block = |(block, nearest): (std::slice::ChunksExact<'_, f32>, &[f32])| -> Vec<(Vec<f32>, f64)> {
        let to = |point: &Vec<f32>| {
            let mut after = vec![0.0; nearest.len()];
            let tiles = block.clone().zip(nearest.chunks_exact(TILE)).zip(after.chunks_exact_mut(TILE));
            let sum = tiles.map(|((tile, nearest), after)| simd::nearer(tile, point, nearest, after)).sum();
            (after, sum)
        };
        points.iter().map(to).collect()
    };
    let blocks: Vec<Vec<(Vec<f32>, f64)>> = tiles.blocks().zip(nearest.par_chunks(BLOCK)).map(of_block).collect();
    let total = |trial: usize| blocks.iter().map(|block| block[trial].1).sum::<f64>();
    let best = (0..tried.len()).min_by(|&a, &b| total(a).total_cmp(&total(b))).expect("at least one row was drawn");
    let sums = blocks.iter().map(|block| block[best].1).collect();
    let mut after = Vec::with_capacity(nearest.len());
    for block in &blocks {
        after.extend_from_slice(&block[best].0);
    }
    (best, Potential { nearest: after, sums })
}

#[cfg(test)]
mod tests {
    use autoal_data::{Seed, Stream};

    use super::*;

    /// Rows on a line in places whose squared distances from the first are known.
    #[test]
    fn rows_are_drawn_by_their_squared_distance() {
        let line: Vec<f32> = (0..300).map(|i| (i % 4) as f32).collect();
        let rows = Rows::new(&line, 1).expect("rows of width 1");
        let tiles = Tiles::of(rows, &(0..300).collect::<Vec<_>>());
        assert_eq!(tiles.row(7), [3.0]);
        let mut start = vec![f32::INFINITY; 300];
        start.resize(304, 0.0);
        let (_, potential) = best_of(&tiles, &start, &[0]);
        assert_eq!(potential.nearest[..300], line.iter().map(|x| x * x).collect::<Vec<_>>());
        let mut rng = Seed(1).rng(Stream::named("seeding"), 0);
        let mut counts = [0_f64; 4];
        (0..28_000).for_each(|_| counts[potential.draw(1, &mut rng)[0] % 4] += 1.0);
        // Chi-square with two degrees of freedom, below its 0.999 quantile.
        let expected = [2000.0, 8000.0, 18_000.0];
        let distance: f64 = counts[1..].iter().zip(expected).map(|(c, e): (&f64, f64)| (c - e).powi(2) / e).sum();
        assert!(counts[0] == 0.0 && distance < 13.8, "{counts:?}");
    }

    #[test]
    fn every_place_has_a_centre_when_there_are_as_many_centres() {
        let line: Vec<f32> = (0..50).map(|i| (i % 5) as f32 * 10.0).collect();
        let tiles = Tiles::of(Rows::new(&line, 1).expect("rows"), &(0..50).collect::<Vec<_>>());
        let chosen = plus_plus(&tiles, 8, 2, &mut Seed(1).rng(Stream::named("seeding"), 0));
        let places: std::collections::BTreeSet<usize> = chosen.iter().map(|row| row % 5).collect();
        assert!(places.len() == 5 && chosen.len() == 8, "{chosen:?}");
    }
}
