//! The lines of `search.jsonl`: what each step of a search and each round of AutoAL looked like.

use serde::{Deserialize, Serialize};

/// Which parameters a step changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// FitNet.
    Fit,
    /// SearchNet; together with the loss module in improved mode.
    Search,
    /// The loss module.
    LossModule,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SearchRecord {
    /// One step of the search.
    Step(StepRecord),
    /// One query.
    Round(RoundRecord),
}

/// One step of the search; losses that a phase does not compute are absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The round.
    pub round: u32,
    /// Split, warm-up and search, counted from 0 within the round.
    pub cycle: usize,
    /// The step, counted from 0 within the cycle.
    pub step: usize,
    /// What changed.
    pub phase: Phase,
    /// Loss of FitNet, equation (7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit_loss: Option<f64>,
    /// Loss of SearchNet, equation (8) or the improved objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_loss: Option<f64>,
    /// Ranking loss of the loss module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pred_loss: Option<f64>,
    /// Norm of the gradient of the parameters that changed.
    pub grad_norm: f64,
    /// Samples of the mini-batch that are selected (mask above ½).
    pub selected: usize,
    /// Samples that should be.
    pub budget: f64,
    /// Share of the `budget` highest combined scores that are among the `budget` highest true losses.
    pub precision: f64,
}

/// One query. Lists over candidates follow `candidates`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// The round.
    pub round: u32,
    /// Names of the candidates.
    pub candidates: Vec<String>,
    /// Whether weights were searched; false when they are uniform, by choice or because too few samples are labeled.
    pub searched: bool,
    /// Mean weight of each candidate over the samples that were weighted.
    pub mean_weight: Vec<f64>,
    /// `v_κ / Σv` with `v_κ = (1/|U|) Σ_i S_κ(x_i) W_κ(x_i)`: the paper's Fig. 5.
    pub share: Vec<f64>,
    /// How many of the selected samples each candidate had among its own first choices.
    pub selections: Vec<usize>,
    /// First choices that two candidates have in common, `[K][K]`; the diagonal is the number of first choices.
    pub overlaps: Vec<Vec<usize>>,
    /// Selected samples.
    pub selected: usize,
    /// Unlabeled samples.
    pub unlabeled: usize,
    /// Samples with a score that is not a number, over all candidates.
    pub nan_scores: usize,
}

impl SearchRecord {
    /// As a line of `search.jsonl`.
    pub(crate) fn line(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("records hold only numbers, strings and lists")
    }
}
