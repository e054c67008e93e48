//! The configuration of an experiment: a TOML file, read once and checked, that alone can run.

use std::path::{Path, PathBuf};

use autoal_data::{DataConfig, Dataset, Seed};
use autoal_models::config::{Arch, Weights};
use autoal_models::{ComputeDevice, ModelConfig, TrainConfig};
use serde::{Deserialize, Serialize};

use crate::{ConfigError, strategy};

/// How many labels, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BudgetConfig {
    /// Labels before the first query, the same samples for every strategy of a seed.
    pub seed_set_size: usize,
    /// Draw the seed set so that every class has its share of the pool. Looks at labels: only for protocols that ask for it.
    pub stratified_seed_set: bool,
    /// Labels per round.
    pub query_size: usize,
    /// Queries.
    pub rounds: u32,
    /// Unlabeled samples that a query may choose from, drawn anew each round; 0 is all of them.
    pub candidate_limit: usize,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { seed_set_size: 100, stratified_seed_set: false, query_size: 100, rounds: 10, candidate_limit: 0 }
    }
}

/// A strategy of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategyEntry {
    /// Name in tables and folders; the strategy's name unless a `label` is given.
    pub label: String,
    /// Name in the catalog.
    pub name: String,
    /// Parameters that were set.
    pub parameters: toml::Table,
}

/// The file as it is written. [`ExperimentConfig`] is what it means.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawConfig {
    name: String,
    #[serde(default = "default_seeds")]
    seeds: Vec<u64>,
    strategies: Vec<toml::Value>,
    #[serde(default)]
    output: Option<PathBuf>,
    #[serde(default = "default_device")]
    device: String,
    data: DataConfig,
    #[serde(default)]
    budget: BudgetConfig,
    #[serde(default)]
    model: ModelConfig,
    #[serde(default)]
    train: TrainConfig,
}

fn default_seeds() -> Vec<u64> {
    vec![1, 2, 3]
}

fn default_device() -> String {
    "cpu".to_owned()
}

/// A checked experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentConfig {
    /// Where it was read from.
    pub path: PathBuf,
    /// Name of the experiment and of its results folder.
    pub name: String,
    /// Repetitions; each has its own seed set, initial weights and order of training.
    pub seeds: Vec<Seed>,
    /// What is compared.
    pub strategies: Vec<StrategyEntry>,
    /// Where results go; `None` is `runs` in the current folder.
    pub output: Option<PathBuf>,
    /// Device name, as `autoal devices` lists them.
    pub device: String,
    /// The data.
    pub data: DataConfig,
    /// The labels.
    pub budget: BudgetConfig,
    /// The task model.
    pub model: ModelConfig,
    /// Its training.
    pub train: TrainConfig,
}

impl ExperimentConfig {
    /// Reads and checks a file. Paths inside count from its folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            path: path.to_owned(),
            line: None,
            message: error.to_string(),
            hint: None,
        })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))?;
        let fault = |table: &str, key: &str, message: String| ConfigError::at_key(path, text, table, key, message);
        check_name(&raw.name).map_err(|message| fault("", "name", message))?;
        if raw.seeds.is_empty() {
            return Err(fault("", "seeds", "`seeds` is empty, expected at least one".into()));
        }
        if let Some(seed) = first_duplicate(&raw.seeds) {
            return Err(fault("", "seeds", format!("seed {seed} occurs twice")));
        }
        let strategies = strategies(&raw.strategies).map_err(|message| fault("", "strategies", message))?;
        check_budget(&raw.budget).map_err(|(key, message)| fault("budget", key, message))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let train = raw.train.check().and_then(|()| raw.train.check_arch(raw.model.arch));
        train.map_err(|message| fault("train", key_of(&message), message.clone()))?;
        if raw.model.arch == Arch::ResNet18 && raw.train.batch_size < 2 {
            let message = "`batch-size` is 1, expected at least 2: batch norm needs several samples";
            return Err(fault("train", "batch-size", message.into()));
        }
        let mut data = raw.data;
        data.resolve_paths(folder);
        let mut model = raw.model;
        if let Weights::File(file) = &mut model.weights {
            *file = folder.join(&*file);
        }
        let config = Self {
            path: path.to_owned(),
            name: raw.name,
            seeds: raw.seeds.into_iter().map(Seed).collect(),
            strategies,
            output: raw.output.map(|output| folder.join(output)),
            device: raw.device,
            data,
            budget: raw.budget,
            model,
            train: raw.train,
        };
        for entry in &config.strategies {
            strategy::check(entry).map_err(|message| fault("", &entry.name, message))?;
        }
        Ok(config)
    }

    /// Checks what only the data can tell: that the budget fits the pool, and that the model takes these inputs.
    pub fn check_against(&self, dataset: &Dataset) -> Result<(), ConfigError> {
        let fault = |message| self.fault(message);
        let pool = dataset.train.len();
        let budget = &self.budget;
        let total = budget.seed_set_size + budget.query_size * budget.rounds as usize;
        if budget.seed_set_size > pool {
            return Err(fault(format!("`seed-set-size` is {}, the pool has only {pool} samples", budget.seed_set_size)));
        }
        if budget.query_size > pool - budget.seed_set_size {
            let left = pool - budget.seed_set_size;
            return Err(fault(format!(
                "`query-size` is {}, only {left} samples are left beside the seed set",
                budget.query_size
            )));
        }
        if total > pool {
            return Err(fault(format!(
                "the budget is {total} labels ({} + {} x {}), the pool has only {pool} samples",
                budget.seed_set_size, budget.rounds, budget.query_size
            )));
        }
        self.model.check(dataset.train.samples.shape()).map_err(fault)
    }

    /// Checks what only the device can tell: that it has the precision.
    pub fn check_on(&self, device: &ComputeDevice) -> Result<(), ConfigError> {
        device.check_precision(self.train.precision).map_err(|message| self.fault(message))
    }

    /// An error that no single line is to blame for.
    fn fault(&self, message: String) -> ConfigError {
        ConfigError { path: self.path.clone(), line: None, message, hint: None }
    }

    /// The part of the configuration that the results of a cell depend on. The number of rounds is not: a longer run goes on.
    pub(crate) fn result_identity(&self) -> serde_json::Value {
        let mut budget = serde_json::to_value(&self.budget).expect("plain values");
        if let Some(map) = budget.as_object_mut() {
            map.remove("rounds");
        }
        serde_json::json!({ "budget": budget, "model": self.model, "train": self.train })
    }

    /// The whole configuration with every default written out, as TOML that can be read again.
    pub fn resolved(&self) -> toml::Table {
        let strategies = self.strategies.iter().map(StrategyEntry::to_toml).collect();
        let raw = RawConfig {
            name: self.name.clone(),
            seeds: self.seeds.iter().map(|seed| seed.0).collect(),
            strategies,
            output: self.output.clone(),
            device: self.device.clone(),
            data: self.data.clone(),
            budget: self.budget.clone(),
            model: self.model.clone(),
            train: self.train.clone(),
        };
        toml::Table::try_from(raw).expect("a checked configuration is a table")
    }
}

