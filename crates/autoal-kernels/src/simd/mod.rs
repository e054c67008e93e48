//! One vector register of f32 as a trait, so that each kernel is written once and compiled for every instruction set.
//!
//! A kernel is a struct of its arguments with a generic [`Kernel::run`]; [`crate::Isa::run`] picks the vector type after the processor
//! was asked, and calls it inside a function that has the instruction set enabled. For this to compile into vector code, `run` and
//! everything that it calls with `V` must be `#[inline(always)]`, and no closure handed to rayon may lie in between: parallel loops
//! are outside, kernels inside.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod portable;

/// Lanes of the widest vector.
pub(crate) const MAX_LANES: usize = 16;

/// A computation that is generic over the vector type.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// Computes with vectors of type `V`. Implementations are `#[inline(always)]`.
    fn run<V: Simd>(self) -> Self::Output;
}

/// A vector of `LANES` f32 values.
///
/// # Safety
/// Types of this trait are named only by [`crate::Isa::run`], which has checked the processor; that is what makes the intrinsics in
/// the safe methods of the implementations sound.
pub(crate) unsafe trait Simd: Copy {
    /// Values in the vector.
    const LANES: usize;
    /// Rows of the register tile of the matrix product: `ROWS * 2` accumulators fit the register file beside the operands.
    const ROWS: usize;

    /// All lanes equal to `value`.
    fn splat(value: f32) -> Self;
    /// Reads `LANES` values.
    ///
    /// # Safety
    /// `from` must be valid for reading `LANES` values; no alignment is needed.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `LANES` values.
    ///
    /// # Safety
    /// `to` must be valid for writing `LANES` values; no alignment is needed.
    unsafe fn store(self, to: *mut f32);
    /// Reads `count < LANES` values, the other lanes are zero.
    ///
    /// # Safety
    /// `from` must be valid for reading `count` values, and `count < LANES`.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;
    /// Writes the first `count < LANES` values.
    ///
    /// # Safety
    /// `to` must be valid for writing `count` values, and `count < LANES`.
    unsafe fn store_first(self, to: *mut f32, count: usize);

    /// `self + other`
    fn add(self, other: Self) -> Self;
    /// `self - other`
    fn sub(self, other: Self) -> Self;
    /// `self * other`
    fn mul(self, other: Self) -> Self;
    /// `self / other`
    fn div(self, other: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// `self * factor + addend`, rounded once where the processor can.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// Rounds both to bf16: word `i` of the result holds lane `i` of `low` in its lower half, that of `high` in its upper.
    fn pair(low: Self, high: Self) -> Self;
    /// Rounds to bf16 and writes `LANES / 2` words, of which word `i` holds lanes `2i` and `2i + 1`.
    ///
    /// # Safety
    /// `to` must be valid for writing `LANES / 2` words; no alignment is needed.
    unsafe fn store_halves(self, to: *mut f32);
    /// `sum` and the two products of each lane's pairs of bf16 values.
    fn dot(self, other: Self, sum: Self) -> Self;
    /// `max(self, 0)`; NaN stays NaN.
    fn relu(self) -> Self;
    /// `self` where `gate > 0`, otherwise zero.
    fn where_positive(self, gate: Self) -> Self;

    /// Reads `count` values, at most `LANES`; the other lanes are zero.
    ///
    /// # Safety
    /// `from` must be valid for reading `min(count, LANES)` values.
    #[inline(always)]
    unsafe fn load_up_to(from: *const f32, count: usize) -> Self {
        // SAFETY: both branches read no more than what the caller vouches for.
        unsafe { if count >= Self::LANES { Self::load(from) } else { Self::load_first(from, count) } }
    }

    /// Writes `count` values, at most `LANES`.
    ///
    /// # Safety
    /// `to` must be valid for writing `min(count, LANES)` values.
    #[inline(always)]
    unsafe fn store_up_to(self, to: *mut f32, count: usize) {
        // SAFETY: both branches write no more than what the caller vouches for.
        unsafe {
            if count >= Self::LANES {
                self.store(to);
            } else {
                self.store_first(to, count);
            }
        }
    }
}
