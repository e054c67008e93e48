//! Which kernels compute on the CPU.

use std::str::FromStr;

use burn::tensor::Device;

/// Whether the device's convolutions are those of `autoal-kernels`, which alone know another precision than f32.
pub(crate) fn serve(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return autoal_kernels::ops::supports(device);
    #[cfg(not(feature = "flex"))]
    return {
        let _ = device;
        false
    };
}

/// Whether they compute in bf16 without instructions for it.
pub(crate) fn emulate_bf16() -> bool {
    #[cfg(feature = "flex")]
    return autoal_kernels::ops::emulates_bf16();
    #[cfg(not(feature = "flex"))]
    return false;
}

/// A choice of kernels for the `flex` device, for benchmarks and for narrowing down a fault; without one, the fastest that the processor
/// runs. Results differ in rounding between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernels(#[cfg(feature = "flex")] Option<autoal_kernels::Isa>);

/// The name of Burn's own operations.
#[cfg(feature = "flex")]
const STOCK: &str = "stock";

#[cfg(feature = "flex")]
impl FromStr for Kernels {
    type Err = String;

    /// `stock` for Burn's own operations, or the name of an instruction set that this processor runs.
    fn from_str(name: &str) -> Result<Self, String> {
        let available = autoal_kernels::Isa::available();
        if name == STOCK {
            return Ok(Self(None));
        }
        available.iter().find(|isa| isa.name() == name).map(|&isa| Self(Some(isa))).ok_or_else(|| {
            let names: Vec<_> = available.iter().map(|isa| isa.name()).collect();
            format!("this processor has {} and {STOCK}", names.join(", "))
        })
    }
}

#[cfg(not(feature = "flex"))]
impl FromStr for Kernels {
    type Err = String;

    fn from_str(_: &str) -> Result<Self, String> {
        Err("kernels are for the `flex` backend, which is not compiled in: rebuild with `--features flex`".into())
    }
}

impl Kernels {
    /// Makes everything from now on use these kernels.
    pub fn choose(self) {
        #[cfg(feature = "flex")]
        autoal_kernels::ops::set_isa(self.0);
    }
}
