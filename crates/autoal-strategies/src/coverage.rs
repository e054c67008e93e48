//! Greedy maximum coverage: the candidates whose neighbourhoods hold most mass that is not covered yet.
//!
//! `G_i = (1 / N) Σ_j u_j max(0, k(i, j) - m_j)`: `u_j` is the mass at `j`, `k` a kernel of the distance that falls from 1 to 0, and `m_j`
//! the largest kernel value between `j` and what is labeled or selected. Again and again the largest `G` is selected (lowest row among
//! equals) and `m` updated; this is within 1 - 1/e of the best set. When nothing is left to gain, the farthest from all covered follow.
//! MaxHerding, Uncertainty Herding and ProbCover are cases of it.
//!
//! Gains only fall, so an old one is an upper bound, and only candidates on top of a heap are evaluated anew (lazy greedy; Minoux 1978).
//! The sequence is that of the plain greedy: every gain is one sum in one fixed order, and such sums fall when their terms fall, rounding
//! included. No `N x N` array is held.
//!
//! **Exact** costs O(N² D) for the first gains. With **witnesses**, the sum runs over a random part of the candidates plus the
//! candidate itself, whose own term is exact: O(N M D) for M witnesses. All candidates can still be selected.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Rows;
use crate::distance::{self, BLOCK, Probe};

/// Gains evaluated anew together.
const GROUP: usize = 16;

/// First gains evaluated together.
const FIRST_GROUP: usize = 1024;

/// A squared distance so near a threshold, relative to the squared norms it came from, is measured again by differences.
const DOUBT: f32 = 1e-4;

/// A kernel of the distance `d`, 1 at 0 and falling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// `exp(-d² / σ²)`.
    Rbf,
    /// 1 where `d < σ`, else 0.
    TopHat,
    /// `exp(-d / σ)`.
    Laplace,
    /// `(1 + d² / (σ² β))^(-(β + 1) / 2)` with β = 1/2.
    Student,
    /// `1 / (1 + d² / σ²)`.
    Cauchy,
}

/// A kernel with its length scale σ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    kernel: Kernel,
    squared_scale: f32,
}

impl Similarity {
    /// The kernel with length scale `scale`, which must be positive.
    pub fn new(kernel: Kernel, scale: f64) -> Self {
        Self { kernel, squared_scale: (scale * scale) as f32 }
    }

    /// Its value at a squared distance.
    pub fn at(&self, squared: f32) -> f32 {
        let ratio = squared / self.squared_scale;
        match self.kernel {
            Kernel::Rbf => exp_negative(ratio),
            Kernel::TopHat => f32::from(u8::from(squared < self.squared_scale)),
            Kernel::Laplace => exp_negative(ratio.sqrt()),
            Kernel::Student => (1.0 + 2.0 * ratio).powf(-0.75),
            Kernel::Cauchy => 1.0 / (1.0 + ratio),
        }
    }
}

/// `e^-x` for `x >= 0`, to the last two digits of `f32`, in operations that the compiler can vectorise.
fn exp_negative(x: f32) -> f32 {
    // e^-x = 2^-n · e^r with n = round(x / ln 2) and |r| <= ln 2 / 2; ln 2 in two parts keeps r exact.
    let x = x.min(87.0);
    let n = (x * std::f32::consts::LOG2_E + 0.5).floor();
    let r = n * 0.693_359_4 - x - n * 2.121_944_4e-4;
    let poly = 1.987_569_1e-4_f32;
    let poly = poly * r + 1.398_199_9e-3;
    let poly = poly * r + 8.333_452e-3;
    let poly = poly * r + 4.166_579_6e-2;
    let poly = poly * r + 1.666_666_5e-1;
    let poly = poly * r + 0.5;
    let value = poly * r * r + r + 1.0;
    value * f32::from_bits(((127 - n as i32) as u32) << 23)
}

/// Where mass lies, and how it is covered.
#[derive(Debug, Clone, Copy)]
pub struct Coverage<'a> {
    /// Candidates, `[N, D]`.
    pub rows: Rows<'a>,
    /// Mass at each candidate, `[N]`, finite and not negative.
    pub mass: &'a [f32],
    /// What covers already, `[L, D]`.
    pub covered_by: Rows<'a>,
    /// How much a sample covers another.
    pub similarity: Similarity,
    /// Rows over which gains are summed, ascending; `None` for all.
    pub witnesses: Option<&'a [usize]>,
}

/// A selected row and what it gained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// The row.
    pub row: usize,
    /// `G` when it was selected; 0 for rows selected when nothing was left to gain.
    pub gain: f64,
}

impl Coverage<'_> {
    /// `min(count, N)` distinct rows in order of selection.
    pub fn maximise(&self, count: usize) -> Vec<Pick> {
        Greedy::new(*self).run(count.min(self.rows.len()))
    }

    /// The first gain of every candidate, `[N]`.
    pub fn gains(&self) -> Vec<f64> {
        Greedy::new(*self).first_gains()
    }
}

