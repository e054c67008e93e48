//! `manifest.json`: what a cell is the result of, so that no folder ever mixes two configurations.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::{read_optional, write_atomic};
use crate::record::FORMAT_VERSION;
use crate::{CellName, ExperimentError};

/// Identity of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DataIdentity {
    /// Name in the configuration.
    pub(crate) name: String,
    /// SHA-256 over samples and labels.
    pub(crate) digest: String,
}

/// A strategy as the manifest names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StrategyIdentity {
    /// Label in tables and folders.
    pub(crate) label: String,
    /// Name in the catalog.
    pub(crate) name: String,
    /// Parameters that were set.
    pub(crate) parameters: toml::Table,
}

/// What decides the results of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Format version.
    pub(crate) version: u32,
    /// Name of the experiment.
    pub(crate) experiment: String,
    /// The strategy.
    pub(crate) strategy: StrategyIdentity,
    /// The seed.
    pub(crate) seed: u64,
    /// The device that the cell ran on.
    pub(crate) device: String,
    /// Version of this program.
    pub(crate) autoal_version: String,
    /// The data.
    pub(crate) data: DataIdentity,
    /// SHA-256 over the ids of the seed set: equal for all strategies of a seed.
    pub(crate) seed_set_digest: String,
    /// The part of the configuration that results depend on.
    pub(crate) config: serde_json::Value,
    /// SHA-256 over strategy, data and configuration: equal for all seeds of a strategy.
    pub(crate) config_digest: String,
}

impl Manifest {
    /// A manifest of the current version with its digest.
    pub(crate) fn new(
        experiment: &str,
        cell: &CellName,
        strategy: StrategyIdentity,
        device: &str,
        data: DataIdentity,
        seed_set_digest: String,
        config: serde_json::Value,
    ) -> Self {
        let mut manifest = Self {
            version: FORMAT_VERSION,
            experiment: experiment.to_owned(),
            strategy,
            seed: cell.seed.0,
            device: device.to_owned(),
            autoal_version: env!("CARGO_PKG_VERSION").to_owned(),
            data,
            seed_set_digest,
            config,
            config_digest: String::new(),
        };
        let shared =
            serde_json::json!([manifest.strategy.name, manifest.strategy.parameters, manifest.data.digest, manifest.config]);
        manifest.config_digest = hex(&Sha256::digest(shared.to_string()));
        manifest
    }

    /// Writes the manifest of a fresh cell; for a cell that is there, an error unless it is the result of the same configuration.
    pub(crate) fn claim(&self, folder: &Path) -> Result<(), ExperimentError> {
        let path = folder.join("manifest.json");
        let Some(text) = read_optional(&path)? else {
            let text = serde_json::to_vec_pretty(self).expect("a manifest holds only plain values");
            return write_atomic(&path, &text);
        };
        let found: Self = serde_json::from_str(&text).map_err(|error| ExperimentError::Record {
            path: path.clone(),
            line: error.line(),
            detail: error.to_string(),
        })?;
        let difference = differences("", &found.identity(), &self.identity()).join(", ");
        if difference.is_empty() {
            return Ok(());
        }
        Err(ExperimentError::OtherConfig { folder: folder.to_owned(), difference })
    }

    /// What results depend on. The device is not part of it: a run may go on elsewhere, and says so in its manifest.
    fn identity(&self) -> serde_json::Value {
        serde_json::json!({
            "strategy": { "name": self.strategy.name, "parameters": self.strategy.parameters },
            "seed": self.seed,
            "data-digest": self.data.digest,
            "seed-set": self.seed_set_digest,
            "config": self.config,
        })
    }
}

/// Paths of the keys at which two JSON values differ, with both values.
fn differences(at: &str, found: &serde_json::Value, wanted: &serde_json::Value) -> Vec<String> {
    use serde_json::Value::Object;
    if let (Object(a), Object(b)) = (found, wanted) {
        let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let null = serde_json::Value::Null;
        let below = |key: &String| {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            differences(&at, a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null))
        };
        return keys.into_iter().flat_map(below).collect();
    }
    if found == wanted { Vec::new() } else { vec![format!("`{at}` was {found} and is now {wanted}")] }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use autoal_data::Seed;

    use super::*;

    fn manifest(epochs: u32) -> Manifest {
        let cell = CellName { strategy: "random".into(), seed: Seed(1) };
        let strategy = StrategyIdentity { label: "random".into(), name: "random".into(), parameters: toml::Table::new() };
        let data = DataIdentity { name: "demo".into(), digest: "d".into() };
        Manifest::new("demo", &cell, strategy, "flex", data, "s".into(), serde_json::json!({"train": {"epochs": epochs}}))
    }

    #[test]
    fn a_folder_takes_one_configuration() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        manifest(3).claim(folder.path()).expect("fresh folder");
        manifest(3).claim(folder.path()).expect("same configuration");
        let error = manifest(4).claim(folder.path()).expect_err("another configuration").to_string();
        assert!(error.contains("`config.train.epochs` was 3 and is now 4"), "{error}");
    }
}
