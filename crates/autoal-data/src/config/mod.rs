//! The `[data]` table of a configuration: which data, how much of it, and how pixels are normalised.
//!
//! `kind` names a data set of the registry or one of the general readers and decides the other keys; [`Selection`] holds the keys
//! that every kind takes. The table is flat, so it is taken apart here by hand: serde cannot refuse unknown keys of a flattened
//! struct.

mod normalization;
mod source;

use std::path::{Path, PathBuf};

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{self, Serialize, Serializer};
use toml::Table;

pub use normalization::{NormalizationConfig, NormalizationRule};
pub use source::{FeaturesConfig, IdxConfig, ImageFolderConfig, NpzConfig, Resize, SourceConfig, SyntheticConfig};

/// The `[data]` table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataConfig {
    /// `kind` and the keys that belong to it.
    pub source: SourceConfig,
    /// The keys that belong to every kind.
    pub selection: Selection,
}

/// Keys that every kind takes: which part of the data is used, and how.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Selection {
    /// At most so many samples of the pool, chosen by a fixed hash of the row, the same for every seed and strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool_limit: Option<usize>,
    /// At most so many samples of the test set, chosen in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_limit: Option<usize>,
    /// Whether a limit keeps the share of each class.
    pub limit_by: Stratification,
    /// What becomes of a validation split.
    pub validation: ValidationUse,
    /// How pixels are normalised.
    pub normalization: NormalizationConfig,
}

/// Whether a random part of labeled samples keeps the share of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stratification {
    /// Every sample is as likely as any other.
    #[default]
    Uniform,
    /// Each class keeps its share, to within one sample.
    Stratified,
}

/// What becomes of a validation split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationUse {
    /// It is kept apart, for model selection.
    #[default]
    Keep,
    /// It is left out.
    Drop,
    /// Its samples are added to the end of the pool.
    Pool,
}

impl DataConfig {
    /// The configuration of a data set of the registry, all of it.
    pub fn registered(name: &str) -> Self {
        Self { source: SourceConfig::Registered(name.to_owned()), selection: Selection::default() }
    }

    /// Makes relative paths count from `base`, the folder of the configuration file. A path that begins with `$NAME` counts from the
    /// folder that the environment variable names, where it is set.
    pub fn resolve_paths(&mut self, base: &Path) {
        for path in self.source.paths_mut() {
            *path = base.join(from_variable(path).as_deref().unwrap_or(path));
        }
    }

    /// The name of the data in results: the registry's name, or the file's without its ending.
    pub fn name(&self) -> String {
        self.source.name()
    }

    /// The paths that the configuration names.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.source.clone().paths_mut().into_iter().map(|path| path.clone()).collect()
    }
}

/// `$NAME/rest` with the variable's value; `None` where the path begins otherwise or the variable is not set.
fn from_variable(path: &Path) -> Option<PathBuf> {
    let rest = path.to_str()?.strip_prefix('$')?;
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Path::new(&std::env::var_os(name)?).join(rest))
}

impl Serialize for DataConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = self.source.to_table().map_err(ser::Error::custom)?;
        table.extend(Table::try_from(&self.selection).map_err(ser::Error::custom)?);
        table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DataConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut own = Table::deserialize(deserializer)?;
        let common_keys = selection_keys();
        let mut common = Table::new();
        for key in &common_keys {
            common.extend(own.remove_entry(*key));
        }
        let selection = Selection::deserialize(common).map_err(|error| de::Error::custom(error.message()))?;
        let source = SourceConfig::from_table(own).map_err(|message| de::Error::custom(with_keys(&message, &common_keys)))?;
        Ok(Self { source, selection })
    }
}

/// The keys of [`Selection`], as serde knows them.
fn selection_keys() -> Vec<&'static str> {
    vec!["pool-limit", "test-limit", "limit-by", "validation", "normalization"]
}

