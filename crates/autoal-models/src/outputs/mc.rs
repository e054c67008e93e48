//! MC dropout (Gal and Ghahramani, ICML 2016): the backbone has run once, only the classifier repeats.
//!
//! The bits of a mask derive from (seed, draw, round, sample), so they depend neither on the order of the pool nor on other samples.

use autoal_data::{SampleId, Seed, Stream};
use autoal_strategies::{LinearHead, McOutputs};
use ndarray::{Array2, Array3, ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::PoolOutputs;
use super::accumulate::{SampleSums, collect};
use crate::dropout::fill_mask;

const MASKS: Stream = Stream::named("mc-dropout");

/// Passes of a classifier over masked embeddings.
pub(super) struct McPasses<'a> {
    /// The classifier's weight by input unit, `[D, C]`: a dropped unit skips a row.
    weight: Array2<f32>,
    head: &'a LinearHead,
    dropout: f64,
    draws: usize,
    seed: Seed,
    round: u32,
}

impl PoolOutputs<'_> {
    pub(super) fn mc_passes<'h>(&self, head: &'h LinearHead) -> McPasses<'h> {
        McPasses {
            weight: head.weight.t().as_standard_layout().into_owned(),
            head,
            dropout: self.query.model.config.dropout,
            draws: self.query.model.config.mc_draws,
            seed: self.query.seed,
            round: self.query.round,
        }
    }
}

impl McPasses<'_> {
    /// Sums over all passes for every sample; `embeddings` is `[N, D]`, in the order of `ids`.
    pub(super) fn accumulate(&self, embeddings: &ArrayView2<'_, f32>, ids: &[SampleId]) -> McOutputs {
        let classes = self.head.bias.len();
        let sums = ids
            .par_iter()
            .enumerate()
            .map(|(row, id)| {
                let mut sums = SampleSums::new(classes);
                self.each_pass(&embeddings.row(row), *id, |_, logits| sums.add(logits));
                sums
            })
            .collect();
        collect(sums, self.draws, classes)
    }

    /// Probabilities of every pass for some rows, `[T, rows, C]`.
    pub(super) fn proba(&self, embeddings: &ArrayView2<'_, f32>, ids: &[SampleId], rows: &[usize]) -> Array3<f32> {
        let mut proba = Array3::zeros((self.draws, rows.len(), self.head.bias.len()));
        for (at, row) in rows.iter().enumerate() {
            self.each_pass(&embeddings.row(*row), ids[*row], |draw, logits| {
                let normalizer = crate::proba::log_sum_exp(logits.iter().copied());
                for (class, logit) in logits.iter().enumerate() {
                    proba[[draw, at, class]] = (f64::from(*logit) - normalizer).exp() as f32;
                }
            });
        }
        proba
    }

    /// Calls `visit(draw, logits)` for each pass over one sample.
    fn each_pass(&self, embedding: &ArrayView1<'_, f32>, id: SampleId, mut visit: impl FnMut(usize, &[f32])) {
        let mut mask = vec![0.0; embedding.len()];
        let mut logits = vec![0.0; self.head.bias.len()];
        for draw in 0..self.draws {
            fill_mask(&mut self.seed.sample_rng(MASKS.child(draw as u64), self.round, id), self.dropout, &mut mask);
            for (logit, bias) in logits.iter_mut().zip(&self.head.bias) {
                *logit = *bias;
            }
            for ((unit, kept), weights) in embedding.iter().zip(&mask).zip(self.weight.outer_iter()) {
                if *kept > 0.0 {
                    let scaled = unit * kept;
                    logits.iter_mut().zip(weights).for_each(|(logit, weight)| *logit += scaled * weight);
                }
            }
            visit(draw, &logits);
        }
    }
}
