//! MC dropout (Gal and Ghahramani, ICML 2016): the backbone has run once, only the classifier repeats.
//!
//! The bits of a mask derive from (seed, draw, round, sample), so they depend neither on the order of the pool nor on other samples.

use autoal_data::{SampleId, Seed, Stream};
use autoal_strategies::{LinearHead, McOutputs};
use ndarray::{Array3, ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::PoolOutputs;
use super::accumulate::{SampleSums, collect};
use crate::dropout::fill_mask;
use crate::proba::log_sum_exp;

const MASKS: Stream = Stream::named("mc-dropout");

/// Classes of one vector instruction or two; the classifier is padded to whole lanes.
const LANES: usize = 8;

/// Passes of a classifier over masked embeddings.
pub(super) struct McPasses {
    /// The classifier by input unit, `[D, lanes]`, zeros after the last class.
    weight: Vec<[f32; LANES]>,
    bias: Vec<[f32; LANES]>,
    classes: usize,
    dropout: f64,
    draws: usize,
    seed: Seed,
    round: u32,
}

impl PoolOutputs<'_> {
    pub(super) fn mc_passes(&self, head: &LinearHead) -> McPasses {
        let weight = head.weight.columns().into_iter().flat_map(|unit| padded(&unit)).collect();
        McPasses {
            weight,
            bias: padded(&head.bias.view()),
            classes: head.bias.len(),
            dropout: self.query.model.config.dropout,
            draws: self.query.model.config.mc_draws,
            seed: self.query.seed,
            round: self.query.round,
        }
    }
}

impl McPasses {
    /// Sums over all passes for every sample; `embeddings` is `[N, D]`, in the order of `ids`.
    pub(super) fn accumulate(&self, embeddings: &ArrayView2<'_, f32>, ids: &[SampleId]) -> McOutputs {
        let sums = ids
            .par_iter()
            .enumerate()
            .map(|(row, id)| {
                let mut sums = SampleSums::new(self.classes);
                self.each_pass(&embeddings.row(row), *id, |_, logits| sums.add(logits));
                sums
            })
            .collect();
        collect(sums, self.draws, self.classes)
    }

    /// Probabilities of every pass for some rows, `[T, rows, C]`.
    pub(super) fn proba(&self, embeddings: &ArrayView2<'_, f32>, ids: &[SampleId], rows: &[usize]) -> Array3<f32> {
        let mut proba = Array3::zeros((self.draws, rows.len(), self.classes));
        for (at, row) in rows.iter().enumerate() {
            self.each_pass(&embeddings.row(*row), ids[*row], |draw, logits| {
                let normalizer = log_sum_exp(logits.iter().copied());
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
        let mut logits = self.bias.clone();
        for draw in 0..self.draws {
            fill_mask(&mut self.seed.sample_rng(MASKS.child(draw as u64), self.round, id), self.dropout, &mut mask);
            logits.copy_from_slice(&self.bias);
            for ((unit, kept), weights) in embedding.iter().zip(&mask).zip(self.weight.chunks_exact(self.bias.len())) {
                add_scaled(&mut logits, weights, unit * kept);
            }
            visit(draw, &logits.as_flattened()[..self.classes]);
        }
    }
}

/// `sums += scale · values`
fn add_scaled(sums: &mut [[f32; LANES]], values: &[[f32; LANES]], scale: f32) {
    for (sums, values) in sums.iter_mut().zip(values) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += scale * value;
        }
    }
}

/// Values in whole lanes, with zeros at the end.
fn padded(values: &ArrayView1<'_, f32>) -> Vec<[f32; LANES]> {
    let mut lanes = vec![[0.0; LANES]; values.len().div_ceil(LANES)];
    lanes.as_flattened_mut().iter_mut().zip(values).for_each(|(lane, value)| *lane = *value);
    lanes
}
