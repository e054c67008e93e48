//! The kinds of data, and the keys that belong to each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::Table;

use crate::registry::Registry;

/// `kind` with its own keys.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceConfig {
    /// A data set of the registry, fetched when it is missing.
    Registered(String),
    /// A `.npz` file in MedMNIST's key layout.
    Npz(NpzConfig),
    /// Feature vectors in a `.npz` file.
    Features(FeaturesConfig),
    /// Folders of pictures, one folder a class.
    ImageFolder(ImageFolderConfig),
    /// MNIST-type IDX files, plain or `.gz`.
    Idx(IdxConfig),
    /// Pictures that a generator makes.
    Synthetic(SyntheticConfig),
}

/// `kind = "npz"`: `{train,val,test}_{images,labels}`, images `[N, H, W]` or `[N, H, W, C]` of `uint8`; `val` may be missing or empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NpzConfig {
    /// The file.
    pub path: PathBuf,
    /// A data set of the registry whose class names and normalisation apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// Names of the classes, in label order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
}

/// `kind = "features"`: `{train,test}_embeddings` `[N, D]` and `{train,test}_labels` `[N]`; `val_*` may be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeaturesConfig {
    /// The file.
    pub path: PathBuf,
    /// A data set of the registry whose class names apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// Names of the classes, in label order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
}

/// `kind = "image-folder"`: JPEG and PNG files in one folder a class; class numbers follow the sorted folder names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageFolderConfig {
    /// The pool: a folder of class folders.
    pub train: PathBuf,
    /// A folder with the same class folders; without it, `test-fraction` of the pool is set apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// A folder with the same class folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<PathBuf>,
    /// Share of the pool that becomes the test set where `test` is not given, stratified by class.
    #[serde(default = "defaults::test_fraction")]
    pub test_fraction: f64,
    /// Width and height that pictures are brought to, in pixels.
    #[serde(default = "defaults::image_size")]
    pub image_size: u32,
    /// How they are brought to it.
    #[serde(default)]
    pub resize: Resize,
    /// Grey (1) or colour (3).
    #[serde(default = "defaults::channels")]
    pub channels: usize,
}

/// How a picture of any size becomes a square one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// The short side is scaled to the size and the middle is cut out.
    #[default]
    Crop,
    /// Both sides are scaled to the size, whatever the aspect.
    Stretch,
}

/// `kind = "idx"`: the four files of MNIST and its relatives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IdxConfig {
    /// Images of the pool.
    pub train_images: PathBuf,
    /// Labels of the pool.
    pub train_labels: PathBuf,
    /// Images of the test set.
    pub test_images: PathBuf,
    /// Labels of the test set.
    pub test_labels: PathBuf,
    /// A data set of the registry whose class names and normalisation apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
}

/// `kind = "synthetic"`: small labeled pictures from a generator, for tests and first steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SyntheticConfig {
    /// Number of classes, 2 or more.
    pub classes: usize,
    /// Samples in the pool.
    pub pool_size: usize,
    /// Samples in the test set; classes are equally frequent there.
    pub test_size: usize,
    /// Width and height, in pixels.
    pub image_size: usize,
    /// Grey (1) or colour (3).
    pub channels: usize,
    /// From 0 (classes lie far apart) to 1 (noise hides them).
    pub difficulty: f64,
    /// Frequency of the most frequent class of the pool over that of the rarest, 1 or more.
    pub imbalance: f64,
    /// Share of the pool that is a copy of another sample with a little noise, in 0..1.
    pub near_duplicates: f64,
    /// Share of the pool whose label is a wrong one, in 0..1.
    pub label_noise: f64,
    /// Seed of the generator, the same for all cells of an experiment.
    pub generator_seed: u64,
}

