//! The `[model]` and `[train]` tables of a configuration: parsed strictly, checked against the data before anything runs.

mod model;
mod train;

pub use model::{Arch, Holdout, ModelConfig, Stem, Weights};
pub use train::{AugmentConfig, ClassWeights, OptimizerConfig, Precision, ScheduleConfig, TrainConfig};
