//! What can go wrong with a strategy, and what the user can do.

use autoal_data::SampleId;

/// A model output that a strategy asked for and that could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputsError {
    /// The array was not given, or the task model has no such output.
    #[error("the array `{name}` is needed and not there")]
    Missing {
        /// Name of the array, as in `autoal select`.
        name: &'static str,
    },
    /// The source of these outputs cannot do it.
    #[error("{what} is not possible here")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// The model or the arrays failed; the message says how.
    #[error("{0}")]
    Failed(String),
}

impl OutputsError {
    /// The array of that name was not given.
    pub fn missing(name: &'static str) -> Self {
        Self::Missing { name }
    }
}

/// A query that could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// An output is missing.
    #[error("strategy `{strategy}`: {source}")]
    Outputs {
        /// The strategy that asked.
        strategy: String,
        /// What was missing.
        source: OutputsError,
    },
    /// There is no candidate.
    #[error("the pool has no unlabeled sample")]
    EmptyPool,
    /// The query size is zero.
    #[error("the query size is 0, expected at least 1")]
    ZeroQuerySize,
    /// An id occurs twice among candidates or labeled samples.
    #[error("sample {0} occurs twice")]
    DuplicateId(SampleId),
    /// Arrays disagree or hold values that no rule covers.
    #[error("{0}")]
    Input(String),
    /// A strategy failed in a way of its own.
    #[error("strategy `{strategy}`: {detail}")]
    Strategy {
        /// The strategy.
        strategy: String,
        /// What happened and what to change.
        detail: String,
    },
}

impl QueryError {
    /// Turns an error of the outputs into one that names the strategy: `context.log_proba().map_err(QueryError::outputs(NAME))?`.
    pub fn outputs(strategy: &str) -> impl Fn(OutputsError) -> Self + '_ {
        move |source| Self::Outputs { strategy: strategy.to_owned(), source }
    }

    /// A failure of the strategy's own.
    pub fn strategy(strategy: &str, detail: impl Into<String>) -> Self {
        Self::Strategy { strategy: strategy.to_owned(), detail: detail.into() }
    }
}

/// A strategy that cannot be built as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// No strategy of that name.
    #[error("unknown strategy `{name}`{}", suggestion.as_ref().map(|s| format!(", did you mean `{s}`?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest known name.
        suggestion: Option<String>,
    },
    /// A parameter is unknown or its value is out of range.
    #[error("strategy `{strategy}`: {detail}")]
    Parameter {
        /// The strategy.
        strategy: String,
        /// Which parameter, and what was expected.
        detail: String,
    },
    /// Saved state does not fit the strategy.
    #[error("strategy `{strategy}`: cannot restore its state: {detail}")]
    State {
        /// The strategy.
        strategy: String,
        /// What did not fit.
        detail: String,
    },
}
