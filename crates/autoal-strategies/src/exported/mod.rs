//! Model outputs that another program wrote to disk: a `.npz` archive, or a folder of `.npy` files that are mapped into memory.
//!
//! [`Exported::load`] reads and checks everything that is there, so that a query afterwards can only lack an array, never trip over one.
//! Arrays may have any number type and byte order, in C or Fortran order; little-endian `f32` in C order in a folder is used where it
//! lies on disk, everything else is converted once.
//!
//! | array | shape | |
//! |---|---|---|
//! | `log_proba`, `proba` or `logits` | \[N, C\] | of the candidates |
//! | `embeddings` | \[N, D\] | |
//! | `mc_proba`, `ensemble_proba` | \[T, N, C\] | passes with dropout; independently trained models |
//! | `predicted_loss`, `labeled_probability` | \[N\] | |
//! | `ids` | \[N\] | default 0, 1, 2, ... |
//! | `labeled_embeddings`, `labeled_log_proba` (or `labeled_proba`, `labeled_logits`) | \[L, ...\] | samples that have labels |
//! | `labeled_labels`, `labeled_ids` | \[L\] | classes from 0; default ids are none of the candidates' |
//! | `head_weight`, `head_bias` | \[C, D\], \[C\] | last linear layer |

mod labeled;
mod probabilities;
mod source;

use std::collections::HashSet;
use std::path::Path;

use autoal_data::{DataError, Label, SampleId, Seed};
use ndarray::{Array2, Axis};

pub use self::labeled::LabeledIds;
use self::probabilities::log_probabilities;
use self::source::{Floats, Source};
use crate::{ArrayOutputs, LinearHead, ModelOutputs, QueryContext, SubsetOutputs};

/// Checked arrays, ready for queries.
pub struct Exported {
    /// All rows of the arrays; `pool` says which of them can be selected.
    ids: Vec<SampleId>,
    pool: Vec<usize>,
    labeled: Vec<SampleId>,
    labels: Vec<Label>,
    has_labels: bool,
    has_labeled_ids: bool,
    num_classes: usize,
    log_proba: Option<Array2<f32>>,
    embeddings: Option<Floats>,
    labeled_log_proba: Option<Array2<f32>>,
    labeled_embeddings: Option<Floats>,
    mc_proba: Option<Floats>,
    ensemble_proba: Option<Floats>,
    predicted_loss: Option<Floats>,
    labeled_probability: Option<Floats>,
    head: Option<LinearHead>,
}

impl Exported {
    /// Reads `path`, a `.npz` file or a folder. With `labeled`, those samples of the arrays have labels and cannot be selected.
    pub fn load(path: &Path, labeled: Option<&LabeledIds>) -> Result<Self, DataError> {
        let mut source = Source::open(path)?;
        let mut exported = Self::read(&mut source)?;
        exported.read_labeled(&mut source)?;
        if let Some(labeled) = labeled {
            exported.split_off(&source, labeled)?;
        }
        exported.count_classes(&source)?;
        Ok(exported)
    }

    fn read(source: &mut Source) -> Result<Self, DataError> {
        let log_proba = log_probabilities(source, "")?;
        let embeddings = source.floats("embeddings", 2)?;
        let [mc_proba, ensemble_proba] = [source.floats("mc_proba", 3)?, source.floats("ensemble_proba", 3)?];
        let [predicted_loss, labeled_probability] =
            [source.floats("predicted_loss", 1)?, source.floats("labeled_probability", 1)?];
        let ids = source.integers::<u32>("ids")?;
        let rows = |array: &Option<Floats>, axis: usize| array.as_ref().map(|array| array.shape()[axis]);
        let lengths = [
            ("log_proba", log_proba.as_ref().map(Array2::nrows)),
            ("embeddings", rows(&embeddings, 0)),
            ("mc_proba", rows(&mc_proba, 1)),
            ("ensemble_proba", rows(&ensemble_proba, 1)),
            ("predicted_loss", rows(&predicted_loss, 0)),
            ("labeled_probability", rows(&labeled_probability, 0)),
            ("ids", ids.as_ref().map(Vec::len)),
        ];
        let Some(len) = one_length(source, &lengths)? else {
            return Err(source.error(
                "none of `log_proba`, `embeddings`, `mc_proba`, `predicted_loss`, `ids` is there; what are the candidates?",
            ));
        };
        let ids: Vec<SampleId> = match ids {
            Some(ids) => ids.into_iter().map(SampleId).collect(),
            None => (0..u32::try_from(len).map_err(|_| source.error("more samples than ids can name (2^32)"))?)
                .map(SampleId)
                .collect(),
        };
        distinct(source, "ids", &ids)?;
        let head = head(source)?;
        Ok(Self {
            pool: (0..len).collect(),
            ids,
            labeled: Vec::new(),
            labels: Vec::new(),
            has_labels: false,
            has_labeled_ids: false,
            num_classes: 0,
            log_proba,
            embeddings,
            labeled_log_proba: None,
            labeled_embeddings: None,
            mc_proba,
            ensemble_proba,
            predicted_loss,
            labeled_probability,
            head,
        })
    }

