//! CoreSet: the candidate farthest from everything labeled or selected, again and again (k-centre greedy).
//!
//! **Formula**: `argmax_i min_j |e_i - e_j|²` over labeled and selected `j`; without labels the first is the candidate nearest the mean.
//! Equal distances go to the lower id; once every distance is 0 the rest is drawn at random. The covering radius is at most twice the
//! optimum, and asking for fewer gives the first of the same order.
//! **Cost**: O(b N D) in the worst case, usually a few N D, since a distance is an upper bound until it is looked at: only candidates
//! whose bound exceeds the best are brought up to date. Memory O(N) beyond the embeddings, whose differences are formed as they are, so a
//! cloud far from the origin keeps its digits.
//! **References**: Gonzalez 1985; Sener & Savarese, ICLR 2018.

use autoal_data::Stream;

use super::farthest::Farthest;
use crate::config::NoParameters;
use crate::{
    Buildable, Need, QueryContext, QueryError, QueryStrategy, Rows, Selected, Selection, StrategyError, StrategyInfo, distance,
    random,
};

const STREAM: Stream = Stream::named("core-set");

/// k-centre greedy on embeddings.
#[derive(Debug, Clone, Copy)]
pub struct CoreSet;

impl QueryStrategy for CoreSet {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let rows = context.embeddings().map_err(QueryError::outputs(self.name()))?;
        let labeled = context.labeled_embeddings().map_err(QueryError::outputs(self.name()))?;
        let picked = k_centre(rows, labeled, query_size);
        let mut chosen: Vec<usize> = picked.iter().map(|(row, _)| *row).collect();
        random::fill(context, STREAM, &mut chosen, query_size);
        let score =
            |rank: usize| picked.get(rank).map_or(Some(0.0), |(_, squared)| Some(f64::from(*squared)).filter(|s| s.is_finite()));
        let samples = chosen.iter().enumerate().map(|(rank, &row)| Selected { id: context.candidates[row], score: score(rank) });
        Ok(Selection { samples: samples.collect(), ..Selection::default() })
    }
}

impl Buildable for CoreSet {
    type Config = NoParameters;

    const INFO: StrategyInfo = StrategyInfo {
        name: "core-set",
        summary: "samples far from everything labeled (k-centre greedy)",
        paper: "Sener & Savarese, ICLR 2018",
        needs: &[Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[],
    };

    fn build(_: NoParameters) -> Result<Self, StrategyError> {
        Ok(Self)
    }
}

/// Rows in farthest-first order with their squared distance when chosen (infinite for a first one without labels); fewer than `count`
/// when the rest lies on labeled or chosen rows.
pub fn k_centre(rows: Rows<'_>, labeled: Rows<'_>, count: usize) -> Vec<(usize, f32)> {
    // Within the pool the many small parallel steps need no hand-over from thread to thread.
    rayon::scope(|_| traverse(rows, labeled, count))
}

fn traverse(rows: Rows<'_>, labeled: Rows<'_>, count: usize) -> Vec<(usize, f32)> {
    let mut farthest = Farthest::new(rows, labeled);
    let mut picked = Vec::with_capacity(count);
    if labeled.is_empty() && !rows.is_empty() && count > 0 {
        let first = nearest_to_mean(rows);
        farthest.choose(first);
        picked.push((first, f32::INFINITY));
    }
    while picked.len() < count
        && let Some((row, squared)) = farthest.peek()
    {
        farthest.choose(row);
        picked.push((row, squared));
    }
    picked
}

fn nearest_to_mean(rows: Rows<'_>) -> usize {
    let mean = distance::mean(rows);
    let squared = distance::map_rows(rows, |row| distance::squared(row, &mean));
    (0..squared.len()).min_by(|&a, &b| squared[a].total_cmp(&squared[b])).expect("there is a row")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(values: &[f32]) -> Rows<'_> {
        Rows::new(values, 1).expect("rows of width 1")
    }

    fn rows_of(picked: &[(usize, f32)]) -> Vec<usize> {
        picked.iter().map(|(row, _)| *row).collect()
    }

