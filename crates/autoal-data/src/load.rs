//! From the `[data]` table to a data set in memory: find or fetch the files, read them, check them, take the part asked for.

use std::path::{Path, PathBuf};

use crate::config::{DataConfig, SourceConfig};
use crate::registry::{DatasetEntry, Reader, Registry};
use crate::sources::{self, CifarLayout, Parts};
use crate::{DataError, Dataset, Progress, assemble, fetch};

/// Where files are looked for, and whether missing ones may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Folder of the registry's data sets: a file is looked for in `<data_dir>/<set>/` and in `<data_dir>/`, and placed in the former.
    pub data_dir: PathBuf,
    /// Refuse to fetch.
    pub offline: bool,
    /// Address of a folder to fetch from instead of the published addresses; a file is at `<mirror>/<set>/<file>`.
    pub mirror: Option<String>,
}

impl Default for LoadOptions {
    /// The folder that `AUTOAL_DATA_DIR` names, else `autoal/data` in the user's cache folder; the mirror that `AUTOAL_MIRROR` names,
    /// else the published addresses; fetching is allowed.
    fn default() -> Self {
        let mirror = std::env::var("AUTOAL_MIRROR").ok().filter(|address| !address.is_empty());
        Self { data_dir: default_data_dir(), offline: false, mirror }
    }
}

fn default_data_dir() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(data_dir) = variable("AUTOAL_DATA_DIR") {
        return data_dir;
    }
    let home = || variable("HOME").map(|home| home.join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" }));
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("LOCALAPPDATA")).or_else(home);
    cache.unwrap_or_else(std::env::temp_dir).join("autoal").join("data")
}

/// Loads a data set.
///
/// Labels are below the number of classes, all parts have samples of one shape, and the pool and the test set are not empty. The same
/// configuration and files give the same data set on every machine.
pub fn load(config: &DataConfig, options: &LoadOptions, progress: &dyn Progress) -> Result<Dataset, DataError> {
    let (parts, entry) = match &config.source {
        SourceConfig::Registered(name) => {
            let entry = Registry::builtin().require(name)?;
            let files = fetch::fetch_entry(entry, options, progress)?;
            (read_registered(entry, &files, progress)?, Some(entry))
        }
        SourceConfig::Npz(npz) => (sources::read_npz(&npz.path)?, like(npz.like.as_deref())?),
        SourceConfig::Features(features) => (sources::read_features(&features.path)?, like(features.like.as_deref())?),
        SourceConfig::ImageFolder(folder) => (sources::read_image_folder(folder, progress)?, None),
        SourceConfig::Idx(idx) => {
            let files = [&idx.train_images, &idx.train_labels, &idx.test_images, &idx.test_labels];
            (sources::read_idx_set(files.map(PathBuf::as_path))?, like(idx.like.as_deref())?)
        }
        SourceConfig::Synthetic(synthetic) => (sources::generate(synthetic)?, None),
    };
    let class_names = match &config.source {
        SourceConfig::Npz(npz) => npz.class_names.clone(),
        SourceConfig::Features(features) => features.class_names.clone(),
        _ => None,
    };
    assemble::assemble(config, parts, entry, class_names)
}

fn like(name: Option<&str>) -> Result<Option<&'static DatasetEntry>, DataError> {
    name.map(|name| Registry::builtin().require(name)).transpose()
}

/// `files` stand in the order of the registry's entry.
fn read_registered(entry: &DatasetEntry, files: &[PathBuf], progress: &dyn Progress) -> Result<Parts, DataError> {
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    match (entry.reader, &*paths) {
        (Reader::Npz, [file]) => sources::read_npz(file),
        (Reader::Cifar10, [archive]) => sources::read_cifar(archive, CifarLayout::CIFAR10, progress),
        (Reader::Cifar100, [archive]) => sources::read_cifar(archive, CifarLayout::CIFAR100, progress),
        (Reader::Svhn, [train, test]) => sources::read_svhn(train, test, progress),
        (Reader::Idx, [train_images, train_labels, test_images, test_labels]) => {
            sources::read_idx_set([train_images, train_labels, test_images, test_labels])
        }
        (Reader::TinyImagenet, [archive]) => sources::read_tiny_imagenet(archive, progress),
        _ => unreachable!("a test checks that each entry of the registry has as many files as its reader takes"),
    }
}
