//! Which data sets of the registry are on this machine, and whether their files are the published ones.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::fetch::{Checksums, find};
use crate::registry::{DatasetEntry, FileEntry};
use crate::{DataError, LoadOptions, Progress, progress};

/// One file of a data set, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileCheck {
    /// Its name in the registry.
    pub name: String,
    /// Where it was found.
    pub path: Option<PathBuf>,
    /// What was found.
    pub state: FileState,
}

/// What a check of one file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// It is not there.
    Missing,
    /// It is there; it was not looked into.
    Present,
    /// Size and checksums are the published ones.
    Verified,
    /// It is there, but no checksum is published, or it was unpacked, so it cannot be compared.
    Unverifiable,
    /// It is not the published file: what differs, in words. It may hold the same data, packed anew.
    Different(String),
}

/// Which files of a data set are there, without reading them.
pub fn dataset_state(entry: &DatasetEntry, options: &LoadOptions) -> Vec<FileCheck> {
    let check = |file: &FileEntry| {
        let path = find(&entry.name, file, &options.data_dir);
        let state = if path.is_some() { FileState::Present } else { FileState::Missing };
        FileCheck { name: file.name.clone(), path, state }
    };
    entry.files.iter().map(check).collect()
}

/// Compares the files of a data set with the published sizes and checksums.
pub fn check_dataset(entry: &DatasetEntry, options: &LoadOptions, progress: &dyn Progress) -> Result<Vec<FileCheck>, DataError> {
    let mut checks = dataset_state(entry, options);
    for (check, file) in checks.iter_mut().zip(&entry.files) {
        if let Some(path) = &check.path {
            check.state = check_file(path, file, progress)?;
        }
    }
    Ok(checks)
}

fn check_file(path: &Path, file: &FileEntry, progress: &dyn Progress) -> Result<FileState, DataError> {
    let packed = path.file_name().is_some_and(|name| *name == *file.name);
    if !packed || (file.md5.is_none() && file.sha256_prefix.is_none()) {
        return Ok(FileState::Unverifiable);
    }
    let io = |source| DataError::io(path, source);
    let opened = File::open(path).map_err(io)?;
    progress.start(&progress::reading(path), opened.metadata().ok().map(|metadata| metadata.len()));
    let mut checksums = Checksums::of(file);
    let read = checksums.read(&mut progress::Counting::new(opened, progress));
    progress.finish();
    read.map_err(io)?;
    Ok(checksums.compare(file).map_or_else(FileState::Different, |()| FileState::Verified))
}
