//! What a strategy answers.

use autoal_data::{Label, SampleId};
use serde::{Deserialize, Serialize};

/// One selected sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// The sample.
    pub id: SampleId,
    /// Its score where the strategy has one (higher = chosen earlier).
    pub score: Option<f64>,
}

/// Weight of one candidate strategy in an adaptive strategy or in AutoAL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateWeight {
    /// Name of the candidate.
    pub candidate: String,
    /// Its share; the shares of a round sum to 1.
    pub weight: f64,
}

/// The samples of one query in order of preference, and what the strategy wants recorded about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Selected samples, the most wanted first.
    pub samples: Vec<Selected>,
    /// The candidates that put each sample forward, in the order of `samples`; empty for strategies that mix no others.
    pub nominated_by: Vec<Vec<String>>,
    /// Weights of the candidates, for strategies that mix others.
    pub weights: Vec<CandidateWeight>,
    /// Labels that the model is sure of, used as such in the next training and then forgotten (CEAL).
    pub pseudo_labels: Vec<(SampleId, Label)>,
    /// Lines for `search.jsonl`.
    pub log: Vec<serde_json::Value>,
    /// Samples whose score was not a number; they rank last.
    pub nan_scores: usize,
    /// Seconds by phase (`search`, `candidates`, `query`), for strategies with phases of their own.
    pub seconds: Vec<(&'static str, f64)>,
}

impl Selection {
    /// A selection without scores.
    pub fn of(ids: impl IntoIterator<Item = SampleId>) -> Self {
        Self { samples: ids.into_iter().map(|id| Selected { id, score: None }).collect(), ..Self::default() }
    }

    /// The selected ids in order.
    pub fn ids(&self) -> Vec<SampleId> {
        self.samples.iter().map(|s| s.id).collect()
    }
}
