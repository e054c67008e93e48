//! The summary table and the learning curves for a terminal.

mod braille;
mod plot;
mod summary;

pub use plot::curves;
pub use summary::summary_table;
