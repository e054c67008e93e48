//! What can be wrong with data on disk.

use std::path::{Path, PathBuf};

use crate::npy::NpyError;

/// A file, an archive or a data set that cannot be used, with what was expected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be read or written.
    #[error("cannot access `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what its name or its place says.
    #[error("`{}`: {detail}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, where, and what was expected.
        detail: String,
    },
    /// An array of a `.npz` or `.npy` file cannot be used.
    #[error("`{}`{}: {source}", path.display(), array_suffix(array))]
    Array {
        /// The file.
        path: PathBuf,
        /// Name of the array; empty for a single `.npy`.
        array: String,
        /// What is wrong with it.
        source: NpyError,
    },
    /// An archive lacks an array.
    #[error("`{}`: no array `{array}`; the file has {}", path.display(), list(names))]
    MissingArray {
        /// The file.
        path: PathBuf,
        /// The array that is missing.
        array: String,
        /// The arrays that are there.
        names: Vec<String>,
    },
    /// A label is not below the number of classes.
    #[error("`{}`: {part} sample {row} has label {label}, but there are {classes} classes (labels count from 0)", path.display())]
    Label {
        /// The file, or the name of the data set.
        path: PathBuf,
        /// Train, validation or test.
        part: &'static str,
        /// Row in that part.
        row: usize,
        /// The label found.
        label: u64,
        /// Number of classes.
        classes: usize,
    },
    /// A setting of the `[data]` table that does not fit the data.
    #[error("key `data.{key}`: {detail}")]
    Config {
        /// The key.
        key: &'static str,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// A part of the samples that cannot be drawn.
    #[error("{0}")]
    Split(String),
    /// Pictures that cannot be decoded, all of them.
    #[error("{} of the pictures cannot be read:\n{}", failures.len(), lines(failures))]
    Unreadable {
        /// File and reason, sorted by file.
        failures: Vec<(PathBuf, String)>,
    },
    /// A data set that is not in the registry.
    #[error("no data set `{name}`; known are {}", list(known))]
    UnknownDataset {
        /// The name asked for.
        name: String,
        /// The names in the registry.
        known: Vec<String>,
    },
    /// A file is needed and fetching was refused.
    #[error("`{}` is missing and fetching is switched off (offline)\n  hint: get {address} and place it there", path.display())]
    Offline {
        /// Where the file is expected.
        path: PathBuf,
        /// Where it can be had.
        address: String,
    },
    /// There is no space left for a file that is being fetched.
    #[error("the disk is full: `{}` has {bytes} bytes so far\n  hint: free some space and try again; what was received is kept and resumed", path.display())]
    DiskFull {
        /// What was received.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// A file could not be fetched from any of its addresses.
    #[error("cannot fetch `{}`:\n{}\n  hint: place the file there by hand, or try again; what was received is kept and resumed", path.display(), each_attempt(attempts))]
    Unreachable {
        /// Where the file was to be placed.
        path: PathBuf,
        /// Each address with its failure.
        attempts: Vec<(String, String)>,
    },
}

impl DataError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, detail: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), detail: detail.into() }
    }

    pub(crate) fn array(path: &Path, array: &str, source: NpyError) -> Self {
        Self::Array { path: path.to_owned(), array: array.to_owned(), source }
    }

    pub(crate) fn config(key: &'static str, detail: impl Into<String>) -> Self {
        Self::Config { key, detail: detail.into() }
    }
}

fn array_suffix(array: &str) -> String {
    if array.is_empty() { String::new() } else { format!(", array `{array}`") }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn lines(failures: &[(PathBuf, String)]) -> String {
    failures.iter().map(|(path, reason)| format!("  `{}`: {reason}", path.display())).collect::<Vec<_>>().join("\n")
}

fn each_attempt(attempts: &[(String, String)]) -> String {
    attempts.iter().map(|(address, reason)| format!("  {address}: {reason}")).collect::<Vec<_>>().join("\n")
}
