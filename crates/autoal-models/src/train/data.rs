//! The labels of a round.

use autoal_data::{Label, Normalization, SampleId, Samples};

use crate::ModelError;

/// What a network is trained on.
#[derive(Debug, Clone, Copy)]
pub struct TrainingSet<'a> {
    /// The samples of the pool.
    pub samples: &'a Samples,
    /// The labeled ones.
    pub rows: &'a [SampleId],
    /// Their labels, in the same order.
    pub labels: &'a [Label],
    /// Number of classes of the data set.
    pub num_classes: usize,
    /// How pixels are normalised.
    pub normalization: Option<&'a Normalization>,
}

impl TrainingSet<'_> {
    /// Whether there are labels, one a row, all below the number of classes, and all rows are there.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        if self.rows.is_empty() {
            return Err(ModelError::Data("there is no labeled sample to train on".into()));
        }
        if self.rows.len() != self.labels.len() {
            return Err(ModelError::Data(format!("{} labeled samples have {} labels", self.rows.len(), self.labels.len())));
        }
        if let Some(id) = self.rows.iter().find(|id| id.row() >= self.samples.len()) {
            return Err(ModelError::Data(format!("sample {id} is not in the pool of {}", self.samples.len())));
        }
        match self.rows.iter().zip(self.labels).find(|(_, label)| label.class() >= self.num_classes) {
            None => Ok(()),
            Some((id, label)) => {
                Err(ModelError::Data(format!("sample {id} has label {label}, expected one below {}", self.num_classes)))
            }
        }
    }

    /// Weights of the classes so that each class that occurs counts the same: `n / (classes · count)`, 0 for classes that do not occur.
    pub(super) fn balanced_weights(&self) -> Vec<f32> {
        let mut counts = vec![0_usize; self.num_classes];
        for label in self.labels {
            counts[label.class()] += 1;
        }
        let present = counts.iter().filter(|count| **count > 0).count();
        let weight = |count: &usize| if *count == 0 { 0.0 } else { self.labels.len() as f32 / (present * count) as f32 };
        counts.iter().map(weight).collect()
    }
}
