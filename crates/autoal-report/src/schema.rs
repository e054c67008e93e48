//! The result files as they lie on disk, version 1, as serde types.
//!
//! Every type ignores fields that it does not know and fills in those that are missing, except the few without which a record
//! means nothing. `docs/results-format.md` describes the same files in prose. What a file says is not checked here; [`crate::read_all`]
//! turns it into [`crate::Experiment`]s.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The last format version that this crate reads.
pub const VERSION: u32 = 1;

/// The label of a strategy whose single round trained on all labels.
pub const FULL_DATA: &str = "full-data";

/// `experiment.json`: what was asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExperimentFile {
    /// Format version.
    pub version: u32,
    /// Name of the experiment.
    pub name: String,
    /// The command that started it.
    pub command: String,
    /// The resolved configuration.
    pub config: Value,
    /// The data set.
    pub data: Data,
    /// The random seeds.
    pub seeds: Vec<u64>,
    /// The strategies, in the order in which they are shown.
    pub strategies: Vec<Strategy>,
    /// Version of the program that wrote the file.
    pub autoal_version: String,
    /// The device, in words.
    pub device: String,
}

/// A data set as `experiment.json` and `manifest.json` name it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Data {
    /// Name.
    pub name: String,
    /// Checksum of the samples and labels.
    pub digest: String,
    /// Class names, by label.
    pub classes: Vec<String>,
    /// Samples that may be labeled.
    pub pool_size: usize,
    /// Samples of the test set.
    pub test_size: usize,
}

/// A query strategy with its parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strategy {
    /// What it is called in this experiment; the name of its folder.
    pub label: String,
    /// Which strategy it is.
    pub name: String,
    /// Its parameters.
    pub parameters: Map<String, Value>,
}

/// `manifest.json`: how one cell was run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Format version.
    pub version: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The strategy.
    pub strategy: Strategy,
    /// The random seed.
    pub seed: u64,
    /// The device, in words.
    pub device: String,
    /// Version of the program that wrote the file.
    pub autoal_version: String,
    /// The data set.
    pub data: Data,
    /// Checksum of the seed set's sample ids.
    pub seed_set_digest: String,
    /// The resolved configuration.
    pub config: Value,
    /// Checksum of the configuration.
    pub config_digest: String,
}

/// One line of `rounds.jsonl`: a model trained on `labels` labels, and the query that followed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Round {
    /// Format version.
    pub version: u32,
    /// The round; 0 is the model of the seed set.
    pub round: usize,
    /// Labels that the model was trained on.
    pub labels: usize,
    /// Share of the test set that is classified correctly, 0 to 1.
    pub accuracy: Option<f64>,
    /// Mean recall over the classes of the test set, 0 to 1.
    pub balanced_accuracy: Option<f64>,
    /// Mean cross-entropy on the test set, in nats.
    pub loss: Option<f64>,
    /// Expected calibration error on the test set, 15 equal bins.
    pub ece: Option<f64>,
    /// Recall by class.
    pub recall: Vec<Option<f64>>,
    /// Mean cross-entropy of the last training epoch, in nats.
    pub train_loss: Option<f64>,
    /// Wall time by phase.
    pub seconds: Seconds,
    /// Peak memory of the process.
    pub peak_memory_bytes: Option<u64>,
    /// Mean weight that an adaptive strategy gave each candidate in this round's query.
    pub weights: Vec<Weight>,
    /// Scores that were not a number and therefore ranked last.
    pub nan_scores: Option<u64>,
    /// Samples that this round's query selected.
    pub queried: Option<usize>,
}

/// Wall time of a round by phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seconds {
    /// Training of the task model.
    pub train: Option<f64>,
    /// Evaluation on the test set.
    pub evaluate: Option<f64>,
    /// Model outputs over the unlabeled pool.
    pub outputs: Option<f64>,
    /// The candidates of a mixing strategy.
    pub candidates: Option<f64>,
    /// The search of a mixing strategy.
    pub search: Option<f64>,
    /// The rest of the query: the strategy's own work.
    pub query: Option<f64>,
    /// The round as a whole.
    pub total: Option<f64>,
}

/// The weight of one candidate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Weight {
    /// The candidate.
    pub candidate: String,
    /// Its weight; shown as a share of the round's sum.
    pub weight: f64,
}

/// One line of `queries.csv`: a sample that was selected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// The round in whose training set it appears first: it was selected by the model of the round before. 0 for the seed set.
    pub round: usize,
    /// Its place in the selection, 0 first.
    pub rank: usize,
    /// Its sample id.
    pub sample: u64,
    /// The file that it came from; may be empty.
    pub source: String,
    /// The label that the oracle gave, as a class number or a name.
    pub label: String,
    /// The strategy's score, where it has one.
    pub score: Option<f64>,
    /// What the model took it for when it was selected, as a class number or a name; empty where unknown.
    pub predicted: String,
    /// The probability that the model gave to that.
    pub confidence: Option<f64>,
    /// Candidates of the strategy that put it forward, parted by spaces.
    pub nominated_by: String,
}

/// One line of `search.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SearchLine {
    /// One optimisation step.
    Step(SearchStep),
    /// What a round's search came to.
    Round(SearchRound),
    /// A kind that a later release added.
    #[serde(other)]
    Other,
}

/// One step of AutoAL's search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchStep {
    /// The round.
    pub round: usize,
    /// The cycle of the search, from 0.
    pub cycle: usize,
    /// The step within the round, from 0.
    pub step: usize,
    /// What was trained in it.
    pub phase: String,
    /// Loss of the fitting network.
    pub fit_loss: Option<f64>,
    /// Loss of the search network.
    pub search_loss: Option<f64>,
    /// Loss of the loss-prediction head.
    pub pred_loss: Option<f64>,
    /// Norm of the gradient.
    pub grad_norm: Option<f64>,
    /// Samples that the relaxed selection kept.
    pub selected: Option<f64>,
    /// Samples that it was to keep.
    pub budget: Option<f64>,
    /// Share of the selected that are among the true top losses.
    pub precision: Option<f64>,
}

/// What the search of one round came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchRound {
    /// The round.
    pub round: usize,
    /// Candidate names.
    pub candidates: Vec<String>,
    /// Mean weight by candidate.
    pub mean_weight: Vec<f64>,
    /// Selected samples that each candidate nominated.
    pub selections: Vec<f64>,
}
