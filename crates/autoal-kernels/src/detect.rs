//! Which vector instructions this processor has, found once at run time.
//!
//! A value of [`Isa`] is a proof: it can only be obtained for instructions that the running processor executes, so a kernel that
//! receives one may use them. Everything that computes takes the `Isa` as an argument, which lets tests run every variant that the
//! machine has.

use std::sync::OnceLock;

use crate::simd::{Kernel, portable::Portable};

/// An instruction set that the running processor is known to execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
}

impl Isa {
    /// The variant that needs nothing beyond the compilation target.
    pub const fn portable() -> Self {
        Isa(Kind::Portable)
    }

    /// The fastest variant that this processor runs.
    pub fn detect() -> Self {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(|| *Self::available().last().expect("the portable variant is always there"))
    }

    /// Every variant that this processor runs, slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "nothing is added on other processors"))]
        let mut found = vec![Self::portable()];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Isa(Kind::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                found.push(Isa(Kind::Avx512));
                if is_x86_feature_detected!("avx512bf16") {
                    found.push(Isa(Kind::Avx512Bf16));
                }
            }
        }
        found
    }

    /// The name used in reports: `portable`, `avx2`, `avx512` or `avx512-bf16`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Bf16 => "avx512-bf16",
        }
    }

    /// Whether there are instructions for [`Precision::Bf16`](crate::Precision::Bf16); without them it is emulated and slow.
    pub fn has_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.0 == Kind::Avx512Bf16;
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Floats in one vector register.
    pub(crate) fn lanes(self) -> usize {
        struct Lanes;
        impl Kernel for Lanes {
            type Output = usize;
            #[inline(always)]
            fn run<V: crate::simd::Simd>(self) -> usize {
                V::LANES
            }
        }
        self.run(Lanes)
    }

    /// Runs a kernel compiled for this instruction set.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Portable => kernel.run::<Portable>(),
            // SAFETY: this kind is only made by `available`, after it found AVX2 and FMA on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { crate::simd::avx2::run(kernel) },
            // SAFETY: this kind is only made by `available`, after it found AVX-512F on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { crate::simd::avx512::run(kernel) },
            // SAFETY: this kind is only made by `available`, after it found AVX-512F and AVX512-BF16 on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Bf16 => unsafe { crate::simd::avx512::run_bf16(kernel) },
        }
    }
}
