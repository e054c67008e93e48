//! Samples that have labels: arrays of their own, or rows among the others.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use autoal_data::{DataError, Label, SampleId};
use ndarray::{Array2, Axis};

use super::probabilities::log_probabilities;
use super::source::{Floats, Source};
use super::{Exported, distinct, one_length};

/// Ids of labeled samples in the order in which they were labeled, with their labels where these are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabeledIds {
    ids: Vec<SampleId>,
    labels: Vec<Label>,
}

impl LabeledIds {
    /// Reads a file with one `id` or `id,label` a line (a first line of words is skipped), or ids separated by commas when there is no
    /// such file.
    pub fn read(argument: &str) -> Result<Self, DataError> {
        let path = Path::new(argument);
        if !path.is_file() {
            let ids = argument.split(',').map(|id| id.trim().parse().map(SampleId)).collect::<Result<_, _>>();
            let detail = "expected a file with one `id` or `id,label` a line, or ids separated by commas; there is no such file";
            let error = |_| DataError::Format { path: path.to_owned(), detail: detail.to_owned() };
            return Ok(Self { ids: ids.map_err(error)?, labels: Vec::new() });
        }
        let text = std::fs::read_to_string(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|detail| DataError::Format { path: path.to_owned(), detail })
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        for (line, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let mut fields = text.split(',').map(str::trim);
            let (id, label) = (fields.next().unwrap_or_default(), fields.next());
            if line == 0 && id.starts_with(|first: char| first.is_alphabetic()) {
                continue;
            }
            let wrong = || format!("line {}: expected `id` or `id,label`, found `{text}`", line + 1);
            found.ids.push(SampleId(id.parse().map_err(|_| wrong())?));
            if let Some(label) = label {
                found.labels.push(Label(label.parse().map_err(|_| wrong())?));
            }
        }
        if !found.labels.is_empty() && found.labels.len() < found.ids.len() {
            return Err("some lines have a label and some have none, expected all or none".to_owned());
        }
        Ok(found)
    }
}

impl Exported {
    /// Reads the arrays of labeled samples.
    pub(super) fn read_labeled(&mut self, source: &mut Source) -> Result<(), DataError> {
        self.labeled_log_proba = log_probabilities(source, "labeled_")?;
        self.labeled_embeddings = source.floats("labeled_embeddings", 2)?;
        let labels = source.integers::<u16>("labeled_labels")?;
        let ids = source.integers::<u32>("labeled_ids")?;
        let lengths = [
            ("labeled_embeddings", self.labeled_embeddings.as_ref().map(|array| array.shape()[0])),
            ("labeled_log_proba", self.labeled_log_proba.as_ref().map(Array2::nrows)),
            ("labeled_labels", labels.as_ref().map(Vec::len)),
            ("labeled_ids", ids.as_ref().map(Vec::len)),
        ];
        let len = one_length(source, &lengths)?.unwrap_or(0);
        self.has_labeled_ids = ids.is_some();
        self.labeled = match ids {
            Some(ids) => ids.into_iter().map(SampleId).collect(),
            None => unused_ids(&self.ids, len),
        };
        distinct(source, "labeled_ids", &self.labeled)?;
        let pool: HashSet<SampleId> = self.ids.iter().copied().collect();
        if let Some(id) = self.labeled.iter().find(|id| pool.contains(id)) {
            return Err(source.error(&format!("sample {id} is in `ids` and in `labeled_ids`, expected one of them")));
        }
        self.has_labels = labels.is_some();
        self.labels = labels.map_or_else(|| vec![Label(0); len], |labels| labels.into_iter().map(Label).collect());
        Ok(())
    }

    /// Turns rows of the arrays into labeled samples.
    pub(super) fn split_off(&mut self, source: &Source, labeled: &LabeledIds) -> Result<(), DataError> {
        if !self.labeled.is_empty() {
            return Err(source.error("there are arrays of labeled samples, and labeled ids besides; expected one of the two"));
        }
        distinct(source, "labeled ids", &labeled.ids)?;
        let row_of: HashMap<SampleId, usize> = self.ids.iter().enumerate().map(|(row, id)| (*id, row)).collect();
        let row = |id: &SampleId| {
            row_of.get(id).copied().ok_or_else(|| source.error(&format!("labeled sample {id} is not in the pool")))
        };
        let rows = labeled.ids.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        self.labeled_log_proba = self.log_proba.as_ref().map(|array| array.select(Axis(0), &rows));
        self.labeled_embeddings = self.embeddings.as_ref().map(|array| {
            let gathered = array.matrix().select(Axis(0), &rows);
            Floats::new(vec![rows.len(), gathered.ncols()], gathered.into_iter().collect())
        });
        let taken: HashSet<usize> = rows.into_iter().collect();
        self.pool.retain(|row| !taken.contains(row));
        self.labeled.clone_from(&labeled.ids);
        self.has_labeled_ids = true;
        self.has_labels = !labeled.labels.is_empty();
        self.labels = if self.has_labels { labeled.labels.clone() } else { vec![Label(0); labeled.ids.len()] };
        Ok(())
    }
}

/// Ids for labeled samples that were not named, none of them a candidate's.
fn unused_ids(pool: &[SampleId], count: usize) -> Vec<SampleId> {
    let pool: HashSet<SampleId> = pool.iter().copied().collect();
    (0..=u32::MAX).rev().map(SampleId).filter(|id| !pool.contains(id)).take(count).collect()
}
