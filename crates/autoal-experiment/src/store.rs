//! The files of one cell, and the order in which a round is committed.
//!
//! Every file is replaced as a whole; `rounds.jsonl` comes last. Whatever instant a process dies at, the files hold all of the rounds
//! that `rounds.jsonl` counts, perhaps rows of one more, which [`CellStore::load`] drops.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::files::{read_optional, write_atomic};
use crate::record::FORMAT_VERSION;
use crate::{ExperimentError, Query, RoundRecord};

/// The folder of one cell and what is committed there.
#[derive(Debug)]
pub(crate) struct CellStore {
    folder: PathBuf,
    rounds: Vec<RoundRecord>,
    queries: Vec<Query>,
    log: Vec<LogLine>,
}

/// A line of `search.jsonl` and the round that it belongs to.
#[derive(Debug, Clone)]
struct LogLine {
    round: u32,
    text: String,
}

impl LogLine {
    /// A line that says its round, and its kind: `strategy` unless the strategy names one.
    fn new(round: u32, mut value: serde_json::Value) -> Self {
        if let Some(line) = value.as_object_mut() {
            line.insert("round".into(), round.into());
            line.entry("kind").or_insert_with(|| "strategy".into());
        }
        Self { round, text: value.to_string() }
    }
}

impl CellStore {
    /// Reads what is committed in `folder`; nothing there is a fresh cell.
    pub(crate) fn load(folder: &Path) -> Result<Self, ExperimentError> {
        let rounds = read_rounds(&folder.join("rounds.jsonl"))?;
        let committed = rounds.len() as u32;
        // The seed set is committed with round 0, the query of round r with round r.
        let mut queries = if committed == 0 { Vec::new() } else { read_queries(&folder.join("queries.csv"))? };
        queries.retain(|query| query.round <= committed);
        let mut log = if committed == 0 { Vec::new() } else { read_log(&folder.join("search.jsonl"))? };
        log.retain(|line| line.round < committed);
        Ok(Self { folder: folder.to_owned(), rounds, queries, log })
    }

    /// Drops a last round that ended a shorter run without a query, so that it is run again and queries.
    pub(crate) fn reopen(&mut self, rounds: u32) {
        if self.rounds.last().is_some_and(|last| last.queried == 0 && last.round < rounds) {
            self.rounds.pop();
        }
    }

    /// Committed rounds in order.
    pub(crate) fn rounds(&self) -> &[RoundRecord] {
        &self.rounds
    }

    /// Committed labels in the order in which they came.
    pub(crate) fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// Commits a round: its labels, its log, and last of all its record.
    pub(crate) fn commit(
        &mut self,
        record: RoundRecord,
        queries: &[Query],
        log: &[serde_json::Value],
    ) -> Result<(), ExperimentError> {
        if !queries.is_empty() {
            self.queries.extend_from_slice(queries);
            self.write_queries()?;
        }
        if !log.is_empty() {
            self.log.extend(log.iter().map(|value| LogLine::new(record.round, value.clone())));
            let text: String = self.log.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect();
            write_atomic(&self.folder.join("search.jsonl"), text.as_bytes())?;
        }
        self.rounds.push(record);
        write_atomic(&self.folder.join("rounds.jsonl"), &json_lines(&self.rounds))
    }

    fn write_queries(&self) -> Result<(), ExperimentError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for query in &self.queries {
            writer.serialize(query).expect("a record of plain fields is always a CSV row");
        }
        let content = writer.into_inner().expect("writing to memory cannot fail");
        write_atomic(&self.folder.join("queries.csv"), &content)
    }
}

/// Values as JSON, one a line.
fn json_lines<T: Serialize>(values: &[T]) -> Vec<u8> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, value).expect("records hold only plain values");
        text.push(b'\n');
    }
    text
}

fn read_rounds(path: &Path) -> Result<Vec<RoundRecord>, ExperimentError> {
    let Some(text) = read_optional(path)? else { return Ok(Vec::new()) };
    let mut rounds: Vec<RoundRecord> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let broken = |detail: String| ExperimentError::Record { path: path.to_owned(), line: index + 1, detail };
        let record: RoundRecord = serde_json::from_str(line).map_err(|error| broken(error.to_string()))?;
        if record.version > FORMAT_VERSION {
            return Err(broken(format!("format version {}, this program reads up to {FORMAT_VERSION}", record.version)));
        }
        if record.round as usize != rounds.len() {
            return Err(broken(format!("round {}, expected round {}", record.round, rounds.len())));
        }
        rounds.push(record);
    }
    Ok(rounds)
}