struct Greedy<'a> {
    problem: Coverage<'a>,
    /// The witnesses' embeddings; those of the candidates when all are witnesses.
    gathered: Option<Vec<f32>>,
    /// All vectors are taken relative to this point in products.
    origin: Vec<f32>,
    /// Squared distance of every candidate to what is labeled or selected.
    nearest: Vec<f32>,
    /// How far `nearest` of a candidate is up to date: number of picks looked at. Witnesses always are.
    seen: Vec<u32>,
    picks: Vec<Pick>,
}

/// A gain in the heap: larger first, then the lower row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bid {
    gain: f64,
    row: Reverse<u32>,
    /// Number of picks when the gain was evaluated.
    at: u32,
}

impl Eq for Bid {}

impl Ord for Bid {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.gain.total_cmp(&other.gain).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Bid {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Greedy<'a> {
    fn new(problem: Coverage<'a>) -> Self {
        let rows = problem.rows;
        let nearest = match distance::nearest(rows, problem.covered_by) {
            Some(found) => found.into_iter().map(|found| found.squared).collect(),
            None => vec![f32::INFINITY; rows.len()],
        };
        let gathered = problem.witnesses.map(|witnesses| witnesses.iter().flat_map(|&row| rows.row(row)).copied().collect());
        Self { problem, gathered, origin: distance::mean(rows), nearest, seen: vec![0; rows.len()], picks: Vec::new() }
    }

    fn run(mut self, count: usize) -> Vec<Pick> {
        let bid = |(row, gain): (usize, f64)| Bid { gain, row: Reverse(row as u32), at: 0 };
        let mut heap: BinaryHeap<Bid> = self.first_gains().into_iter().enumerate().map(bid).collect();
        while self.picks.len() < count
            && let Some(top) = heap.pop()
        {
            if top.gain <= 0.0 {
                heap.push(top);
                break;
            }
            if top.at as usize == self.picks.len() {
                self.choose(Pick { row: top.row.0 as usize, gain: top.gain });
            } else {
                self.reevaluate(top, &mut heap);
            }
        }
        self.fill(count, heap.into_iter().map(|bid| bid.row.0 as usize).collect());
        self.picks
    }

    fn first_gains(&mut self) -> Vec<f64> {
        let rows: Vec<usize> = (0..self.problem.rows.len()).collect();
        rows.chunks(FIRST_GROUP).flat_map(|group| self.evaluate(group)).collect()
    }

    /// Evaluates the topmost stale bids together and puts them back.
    fn reevaluate(&mut self, top: Bid, heap: &mut BinaryHeap<Bid>) {
        let mut stale = vec![top];
        while stale.len() < GROUP
            && let Some(next) = heap.peek()
            && (next.at as usize) < self.picks.len()
            && next.gain > 0.0
        {
            stale.extend(heap.pop());
        }
        let rows: Vec<usize> = stale.iter().map(|bid| bid.row.0 as usize).collect();
        let at = self.picks.len() as u32;
        heap.extend(self.evaluate(&rows).into_iter().zip(stale).map(|(gain, bid)| Bid { gain, at, ..bid }));
    }

    /// Gains of some candidates now.
    fn evaluate(&mut self, group: &[usize]) -> Vec<f64> {
        let problem = self.problem;
        let dim = problem.rows.dim();
        let centres: Vec<f32> = group.iter().flat_map(|&row| problem.rows.row(row)).copied().collect();
        let probe = Probe::with_origin(Rows::new(&centres, dim).expect("whole rows"), self.origin.clone());
        let over = self.gathered.as_deref().map_or(problem.rows, |gathered| Rows::new(gathered, dim).expect("whole rows"));
        let blocks: Vec<Vec<f64>> = over
            .data()
            .par_chunks(BLOCK * dim)
            .enumerate()
            .map_init(|| probe.scratch(), |scratch, (block, data)| self.block_gains(&probe, scratch, &centres, block, data))
            .collect();
        let sums = (0..group.len()).map(|at| blocks.iter().map(|block| block[at]).sum::<f64>());
        let sums: Vec<f64> = sums.collect();
        group.iter().zip(sums).map(|(&row, sum)| self.gain(row, sum)).collect()
    }

