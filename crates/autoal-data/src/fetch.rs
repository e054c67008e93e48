//! Finding the files of the registry, and fetching those that are missing.

use std::path::PathBuf;

use crate::registry::{DatasetEntry, FileEntry};
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
    let candidates = [placed.clone(), options.data_dir.join(&file.name)];
    if let Some(found) = candidates.into_iter().find(|path| path.is_file()) {
        return Ok(found);
    }
    Err(DataError::Offline { path: placed, address: file.urls[0].clone() })
}