    /// The number of classes, which all arrays that have any must agree on.
    fn count_classes(&mut self, source: &Source) -> Result<(), DataError> {
        let last = |array: &Option<Floats>| array.as_ref().and_then(|array| array.shape().last().copied());
        let columns = [
            ("log_proba", self.log_proba.as_ref().map(Array2::ncols)),
            ("mc_proba", last(&self.mc_proba)),
            ("ensemble_proba", last(&self.ensemble_proba)),
            ("labeled_log_proba", self.labeled_log_proba.as_ref().map(Array2::ncols)),
            ("head_weight", self.head.as_ref().map(|head| head.weight.nrows())),
        ];
        let given: Vec<(&str, usize)> = columns.iter().filter_map(|(name, columns)| Some((*name, (*columns)?))).collect();
        if let Some((name, other)) = given.iter().find(|(_, columns)| *columns != given[0].1) {
            let (first, classes) = given[0];
            return Err(source.error(&format!("`{first}` has {classes} classes, `{name}` has {other}, expected the same number")));
        }
        let of_labels = self.labels.iter().map(|label| label.class() + 1).max();
        self.num_classes = given.first().map_or_else(|| of_labels.unwrap_or(1), |(_, classes)| *classes);
        match self.labels.iter().position(|label| label.class() >= self.num_classes) {
            Some(row) => Err(source.error(&format!(
                "labeled sample {} has label {}, but there are {} classes (labels count from 0)",
                self.labeled[row], self.labels[row], self.num_classes
            ))),
            None => Ok(()),
        }
    }

    /// Samples that can be selected.
    pub fn candidates(&self) -> Vec<SampleId> {
        self.pool.iter().map(|&row| self.ids[row]).collect()
    }

    /// Whether the labeled samples have ids of their own; otherwise they are known by their rows alone.
    pub fn has_labeled_ids(&self) -> bool {
        self.has_labeled_ids
    }

    /// Whether the classes of the labeled samples are known; where they are not, all are 0.
    pub fn has_labels(&self) -> bool {
        self.has_labels || self.labeled.is_empty()
    }

    /// Calls `f` with a query over these arrays.
    pub fn query<T>(&self, seed: Seed, round: u32, f: impl FnOnce(&QueryContext<'_>) -> T) -> T {
        let all = self.outputs();
        let subset = (self.pool.len() < self.ids.len()).then(|| SubsetOutputs::new(&all, self.pool.clone()));
        let outputs: &dyn ModelOutputs = subset.as_ref().map_or(&all, |subset| subset);
        let candidates = self.candidates();
        f(&QueryContext {
            candidates: &candidates,
            labeled: &self.labeled,
            labels: &self.labels,
            num_classes: self.num_classes,
            seed,
            round,
            outputs,
        })
    }

    fn outputs(&self) -> ArrayOutputs<'_> {
        let mut outputs = ArrayOutputs::new();
        if let Some(array) = &self.log_proba {
            outputs = outputs.with_log_proba(array.view());
        }
        if let Some(array) = &self.embeddings {
            outputs = outputs.with_embeddings(array.matrix());
        }
        if let Some(array) = &self.labeled_log_proba {
            outputs = outputs.with_labeled_log_proba(array.view());
        }
        if let Some(array) = &self.labeled_embeddings {
            outputs = outputs.with_labeled_embeddings(array.matrix());
        }
        if let Some(array) = &self.mc_proba {
            outputs = outputs.with_mc_proba(array.cube());
        }
        if let Some(array) = &self.ensemble_proba {
            outputs = outputs.with_ensemble_proba(array.cube());
        }
        if let Some(array) = &self.predicted_loss {
            outputs = outputs.with_predicted_loss(array.vector());
        }
        if let Some(array) = &self.labeled_probability {
            outputs = outputs.with_labeled_probability(array.vector());
        }
        if let Some(head) = &self.head {
            outputs = outputs.with_head(head.clone());
        }
        outputs
    }
}

/// The length that all given arrays have; an error when they disagree, `None` when none is given.
fn one_length(source: &Source, lengths: &[(&str, Option<usize>)]) -> Result<Option<usize>, DataError> {
    let given: Vec<(&str, usize)> = lengths.iter().filter_map(|(name, length)| Some((*name, (*length)?))).collect();
    match given.iter().find(|(_, length)| *length != given[0].1) {
        Some((name, other)) => {
            let (first, length) = given[0];
            Err(source.error(&format!("`{first}` has {length} samples, `{name}` has {other}, expected the same number")))
        }
        None => Ok(given.first().map(|(_, length)| *length)),
    }
}

fn distinct(source: &Source, name: &str, ids: &[SampleId]) -> Result<(), DataError> {
    let mut seen = HashSet::with_capacity(ids.len());
    match ids.iter().find(|id| !seen.insert(**id)) {
        Some(id) => Err(source.error(&format!("`{name}` holds {id} twice, expected distinct ids"))),
        None => Ok(()),
    }
}

fn head(source: &mut Source) -> Result<Option<LinearHead>, DataError> {
    let Some(weight) = source.floats("head_weight", 2)? else { return Ok(None) };
    let weight = weight.matrix().to_owned();
    let bias = match source.floats("head_bias", 1)? {
        Some(bias) => bias.vector().to_owned(),
        None => ndarray::Array1::zeros(weight.len_of(Axis(0))),
    };
    Ok(Some(LinearHead { weight, bias }))
}

#[cfg(test)]
mod tests;
