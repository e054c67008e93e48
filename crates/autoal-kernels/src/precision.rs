//! Number formats of a convolution's operands.

/// The format in which a convolution multiplies. Sums, results and everything beside convolutions are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision: 24 significant bits.
    #[default]
    F32,
    /// bfloat16, 8 significant bits: operands are rounded, products exact. Twice the speed where the processor has AVX512-BF16, emulated
    /// elsewhere.
    Bf16,
}