    /// The part of the sums that one block of witnesses contributes.
    fn block_gains(
        &self,
        probe: &Probe,
        scratch: &mut distance::Scratch,
        centres: &[f32],
        block: usize,
        data: &[f32],
    ) -> Vec<f64> {
        let dim = self.problem.rows.dim();
        let rows = Rows::new(data, dim).expect("a block holds whole rows");
        let similarity = self.problem.similarity;
        let mut gains = vec![0.0; centres.len() / dim];
        probe.scan(rows, scratch, |at, first, offsets| {
            let row = self.witness(block * BLOCK + at);
            let (mass, covered) = (self.problem.mass[row], similarity.at(self.nearest[row]));
            if mass <= 0.0 || covered >= 1.0 {
                return;
            }
            let norm = probe.squared_norm(rows.row(at));
            for (k, offset) in offsets.iter_mut().enumerate() {
                let mut squared = (norm + *offset).max(0.0);
                if similarity.kernel == Kernel::TopHat && (squared - similarity.squared_scale).abs() <= DOUBT * (norm + squared) {
                    squared = distance::squared(rows.row(at), &centres[(first + k) * dim..(first + k + 1) * dim]);
                }
                *offset = squared;
            }
            for (gain, &squared) in gains[first..].iter_mut().zip(offsets.iter()) {
                *gain += f64::from(mass * (similarity.at(squared) - covered).max(0.0));
            }
        });
        gains
    }

    /// The candidate at a place among the witnesses.
    fn witness(&self, place: usize) -> usize {
        self.problem.witnesses.map_or(place, |witnesses| witnesses[place])
    }

    /// A gain from the sum over the witnesses.
    fn gain(&mut self, row: usize, sum: f64) -> f64 {
        let count = self.problem.rows.len() as f64;
        let Some(witnesses) = self.problem.witnesses else {
            return sum / count;
        };
        self.look(row);
        let own = f64::from(self.problem.mass[row] * (1.0 - self.problem.similarity.at(self.nearest[row])).max(0.0));
        let is_witness = witnesses.binary_search(&row).is_ok();
        let (others, used) = if is_witness { (sum - own, witnesses.len() - 1) } else { (sum, witnesses.len()) };
        (own + (count - 1.0) / used.max(1) as f64 * others.max(0.0)) / count
    }

    /// Brings the distance of a candidate to what is selected up to date.
    fn look(&mut self, row: usize) {
        let point = self.problem.rows.row(row);
        for pick in &self.picks[self.seen[row] as usize..] {
            self.nearest[row] = self.nearest[row].min(distance::squared(point, self.problem.rows.row(pick.row)));
        }
        self.seen[row] = self.picks.len() as u32;
    }

    fn choose(&mut self, pick: Pick) {
        let rows = self.problem.rows;
        let centre = rows.row(pick.row);
        self.picks.push(pick);
        match self.problem.witnesses {
            None => {
                let both = self.nearest.par_iter_mut().zip(rows.data().par_chunks(rows.dim())).with_min_len(BLOCK);
                both.for_each(|(nearest, row)| *nearest = nearest.min(distance::squared(row, centre)));
                self.seen.fill(self.picks.len() as u32);
            }
            Some(witnesses) => witnesses.iter().for_each(|&row| self.look(row)),
        }
    }

    /// The farthest from what is covered, when nothing is left to gain.
    fn fill(&mut self, count: usize, mut rest: Vec<usize>) {
        if self.picks.len() == count {
            return;
        }
        for &row in &rest {
            self.look(row);
        }
        rest.sort_by(|&a, &b| self.nearest[b].total_cmp(&self.nearest[a]).then(a.cmp(&b)));
        self.picks.extend(rest.into_iter().take(count - self.picks.len()).map(|row| Pick { row, gain: 0.0 }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Unit vectors at these angles in degrees.
    fn circle(degrees: &[f32]) -> Vec<f32> {
        degrees.iter().flat_map(|d| [d.to_radians().cos(), d.to_radians().sin()]).collect()
    }

    fn rows(values: &[f32]) -> Rows<'_> {
        Rows::new(values, 2).expect("pairs")
    }

    /// Kernel values have six digits.
    const ROUNDING: f64 = 2e-6;

    fn close(gains: &[f64], expected: &[f64]) {
        assert_eq!(gains.len(), expected.len());
        gains.iter().zip(expected).for_each(|(g, e)| assert!((g - e).abs() < ROUNDING, "{gains:?} against {expected:?}"));
    }

    fn rbf<'a>(rows: Rows<'a>, mass: &'a [f32], covered_by: Rows<'a>, scale: f64) -> Coverage<'a> {
        Coverage { rows, mass, covered_by, similarity: Similarity::new(Kernel::Rbf, scale), witnesses: None }
    }

    #[test]
    fn herding_on_a_circle_without_labels() {
        let points = circle(&[0.0, 10.0, 25.0, 90.0, 100.0, 180.0]);
        let problem = rbf(rows(&points), &[1.0; 6], rows(&[]), 1.0);
        close(&problem.gains(), &[0.508_079_3, 0.541_657_0, 0.554_595_0, 0.457_901_1, 0.436_611_2, 0.231_025_6]);
        let picks = problem.maximise(6);
        assert_eq!(picks.iter().take(4).map(|pick| pick.row).collect::<Vec<_>>(), [2, 4, 5, 0]);
        let gains: Vec<f64> = picks.iter().map(|pick| pick.gain).collect();
        close(&gains, &[0.554_595_0, 0.266_213_5, 0.134_744_8, 0.034_470_9, 0.004_987_9, 0.004_987_9]);
    }

