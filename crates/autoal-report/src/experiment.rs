//! One experiment on one data set, in memory: strategies, their seeds, their rounds.

use std::path::{Path, PathBuf};

use crate::error::ReportError;
use crate::metric::Metric;
use crate::schema::{Data, FULL_DATA, Manifest, Query, Round, SearchRound, SearchStep, Strategy};
use crate::{audit, read};

/// What one experiment on one data set left behind.
#[derive(Debug, Clone, Default)]
pub struct Experiment {
    /// Name of the experiment.
    pub name: String,
    /// The folder or file that it was read from.
    pub source: PathBuf,
    /// The data set.
    pub data: Data,
    /// The command that made it; empty where unknown.
    pub command: String,
    /// The resolved configuration; null where unknown.
    pub config: serde_json::Value,
    /// Version of the program that ran it; empty where unknown.
    pub autoal_version: String,
    /// The device, in words; empty where unknown.
    pub device: String,
    /// Whether `labels` counts labels. Imported results may know only the round.
    pub counts_labels: bool,
    /// The strategies with their runs, in the order of the configuration; a run on all labels is not among them.
    pub strategies: Vec<StrategyRuns>,
    /// The runs on all labels.
    pub full_data: Option<StrategyRuns>,
    /// What the reader noticed: truncated lines, cells that have not started.
    pub notes: Vec<Note>,
}

/// One strategy and its seeds.
#[derive(Debug, Clone, Default)]
pub struct StrategyRuns {
    /// The strategy.
    pub strategy: Strategy,
    /// One cell a seed, by ascending seed.
    pub cells: Vec<Cell>,
}

/// One strategy with one seed.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// The random seed.
    pub seed: u64,
    /// The cell's folder; empty for imported results.
    pub path: PathBuf,
    /// How it was run, where that is known.
    pub manifest: Option<Manifest>,
    /// Its rounds, by ascending label count.
    pub rounds: Vec<Round>,
    /// Its selections.
    pub queries: Vec<Query>,
    /// The steps of its search.
    pub search_steps: Vec<SearchStep>,
    /// What its searches came to.
    pub search_rounds: Vec<SearchRound>,
}

/// Something that a reader of the numbers must know.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Some numbers leave something out because of it.
    Warning,
    /// A comparison would be wrong and is not made.
    Refused,
}

impl Note {
    /// A note.
    pub fn new(severity: Severity, text: impl Into<String>) -> Self {
        Self { severity, text: text.into() }
    }
}

impl Experiment {
    /// Reads a run's folder (`runs/NAME`).
    ///
    /// # Errors
    /// When the folder holds no results, when a line is broken (other than a truncated last one), or when a file has a version from
    /// the future.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReportError> {
        read::run(path.as_ref())
    }

    /// The strategy that differences are taken to: the first one named Random.
    pub fn baseline(&self) -> Option<&StrategyRuns> {
        self.strategies.iter().find(|s| s.strategy.name == "random" || s.label().eq_ignore_ascii_case("random"))
    }

    /// The metrics that every strategy recorded in some round.
    pub fn metrics(&self) -> Vec<Metric> {
        let has = |m: &Metric| self.cells().any(|c| c.rounds.iter().any(|r| m.of(r).is_some()));
        Metric::ALL.into_iter().filter(has).collect()
    }

    /// Every cell of a strategy, runs on all labels left out.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.strategies.iter().flat_map(|s| &s.cells)
    }

    /// Everything to know before trusting a number: the reader's notes and what the audit found.
    pub fn all_notes(&self) -> Vec<Note> {
        let mut notes = audit::notes(self);
        notes.extend(self.notes.iter().cloned());
        notes.sort_by_key(|n| std::cmp::Reverse(n.severity));
        notes
    }

    /// What the data set is called on a figure.
    pub fn title(&self) -> &str {
        if self.data.name.is_empty() { &self.name } else { &self.data.name }
    }
}

impl StrategyRuns {
    /// What it is called in this experiment.
    pub fn label(&self) -> &str {
        &self.strategy.label
    }

    /// Whether it trained on all labels instead of querying.
    pub(crate) fn is_full_data(&self) -> bool {
        self.strategy.label == FULL_DATA || self.strategy.name == FULL_DATA
    }

    /// The cell of a seed.
    pub fn cell(&self, seed: u64) -> Option<&Cell> {
        self.cells.iter().find(|c| c.seed == seed)
    }
}

impl Cell {
    /// The digest of the seed set, where the manifest states one.
    pub fn seed_set_digest(&self) -> Option<&str> {
        self.manifest.as_ref().map(|m| m.seed_set_digest.as_str()).filter(|d| !d.is_empty())
    }

    /// Label counts of the rounds that recorded `metric`, with its values.
    pub fn curve(&self, metric: Metric) -> Vec<(usize, f64)> {
        self.rounds.iter().filter_map(|r| metric.of(r).map(|v| (r.labels, v))).collect()
    }
}
