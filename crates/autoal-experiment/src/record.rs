//! The lines of a cell's result files. docs/results-format.md describes them for other programs.

use autoal_data::{Label, SampleId};
use autoal_strategies::{CandidateWeight, StrategyState};
use serde::{Deserialize, Serialize};

/// Version of all result files; a reader refuses a higher one.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Seconds by phase of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundSeconds {
    /// Training the task model.
    pub train: f64,
    /// Testing it.
    pub evaluate: f64,
    /// Passes over the pool: log-probabilities, embeddings, dropout draws.
    pub outputs: f64,
    /// AutoAL: nominations of the candidates.
    pub candidates: f64,
    /// AutoAL: the search.
    pub search: f64,
    /// The rest of the query.
    pub query: f64,
    /// The whole round.
    pub total: f64,
}

/// One committed round: a model trained on `labels` samples, and the query made with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// Format version.
    pub version: u32,
    /// 0 is the model of the seed set.
    pub round: u32,
    /// Labels that the model was trained on.
    pub labels: usize,
    /// Test accuracy, 0..1.
    pub accuracy: f64,
    /// Mean recall over the classes that occur in the test set.
    pub balanced_accuracy: f64,
    /// Mean cross-entropy on the test set, in nats.
    pub loss: f64,
    /// Expected calibration error, 15 equal-width bins.
    pub ece: f64,
    /// Recall of each class; `null` for a class without test samples.
    pub recall: Vec<Option<f64>>,
    /// Mean training loss of the last epoch.
    pub train_loss: f64,
    /// Samples selected in this round; 0 in the last one.
    pub queried: usize,
    /// Samples whose score was not a number.
    pub nan_scores: usize,
    /// Weights of the candidates, for strategies that mix others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<CandidateWeight>,
    /// Labels taken from the model for the next training (CEAL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pseudo_labels: Vec<(SampleId, Label)>,
    /// Memory of the strategy after this round. It lies in the committed line itself, so no crash can part the two.
    #[serde(default, skip_serializing_if = "is_null")]
    pub strategy_state: StrategyState,
    /// Seconds by phase.
    pub seconds: RoundSeconds,
    /// Peak resident memory of the process so far, in bytes; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
}

fn is_null(state: &StrategyState) -> bool {
    state.0.is_null()
}

/// One line of `queries.csv`: a sample that was labeled. The seed set has round 0 and no score; the query made by the model of round
/// `r` has round `r + 1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The round in whose training set the sample appears first.
    pub round: u32,
    /// 0 is the most wanted one.
    pub rank: usize,
    /// The sample.
    pub sample: SampleId,
    /// Its file, for image folders.
    pub source: String,
    /// The label that came back.
    pub label: Label,
    /// The score of the strategy, if it has one.
    pub score: Option<f64>,
    /// What the model took it for when it was selected; empty for the seed set.
    #[serde(default)]
    pub predicted: Option<Label>,
    /// The probability that the model gave to that.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// Candidates of the strategy that put it forward, parted by spaces; empty for strategies that mix no others.
    #[serde(default)]
    pub nominated_by: String,
}
