//! The crate's tests: the numbers against reference implementations and published results, then reading, text, charts and the page.

mod conformance;
mod numbers;
mod openal;