    #[test]
    fn worked_example() {
        let picked = k_centre(line(&[1.0, 2.0, 5.0, 9.0, 10.0]), line(&[0.0]), 3);
        assert_eq!(picked, [(4, 100.0), (2, 25.0), (1, 4.0)]);
    }

    #[test]
    fn it_stops_when_only_copies_are_left() {
        assert_eq!(rows_of(&k_centre(line(&[3.0, 3.0, 7.0, 7.0]), line(&[]), 4)), [0, 2]);
    }

    /// Plain farthest-first traversal.
    fn naive(points: &[f32], dim: usize, labeled: usize, count: usize) -> Vec<usize> {
        let all = Rows::new(points, dim).expect("whole rows");
        let (l, rows) = (all.slice(0, labeled), all.slice(labeled, all.len()));
        let mut nearest: Vec<f32> =
            rows.iter().map(|row| l.iter().map(|c| distance::squared(row, c)).fold(f32::INFINITY, f32::min)).collect();
        let mut picked = Vec::new();
        while picked.len() < count {
            let next = if picked.is_empty() && labeled == 0 {
                nearest_to_mean(rows)
            } else {
                let best = (0..rows.len()).rev().max_by(|&a, &b| nearest[a].total_cmp(&nearest[b])).expect("rows");
                if nearest[best] <= 0.0 {
                    break;
                }
                best
            };
            picked.push(next);
            nearest.iter_mut().zip(&rows).for_each(|(d, row)| *d = d.min(distance::squared(row, rows.row(next))));
        }
        picked
    }

    #[test]
    fn sketches_of_wide_rows_change_nothing() {
        // Near a line of 40 places, with noise of its own in every column.
        let points: Vec<f32> = (0..330 * 140)
            .map(|i| {
                let (row, d) = (i / 140, i % 140);
                ((row * 7 % 40) * (d % 5)) as f32 * 0.1 + ((row * 31 + d * 17 + row * d) % 23) as f32 * 0.02
            })
            .collect();
        for labeled in [0, 20] {
            let all = Rows::new(&points, 140).expect("whole rows");
            let picked = rows_of(&k_centre(all.slice(labeled, all.len()), all.slice(0, labeled), 60));
            assert_eq!(picked, naive(&points, 140, labeled, 60));
        }
    }

    /// Squared covering radius of the best `k` centres, by trying all.
    fn optimum(rows: Rows<'_>, k: usize) -> f32 {
        let n = rows.len();
        (0_u32..1 << n)
            .filter(|set| set.count_ones() as usize == k)
            .map(|set| radius(rows, &(0..n).filter(|i| set >> i & 1 == 1).collect::<Vec<_>>()))
            .fold(f32::INFINITY, f32::min)
    }

    fn radius(rows: Rows<'_>, centres: &[usize]) -> f32 {
        rows.iter()
            .map(|row| centres.iter().map(|&c| distance::squared(row, rows.row(c))).fold(f32::INFINITY, f32::min))
            .fold(0.0, f32::max)
    }

    proptest! {
        #[test]
        fn looking_lazily_equals_looking_at_everything(
            points in prop::collection::vec(-3_i8..4, 12 * 3..60 * 3), labeled in 0_usize..6, count in 1_usize..20
        ) {
            // Small integers make many exact ties.
            let points: Vec<f32> = points[..points.len() / 3 * 3].iter().map(|&x| f32::from(x)).collect();
            let all = Rows::new(&points, 3).expect("whole rows");
            let picked = rows_of(&k_centre(all.slice(labeled, all.len()), all.slice(0, labeled), count));
            prop_assert_eq!(picked, naive(&points, 3, labeled, count));
        }

        #[test]
        fn the_covering_radius_is_at_most_twice_the_optimum(points in prop::collection::vec(-1.0_f32..1.0, 20), k in 1_usize..5) {
            let rows = Rows::new(&points, 2).expect("ten rows");
            let greedy = radius(rows, &rows_of(&k_centre(rows, Rows::new(&[], 2).expect("no rows"), k)));
            // A millionth covers the rounding of squares.
            prop_assert!(greedy.sqrt() <= 2.0 * optimum(rows, k).sqrt() + 1e-6);
        }
    }
}
