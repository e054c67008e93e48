//! The traits: an acquisition function scores samples, a query strategy selects them.

use autoal_data::Label;
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::{OutputsError, QueryContext, QueryError, Selection, StrategyError};

/// Scores samples. Pure: the same context gives the same scores.
pub trait Acquisition: Send {
    /// Name in configurations and files.
    fn name(&self) -> &'static str;

    /// One score a candidate, `[N]`; a higher score is more informative.
    fn score(&self, context: &QueryContext<'_>) -> Result<Array1<f64>, OutputsError>;
}

/// Selects samples.
///
/// Laws, tested for every strategy: exactly `min(query_size, candidates)` distinct ids of the candidates; the same context and seed give
/// the same answer; the order of the candidates does not matter; a score that is not a number ranks last and is counted; no panic on
/// any finite input.
pub trait QueryStrategy: Send {
    /// Name in configurations and files.
    fn name(&self) -> &str;

    /// Selects `query_size` of the candidates, the most wanted first.
    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError>;

    /// Scores of all candidates, `[N]`, for strategies that rank by one; `None` for those that choose sets.
    fn scores(&mut self, context: &QueryContext<'_>) -> Result<Option<Array1<f64>>, QueryError> {
        let _ = context;
        Ok(None)
    }

    /// Learns from the labels that came back. Most strategies do not.
    fn observe(&mut self, outcome: &RoundOutcome<'_>) {
        let _ = outcome;
    }

    /// What a resumed run needs to go on the same; `null` for strategies without memory.
    fn state(&self) -> StrategyState {
        StrategyState::default()
    }

    /// Takes back what [`QueryStrategy::state`] gave.
    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        let _ = state;
        Ok(())
    }
}

/// What a query led to.
#[derive(Debug, Clone, Copy)]
pub struct RoundOutcome<'a> {
    /// What the strategy selected.
    pub selection: &'a Selection,
    /// The labels of the selected samples, in the same order.
    pub labels: &'a [Label],
}

/// Memory of an adaptive strategy, stored in `strategy.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StrategyState(pub serde_json::Value);
