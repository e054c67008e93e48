//! Everything a strategy is told about a round.

use autoal_data::{Label, SampleId, Seed};

use crate::ModelOutputs;

/// One query: who can be chosen, what is labeled, and what the model says.
#[derive(Clone, Copy)]
pub struct QueryContext<'a> {
    /// Samples that can be selected; rows of the candidate arrays follow this order.
    pub candidates: &'a [SampleId],
    /// Labeled samples in the order in which they were labeled; rows of the labeled arrays follow it.
    pub labeled: &'a [SampleId],
    /// Their labels.
    pub labels: &'a [Label],
    /// Number of classes of the data set.
    pub num_classes: usize,
    /// The seed of the cell.
    pub seed: Seed,
    /// The round: 0 is the query made with the model of the seed set.
    pub round: u32,
    /// What the task model says.
    pub outputs: &'a dyn ModelOutputs,
}
