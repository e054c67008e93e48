//! The crate's tests: the numbers against reference implementations and published results, then reading, refusals, text, figures and page.

mod conformance;
mod numbers;
mod openal;
mod page;
mod reading;
mod refusals;
mod synthetic;
mod text;
