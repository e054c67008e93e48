//! Optimizer steps in place and in one pass over memory.

mod adam;
mod sgd;

pub use adam::AdamStep;
pub use sgd::SgdStep;

/// Values in one parallel task.
const PART: usize = 32 << 10;
