//! Exit codes.

use std::process::ExitCode;

use autoal_data::DataError;
use autoal_experiment::{ConfigError, ExperimentError};
use autoal_report::ReportError;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// All went well.
    Ok = 0,
    /// Something failed.
    Failure = 1,
    /// The command line is wrong (clap ends the program with this one itself).
    Usage = 2,
    /// The configuration is wrong.
    Config = 3,
    /// The data cannot be read or fetched.
    Data = 4,
    /// The user stopped the program.
    Interrupted = 130,
}

impl Code {
    /// The code of an error.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.is::<UsageError>() {
            return Self::Usage;
        }
        if error.is::<ConfigError>() {
            return Self::Config;
        }
        if error.is::<DataError>() {
            return Self::Data;
        }
        match error.downcast_ref::<ReportError>() {
            Some(ReportError::Option(_)) => return Self::Usage,
            Some(_) => return Self::Data,
            None => {}
        }
        match error.downcast_ref::<ExperimentError>() {
            Some(ExperimentError::Config(_) | ExperimentError::Strategy(_) | ExperimentError::AutoAl(_)) => Self::Config,
            Some(ExperimentError::Data(_)) => Self::Data,
            Some(ExperimentError::Stopped) => Self::Interrupted,
            _ => Self::Failure,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        ExitCode::from(code as u8)
    }
}

/// Flags that contradict each other or the input, found after parsing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);
