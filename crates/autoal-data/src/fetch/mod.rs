//! Finding the files of the registry, and fetching those that are missing.

mod checksum;
mod download;

use std::path::{Path, PathBuf};

pub(crate) use checksum::Checksums;
pub use download::download;

use crate::registry::{DatasetEntry, FileEntry, Registry};
use crate::{DataError, LoadOptions, Progress};

/// The folder of [`LoadOptions::data_dir`] that has weights.
const WEIGHTS_FOLDER: &str = "weights";

/// The files of a data set of the registry, in the order of its entry, fetched where they are missing.
pub fn fetch_dataset(name: &str, options: &LoadOptions, progress: &dyn Progress) -> Result<Vec<PathBuf>, DataError> {
    fetch_entry(Registry::builtin().require(name)?, options, progress)
}

/// The file of weights of the registry, fetched where it is missing.
pub fn fetch_weights(name: &str, options: &LoadOptions, progress: &dyn Progress) -> Result<PathBuf, DataError> {
    let registry = Registry::builtin();
    let entry = registry.weights(name).ok_or_else(|| DataError::UnknownDataset {
        name: name.to_owned(),
        known: registry.weights.iter().map(|entry| entry.name.clone()).collect(),
    })?;
    let file = entry.files.first().expect("a test checks that weights have one file");
    find_or_download(WEIGHTS_FOLDER, file, options, progress)
}

/// The files of a data set in the order of its entry, fetched where they are missing.
pub fn fetch_entry(entry: &DatasetEntry, options: &LoadOptions, progress: &dyn Progress) -> Result<Vec<PathBuf>, DataError> {
    entry.files.iter().map(|file| find_or_download(&entry.name, file, options, progress)).collect()
}

fn find_or_download(
    folder: &str,
    file: &FileEntry,
    options: &LoadOptions,
    progress: &dyn Progress,
) -> Result<PathBuf, DataError> {
    if let Some(found) = find(folder, file, &options.data_dir) {
        return Ok(found);
    }
    let placed = options.data_dir.join(folder).join(&file.name);
    let file = match &options.mirror {
        Some(mirror) => {
            &FileEntry { urls: vec![format!("{}/{folder}/{}", mirror.trim_end_matches('/'), file.name)], ..file.clone() }
        }
        None => file,
    };
    if options.offline {
        let address = file.urls.first().cloned().unwrap_or_default();
        return Err(DataError::Offline { path: placed, address });
    }
    download(file, &placed, progress)?;
    Ok(placed)
}

/// Where a file, or what it unpacks to, is already. It is taken as it is: [`crate::check_dataset`] compares checksums.
pub(crate) fn find(folder: &str, file: &FileEntry, data_dir: &Path) -> Option<PathBuf> {
    // Sets that share file names, as MNIST and Fashion-MNIST do, are told apart by their folders alone.
    let beside = (!is_shared(&file.name)).then(|| data_dir.to_owned());
    let folders: Vec<PathBuf> = std::iter::once(data_dir.join(folder)).chain(beside).collect();
    let names = file.unpacked.iter().chain([&file.name]);
    let mut candidates = names.flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|path| path.exists())
}

fn is_shared(name: &str) -> bool {
    let files = Registry::builtin().datasets.iter().flat_map(|entry| &entry.files);
    files.filter(|file| file.name == name).count() > 1
}
