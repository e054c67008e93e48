//! The kernels against naive sums, finite differences and Burn's own operations.

mod batch_norm;
mod bf16;
mod conv;
mod naive;
mod ops;
mod optimizer;
