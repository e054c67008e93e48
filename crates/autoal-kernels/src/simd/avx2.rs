//! Eight lanes with AVX2 and FMA.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_GT_OQ, _CMP_UNORD_Q, _mm_storeu_si128, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps,
    _mm256_and_si256, _mm256_blend_epi16, _mm256_blendv_epi8, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_castsi256_si128,
    _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps, _mm256_maskstore_ps,
    _mm256_max_ps, _mm256_mul_ps, _mm256_or_si256, _mm256_packus_epi32, _mm256_permute4x64_epi64, _mm256_set1_epi32,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_slli_epi32, _mm256_sqrt_ps, _mm256_srli_epi32, _mm256_storeu_ps, _mm256_sub_ps,
};

use super::{Kernel, Simd};

/// Compiles the kernel with AVX2 and FMA enabled.
///
/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

/// Eight f32 values in a `ymm` register.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256);

/// The mask whose first `count` lanes are set.
#[inline(always)]
fn first(count: usize) -> __m256i {
    const ONES_THEN_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(count <= 8, "a vector has eight lanes");
    // SAFETY: `8 - count + 8 <= 16` values are read from an array of 16.
    unsafe { _mm256_loadu_si256(ONES_THEN_ZEROS.as_ptr().add(8 - count).cast()) }
}

/// The values as bits whose upper halves are the nearest bf16 values, see [`crate::words::rounded`].
#[inline(always)]
fn rounded(value: Avx2) -> __m256i {
    // SAFETY: a value of this type exists only where AVX2 does.
    unsafe {
        let bits = _mm256_castps_si256(value.0);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        let nearest = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
        let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(value.0, value.0));
        _mm256_blendv_epi8(nearest, quiet, nan)
    }
}

/// The lower value of each word.
#[inline(always)]
fn low(words: Avx2) -> Avx2 {
    // SAFETY: a value of this type exists only where AVX2 does.
    Avx2(unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(words.0))) })
}

/// The upper value of each word.
#[inline(always)]
fn high(words: Avx2) -> Avx2 {
    // SAFETY: a value of this type exists only where AVX2 does.
    Avx2(unsafe { _mm256_and_ps(words.0, _mm256_castsi256_ps(_mm256_set1_epi32(-65536))) })
}

// SAFETY: the type is named only by `run` above, whose caller has found AVX2 and FMA; all intrinsics below need no more than these.
unsafe impl Simd for Avx2 {
    const LANES: usize = 8;
    const ROWS: usize = 6;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight readable values.
        Avx2(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight writable values.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: masked lanes are not accessed, the others are vouched for.
        Avx2(unsafe { _mm256_maskload_ps(from, first(count)) })
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: masked lanes are not accessed, the others are vouched for.
        unsafe { _mm256_maskstore_ps(to, first(count), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_div_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn pair(low: Self, high: Self) -> Self {
        // SAFETY: see the implementation's argument.
        unsafe {
            let low = _mm256_srli_epi32::<16>(rounded(low));
            Avx2(_mm256_castsi256_ps(_mm256_blend_epi16::<0b1010_1010>(low, rounded(high))))
        }
    }
    #[inline(always)]
    unsafe fn store_halves(self, to: *mut f32) {
        // SAFETY: the caller vouches for four writable words.
        unsafe {
            let upper = _mm256_srli_epi32::<16>(rounded(self));
            let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(upper, upper));
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(packed));
        }
    }
    #[inline(always)]
    fn dot(self, other: Self, sum: Self) -> Self {
        high(self).mul_add(high(other), low(self).mul_add(low(other), sum))
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // The instruction returns its second operand when one is NaN.
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_max_ps(_mm256_setzero_ps(), self.0) })
    }
    #[inline(always)]
    fn where_positive(self, gate: Self) -> Self {
        // SAFETY: see the implementation's argument.
        Avx2(unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate.0, _mm256_setzero_ps()), self.0) })
    }
}
