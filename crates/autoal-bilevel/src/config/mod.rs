//! How AutoAL is set up: a checked configuration that can only be made by [`RawConfig`]'s rules.
//!
//! `mode` chooses a preset and every key overrides one of its values. `paper` follows the paper (specification 4.2), `improved` scores
//! out of fold, searches weights with an exact budget and picks by coverage (specification 4.3 and 4.5).
//!
//! Where presets differ from the paper on purpose: the gate's steepness follows the spread of the scores (the authors' 1e11 leaves no
//! gradient); FitNet has not seen the half that it scores; networks are drawn anew each round from (seed, round), so that AutoAL has no
//! memory and a resumed run goes on the same.

mod raw;

use autoal_strategies::StrategySpec;
use serde::{Deserialize, Serialize};

pub use raw::RawConfig;

use crate::BilevelError;

/// Which preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The paper's Algorithm 1 with a gate that passes gradients.
    Paper,
    /// Cross-fitted signals, an exact budget, coverage.
    Improved,
}

/// Where the weights of the candidates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// SearchNet, one weight a candidate and sample.
    Searched,
    /// Searched, one weight a candidate for all samples.
    SearchedGlobal,
    /// All equal and no search: shows what the search is worth.
    Uniform,
}

/// How a candidate says what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nominations {
    /// 1 for its first choices, 0 for the rest.
    Hard,
    /// Falling from 1 for its first choice to 0 after `beta` times the budget.
    Soft,
    /// The rank of its score over all samples, from 0 to 1; candidates without scores nominate softly.
    Ranks,
}

/// How the samples are chosen from the combined scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// The highest scores.
    Top,
    /// The neighbourhoods that cover most of the scores' mass.
    Coverage,
}

/// The differentiable selection of the search in improved mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// A threshold that makes the mask sum to the budget.
    ExactBudget,
    /// A fixed threshold and a penalty on the difference.
    SoftPenalty,
}

/// Where a threshold without gradient comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threshold {
    /// The exact upper quantile of a Gaussian mixture (the paper's equation (4), without sampling noise).
    Mixture,
    /// The upper quantile of 10 000 draws of that mixture, as the authors compute it.
    SampledMixture,
    /// The upper quantile of the scores themselves.
    Quantile,
}

/// What turns SearchNet's outputs into weights in paper mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Weights of a sample sum to 1.
    Softmax,
    /// Each weight in (0, 1).
    Sigmoid,
    /// The outputs themselves, as the authors' code has it.
    Raw,
}

/// How equations (4) to (6) are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Figure 1 and the code: one combined score a sample, then threshold and sigmoid.
    Figure,
    /// The equations to the letter: a gate for each candidate.
    Equation,
}

/// What SearchNet is rewarded for selecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectiveKind {
    /// Samples with a high loss, as in the paper.
    Loss,
}

/// What SearchNet looks at in improved mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchBackbone {
    /// A network of the task model's kind, trained by the search from its first weights.
    Own,
    /// The task model's embeddings, computed once a round, under a small head.
    Task,
}

/// What FitNets do during the search in improved mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FitNetsKind {
    /// They stay as cross-fitting left them.
    Frozen,
    /// They keep learning, each on the samples that it was trained on; rewards follow.
    Learning,
}

/// The update rule of SearchNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchOptimizer {
    /// Momentum 0.9, weight decay 5e-4.
    Sgd,
    /// No weight decay.
    Adam,
}

/// The learning rate of SearchNet over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchSchedule {
    /// Constant.
    Constant,
    /// Half a cosine down to 0.
    Cosine,
}

/// AutoAL's configuration, checked. Read one from TOML or JSON; unknown keys, and keys of the other mode, are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawConfig", into = "RawConfig")]
pub struct AutoAlConfig {
    pub(crate) candidates: Vec<StrategySpec>,
    pub(crate) weights: Weights,
    pub(crate) nominations: Nominations,
    pub(crate) beta: f64,
    pub(crate) pick: Pick,
    pub(crate) sigma: f64,
    pub(crate) gamma: f64,
    pub(crate) exact_up_to: usize,
    pub(crate) witnesses: usize,
    pub(crate) search_steps: usize,
    pub(crate) search_lr: f64,
    pub(crate) fit_lr: f64,
    pub(crate) loss_lr: f64,
    pub(crate) loss_weight: f64,
    pub(crate) loss_module: bool,
    pub(crate) backbone: bool,
    pub(crate) batch_size: Option<usize>,
    pub(crate) warm_up_epochs: Option<usize>,
    pub(crate) threshold: Threshold,
    pub(crate) search: SearchConfig,
}

/// What only one of the modes has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SearchConfig {
    Paper(PaperConfig),
    Improved(ImprovedConfig),
}

/// Keys of `mode = "paper"`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PaperConfig {
    pub(crate) first_cycles: usize,
    pub(crate) cycles: usize,
    pub(crate) activation: Activation,
    pub(crate) reading: Reading,
    pub(crate) fit_budget_weight: f64,
    pub(crate) search_budget_weight: f64,
}

/// Keys of `mode = "improved"`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImprovedConfig {
    pub(crate) folds: Option<usize>,
    pub(crate) fit_nets: FitNetsKind,
    pub(crate) mask: MaskKind,
    pub(crate) temperature: f64,
    pub(crate) simulated_share: Option<f64>,
    pub(crate) objective: ObjectiveKind,
    pub(crate) search_backbone: SearchBackbone,
    pub(crate) search_hidden: usize,
    pub(crate) search_optimizer: SearchOptimizer,
    pub(crate) search_schedule: SearchSchedule,
    pub(crate) entropy_weight: f64,
    pub(crate) budget_weight: f64,
    pub(crate) early_stop: usize,
}

impl AutoAlConfig {
    /// The preset of a mode.
    pub fn preset(mode: Mode) -> Self {
        let raw = RawConfig { mode: Some(mode), ..RawConfig::default() };
        raw.try_into().expect("presets are in range")
    }

    /// Parses the table of a strategy; the keys `name` and `label`, which say which strategy it is, are ignored.
    pub fn from_table(table: &toml::Table) -> Result<Self, BilevelError> {
        let keys: toml::Table =
            table.iter().filter(|(key, _)| *key != "name" && *key != "label").map(|(k, v)| (k.clone(), v.clone())).collect();
        keys.try_into().map_err(|error: toml::de::Error| BilevelError::Config { detail: error.message().to_string() })
    }

    /// Which preset it started from.
    pub fn mode(&self) -> Mode {
        match self.search {
            SearchConfig::Paper(_) => Mode::Paper,
            SearchConfig::Improved(_) => Mode::Improved,
        }
    }

    /// The candidates.
    pub fn candidates(&self) -> &[StrategySpec] {
        &self.candidates
    }
}
