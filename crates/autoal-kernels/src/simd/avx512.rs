//! Sixteen lanes with AVX-512F, and with or without AVX512-BF16.

use std::arch::x86_64::{
    __m256i, __m512, __m512bh, __m512i, __mmask16, _CMP_GT_OQ, _CMP_UNORD_Q, _mm256_storeu_si256, _mm512_add_epi32,
    _mm512_add_ps, _mm512_and_si512, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_epi16,
    _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh, _mm512_div_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_mask_or_epi32, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_mul_ps,
    _mm512_or_si512, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi32, _mm512_sqrt_ps, _mm512_srli_epi32,
    _mm512_storeu_ps, _mm512_sub_ps,
};

use super::{Kernel, Simd};

/// Compiles the kernel with AVX-512F enabled.
///
/// # Safety
/// The processor must have AVX-512F.
#[target_feature(enable = "avx512f")]
pub(crate) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512<false>>()
}

/// Compiles the kernel with AVX-512F and AVX512-BF16 enabled.
///
/// # Safety
/// The processor must have AVX-512F and AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) unsafe fn run_bf16<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512<true>>()
}

/// Sixteen f32 values in a `zmm` register. With `BF16`, operations on bf16 values have instructions of their own.
#[derive(Clone, Copy)]
pub(crate) struct Avx512<const BF16: bool>(__m512);

/// The values as bits whose upper halves are the nearest bf16 values, see [`crate::words::rounded`].
#[inline(always)]
fn rounded<const BF16: bool>(value: Avx512<BF16>) -> __m512i {
    // SAFETY: a value of this type exists only where AVX-512F does.
    unsafe {
        let bits = _mm512_castps_si512(value.0);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let nearest = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(value.0, value.0);
        _mm512_mask_or_epi32(nearest, nan, bits, _mm512_set1_epi32(0x0040_0000))
    }
}

/// The nearest bf16 values.
#[inline(always)]
fn narrowed<const BF16: bool>(value: Avx512<BF16>) -> __m256i {
    // SAFETY: a value of this type exists only where AVX-512F does, and with `BF16` only where AVX512-BF16 does; the types that are
    // transmuted are 256 plain bits.
    unsafe {
        if BF16 {
            std::mem::transmute::<std::arch::x86_64::__m256bh, __m256i>(_mm512_cvtneps_pbh(value.0))
        } else {
            _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded(value)))
        }
    }
}

/// The lower value of each word.
#[inline(always)]
fn low<const BF16: bool>(words: Avx512<BF16>) -> Avx512<BF16> {
    // SAFETY: a value of this type exists only where AVX-512F does.
    Avx512(unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_castps_si512(words.0))) })
}

/// The upper value of each word.
#[inline(always)]
fn high<const BF16: bool>(words: Avx512<BF16>) -> Avx512<BF16> {
    // SAFETY: a value of this type exists only where AVX-512F does.
    Avx512(unsafe { _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(words.0), _mm512_set1_epi32(-65536))) })
}

/// The mask whose first `count` lanes are set.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    debug_assert!(count < 16, "the whole vector has its own instruction");
    (1 << count) - 1
}

// SAFETY: the type is named only by `run` and `run_bf16` above, whose callers have found AVX-512F, for `BF16` also AVX512-BF16; the
// intrinsics below need no more than that.
unsafe impl<const BF16: bool> Simd for Avx512<BF16> {
    const LANES: usize = 16;
    const ROWS: usize = 12;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for sixteen readable values.
        Avx512(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for sixteen writable values.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: masked lanes are not accessed, the others are vouched for.
        Avx512(unsafe { _mm512_maskz_loadu_ps(first(count), from) })
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: masked lanes are not accessed, the others are vouched for.
        unsafe { _mm512_mask_storeu_ps(to, first(count), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_div_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn pair(low: Self, high: Self) -> Self {
        // SAFETY: see the implementation's argument.
        unsafe {
            let low = _mm512_cvtepu16_epi32(narrowed(low));
            let high = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(narrowed(high)));
            Avx512(_mm512_castsi512_ps(_mm512_or_si512(low, high)))
        }
    }
    #[inline(always)]
    unsafe fn store_halves(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight writable words.
        unsafe { _mm256_storeu_si256(to.cast(), narrowed(self)) }
    }
    #[inline(always)]
    fn dot(self, other: Self, sum: Self) -> Self {
        if BF16 {
            // SAFETY: see the implementation's argument; the types that are transmuted are 512 plain bits.
            unsafe {
                let (words, other) =
                    (std::mem::transmute::<__m512, __m512bh>(self.0), std::mem::transmute::<__m512, __m512bh>(other.0));
                Avx512(_mm512_dpbf16_ps(sum.0, words, other))
            }
        } else {
            high(self).mul_add(high(other), low(self).mul_add(low(other), sum))
        }
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // The instruction returns its second operand when one is NaN.
        // SAFETY: see the implementation's argument.
        Avx512(unsafe { _mm512_max_ps(_mm512_setzero_ps(), self.0) })
    }
    #[inline(always)]
    fn where_positive(self, gate: Self) -> Self {
        // SAFETY: see the implementation's argument.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate.0, _mm512_setzero_ps());
            Avx512(_mm512_maskz_mov_ps(positive, self.0))
        }
    }
}