impl StrategyEntry {
    fn to_toml(&self) -> toml::Value {
        if self.parameters.is_empty() && self.label == self.name {
            return toml::Value::String(self.name.clone());
        }
        let mut table = toml::Table::new();
        table.insert("name".into(), self.name.clone().into());
        if self.label != self.name {
            table.insert("label".into(), self.label.clone().into());
        }
        table.extend(self.parameters.clone());
        toml::Value::Table(table)
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        let mut table = match value {
            toml::Value::String(name) => {
                return Ok(Self { label: name.clone(), name: name.clone(), parameters: toml::Table::new() });
            }
            toml::Value::Table(table) => table.clone(),
            other => return Err(format!("a strategy is a name or a table with `name`, found {}", other.type_str())),
        };
        let mut text = |key: &str| match table.remove(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{key}` of a strategy is text, found {}", other.type_str())),
        };
        let name = text("name")?.ok_or("a strategy given as a table needs `name`")?;
        let label = text("label")?.unwrap_or_else(|| name.clone());
        Ok(Self { label, name, parameters: table })
    }
}

fn strategies(values: &[toml::Value]) -> Result<Vec<StrategyEntry>, String> {
    if values.is_empty() {
        return Err("`strategies` is empty, expected at least one".into());
    }
    let entries: Vec<StrategyEntry> = values.iter().map(StrategyEntry::from_toml).collect::<Result<_, _>>()?;
    for entry in &entries {
        check_name(&entry.label)?;
    }
    let labels: Vec<&String> = entries.iter().map(|entry| &entry.label).collect();
    match first_duplicate(&labels) {
        Some(label) => Err(format!("two strategies are called `{label}`; give one of them another `label`")),
        None => Ok(entries),
    }
}

/// Names become folders, so they may hold nothing that a file system minds.
fn check_name(name: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
        return Err(format!("`{name}` cannot name a folder; use letters, digits, `-`, `_`, `+` and `.`"));
    }
    Ok(())
}

fn check_budget(budget: &BudgetConfig) -> Result<(), (&'static str, String)> {
    if budget.seed_set_size == 0 {
        return Err(("seed-set-size", "`seed-set-size` is 0, expected at least 1 label to start from".into()));
    }
    if budget.query_size == 0 {
        return Err(("query-size", "`query-size` is 0, expected at least 1".into()));
    }
    if budget.candidate_limit != 0 && budget.candidate_limit < budget.query_size {
        let message = format!("`candidate-limit` is {}, less than `query-size` {}", budget.candidate_limit, budget.query_size);
        return Err(("candidate-limit", message));
    }
    Ok(())
}

/// The key that a message of the form "`table.key` is .." is about; `""` when it names none.
fn key_of(message: &str) -> &str {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    quoted.rsplit('.').next().unwrap_or_default()
}

fn first_duplicate<T: PartialEq>(values: &[T]) -> Option<&T> {
    values.iter().enumerate().find(|(index, value)| values[..*index].contains(value)).map(|(_, value)| value)
}
