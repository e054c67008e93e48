//! Query strategies for pool-based active learning, over host arrays.
//!
//! A strategy sees [`ModelOutputs`], never a model: the same code runs inside an experiment and on arrays that some other framework
//! exported. Every strategy is one file under `uncertainty/`, `diversity/`, `hybrid/` or `adaptive/`, with its paper at the top, and one
//! line in [`catalog`].

#![expect(clippy::needless_pass_by_value, reason = "array views are a pointer and a shape; ndarray passes them by value")]

mod acquisition;
pub mod adaptive;
mod arrays;
pub mod catalog;
mod checked;
pub mod config;
mod context;
pub mod coverage;
pub mod d2_sampling;
pub mod distance;
pub mod diversity;
mod error;
pub mod explain;
pub mod exported;
pub mod hybrid;
pub mod kmeans;
pub mod linalg;
mod mc;
mod outputs;
pub mod random;
pub mod rank;
mod rows;
mod selection;
mod simd;
mod sketch;
mod strategy;
mod subset;
mod tiles;
pub mod uncertainty;

pub use acquisition::AcquisitionStrategy;
pub use arrays::ArrayOutputs;
pub use catalog::{Buildable, Need, Parameter, StrategyInfo, StrategySpec};
pub use context::QueryContext;
pub use error::{OutputsError, QueryError, StrategyError};
pub use mc::McAccumulator;
pub use outputs::{LinearHead, McOutputs, ModelOutputs};
pub use rows::Rows;
pub use selection::{CandidateWeight, Selected, Selection};
pub use strategy::{Acquisition, QueryStrategy, RoundOutcome, StrategyState};
pub use subset::SubsetOutputs;
