//! From a configured strategy to one that can select: AutoAL from its own crate, all others from the catalog.

use std::sync::Arc;

use autoal_bilevel::{AutoAl, AutoAlConfig, AutoAlEnv};
use autoal_strategies::{Need, QueryStrategy, StrategySpec, catalog};

use crate::{Environment, ExperimentError, StrategyEntry};

/// Name of AutoAL in configurations.
const AUTOAL: &str = "autoal";

/// Name of the run with all labels, the line that curves are measured against.
pub(crate) const FULL_DATA: &str = "full-data";

/// Builds the strategy of a cell.
pub(crate) fn build(entry: &StrategyEntry, env: &Environment<'_>) -> Result<Box<dyn QueryStrategy>, ExperimentError> {
    if entry.name != AUTOAL {
        return Ok(catalog::build(&spec(entry))?);
    }
    let config = AutoAlConfig::from_table(&entry.parameters)?;
    let env = AutoAlEnv {
        dataset: Arc::clone(&env.dataset),
        model: env.config.model.clone(),
        train: env.config.train.clone(),
        device: env.device.clone(),
        pretrained: env.pretrained.clone(),
    };
    Ok(Box::new(AutoAl::new(config, env)?))
}

/// Whether a strategy is known and its parameters are right, before anything is loaded.
pub(crate) fn check(entry: &StrategyEntry) -> Result<(), String> {
    match entry.name.as_str() {
        AUTOAL => AutoAlConfig::from_table(&entry.parameters).map(drop).map_err(|error| error.to_string()),
        FULL_DATA if entry.parameters.is_empty() => Ok(()),
        FULL_DATA => Err("`full-data` has no parameters".into()),
        name => catalog::build(&spec(entry)).map(drop).map_err(|error| match error {
            autoal_strategies::StrategyError::Unknown { suggestion: None, .. } => {
                format!("unknown strategy `{name}`; `autoal strategies` lists all")
            }
            error => error.to_string(),
        }),
    }
}

/// Whether the task model needs a loss-prediction head for this strategy or for one of its candidates.
pub(crate) fn needs_loss_head(entry: &StrategyEntry) -> bool {
    let needs = |name: &str| catalog::find(name).is_ok_and(|found| found.info.needs.contains(&Need::PredictedLoss));
    let candidates = entry.parameters.get("candidates").and_then(toml::Value::as_array);
    let name = |value: &toml::Value| value.as_str().or_else(|| value.get("name")?.as_str()).map(str::to_owned);
    needs(&entry.name) || candidates.into_iter().flatten().filter_map(name).any(|name| needs(&name))
}

fn spec(entry: &StrategyEntry) -> StrategySpec {
    if entry.parameters.is_empty() {
        return StrategySpec::Name(entry.name.clone());
    }
    let mut table = entry.parameters.clone();
    table.insert("name".into(), entry.name.clone().into());
    StrategySpec::Table(table)
}
