//! Finding the files of the registry, and fetching those that are missing.

use std::path::PathBuf;

use crate::registry::{DatasetEntry, FileEntry, Registry};
use crate::{DataError, LoadOptions, Progress};

/// The files of a data set in the order of its entry, fetched where they are missing.
pub(crate) fn dataset_files(
    entry: &DatasetEntry,
    options: &LoadOptions,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>, DataError> {
    entry.files.iter().map(|file| find_or_fetch(&entry.name, file, options, progress)).collect()
}

fn find_or_fetch(set: &str, file: &FileEntry, options: &LoadOptions, _progress: &dyn Progress) -> Result<PathBuf, DataError> {
    let placed = options.data_dir.join(set).join(&file.name);
    // Sets that share file names, as MNIST and Fashion-MNIST do, are told apart by their folders alone.
    let beside = (!is_shared(&file.name)).then(|| options.data_dir.clone());
    let folders: Vec<PathBuf> = std::iter::once(options.data_dir.join(set)).chain(beside).collect();
    let names = file.unpacked.iter().chain([&file.name]);
    let mut candidates = names.flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    if let Some(found) = candidates.find(|path| path.exists()) {
        return Ok(found);
    }
    Err(DataError::Offline { path: placed, address: file.urls[0].clone() })
}

fn is_shared(name: &str) -> bool {
    let files = Registry::builtin().datasets.iter().flat_map(|entry| &entry.files);
    files.filter(|file| file.name == name).count() > 1
}
