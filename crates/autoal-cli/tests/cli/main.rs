//! The program as a user meets it: runs it, kills it, misspells its configuration.

mod configurations;
mod interruption;
mod mistakes;
mod program;
mod results;
mod select;
mod strategies;