/// Completes serde's list of expected keys by those that every kind takes.
fn with_keys(message: &str, keys: &[&str]) -> String {
    if !message.starts_with("unknown field") {
        return message.to_owned();
    }
    let keys = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    match message.split_once(", there are no fields") {
        Some((unknown, _)) => format!("{unknown}, expected one of {keys}"),
        None => format!("{}, {keys}", message.replace("expected `", "expected one of `").trim_end().replace("` or `", "`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DataConfig, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_registered_name_takes_the_common_keys() {
        let config = parse("kind = 'pathmnist'\npool-limit = 100\nlimit-by = 'stratified'").expect("valid");
        assert_eq!(config.source, SourceConfig::Registered("pathmnist".to_owned()));
        assert_eq!(config.selection.pool_limit, Some(100));
        assert_eq!(config.selection.limit_by, Stratification::Stratified);
    }

    #[test]
    fn every_kind_reports_an_unknown_key_with_all_keys_that_it_takes() {
        for (text, own) in [
            ("kind = 'pathmnist'\npool-limt = 1", None),
            ("kind = 'npz'\npath = 'a.npz'\npool-limt = 1", Some("`path`")),
            ("kind = 'synthetic'\npool-limt = 1", Some("`classes`")),
            ("kind = 'image-folder'\ntrain = 'a'\npool-limt = 1", Some("`resize`")),
        ] {
            let message = parse(text).expect_err("misspelt");
            assert!(message.starts_with("unknown field `pool-limt`, expected one of `"), "{message}");
            assert!(message.contains("`pool-limit`") && message.contains("`normalization`"), "{message}");
            assert!(own.is_none_or(|key| message.contains(key)), "{message}");
        }
    }

    #[test]
    fn the_listed_common_keys_are_those_of_the_struct() {
        let all = Selection { pool_limit: Some(1), test_limit: Some(1), ..Selection::default() };
        let mut keys: Vec<String> = Table::try_from(all).expect("a table").keys().cloned().collect();
        let mut listed = selection_keys();
        keys.sort_unstable();
        listed.sort_unstable();
        assert_eq!(keys, listed);
    }

    #[test]
    fn a_missing_or_unknown_kind_is_named() {
        assert_eq!(parse("path = 'x'").expect_err("no kind"), "missing field `kind`");
        let message = parse("kind = 'pathmnits'").expect_err("misspelt");
        assert!(message.starts_with("unknown variant `pathmnits`, expected one of `npz`"), "{message}");
        assert!(message.contains("`pathmnist`"), "{message}");
    }

    #[test]
    fn writing_and_reading_gives_the_same_configuration() {
        for text in [
            "kind = 'cifar10'",
            "kind = 'npz'\npath = 'a/b.npz'\nlike = 'bloodmnist'\nnormalization = 'none'",
            "kind = 'features'\npath = 'f.npz'",
            "kind = 'image-folder'\ntrain = 'a'\ntest = 'b'\nimage-size = 32",
            "kind = 'idx'\ntrain-images = 'a'\ntrain-labels = 'b'\ntest-images = 'c'\ntest-labels = 'd'",
            "kind = 'synthetic'\nclasses = 5\nnormalization = { mean = [0.5], std = [0.2] }\ntest-limit = 3",
        ] {
            let config = parse(text).expect(text);
            let toml_text = toml::to_string(&config).expect("a table");
            assert_eq!(parse(&toml_text).expect(&toml_text), config);
        }
    }

    #[test]
    fn relative_paths_count_from_the_folder_of_the_configuration() {
        let mut config = parse("kind = 'npz'\npath = '../data/a.npz'").expect("valid");
        config.resolve_paths(Path::new("/project/configs"));
        assert_eq!(config.paths(), [Path::new("/project/configs/../data/a.npz")]);
        config.resolve_paths(Path::new("/elsewhere"));
        assert_eq!(config.paths(), [Path::new("/project/configs/../data/a.npz")]);
        assert_eq!(config.name(), "a");
    }
}
