//! D²-sampling (k-means++ seeding): the next centre is drawn with probability proportional to its squared distance to the nearest one.
//!
//! Textbook sampling recomputes all `N` distances after every draw. Here distances are brought up to date only where a draw looks: an old
//! distance is an upper bound of the present one, so a row drawn by its old weight `w` and accepted with probability `d² / w` is a draw
//! by the present weights, exactly. A draw costs a few rows instead of `N`; when rejected draws have cost as much as a pass over all
//! rows would, such a pass is made, so the whole never costs more than twice the textbook's `O(N count)` distances.
//!
//! Arthur & Vassilvitskii, SODA 2007 (k-means++); Devroye, *Non-Uniform Random Variate Generation*, 1986, II.3 (rejection).

use rand::Rng;
use rayon::prelude::*;

/// Rows whose weights are summed together; sums have one fixed order, whatever the number of threads.
const CHUNK: usize = 1024;

/// Squared distances to centres that are themselves rows.
pub trait SquaredDistance: Sync {
    /// Squared distance of `row` to the row `centre`; any value of at least `bound` where the distance is provably that large.
    ///
    /// Never negative and never NaN; zero for equal rows.
    fn squared_distance(&self, row: usize, centre: usize, bound: f64) -> f64;
}

/// Draws centres among `len` rows: `first`, then by squared distance, until there are `count` or every remaining distance is zero.
///
/// Rows with `excluded[row]` are never drawn. O(len) memory.
pub fn sample<M: SquaredDistance>(metric: &M, excluded: &[bool], first: usize, count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut sampler = Sampler::new(metric, excluded, first);
    while sampler.centres.len() < count {
        match sampler.draw(rng) {
            Some(row) => sampler.add(row),
            None => break,
        }
    }
    sampler.centres
}

struct Sampler<'m, M> {
    metric: &'m M,
    centres: Vec<usize>,
    /// Upper bound of the squared distance to the nearest centre; exact where `seen` counts all centres.
    weights: Vec<f64>,
    /// How many of the centres a row's weight takes into account.
    seen: Vec<u32>,
    chunk_sums: Vec<f64>,
    /// Distances computed for rejected draws since the last pass over all rows.
    wasted: usize,
    /// Centres at the last pass over all rows.
    refreshed_at: usize,
}

impl<'m, M: SquaredDistance> Sampler<'m, M> {
    fn new(metric: &'m M, excluded: &[bool], first: usize) -> Self {
        let weights = excluded.iter().map(|&excluded| if excluded { 0.0 } else { f64::INFINITY }).collect();
        let chunks = excluded.len().div_ceil(CHUNK);
        let mut sampler = Self {
            metric,
            centres: vec![first],
            weights,
            seen: vec![0; excluded.len()],
            chunk_sums: vec![0.0; chunks],
            wasted: 0,
            refreshed_at: 0,
        };
        sampler.refresh_all();
        sampler
    }

    /// Adds a centre that was drawn, whose weight is therefore up to date.
    fn add(&mut self, row: usize) {
        self.centres.push(row);
        self.set(row, 0.0);
    }

    /// One row by the present squared distances; `None` when all of them are zero.
    fn draw(&mut self, rng: &mut impl Rng) -> Option<usize> {
        loop {
            let row = self.propose(rng)?;
            let pending = self.centres.len() - self.seen[row] as usize;
            let (old, new) = (self.weights[row], up_to_date(self.metric, &self.centres, row, self.weights[row], self.seen[row]));
            self.set(row, new);
            if unit(rng) * old < new {
                return Some(row);
            }
            self.wasted += pending;
            if self.wasted > self.weights.len().saturating_mul(self.centres.len() - self.refreshed_at) {
                self.refresh_all();
            }
        }
    }

    /// A row drawn by weight.
    fn propose(&self, rng: &mut impl Rng) -> Option<usize> {
        let total: f64 = self.chunk_sums.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut rest = unit(rng) * total;
        let mut chunk = pick(&self.chunk_sums, &mut rest);
        // Rounding can leave a rest past the chunk's last row; the last row with a weight takes it.
        chunk *= CHUNK;
        let end = (chunk + CHUNK).min(self.weights.len());
        Some(chunk + pick(&self.weights[chunk..end], &mut rest))
    }

    fn set(&mut self, row: usize, weight: f64) {
        self.weights[row] = weight;
        self.seen[row] = self.centres.len() as u32;
        let start = row / CHUNK * CHUNK;
        let end = (start + CHUNK).min(self.weights.len());
        self.chunk_sums[row / CHUNK] = self.weights[start..end].iter().sum();
    }

    fn refresh_all(&mut self) {
        let (metric, centres) = (self.metric, &self.centres);
        let chunks = self.weights.par_chunks_mut(CHUNK).zip(self.seen.par_chunks_mut(CHUNK));
        chunks.zip(&mut self.chunk_sums).enumerate().for_each(|(chunk, ((weights, seen), sum))| {
            for (i, (weight, seen)) in weights.iter_mut().zip(seen).enumerate() {
                *weight = up_to_date(metric, centres, chunk * CHUNK + i, *weight, *seen);
                *seen = centres.len() as u32;
            }
            *sum = weights.iter().sum();
        });
        (self.wasted, self.refreshed_at) = (0, self.centres.len());
    }
}

