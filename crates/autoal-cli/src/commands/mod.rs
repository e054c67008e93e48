//! One file a command: its arguments and what it does with them.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod devices;
pub(crate) mod run;
