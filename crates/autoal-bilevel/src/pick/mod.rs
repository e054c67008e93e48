//! From combined scores to the samples of a query.

mod coverage;
mod top;

pub use coverage::{coverage, sharpened_mass};
pub use top::top;