/// The weight of a row after all centres.
fn up_to_date<M: SquaredDistance>(metric: &M, centres: &[usize], row: usize, weight: f64, seen: u32) -> f64 {
    let pending = &centres[seen as usize..];
    pending.iter().fold(
        weight,
        |weight, &centre| {
            if weight > 0.0 { weight.min(metric.squared_distance(row, centre, weight)) } else { weight }
        },
    )
}

/// The first index at which the running sum of `weights` exceeds `rest`, which becomes the part inside it.
fn pick(weights: &[f64], rest: &mut f64) -> usize {
    let mut last = 0;
    for (index, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        if *rest < weight {
            return index;
        }
        *rest -= weight;
        last = index;
    }
    last
}

/// A uniform number in [0, 1).
fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use autoal_data::{Seed, Stream};

    use super::*;

    struct Line(Vec<f64>);

    impl SquaredDistance for Line {
        fn squared_distance(&self, row: usize, centre: usize, _: f64) -> f64 {
            (self.0[row] - self.0[centre]).powi(2)
        }
    }

    /// Chi-square critical values at p = 1e-4 for 4 and 11 degrees of freedom.
    const CRITICAL_4: f64 = 23.5;
    const CRITICAL_11: f64 = 37.4;

    fn chi_square(counts: &[f64], expected: &[f64]) -> f64 {
        counts.iter().zip(expected).filter(|(_, e)| **e > 0.0).map(|(c, e)| (c - e) * (c - e) / e).sum()
    }

    #[test]
    fn the_second_centre_is_drawn_by_squared_distance() {
        let line = Line(vec![0.0, 1.0, 2.0, 0.0, 3.0, 1.5, 0.5]);
        let draws = 20_000;
        let mut counts = vec![0.0; 7];
        for seed in 0..draws {
            let rows = sample(&line, &[false; 7], 0, 2, &mut Seed(seed).rng(Stream::named("d2-test"), 0));
            counts[rows[1]] += 1.0;
        }
        let squares: Vec<f64> = line.0.iter().map(|x| x * x).collect();
        let sum: f64 = squares.iter().sum();
        let expected: Vec<f64> = squares.iter().map(|s| s / sum * draws as f64).collect();
        assert_eq!((counts[0], counts[3]), (0.0, 0.0));
        assert!(chi_square(&counts, &expected) < CRITICAL_4, "{counts:?} against {expected:?}");
    }

    #[test]
    fn the_third_centre_is_drawn_by_distance_to_the_nearest_of_two_although_distances_are_stale() {
        let line = Line(vec![0.0, 1.0, 4.0, 6.0]);
        let pair_probability = |second: usize, third: usize| {
            let d1: Vec<f64> = line.0.iter().map(|x| x * x).collect();
            let d2: Vec<f64> = (0..4).map(|i| d1[i].min((line.0[i] - line.0[second]).powi(2))).collect();
            d1[second] / d1.iter().sum::<f64>() * d2[third] / d2.iter().sum::<f64>()
        };
        let draws = 20_000;
        let mut counts = [0.0; 16];
        for seed in 0..draws {
            let rows = sample(&line, &[false; 4], 0, 3, &mut Seed(seed).rng(Stream::named("d2-test"), 0));
            counts[rows[1] * 4 + rows[2]] += 1.0;
        }
        let expected: Vec<f64> =
            (0..16).map(|i| if i / 4 == 0 { 0.0 } else { pair_probability(i / 4, i % 4) * draws as f64 }).collect();
        assert!(chi_square(&counts, &expected) < CRITICAL_11, "{counts:?} against {expected:?}");
    }

    #[test]
    fn it_ends_when_only_copies_of_centres_are_left_and_never_draws_an_excluded_row() {
        let line = Line(vec![0.0, 0.0, 5.0, 5.0, 9.0, 5.0]);
        let excluded = [false, false, false, false, true, false];
        for seed in 0..50 {
            let rows = sample(&line, &excluded, 0, 6, &mut Seed(seed).rng(Stream::named("d2-test"), 0));
            assert_eq!(rows.len(), 2);
            assert!([2, 3, 5].contains(&rows[1]));
        }
    }

    #[test]
    fn more_centres_than_a_chunk_of_rows_are_distinct_and_nested() {
        let line = Line((0..3000).map(|i| f64::from(i * i % 4001)).collect());
        let draw = |count| sample(&line, &[false; 3000], 7, count, &mut Seed(3).rng(Stream::named("d2-test"), 0));
        let rows = draw(1500);
        assert_eq!(rows[..200], draw(200));
        let mut distinct = rows.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), rows.len());
    }
}
