//! Four lanes in plain Rust, for processors without a variant of their own; compilers turn it into SSE2 or NEON instructions.

use super::Simd;
use crate::words;

/// Four f32 values.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Portable([f32; 4]);

/// A vector whose lane `i` is the expression. No closure: one that is not inlined would spoil the loop around it.
macro_rules! lanes {
    ($i:ident => $value:expr) => {{
        let mut lanes = [0.0; 4];
        for ($i, lane) in lanes.iter_mut().enumerate() {
            *lane = $value;
        }
        Portable(lanes)
    }};
}

// SAFETY: no instruction beyond the compilation target is used, so there is nothing to check.
unsafe impl Simd for Portable {
    const LANES: usize = 4;
    const ROWS: usize = 6;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Portable([value; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for four readable values; the read is unaligned.
        Portable(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for four writable values; the write is unaligned.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        debug_assert!(count < Self::LANES);
        // SAFETY: only the `count` values that the caller vouches for are read.
        lanes!(i => if i < count { unsafe { *from.add(i) } } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        debug_assert!(count < Self::LANES);
        for (i, value) in self.0.into_iter().enumerate().take(count) {
            // SAFETY: only the `count` values that the caller vouches for are written.
            unsafe { to.add(i).write(value) };
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        lanes!(i => self.0[i] + other.0[i])
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        lanes!(i => self.0[i] - other.0[i])
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        lanes!(i => self.0[i] * other.0[i])
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        lanes!(i => self.0[i] / other.0[i])
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        lanes!(i => self.0[i].sqrt())
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // Without the instruction, `f32::mul_add` is a slow library call.
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            lanes!(i => self.0[i].mul_add(factor.0[i], addend.0[i]))
        } else {
            lanes!(i => self.0[i] * factor.0[i] + addend.0[i])
        }
    }
    #[inline(always)]
    fn pair(low: Self, high: Self) -> Self {
        lanes!(i => words::word(low.0[i], high.0[i]))
    }
    #[inline(always)]
    unsafe fn store_halves(self, to: *mut f32) {
        let halves = [words::word(self.0[0], self.0[1]), words::word(self.0[2], self.0[3])];
        // SAFETY: the caller vouches for two writable words; the write is unaligned.
        unsafe { to.cast::<[f32; 2]>().write_unaligned(halves) }
    }
    #[inline(always)]
    fn dot(self, other: Self, sum: Self) -> Self {
        let low = lanes!(i => words::halves(self.0[i])[0]);
        let high = lanes!(i => words::halves(self.0[i])[1]);
        let other_low = lanes!(i => words::halves(other.0[i])[0]);
        let other_high = lanes!(i => words::halves(other.0[i])[1]);
        high.mul_add(other_high, low.mul_add(other_low, sum))
    }
    #[inline(always)]
    fn relu(self) -> Self {
        lanes!(i => if self.0[i] < 0.0 { 0.0 } else { self.0[i] })
    }
    #[inline(always)]
    fn where_positive(self, gate: Self) -> Self {
        lanes!(i => if gate.0[i] > 0.0 { self.0[i] } else { 0.0 })
    }
}
