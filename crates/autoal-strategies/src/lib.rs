//! Query strategies for pool-based active learning, over host arrays.
//!
//! A strategy sees [`ModelOutputs`], never a model: the same code runs inside an experiment and on arrays that some other framework
//! exported. Every strategy is one file under `uncertainty/`, `diversity/`, `hybrid/` or `adaptive/`, with its paper at the top, and one
//! line in [`catalog`].

pub mod catalog;
mod context;
mod error;
mod outputs;
mod selection;
mod strategy;

pub use catalog::{Need, Parameter, StrategyInfo, StrategySpec};
pub use context::QueryContext;
pub use error::{OutputsError, QueryError, StrategyError};
pub use outputs::{LinearHead, McOutputs, ModelOutputs};
pub use selection::{CandidateWeight, Selected, Selection};
pub use strategy::{Acquisition, QueryStrategy, RoundOutcome, StrategyState};
