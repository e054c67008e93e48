//! Who gives labels: hidden labels in an experiment, a person otherwise.

use crate::{Label, SampleId};

/// Gives labels to samples that a strategy selected.
pub trait Oracle {
    /// The labels of `ids`, in their order.
    fn annotate(&mut self, ids: &[SampleId]) -> Vec<Label>;
}

/// The known labels of a benchmark, handed out one query at a time so that no strategy can reach the rest.
#[derive(Debug, Clone)]
pub struct HiddenLabels(Vec<Label>);

impl HiddenLabels {
    /// Hides `labels`; sample id `i` has label `labels[i]`.
    pub fn new(labels: Vec<Label>) -> Self {
        Self(labels)
    }
}

impl Oracle for HiddenLabels {
    fn annotate(&mut self, ids: &[SampleId]) -> Vec<Label> {
        ids.iter().map(|id| self.0[id.row()]).collect()
    }
}
