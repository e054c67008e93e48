//! Every strategy of this crate by name: what it needs, its parameters, and how to build it.
//!
//! Adding a strategy is one file, and one line in [`ENTRIES`].

use serde::{Deserialize, Serialize};

use crate::{QueryStrategy, StrategyError};

/// An input that a strategy needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// `log_proba`, `proba` or `logits` of the candidates.
    LogProba,
    /// `embeddings` of the candidates.
    Embeddings,
    /// `labeled_embeddings`.
    LabeledEmbeddings,
    /// `labeled_labels`.
    LabeledLabels,
    /// Log-probabilities of the labeled samples.
    LabeledLogProba,
    /// `mc_proba`, passes with dropout.
    McDropout,
    /// `predicted_loss`.
    PredictedLoss,
    /// `head_weight` and `head_bias`.
    Head,
    /// Several trained models.
    Ensemble,
    /// A discriminator between labeled and unlabeled samples.
    Discriminator,
    /// Training further models on parts of the labels.
    Retraining,
}

/// A parameter of a strategy, as `autoal strategies` shows it.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its key in kebab-case.
    pub key: &'static str,
    /// Its default as TOML.
    pub default: &'static str,
    /// One line on what it does.
    pub doc: &'static str,
}

/// What is known of a strategy before it is built.
#[derive(Debug, Clone, Copy)]
pub struct StrategyInfo {
    /// Name in configurations and files, kebab-case.
    pub name: &'static str,
    /// One line on what it prefers.
    pub summary: &'static str,
    /// Authors, venue and year.
    pub paper: &'static str,
    /// Inputs it needs.
    pub needs: &'static [Need],
    /// Its parameters.
    pub parameters: &'static [Parameter],
}

/// One strategy of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What is known of it.
    pub info: StrategyInfo,
    /// Builds it from its parameters, an error for unknown ones.
    pub build: fn(&toml::Table) -> Result<Box<dyn QueryStrategy>, StrategyError>,
}

/// A strategy as a configuration names it: a bare name, or a table with `name` and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StrategySpec {
    /// A name; all parameters have their defaults.
    Name(String),
    /// A name and parameters.
    Table(toml::Table),
}

/// All strategies, in the order in which `autoal strategies` lists them.
pub static ENTRIES: &[Entry] = &[];
