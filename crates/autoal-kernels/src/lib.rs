//! Fast convolution, batch norm, pooling and optimizer steps on the CPU for Burn's `flex` backend.
//!
//! Two layers. [`conv`], [`batch_norm`], [`pool`] and [`optimizer`] compute over slices of f32 and know nothing of Burn; [`ops`] registers
//! them as operations on Burn's tensors, each with its own gradient. What makes them fast:
//!
//! - activations are stored channels-last, so that vectors run over channels at any image size and layers need no transposition;
//! - 3x3 convolutions use Winograd's algorithm, tiny images a plain matrix product, all others a product over patches in place;
//! - batch norm, the addition of a shortcut and `ReLU` are one pass, and so is a step of an optimizer;
//! - convolutions multiply in bf16 where they are asked to ([`Precision`]);
//! - every kernel is compiled for AVX-512, for AVX2 and for any processor, and the best is chosen at run time ([`Isa`]).
//!
//! Results are the same to the last bit for any number of threads: parallel tasks either own their outputs, or their partial sums are
//! cut and added in an order that depends on shapes alone. Between instruction sets results differ in rounding.
//!
//! Nearly all unsafe code of the workspace lies here. Each block says why it is sound; debug builds check every offset.
#![expect(clippy::inline_always, reason = "a kernel that is not inlined loses the instruction set of its caller, see `simd`")]

pub mod batch_norm;
pub mod conv;
mod detect;
mod gemm;
mod memory;
pub mod ops;
pub mod optimizer;
pub mod pool;
mod precision;
mod simd;
mod words;

pub use detect::Isa;
pub use precision::{Arithmetic, Precision};