fn read_queries(path: &Path) -> Result<Vec<Query>, ExperimentError> {
    let text = read_optional(path)?.unwrap_or_default();
    let broken = |line, detail: String| ExperimentError::Record { path: path.to_owned(), line, detail };
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .enumerate()
        .map(|(index, row)| row.map_err(|error: csv::Error| broken(index + 2, error.to_string())))
        .collect()
}

fn read_log(path: &Path) -> Result<Vec<LogLine>, ExperimentError> {
    #[derive(serde::Deserialize)]
    struct Tag {
        round: u32,
    }
    let text = read_optional(path)?.unwrap_or_default();
    let parse = |(index, line): (usize, &str)| {
        let tag: Tag = serde_json::from_str(line).map_err(|error| ExperimentError::Record {
            path: path.to_owned(),
            line: index + 1,
            detail: error.to_string(),
        })?;
        Ok(LogLine { round: tag.round, text: line.to_owned() })
    };
    text.lines().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use autoal_data::{Label, SampleId};

    use super::*;
    use crate::RoundSeconds;

    fn record(round: u32) -> RoundRecord {
        RoundRecord {
            version: FORMAT_VERSION,
            round,
            labels: 2 + round as usize,
            accuracy: 0.1 + 0.2,
            balanced_accuracy: 0.5,
            loss: 1.0,
            ece: 0.1,
            recall: vec![Some(0.5), None],
            train_loss: 0.5,
            queried: 1,
            nan_scores: 0,
            weights: Vec::new(),
            pseudo_labels: Vec::new(),
            strategy_state: autoal_strategies::StrategyState::default(),
            seconds: RoundSeconds::default(),
            peak_memory_bytes: 0,
        }
    }

    fn query(round: u32, sample: u32) -> Query {
        Query {
            round,
            rank: 0,
            sample: SampleId(sample),
            source: "a, \"b\".png".into(),
            label: Label(1),
            score: Some(0.1),
            predicted: Some(Label(0)),
            confidence: Some(0.4),
            nominated_by: "entropy margin".into(),
        }
    }

    #[test]
    fn what_was_committed_is_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = CellStore::load(folder.path()).expect("an empty folder is a fresh cell");
        store.commit(record(0), &[query(0, 1), query(1, 2)], &[serde_json::json!({"loss": 0.5})]).expect("commit");
        store.commit(record(1), &[query(2, 3)], &[]).expect("commit");
        let read = CellStore::load(folder.path()).expect("what was written can be read");
        assert_eq!(read.rounds(), store.rounds());
        assert_eq!(read.queries(), store.queries());
        assert_eq!(read.log[0].text, r#"{"kind":"strategy","loss":0.5,"round":0}"#);
    }

    #[test]
    fn rows_of_a_round_that_was_not_committed_are_dropped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = CellStore::load(folder.path()).expect("fresh");
        store.commit(record(0), &[query(0, 1), query(1, 2)], &[serde_json::json!({"loss": 0.5})]).expect("commit");
        let rounds = std::fs::read(folder.path().join("rounds.jsonl")).expect("written");
        store.commit(record(1), &[query(2, 3)], &[serde_json::json!({"kind": "step"})]).expect("commit");
        // As if the process had died between the last two files.
        std::fs::write(folder.path().join("rounds.jsonl"), rounds).expect("restore");
        let read = CellStore::load(folder.path()).expect("read");
        assert_eq!(read.rounds().len(), 1);
        assert_eq!(read.queries(), [query(0, 1), query(1, 2)]);
        assert_eq!(read.log.len(), 1);
    }

    #[test]
    fn a_broken_line_names_file_and_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("rounds.jsonl"), "{\"version\":1}\n").expect("write");
        let error = CellStore::load(folder.path()).expect_err("fields are missing").to_string();
        assert!(error.contains("rounds.jsonl`, line 1"), "{error}");
    }
}
