//! What can go wrong in AutoAL, and what the user can do.

use autoal_models::ModelError;
use autoal_strategies::{OutputsError, QueryError, StrategyError};

/// AutoAL that cannot be built or a query that it cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BilevelError {
    /// A key is unknown or its value is out of range.
    #[error("{detail}")]
    Config {
        /// Which key, what it is, and what was expected.
        detail: String,
    },
    /// A candidate cannot be built.
    #[error("`candidates`: {0}")]
    Candidate(#[from] StrategyError),
    /// The task model's outputs could not be had.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    /// A candidate could not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A network could not be built or trained.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The search left the finite numbers.
    #[error("the search diverged at step {step}: the loss of {net} is not a finite number; lower `{key}`")]
    Diverged {
        /// The step, from 0.
        step: usize,
        /// Whose loss.
        net: &'static str,
        /// The key to change.
        key: &'static str,
    },
}

impl BilevelError {
    /// As a query error of the strategy `autoal`.
    pub(crate) fn into_query_error(self) -> QueryError {
        match self {
            Self::Query(error) => error,
            Self::Outputs(source) => QueryError::Outputs { strategy: "autoal".into(), source },
            other => QueryError::Strategy { strategy: "autoal".into(), detail: other.to_string() },
        }
    }
}
