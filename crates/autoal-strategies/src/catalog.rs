//! Every strategy of this crate by name: what it needs, its parameters, and how to build it.
//!
//! Adding a strategy is one file, and one line in [`ENTRIES`].

use serde::{Deserialize, Serialize};

use serde::de::DeserializeOwned;

use crate::checked::Checked;
use crate::{Acquisition, AcquisitionStrategy, QueryStrategy, StrategyError, adaptive, config, diversity, hybrid, uncertainty};

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
    /// Its parameters with their defaults; a parameter without a default has no key.
    pub defaults: fn() -> toml::Table,
}

/// A strategy or an acquisition function that the catalog can make.
pub trait Buildable: Sized + 'static {
    /// Its parameters: kebab-case keys, every one with a default.
    type Config: Default + Serialize + DeserializeOwned;

    /// What is known of it.
    const INFO: StrategyInfo;

    /// Makes it; an error for values out of range.
    fn build(config: Self::Config) -> Result<Self, StrategyError>;
}

impl Entry {
    /// The entry of a query strategy.
    pub const fn strategy<S: Buildable + QueryStrategy>() -> Self {
        Self { info: S::INFO, build: |table| Ok(Box::new(S::build(config::parse(&S::INFO, table)?)?)), defaults: defaults::<S> }
    }

    /// The entry of an acquisition function, whose highest scores are selected.
    pub const fn acquisition<A: Buildable + Acquisition>() -> Self {
        Self {
            info: A::INFO,
            build: |table| Ok(Box::new(AcquisitionStrategy(A::build(config::parse(&A::INFO, table)?)?))),
            defaults: defaults::<A>,
        }
    }
}

fn defaults<B: Buildable>() -> toml::Table {
    toml::Table::try_from(B::Config::default()).expect("parameters are plain TOML values")
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

impl StrategySpec {
    /// The strategy's name; an error when a table has none.
    pub fn name(&self) -> Result<&str, StrategyError> {
        match self {
            Self::Name(name) => Ok(name),
            Self::Table(table) => table
                .get("name")
                .and_then(toml::Value::as_str)
                .ok_or_else(|| config::parameter("?", "a strategy given as a table needs the key `name`")),
        }
    }

    /// Its parameters; the key `name` may be among them.
    pub fn parameters(&self) -> toml::Table {
        match self {
            Self::Name(_) => toml::Table::new(),
            Self::Table(table) => table.clone(),
        }
    }
}

/// The entry of that name; an error that names the nearest one.
pub fn find(name: &str) -> Result<&'static Entry, StrategyError> {
    let kebab = name.replace('_', "-");
    // AutoAL's paper says `VarRatio` and cites the form on dropout passes.
    let kebab = if kebab == "var-ratio" { "var-ratio-mc".to_owned() } else { kebab };
    ENTRIES.iter().find(|entry| entry.info.name == kebab).ok_or_else(|| StrategyError::Unknown {
        name: name.to_owned(),
        suggestion: config::nearest(&kebab, ENTRIES.iter().map(|entry| entry.info.name)).map(str::to_owned),
    })
}

/// Builds a strategy. Its queries are checked, and it sees candidates in ascending order of id with `1 <= query_size <= N`.
pub fn build(spec: &StrategySpec) -> Result<Box<dyn QueryStrategy>, StrategyError> {
    let entry = find(spec.name()?)?;
    Ok(Box::new(Checked::new((entry.build)(&spec.parameters())?, entry.info.needs)))
}

/// All strategies, in the order in which `autoal strategies` lists them.
#[rustfmt::skip] // one line a strategy
pub static ENTRIES: &[Entry] = &[
    Entry::acquisition::<uncertainty::Random>(),
    Entry::acquisition::<uncertainty::LeastConfidence>(),
    Entry::acquisition::<uncertainty::Margin>(),
    Entry::acquisition::<uncertainty::Entropy>(),
    Entry::acquisition::<uncertainty::VarRatioCoded>(),
    Entry::acquisition::<uncertainty::LeastConfidenceMc>(),
    Entry::acquisition::<uncertainty::MarginMc>(),
    Entry::acquisition::<uncertainty::EntropyMc>(),
    Entry::acquisition::<uncertainty::VarRatioCodedMc>(),
    Entry::acquisition::<uncertainty::Bald>(),
    Entry::acquisition::<uncertainty::VarRatioMc>(),
    Entry::acquisition::<uncertainty::MeanStd>(),
    Entry::acquisition::<uncertainty::PredictedLoss>(),
    Entry::acquisition::<uncertainty::EnsVarRatio>(),
    Entry::acquisition::<uncertainty::Ddu>(),
    Entry::acquisition::<uncertainty::Vaal>(),
    Entry::strategy::<diversity::KMeansStrategy>(),
    Entry::strategy::<diversity::CoreSet>(),
    Entry::strategy::<diversity::TypiClust>(),
    Entry::strategy::<diversity::ProbCover>(),
    Entry::strategy::<diversity::MaxHerding>(),
    Entry::strategy::<diversity::UncertaintyHerding>(),
    Entry::strategy::<diversity::ClusterMargin>(),
    Entry::strategy::<diversity::Dpp>(),
    Entry::strategy::<hybrid::Badge>(),
    Entry::strategy::<hybrid::Bait>(),
    Entry::strategy::<hybrid::BatchBald>(),
    Entry::strategy::<hybrid::PowerBald>(),
    Entry::strategy::<hybrid::StochasticBatch>(),
    Entry::strategy::<hybrid::DropQuery>(),
    Entry::strategy::<hybrid::AlfaMix>(),
    Entry::strategy::<hybrid::Tcm>(),
    Entry::strategy::<hybrid::Ceal>(),
    Entry::strategy::<hybrid::Refine>(),
    Entry::strategy::<adaptive::Albl>(),
    Entry::strategy::<adaptive::Tailor>(),
    Entry::strategy::<adaptive::Comb>(),
    Entry::strategy::<adaptive::Deal>(),
    Entry::strategy::<adaptive::SelectAl>(),
];