impl Default for SyntheticConfig {
    fn default() -> Self {
        Self {
            classes: 3,
            pool_size: 600,
            test_size: 300,
            image_size: 16,
            channels: 3,
            difficulty: 0.5,
            imbalance: 1.0,
            near_duplicates: 0.0,
            label_noise: 0.0,
            generator_seed: 0,
        }
    }
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self::Synthetic(SyntheticConfig::default())
    }
}

mod defaults {
    pub(super) fn test_fraction() -> f64 {
        0.2
    }

    pub(super) fn image_size() -> u32 {
        64
    }

    pub(super) fn channels() -> usize {
        3
    }
}

/// The kinds that are not names of the registry.
const READERS: [&str; 5] = ["npz", "features", "image-folder", "idx", "synthetic"];

impl SourceConfig {
    /// Takes `kind` and its keys from a table that holds nothing else.
    pub(super) fn from_table(mut table: Table) -> Result<Self, String> {
        let kind = match table.remove("kind") {
            Some(toml::Value::String(kind)) => kind,
            Some(other) => return Err(format!("invalid type: {} for `kind`, expected a string", other.type_str())),
            None => return Err("missing field `kind`".to_owned()),
        };
        match kind.as_str() {
            "npz" => parse(table).map(Self::Npz),
            "features" => parse(table).map(Self::Features),
            "image-folder" => parse(table).map(Self::ImageFolder),
            "idx" => parse(table).map(Self::Idx),
            "synthetic" => parse(table).map(Self::Synthetic),
            name => Self::registered(name, &table),
        }
    }

    fn registered(name: &str, keys: &Table) -> Result<Self, String> {
        let registry = Registry::builtin();
        if registry.dataset(name).is_none() {
            let known = READERS.into_iter().chain(registry.dataset_names()).map(|name| format!("`{name}`"));
            return Err(format!("unknown variant `{name}`, expected one of {}", known.collect::<Vec<_>>().join(", ")));
        }
        match keys.keys().next() {
            Some(key) => Err(format!("unknown field `{key}`, there are no fields")),
            None => Ok(Self::Registered(name.to_owned())),
        }
    }

    /// The value of `kind`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Registered(name) => name,
            Self::Npz(_) => "npz",
            Self::Features(_) => "features",
            Self::ImageFolder(_) => "image-folder",
            Self::Idx(_) => "idx",
            Self::Synthetic(_) => "synthetic",
        }
    }

    pub(super) fn to_table(&self) -> Result<Table, toml::ser::Error> {
        let mut table = Table::new();
        table.insert("kind".to_owned(), self.kind().into());
        table.extend(match self {
            Self::Registered(_) => Table::new(),
            Self::Npz(config) => Table::try_from(config)?,
            Self::Features(config) => Table::try_from(config)?,
            Self::ImageFolder(config) => Table::try_from(config)?,
            Self::Idx(config) => Table::try_from(config)?,
            Self::Synthetic(config) => Table::try_from(config)?,
        });
        Ok(table)
    }

    pub(super) fn name(&self) -> String {
        let path = match self {
            Self::Registered(name) => return name.clone(),
            Self::Synthetic(_) => return "synthetic".to_owned(),
            Self::Npz(config) => &config.path,
            Self::Features(config) => &config.path,
            Self::ImageFolder(config) => &config.train,
            Self::Idx(config) => &config.train_images,
        };
        path.file_stem().map_or_else(|| self.kind().to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    pub(super) fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Registered(_) | Self::Synthetic(_) => Vec::new(),
            Self::Npz(config) => vec![&mut config.path],
            Self::Features(config) => vec![&mut config.path],
            Self::ImageFolder(config) => {
                let optional = [&mut config.test, &mut config.validation].into_iter().flatten();
                std::iter::once(&mut config.train).chain(optional).collect()
            }
            Self::Idx(config) => {
                vec![&mut config.train_images, &mut config.train_labels, &mut config.test_images, &mut config.test_labels]
            }
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(table: Table) -> Result<T, String> {
    T::deserialize(table).map_err(|error| error.message().to_owned())
}
