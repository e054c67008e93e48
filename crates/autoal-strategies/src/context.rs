//! Everything a strategy is told about a round.

use std::collections::HashSet;

use autoal_data::{Label, SampleId, Seed};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::distance::BLOCK;
use crate::{McOutputs, ModelOutputs, OutputsError, QueryError, Rows, Selection};

/// One query: who can be chosen, what is labeled, and what the model says.
///
/// The methods hand out the model's outputs after a check of their shapes, so that a strategy can index without fear. Strategies made by
/// [`crate::catalog::build`] see candidates in ascending order of id: there, the lower row is the lower id.
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

impl<'a> QueryContext<'a> {
    /// Checks what every strategy relies on: a candidate, a positive query size, distinct ids, one label a labeled sample.
    pub fn validate(&self, query_size: usize) -> Result<(), QueryError> {
        if self.candidates.is_empty() {
            return Err(QueryError::EmptyPool);
        }
        if query_size == 0 {
            return Err(QueryError::ZeroQuerySize);
        }
        if self.labeled.len() != self.labels.len() {
            let (ids, labels) = (self.labeled.len(), self.labels.len());
            return Err(QueryError::Input(format!("{ids} labeled samples have {labels} labels, expected one each")));
        }
        if let Some(label) = self.labels.iter().find(|label| label.class() >= self.num_classes) {
            return Err(QueryError::Input(format!("label {label} is out of range, expected less than {}", self.num_classes)));
        }
        self.check_distinct()
    }

    fn check_distinct(&self) -> Result<(), QueryError> {
        let mut seen: HashSet<SampleId> = self.labeled.iter().copied().collect();
        if seen.len() < self.labeled.len() {
            seen.clear();
            return Err(duplicate(self.labeled.iter().copied(), seen));
        }
        if self.candidates.is_sorted_by(|a, b| a < b) {
            // Ascending candidates are distinct, so only the few labeled samples need a look-up.
            return match self.labeled.iter().find(|id| self.candidates.binary_search(id).is_ok()) {
                Some(&id) => Err(QueryError::DuplicateId(id)),
                None => Ok(()),
            };
        }
        match self.candidates.iter().find(|id| !seen.insert(**id)) {
            Some(&id) => Err(QueryError::DuplicateId(id)),
            None => Ok(()),
        }
    }

    /// Log-probabilities of the candidates, `[N, C]`.
    pub fn log_proba(&self) -> Result<ArrayView2<'a, f32>, OutputsError> {
        let view = self.outputs.log_proba()?;
        self.check_classes("log_proba", view.ncols())?;
        check_rows("log_proba", view.nrows(), self.candidates.len(), "candidates")?;
        Ok(view)
    }

    /// Log-probabilities of the labeled samples, `[L, C]`.
    pub fn labeled_log_proba(&self) -> Result<ArrayView2<'a, f32>, OutputsError> {
        let view = self.outputs.labeled_log_proba()?;
        self.check_classes("labeled_log_proba", view.ncols())?;
        check_rows("labeled_log_proba", view.nrows(), self.labeled.len(), "labeled samples")?;
        Ok(view)
    }

    /// Embeddings of the candidates, `[N, D]`, all finite.
    pub fn embeddings(&self) -> Result<Rows<'a>, OutputsError> {
        let view = self.outputs.embeddings()?;
        check_rows("embeddings", view.nrows(), self.candidates.len(), "candidates")?;
        finite_rows("embeddings", view, self.candidates)
    }

    /// Whether `embeddings` has a row for every candidate; does not look at the values.
    pub(crate) fn check_embeddings(&self) -> Result<(), OutputsError> {
        check_rows("embeddings", self.outputs.embeddings()?.nrows(), self.candidates.len(), "candidates")
    }

    /// Embeddings of the labeled samples, `[L, D]`, all finite, of the candidates' width.
    pub fn labeled_embeddings(&self) -> Result<Rows<'a>, OutputsError> {
        let width = self.outputs.embeddings()?.ncols();
        if self.labeled.is_empty() {
            // A model cannot know the width of nothing.
            return Rows::new(&[], width).ok_or_else(|| OutputsError::Failed("`embeddings` have no columns".into()));
        }
        let view = self.outputs.labeled_embeddings()?;
        check_rows("labeled_embeddings", view.nrows(), self.labeled.len(), "labeled samples")?;
        if view.ncols() != width {
            let text = format!("`labeled_embeddings` have {} columns, expected {width} as `embeddings` have", view.ncols());
            return Err(OutputsError::Failed(text));
        }
        finite_rows("labeled_embeddings", view, self.labeled)
    }

    /// Accumulators over passes with dropout, rows as candidates.
    pub fn mc_dropout(&self) -> Result<&'a McOutputs, OutputsError> {
        let mc = self.outputs.mc_dropout()?;
        self.check_classes("mc_proba", mc.mean_proba.ncols())?;
        check_rows("mc_proba", mc.mean_proba.nrows(), self.candidates.len(), "candidates")?;
        Ok(mc)
    }

    /// Predicted losses of the candidates, `[N]`.
    pub fn predicted_loss(&self) -> Result<ArrayView1<'a, f32>, OutputsError> {
        let view = self.outputs.predicted_loss()?;
        check_rows("predicted_loss", view.len(), self.candidates.len(), "candidates")?;
        Ok(view)
    }

    /// A selection of candidate rows in order, without scores.
    pub fn selection(&self, rows: &[usize]) -> Selection {
        Selection::of(rows.iter().map(|&row| self.candidates[row]))
    }

    fn check_classes(&self, name: &str, columns: usize) -> Result<(), OutputsError> {
        if columns == self.num_classes {
            return Ok(());
        }
        Err(OutputsError::Failed(format!("`{name}` has {columns} columns, expected {}, the number of classes", self.num_classes)))
    }
}

fn duplicate(ids: impl Iterator<Item = SampleId>, mut seen: HashSet<SampleId>) -> QueryError {
    let id = ids.into_iter().find(|id| !seen.insert(*id)).expect("fewer distinct ids than ids");
    QueryError::DuplicateId(id)
}

fn check_rows(name: &str, rows: usize, expected: usize, of: &str) -> Result<(), OutputsError> {
    if rows == expected {
        return Ok(());
    }
    Err(OutputsError::Failed(format!("`{name}` has {rows} rows for {expected} {of}")))
}

fn finite_rows<'a>(name: &str, view: ArrayView2<'a, f32>, ids: &[SampleId]) -> Result<Rows<'a>, OutputsError> {
    let Some(rows) = Rows::from_view(view) else {
        return Err(OutputsError::Failed(format!("`{name}` must be row-major with at least one column")));
    };
    match rows.data().par_chunks(rows.dim()).with_min_len(BLOCK).position_first(|row| !is_finite(row)) {
        Some(row) => Err(OutputsError::Failed(format!("`{name}` of sample {} have a value that is not finite", ids[row]))),
        None => Ok(rows),
    }
}

/// Whether all values are numbers and finite; the largest exponent tells, and integer maxima vectorise where a search does not.
fn is_finite(row: &[f32]) -> bool {
    const MAGNITUDE: u32 = u32::MAX >> 1;
    row.iter().fold(0, |most: u32, x| most.max(x.to_bits() & MAGNITUDE)) < f32::INFINITY.to_bits()
}
