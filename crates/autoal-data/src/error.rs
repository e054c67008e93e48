//! What can be wrong with data on disk.

use std::path::PathBuf;

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
}
