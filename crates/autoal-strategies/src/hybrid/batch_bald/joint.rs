//! The entropy of one more label, given those of the samples chosen so far.

use ndarray::{Array3, ArrayView1, Axis};
use rand::{Rng, RngExt};
use rayon::prelude::*;

/// Joint outcomes that one task sums up.
const OUTCOMES_A_TASK: usize = 1024;

/// Joint outcomes of the chosen samples' labels, all of them or drawn ones.
pub(super) struct JointOutcomes<'a> {
    /// `[T, rows, C]`.
    passes: &'a Array3<f32>,
    /// Positions of the chosen samples.
    chosen: Vec<usize>,
    outcomes: Vec<Outcome>,
    /// Whether outcomes are drawn, each with its own pass, in turn.
    drawn: bool,
}

/// One joint outcome.
#[derive(Clone)]
struct Outcome {
    /// Its probability, or one over the number of drawn outcomes.
    weight: f64,
    /// Weights of the passes given the outcome, `[T]`, with a mean of 1.
    passes: Vec<f64>,
}

impl Outcome {
    /// The outcome with one more label, given the label's probability under each pass; `None` for an impossible one.
    ///
    /// `scale` says whether the weight follows the label's probability.
    fn with(&self, label: ArrayView1<'_, f32>, scale: bool) -> Option<Self> {
        let mut passes: Vec<f64> = self.passes.iter().zip(label).map(|(weight, p)| weight * f64::from(*p)).collect();
        let mean = passes.iter().sum::<f64>() / passes.len() as f64;
        for weight in &mut passes {
            *weight /= mean;
        }
        (mean > 0.0).then_some(Self { weight: if scale { self.weight * mean } else { self.weight }, passes })
    }
}

impl<'a> JointOutcomes<'a> {
    pub(super) fn new(passes: &'a Array3<f32>) -> Self {
        let nothing = Outcome { weight: 1.0, passes: vec![1.0; passes.len_of(Axis(0))] };
        Self { passes, chosen: Vec::new(), outcomes: vec![nothing], drawn: false }
    }

    /// `E_{y_S} H(y_i | y_S) - E_t H(p_{t,i})`; outcomes are summed up in parts of a fixed size, so threads do not matter.
    pub(super) fn gain(&self, position: usize) -> f64 {
        let sample = self.passes.index_axis(Axis(1), position);
        let draws = sample.nrows();
        // `[C, T]`: a label's probabilities under all passes side by side.
        let labels: Vec<f64> = sample.columns().into_iter().flatten().map(|&p| f64::from(p)).collect();
        let given = |outcome: &Outcome| -> f64 {
            let probability = |label: &[f64]| outcome.passes.iter().zip(label).map(|(weight, p)| weight * p).sum::<f64>();
            let entropy = labels.chunks_exact(draws).map(|label| entropy_term(probability(label) / draws as f64)).sum::<f64>();
            outcome.weight * entropy
        };
        let parts: Vec<f64> = self.outcomes.par_chunks(OUTCOMES_A_TASK).map(|part| part.iter().map(given).sum()).collect();
        parts.iter().sum::<f64>() - labels.iter().copied().map(entropy_term).sum::<f64>() / draws as f64
    }

    /// Whether outcomes are drawn, so that gains are estimates.
    pub(super) fn are_drawn(&self) -> bool {
        self.drawn
    }

    /// Number of outcomes after `more` samples, were all kept.
    pub(super) fn would_be(&self, more: u32) -> usize {
        if self.drawn {
            return usize::MAX;
        }
        self.outcomes.len().saturating_mul(self.passes.len_of(Axis(2)).saturating_pow(more))
    }

    /// Adds a sample with all of its labels.
    pub(super) fn add_all(&mut self, position: usize) {
        self.chosen.push(position);
        let sample = self.passes.index_axis(Axis(1), position);
        let with_all_labels = |outcome: &Outcome| -> Vec<Outcome> {
            sample.columns().into_iter().filter_map(|label| outcome.with(label, true)).collect()
        };
        self.outcomes = self.outcomes.iter().flat_map(with_all_labels).collect();
    }

    /// Adds a sample with a drawn label in each of about `count` outcomes, as many from each pass.
    pub(super) fn add_drawn(&mut self, position: usize, count: usize, rng: &mut impl Rng) {
        self.chosen.push(position);
        let draws = self.passes.len_of(Axis(0));
        if self.drawn {
            self.draw_labels(position, rng);
            return;
        }
        let count = (count / draws).max(1) * draws;
        self.outcomes = vec![Outcome { weight: 1.0 / count as f64, passes: vec![1.0; draws] }; count];
        self.drawn = true;
        for position in self.chosen.clone() {
            self.draw_labels(position, rng);
        }
    }

    /// A label of one sample for every outcome, from the outcome's pass.
    fn draw_labels(&mut self, position: usize, rng: &mut impl Rng) {
        let sample = self.passes.index_axis(Axis(1), position);
        for at in 0..self.outcomes.len() {
            let class = draw(sample.row(at % sample.nrows()).iter().map(|&p| f64::from(p)), rng.random());
            // The outcome's own pass gives the drawn label a probability above 0.
            if let Some(outcome) = self.outcomes[at].with(sample.column(class), false) {
                self.outcomes[at] = outcome;
            }
        }
    }
}

/// The class at which the probabilities so far exceed `at`, in [0, 1); the most probable one where rounding leaves none.
fn draw(probabilities: impl Iterator<Item = f64> + Clone, at: f64) -> usize {
    let mut rest = at;
    let found = probabilities.clone().position(|p| {
        rest -= p;
        rest < 0.0
    });
    found.unwrap_or_else(|| {
        let best = probabilities.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or(0, |(class, _)| class)
    })
}

/// `-p ln p`, 0 at 0.
fn entropy_term(p: f64) -> f64 {
    if p == 0.0 { 0.0 } else { -p * p.ln() }
}
