//! The known data sets and weights: `data/registry.toml`, compiled into the program.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::config::NormalizationConfig;
use crate::{DataError, InputShape};

/// All entries of the registry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Registry {
    /// Data sets.
    pub datasets: Vec<DatasetEntry>,
    /// Weights of trained networks.
    pub weights: Vec<WeightsEntry>,
}

/// A data set that is known by name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DatasetEntry {
    /// Its name: the value of `kind` in the `[data]` table.
    pub name: String,
    /// What is on the pictures, in one line.
    pub description: String,
    /// Which reader takes its files.
    pub reader: Reader,
    /// Height, width and channels of a sample.
    pub shape: [usize; 3],
    /// Samples in each part.
    pub counts: Counts,
    /// Number of classes where their names stand in the files.
    #[serde(default)]
    num_classes: Option<usize>,
    /// Names of the classes in label order; empty where they stand in the files.
    #[serde(default)]
    pub classes: Vec<String>,
    /// How its pixels are normalised; computed from the pool where absent.
    #[serde(default)]
    pub normalization: Option<NormalizationConfig>,
    /// Licence of the data.
    pub licence: String,
    /// What to cite.
    pub citation: String,
    /// Its files, in the order that the reader expects.
    pub files: Vec<FileEntry>,
}

/// Samples in each part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The pool.
    pub train: usize,
    /// For model selection; 0 where there is none.
    pub validation: usize,
    /// What accuracy is reported on.
    pub test: usize,
}

/// Weights that are known by name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WeightsEntry {
    /// Name of the architecture.
    pub name: String,
    /// What they were trained on, in one line.
    pub description: String,
    /// Their licence.
    pub licence: String,
    /// What to cite.
    pub citation: String,
    /// The file.
    pub files: Vec<FileEntry>,
}

/// One file: where it is had and how it is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileEntry {
    /// Its name on disk.
    pub name: String,
    /// The file or folder that it unpacks to, which is taken in its place where it is there.
    #[serde(default)]
    pub unpacked: Option<String>,
    /// Its addresses, in the order in which they are tried.
    pub urls: Vec<String>,
    /// Its size, where it is published.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Its MD5, where it is published.
    #[serde(default)]
    pub md5: Option<String>,
    /// The first hexadecimal digits of its SHA-256, or all of them, where they are published.
    #[serde(default)]
    pub sha256_prefix: Option<String>,
}

/// The readers that registered data sets use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// MedMNIST's `.npz`.
    Npz,
    /// CIFAR-10, binary version.
    Cifar10,
    /// CIFAR-100, binary version, fine labels.
    Cifar100,
    /// SVHN's cropped digits as MAT files.
    Svhn,
    /// MNIST's IDX files.
    Idx,
    /// TinyImageNet's folder or archive.
    TinyImagenet,
}

impl Registry {
    /// The registry that is compiled in.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Registry> = LazyLock::new(|| {
            toml::from_str(include_str!("../../../data/registry.toml")).expect("a test parses the registry that is compiled in")
        });
        &BUILTIN
    }

    /// The data set of that name.
    pub fn dataset(&self, name: &str) -> Option<&DatasetEntry> {
        self.datasets.iter().find(|entry| entry.name == name)
    }

    /// The data set of that name, or an error that lists the names there are.
    pub fn require(&self, name: &str) -> Result<&DatasetEntry, DataError> {
        let unknown =
            || DataError::UnknownDataset { name: name.to_owned(), known: self.dataset_names().map(str::to_owned).collect() };
        self.dataset(name).ok_or_else(unknown)
    }

    /// The weights of that name.
    pub fn weights(&self, name: &str) -> Option<&WeightsEntry> {
        self.weights.iter().find(|entry| entry.name == name)
    }

    /// Names of the data sets, in the order of the file.
    pub fn dataset_names(&self) -> impl Iterator<Item = &str> {
        self.datasets.iter().map(|entry| entry.name.as_str())
    }
}

impl DatasetEntry {
    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.num_classes.unwrap_or(self.classes.len())
    }

    /// Shape of one sample.
    pub fn input_shape(&self) -> InputShape {
        let [height, width, channels] = self.shape;
        InputShape::Image { channels, height, width }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_registry_that_is_compiled_in_is_consistent() {
        let registry = Registry::builtin();
        let names: HashSet<&str> = registry.dataset_names().collect();
        assert_eq!(names.len(), registry.datasets.len(), "names are unique");
        for entry in &registry.datasets {
            assert!(entry.num_classes() >= 2, "{}", entry.name);
            assert!(entry.classes.is_empty() || entry.classes.len() == entry.num_classes(), "{}", entry.name);
            assert!(entry.counts.train > 0 && entry.counts.test > 0, "{}", entry.name);
            if let Some(NormalizationConfig::Fixed(constants)) = &entry.normalization {
                assert_eq!((constants.mean.len(), constants.std.len()), (entry.shape[2], entry.shape[2]), "{}", entry.name);
            }
        }
    }

    #[test]
    fn every_entry_has_as_many_files_as_its_reader_takes() {
        for entry in &Registry::builtin().datasets {
            let expected = match entry.reader {
                Reader::Npz | Reader::Cifar10 | Reader::Cifar100 | Reader::TinyImagenet => 1,
                Reader::Svhn => 2,
                Reader::Idx => 4,
            };
            assert_eq!(entry.files.len(), expected, "{}", entry.name);
        }
        assert!(Registry::builtin().weights.iter().all(|entry| entry.files.len() == 1));
    }

    #[test]
    fn every_file_has_an_address_that_ends_in_its_name_and_checksums_of_the_right_length() {
        let registry = Registry::builtin();
        let files = registry.datasets.iter().flat_map(|entry| &entry.files);
        for file in files.chain(registry.weights.iter().flat_map(|entry| &entry.files)) {
            assert!(!file.urls.is_empty(), "{}", file.name);
            for url in &file.urls {
                assert!(url.trim_end_matches("?download=1").ends_with(&format!("/{}", file.name)), "{url}");
            }
            let hexadecimal = |text: &String| text.chars().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase());
            assert!(file.md5.as_ref().is_none_or(|md5| md5.len() == 32 && hexadecimal(md5)), "{}", file.name);
            assert!(
                file.sha256_prefix.as_ref().is_none_or(|sha| (8..=64).contains(&sha.len()) && hexadecimal(sha)),
                "{}",
                file.name
            );
        }
    }
}
