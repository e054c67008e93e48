//! Acquisition functions: each scores every sample by itself, and the highest scores are selected.

mod random;

pub use random::Random;
