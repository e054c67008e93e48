//! From single stochastic passes to the sums that scores need.

use ndarray::{Array1, Array2, ArrayView2, ArrayView3, Axis, concatenate};

use crate::{McOutputs, OutputsError};

/// Accumulates stochastic passes over the same samples, one pass at a time: O(N C) memory whatever the number of passes.
///
/// Large pools go block by block: one accumulator a block of samples, then [`McOutputs::stack`].
#[derive(Debug, Clone)]
pub struct McAccumulator {
    draws: usize,
    mean: Array2<f64>,
    /// Sum of squared deviations from the running mean (Welford).
    deviation: Array2<f64>,
    entropy: Array1<f64>,
    votes: Array2<u32>,
}

impl McAccumulator {
    /// An accumulator for `rows` samples and `classes` classes.
    pub fn new(rows: usize, classes: usize) -> Self {
        Self {
            draws: 0,
            mean: Array2::zeros((rows, classes)),
            deviation: Array2::zeros((rows, classes)),
            entropy: Array1::zeros(rows),
            votes: Array2::zeros((rows, classes)),
        }
    }

    /// Adds the probabilities of one pass, `[rows, C]`.
    ///
    /// # Panics
    ///
    /// When the shape is not the one given to [`McAccumulator::new`].
    pub fn push(&mut self, pass: ArrayView2<'_, f32>) {
        assert_eq!(pass.dim(), self.mean.dim(), "every pass has the accumulator's shape");
        self.draws += 1;
        let draws = self.draws as f64;
        for (row, proba) in pass.outer_iter().enumerate() {
            let (mut winner, mut most, mut entropy) = (0, f32::NEG_INFINITY, 0.0);
            for (class, &p) in proba.iter().enumerate() {
                if p > most {
                    (winner, most) = (class, p);
                }
                let p = f64::from(p);
                entropy += entropy_term(p);
                let delta = p - self.mean[[row, class]];
                self.mean[[row, class]] += delta / draws;
                self.deviation[[row, class]] += delta * (p - self.mean[[row, class]]);
            }
            self.entropy[row] += entropy;
            if let Some(count) = self.votes.get_mut([row, winner]) {
                *count += 1;
            }
        }
    }

    /// The sums over all passes so far. Without a pass all of them are zero.
    pub fn finish(self) -> McOutputs {
        let draws = self.draws.max(1) as f64;
        McOutputs {
            draws: self.draws,
            entropy_of_mean: self.mean.outer_iter().map(|row| row.iter().map(|&p| entropy_term(p)).sum()).collect(),
            mean_proba: self.mean.mapv(|p| p as f32),
            std_proba: self.deviation.mapv(|d| (d / draws).max(0.0).sqrt() as f32),
            mean_entropy: self.entropy / draws,
            votes: self.votes,
        }
    }
}

/// `-p ln p`, 0 at 0; NaN stays NaN.
fn entropy_term(p: f64) -> f64 {
    if p == 0.0 { 0.0 } else { -p * p.ln() }
}

impl McOutputs {
    /// From the probabilities of all passes, `[T, N, C]`.
    pub fn from_passes(passes: ArrayView3<'_, f32>) -> Self {
        let (_, rows, classes) = passes.dim();
        let mut accumulator = McAccumulator::new(rows, classes);
        passes.axis_iter(Axis(0)).for_each(|pass| accumulator.push(pass));
        accumulator.finish()
    }

    /// Joins blocks of samples in order; an error when they disagree in passes or classes.
    pub fn stack(blocks: &[Self]) -> Result<Self, OutputsError> {
        let join2 = |of: fn(&Self) -> ArrayView2<'_, f32>| concatenate(Axis(0), &blocks.iter().map(of).collect::<Vec<_>>());
        let disagree = |_| OutputsError::Failed("blocks of stochastic passes disagree in the number of classes".into());
        let draws = blocks.first().map_or(0, |block| block.draws);
        if blocks.is_empty() || blocks.iter().any(|block| block.draws != draws) {
            return Err(OutputsError::Failed("blocks of stochastic passes disagree in the number of passes".into()));
        }
        let votes: Vec<_> = blocks.iter().map(|block| block.votes.view()).collect();
        Ok(Self {
            draws,
            mean_proba: join2(|block| block.mean_proba.view()).map_err(disagree)?,
            std_proba: join2(|block| block.std_proba.view()).map_err(disagree)?,
            mean_entropy: blocks.iter().flat_map(|block| block.mean_entropy.iter().copied()).collect(),
            entropy_of_mean: blocks.iter().flat_map(|block| block.entropy_of_mean.iter().copied()).collect(),
            votes: concatenate(Axis(0), &votes).map_err(disagree)?,
        })
    }

    /// The samples at `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            draws: self.draws,
            mean_proba: self.mean_proba.select(Axis(0), rows),
            std_proba: self.std_proba.select(Axis(0), rows),
            mean_entropy: self.mean_entropy.select(Axis(0), rows),
            entropy_of_mean: self.entropy_of_mean.select(Axis(0), rows),
            votes: self.votes.select(Axis(0), rows),
        }
    }
}
