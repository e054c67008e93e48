//! Fast convolution, batch norm and pooling on the CPU for Burn's `flex` backend.
#![expect(clippy::inline_always, reason = "a kernel that is not inlined loses the instruction set of its caller, see `simd`")]

pub mod conv;
mod detect;
mod gemm;
mod memory;
mod simd;

pub use detect::Isa;
