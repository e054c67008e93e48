//! `DropQuery`: samples whose predicted class changes when three quarters of the embedding are dropped, one from each of `b` clusters.
//!
//! **Formula**: `M` passes of the last layer over `h ∘ mask / (1 - p)`; a sample's score is the number of passes that disagree with its
//! prediction without dropout. Candidates are those above `⌊M / 2⌋`; while they are fewer than `25 b`, the threshold falls by one, down to
//! 0. They are clustered and one of each cluster is selected (`cluster_pick`). Without a last layer, the given passes with dropout vote.
//!
//! **Cost**: O(M N (1 - p) D C) and the clustering; O(N) memory.
//!
//! **Reference**: Gupte, Aklilu, Nirschl, Yeung-Levy, TMLR 2024, Algorithm 1; `p = 0.75`, `M = 3` as in the authors' code.

use autoal_data::{SampleId, Stream};
use ndarray::{Array1, Array2, ArrayView1};
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cluster_pick::{ROWS_A_CLUSTER, cluster_pick};
use crate::{
    Buildable, LinearHead, Need, OutputsError, Parameter, QueryContext, QueryError, QueryStrategy, Rows, Selection,
    StrategyError, StrategyInfo, config,
};

const MASK: Stream = Stream::named("drop-query-mask");
const PICK: Stream = Stream::named("drop-query");

/// Disagreement under dropout, then diversity.
#[derive(Debug, Clone, Copy)]
pub struct DropQuery(DropQueryConfig);

/// Parameters of [`DropQuery`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DropQueryConfig {
    /// Passes over the last layer.
    pub passes: usize,
    /// Probability that a unit of the embedding is dropped.
    pub dropout: f64,
}

impl Default for DropQueryConfig {
    fn default() -> Self {
        Self { passes: 3, dropout: 0.75 }
    }
}

/// Passes that disagree with the prediction without dropout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// How many, `[N]`.
    pub counts: Vec<u32>,
    /// Of how many.
    pub passes: usize,
}

impl Disagreement {
    /// Rows that count as undecided for a query of `query_size`.
    pub fn candidates(&self, query_size: usize) -> Vec<usize> {
        let mut threshold = (self.passes / 2) as u32;
        loop {
            let rows: Vec<usize> = (0..self.counts.len()).filter(|&row| self.counts[row] > threshold).collect();
            if threshold == 0 || rows.len() >= ROWS_A_CLUSTER.saturating_mul(query_size) {
                return rows;
            }
            threshold -= 1;
        }
    }
}

impl DropQuery {
    /// Counts disagreeing passes: of the last layer where there is one, else of the passes with dropout.
    pub fn disagreement(&self, context: &QueryContext<'_>) -> Result<Disagreement, OutputsError> {
        match context.outputs.head() {
            Ok(head) => self.of_head(context, head),
            Err(missing) => of_votes(context).map_err(|error| match error {
                OutputsError::Missing { .. } => missing,
                error => error,
            }),
        }
    }

    fn of_head(&self, context: &QueryContext<'_>, head: &LinearHead) -> Result<Disagreement, OutputsError> {
        let embeddings = context.embeddings()?;
        let layer = TransposedHead::new(head, embeddings)?;
        // The context is not shared between threads; what the masks need of it is.
        let masks = Masks { seed: context.seed, round: context.round, candidates: context.candidates, dropout: self.0.dropout };
        let count = |(row, h): (usize, &[f32])| {
            let own = layer.class(h.iter().copied().enumerate());
            (0..self.0.passes).filter(|&pass| own != layer.class(masks.apply(pass, row, h))).count() as u32
        };
        let counts = embeddings.data().par_chunks(embeddings.dim()).enumerate().map(count).collect();
        Ok(Disagreement { counts, passes: self.0.passes })
    }
}

/// Passes with dropout whose most probable class is not that of `log_proba`.
fn of_votes(context: &QueryContext<'_>) -> Result<Disagreement, OutputsError> {
    let (mc, log_proba) = (context.mc_dropout()?, context.log_proba()?);
    let agreeing =
        log_proba.outer_iter().zip(mc.votes.outer_iter()).map(|(row, votes)| votes.get(argmax(row)).copied().unwrap_or(0));
    Ok(Disagreement { counts: agreeing.map(|votes| mc.draws as u32 - votes).collect(), passes: mc.draws })
}

/// The first of the largest values.
fn argmax(values: ArrayView1<'_, f32>) -> usize {
    (0..values.len()).fold(0, |best, class| if values[class] > values[best] { class } else { best })
}

/// Dropout masks keyed by pass and sample.
struct Masks<'a> {
    seed: autoal_data::Seed,
    round: u32,
    candidates: &'a [SampleId],
    dropout: f64,
}

impl Masks<'_> {
    /// Index and rescaled value of every unit that is kept.
    fn apply<'h>(&self, pass: usize, row: usize, h: &'h [f32]) -> impl Iterator<Item = (usize, f32)> + 'h {
        let mut rng = self.seed.sample_rng(MASK.child(pass as u64), self.round, self.candidates[row]);
        let threshold = (self.dropout * 2.0_f64.powi(32)) as u64;
        let scale = (1.0 / (1.0 - self.dropout)) as f32;
        h.iter()
            .enumerate()
            .filter(move |_| u64::from(rng.next_u32()) >= threshold)
            .map(move |(unit, value)| (unit, value * scale))
    }
}

