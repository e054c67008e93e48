//! Active-learning experiments: a round, resume, cells, and the result files.
//!
//! A *cell* is one (strategy, seed) of an experiment. [`Experiment::run`] runs all cells of a configuration; each cell repeats the round
//! of `round.rs` (train, evaluate, query, annotate) and commits it to its folder before the next begins, so that a run killed at any
//! moment resumes to the same results. This crate knows nothing of command lines or terminals: it tells an [`Observer`] what happens.

mod cell;
mod config;
mod diagnose;
mod environment;
mod error;
mod event;
mod experiment;
mod files;
mod lock;
mod manifest;
mod record;
mod round;
mod seed_set_model;
mod store;
mod strategy;
mod thumbnails;
mod timed;

pub use config::{BudgetConfig, ExperimentConfig, StrategyEntry};
pub use diagnose::ConfigError;
pub use environment::Environment;
pub use error::ExperimentError;
pub use event::{CellName, Event, Observer, Phase, Stop};
pub use experiment::{Experiment, Outcome, RunOptions};
pub use record::{Query, RoundRecord, RoundSeconds};
