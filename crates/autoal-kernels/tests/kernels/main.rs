//! The kernels against naive sums, finite differences and Burn's own operations.

mod conv;
mod naive;
