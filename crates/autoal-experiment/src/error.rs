//! What can go wrong in a run, and what to do.

use std::path::{Path, PathBuf};

use autoal_bilevel::BilevelError;
use autoal_data::{DataError, PoolError};
use autoal_models::ModelError;
use autoal_strategies::{QueryError, StrategyError};

use crate::{CellName, ConfigError};

/// A run that cannot start or go on. What was committed before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model could not be built, trained or evaluated.
    #[error("{cell}, round {round}: {source}")]
    Model {
        /// The cell.
        cell: CellName,
        /// The round.
        round: u32,
        /// Why.
        source: ModelError,
    },
    /// The device is not there.
    #[error(transparent)]
    Device(ModelError),
    /// A strategy could not answer.
    #[error("{cell}, round {round}: {source}")]
    Query {
        /// The cell.
        cell: CellName,
        /// The round.
        round: u32,
        /// Why.
        source: QueryError,
    },
    /// A strategy cannot be built.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// AutoAL cannot be built.
    #[error(transparent)]
    AutoAl(#[from] BilevelError),
    /// A strategy selected a sample that cannot be labeled.
    #[error("{cell}: {source}")]
    Pool {
        /// The cell.
        cell: CellName,
        /// Which sample.
        source: PoolError,
    },
    /// A result file cannot be read or written.
    #[error("cannot access `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A result file is broken.
    #[error("`{}`, line {line}: {detail}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What was expected.
        detail: String,
    },
    /// The folder holds the results of another configuration.
    #[error(
        "`{}` holds results of another configuration: {difference}\nhint: give the experiment another `name`, or move that folder away",
        folder.display()
    )]
    OtherConfig {
        /// The folder of the cell.
        folder: PathBuf,
        /// The keys that differ.
        difference: String,
    },
    /// Another process works on the cell.
    #[error("`{}` is in use by process {holder}; wait for it, or stop it", folder.display())]
    Locked {
        /// The folder of the cell.
        folder: PathBuf,
        /// Its process id.
        holder: String,
    },
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
}

impl ExperimentError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
