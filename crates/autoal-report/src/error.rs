//! What can be wrong with result files.

use std::path::{Path, PathBuf};

/// A result file that cannot be used, with the place, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file or folder could not be read or written.
    #[error("cannot access `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line, or a whole JSON file (line 1), does not hold what its format says.
    #[error("`{}` line {line}: {detail}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What was found and what was expected.
        detail: String,
    },
    /// A file was written by a later version of the format.
    #[error(
        "`{}` line {line} has format version {found}, this program reads up to {supported}; use a release of autoal that reads version {found}",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The version in the file.
        found: u32,
        /// The last version that is understood.
        supported: u32,
    },
    /// There is nothing to report on.
    #[error("`{}`: {detail}", path.display())]
    Empty {
        /// The file or folder that was named.
        path: PathBuf,
        /// What was looked for.
        detail: String,
    },
    /// An option asks for something that the results do not hold.
    #[error("{0}")]
    Option(String),
    /// A figure could not be drawn as PNG.
    #[error("cannot draw `{figure}` as PNG: {detail}")]
    Png {
        /// The figure's name.
        figure: String,
        /// Why.
        detail: String,
    },
}

impl ReportError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }

    pub(crate) fn line(path: &Path, line: usize, detail: impl Into<String>) -> Self {
        Self::Line { path: path.to_path_buf(), line, detail: detail.into() }
    }

    pub(crate) fn empty(path: &Path, detail: impl Into<String>) -> Self {
        Self::Empty { path: path.to_path_buf(), detail: detail.into() }
    }
}