/// The last layer with one row a unit, so that dropped units cost nothing.
struct TransposedHead<'a> {
    /// `[D, C]`.
    weight: Array2<f32>,
    bias: &'a Array1<f32>,
}

impl<'a> TransposedHead<'a> {
    fn new(head: &'a LinearHead, embeddings: Rows<'_>) -> Result<Self, OutputsError> {
        check_head(head, embeddings)?;
        Ok(Self { weight: head.weight.t().as_standard_layout().into_owned(), bias: &head.bias })
    }

    /// The most probable class of an embedding given by its units.
    fn class(&self, units: impl Iterator<Item = (usize, f32)>) -> usize {
        let mut logits = self.bias.clone();
        units.for_each(|(unit, value)| logits.scaled_add(value, &self.weight.row(unit)));
        argmax(logits.view())
    }
}

/// Checks that a last layer fits the embeddings.
pub(crate) fn check_head(head: &LinearHead, embeddings: Rows<'_>) -> Result<(), OutputsError> {
    let (classes, width) = head.weight.dim();
    if width == embeddings.dim() && head.bias.len() == classes && classes > 0 {
        return Ok(());
    }
    let (dim, bias) = (embeddings.dim(), head.bias.len());
    Err(OutputsError::Failed(format!(
        "`head_weight` has shape [{classes}, {width}] and `head_bias` {bias} values, expected [C, {dim}] and C for embeddings of width {dim}"
    )))
}

impl QueryStrategy for DropQuery {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let error = QueryError::outputs(Self::INFO.name);
        let embeddings = context.embeddings().map_err(&error)?;
        let candidates = self.disagreement(context).map_err(&error)?.candidates(query_size);
        Ok(context.selection(&cluster_pick(context, embeddings, &candidates, query_size, PICK)))
    }

    /// Disagreeing passes; the selection is not a ranking by them.
    fn scores(&mut self, context: &QueryContext<'_>) -> Result<Option<Array1<f64>>, QueryError> {
        let found = self.disagreement(context).map_err(QueryError::outputs(Self::INFO.name))?;
        Ok(Some(found.counts.into_iter().map(f64::from).collect()))
    }
}

impl Buildable for DropQuery {
    type Config = DropQueryConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "drop-query",
        summary: "samples whose prediction changes under heavy dropout, one of each cluster",
        paper: "Gupte et al., TMLR 2024",
        needs: &[Need::Embeddings, Need::Head],
        parameters: &[
            Parameter { key: "passes", default: "3", doc: "passes of the last layer" },
            Parameter { key: "dropout", default: "0.75", doc: "probability that a unit of the embedding is dropped" },
        ],
    };

    fn build(config: DropQueryConfig) -> Result<Self, StrategyError> {
        if config.passes == 0 || !(0.0..1.0).contains(&config.dropout) {
            return Err(config::parameter(Self::INFO.name, "expected `passes` of at least 1 and `dropout` in 0..1"));
        }
        Ok(Self(config))
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::Seed;
    use ndarray::array;

    use super::*;
    use crate::ArrayOutputs;

    #[test]
    fn the_threshold_falls_until_there_are_enough_candidates() {
        let found = Disagreement { counts: vec![0, 1, 2, 3], passes: 3 };
        assert_eq!(found.candidates(1), [1, 2, 3]);
        let many = Disagreement { counts: (0..60).map(|i| i % 4).collect(), passes: 3 };
        assert_eq!(many.candidates(1).len(), 30);
        assert_eq!(many.candidates(2).len(), 45);
    }

    fn disagreement(dropout: f64, scale: f32) -> Vec<u32> {
        let embeddings = Array2::from_shape_fn((40, 6), |(i, d)| ((i * 7 + d * 13) % 11) as f32 - 5.0);
        let head = LinearHead {
            weight: array![[1.0_f32, 0.2, -0.5, 0.3, 0.0, 1.0], [-0.4, 0.9, 0.1, 0.2, 0.7, -0.3]] * scale,
            bias: array![0.0, 0.0],
        };
        let outputs = ArrayOutputs::new().with_embeddings(embeddings.view()).with_head(head);
        let candidates: Vec<SampleId> = (0..40).map(SampleId).collect();
        let context = QueryContext {
            candidates: &candidates,
            labeled: &[],
            labels: &[],
            num_classes: 2,
            seed: Seed(1),
            round: 0,
            outputs: &outputs,
        };
        let strategy = DropQuery::build(DropQueryConfig { passes: 3, dropout }).expect("valid");
        strategy.disagreement(&context).expect("arrays are given").counts
    }

    #[test]
    fn without_dropout_nothing_disagrees_and_the_scale_of_the_logits_does_not_matter() {
        assert!(disagreement(0.0, 1.0).iter().all(|count| *count == 0));
        let counts = disagreement(0.75, 1.0);
        assert!(counts.iter().any(|count| *count > 0));
        assert_eq!(counts, disagreement(0.75, 8.0));
    }
}
