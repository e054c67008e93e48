//! A data set in memory: splits of samples with labels, class names, and how pixels are normalised.

use serde::{Deserialize, Serialize};

use crate::{Label, Samples};

/// Channel means and standard deviations, applied as `(x / 255 - mean) / std`. One entry a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Means of the channels, of pixels scaled to 0..1.
    pub mean: Vec<f32>,
    /// Standard deviations of the channels.
    pub std: Vec<f32>,
}

/// Samples with their labels; `labels` is empty when they are not known, else one a sample.
#[derive(Debug, Clone)]
pub struct Split {
    /// The inputs.
    pub samples: Samples,
    /// One label a sample, each below the number of classes.
    pub labels: Vec<Label>,
    /// Where each sample came from (a path, for image folders); empty where rows of one file have no names.
    pub sources: Vec<String>,
}

impl Split {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The samples of these rows, in this order. Where samples have no sources, `row <n>` tells where they stood.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let source = |row: &usize| self.sources.get(*row).cloned().unwrap_or_else(|| format!("row {row}"));
        Self {
            samples: self.samples.select(rows),
            labels: rows.iter().filter_map(|row| self.labels.get(*row)).copied().collect(),
            sources: rows.iter().map(source).collect(),
        }
    }
}

/// A data set: the pool, the test set, and an optional validation set that no strategy sees.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name, as in the registry or the configuration.
    pub name: String,
    /// Names of the classes; their number is the number of classes, whatever labels occur.
    pub classes: Vec<String>,
    /// The pool: sample id `i` is row `i`.
    pub train: Split,
    /// For model selection only.
    pub validation: Option<Split>,
    /// What accuracy is reported on.
    pub test: Split,
    /// How pixels are normalised; `None` for features.
    pub normalization: Option<Normalization>,
    /// SHA-256 over samples and labels as loaded, in hexadecimal: two runs with equal digests saw equal data.
    pub digest: String,
}

impl Dataset {
    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.classes.len()
    }
}