    #[test]
    fn uncertain_mass_moves_the_picks_and_labels_cover() {
        let points = circle(&[0.0, 10.0, 25.0, 90.0, 100.0]);
        let mass = [0.1, 0.2, 0.9, 0.5, 0.05];
        let label = circle(&[180.0]);
        let problem = rbf(rows(&points), &mass, rows(&label), 1.0);
        close(&problem.gains(), &[0.202_947_6, 0.228_065_2, 0.247_184_9, 0.156_245_8, 0.134_664_7]);
        let picks = problem.maximise(3);
        assert_eq!(picks.iter().map(|pick| pick.row).collect::<Vec<_>>(), [2, 3, 1]);
        close(&picks.iter().map(|pick| pick.gain).collect::<Vec<_>>(), &[0.247_184_9, 0.075_916_5, 0.005_454_1]);
        let witnessed = Coverage { witnesses: Some(&[0, 3]), ..problem };
        close(&witnessed.gains(), &[0.019_633_7, 0.088_554_3, 0.244_415_5, 0.095_828_0, 0.178_124_6]);
    }

    #[test]
    fn the_exponential_has_seven_digits() {
        for i in 0..8000 {
            let x = i as f32 / 100.0;
            let expected = f64::from(-x).exp();
            assert!((f64::from(exp_negative(x)) - expected).abs() <= 3e-7 * expected, "{x}");
        }
    }

    /// Plain greedy over all pairs, in `f64` sums of the same terms.
    fn naive(problem: &Coverage<'_>, count: usize) -> Vec<usize> {
        let rows = problem.rows;
        let kernel = |a: &[f32], b: &[f32]| problem.similarity.at(distance::squared(a, b));
        let mut covered: Vec<f32> =
            rows.iter().map(|row| problem.covered_by.iter().map(|l| kernel(row, l)).fold(0.0, f32::max)).collect();
        let mut picks = Vec::new();
        while picks.len() < count {
            let gain = |i: usize| -> f64 {
                let term = |j: usize| f64::from(problem.mass[j] * (kernel(rows.row(i), rows.row(j)) - covered[j]).max(0.0));
                (0..rows.len()).map(term).sum()
            };
            let free = (0..rows.len()).filter(|i| !picks.contains(i)).rev();
            let best = free.max_by(|&a, &b| gain(a).total_cmp(&gain(b))).expect("a free row");
            if gain(best) <= 0.0 {
                break;
            }
            picks.push(best);
            covered.iter_mut().zip(&rows).for_each(|(m, row)| *m = m.max(kernel(row, rows.row(best))));
        }
        picks
    }

    proptest! {
        #[test]
        fn counting_neighbours_lazily_equals_the_plain_greedy(
            points in prop::collection::vec(-4_i8..5, 10..120), count in 1_usize..30, scale in 1_u8..5, labeled in 0_usize..4
        ) {
            // Integer coordinates put pairs exactly on the threshold, where a strict comparison decides.
            let points: Vec<f32> = points[..points.len() / 2 * 2].iter().map(|&x| f32::from(x)).collect();
            let all = rows(&points);
            let rows = all.slice(labeled, all.len());
            let mass = vec![1.0; rows.len()];
            let similarity = Similarity::new(Kernel::TopHat, f64::from(scale));
            let problem = Coverage { rows, mass: &mass, covered_by: all.slice(0, labeled), similarity, witnesses: None };
            let picks = problem.maximise(count);
            let gaining: Vec<usize> = picks.iter().filter(|pick| pick.gain > 0.0).map(|pick| pick.row).collect();
            prop_assert_eq!(gaining, naive(&problem, count.min(rows.len())));
        }

        #[test]
        fn gains_never_grow_along_the_picks_and_rows_are_distinct(
            points in prop::collection::vec(-1.0_f32..1.0, 20..80), mass in prop::collection::vec(0.0_f32..1.0, 40), scale in 0.1_f64..2.0
        ) {
            let points = &points[..points.len() / 2 * 2];
            let rows = rows(points);
            let problem = rbf(rows, &mass[..rows.len()], Rows::new(&[], 2).expect("no rows"), scale);
            let picks = problem.maximise(rows.len());
            prop_assert!(picks.is_sorted_by(|a, b| a.gain >= b.gain));
            let mut seen: Vec<usize> = picks.iter().map(|pick| pick.row).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows.len()).collect::<Vec<_>>());
        }
    }
}
