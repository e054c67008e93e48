//! From a TOML table to the checked parameters of a strategy.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{StrategyError, StrategyInfo};

/// A strategy without parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// Names further apart than this are not suggested (Jaro-Winkler similarity).
const SIMILAR: f64 = 0.75;

/// Parses parameters. Keys may be written in kebab-case or `snake_case`; the key `name` is skipped; an unknown key is an error that
/// names the nearest known one.
pub fn parse<C: DeserializeOwned>(info: &StrategyInfo, table: &toml::Table) -> Result<C, StrategyError> {
    let mut normal = toml::Table::new();
    for (key, value) in table.iter().filter(|(key, _)| *key != "name") {
        let kebab = key.replace('_', "-");
        if !info.parameters.iter().any(|parameter| parameter.key == kebab) {
            return Err(parameter(info.name, unknown_key(info, key)));
        }
        if normal.insert(kebab, value.clone()).is_some() {
            return Err(parameter(info.name, format!("`{key}` is given twice")));
        }
    }
    normal.try_into().map_err(|error: toml::de::Error| parameter(info.name, error.message().to_owned()))
}

/// An error about a parameter of the strategy `name`.
pub fn parameter(name: &str, detail: impl Into<String>) -> StrategyError {
    StrategyError::Parameter { strategy: name.to_owned(), detail: detail.into() }
}

/// The known name most like `name`, if any is like it.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn unknown_key(info: &StrategyInfo, key: &str) -> String {
    let keys = info.parameters.iter().map(|parameter| parameter.key);
    match nearest(&key.replace('_', "-"), keys.clone()) {
        Some(near) => format!("unknown parameter `{key}`, did you mean `{near}`?"),
        None if info.parameters.is_empty() => format!("unknown parameter `{key}`, it has none"),
        None => format!("unknown parameter `{key}`, expected one of `{}`", keys.collect::<Vec<_>>().join("`, `")),
    }
}
