//! Number formats of a convolution's operands.

use crate::Isa;

/// The format in which a convolution multiplies. Sums, results and everything beside convolutions are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision: 24 significant bits.
    #[default]
    F32,
    /// bfloat16, 8 significant bits: operands are rounded, their products are exact. Twice the speed where the processor has
    /// AVX512-BF16 ([`Isa::has_bf16`]), emulated elsewhere.
    Bf16,
}

/// How a convolution computes. An [`Isa`] alone means f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arithmetic {
    /// The instructions.
    pub isa: Isa,
    /// The format of the factors.
    pub precision: Precision,
}

impl From<Isa> for Arithmetic {
    fn from(isa: Isa) -> Self {
        Arithmetic { isa, precision: Precision::F32 }
    }
}
