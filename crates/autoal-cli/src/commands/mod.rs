//! One file a command: its arguments and what it does with them.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod devices;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod select;
pub(crate) mod strategies;
