//! One block of rows at a time: sums of channels, and maps of each value. All slices of activations have the same length, a multiple
//! of the number of channels.

use super::{Gate, GradientMap};
use crate::{
    memory::SharedMut,
    simd::{Kernel, Simd},
};

/// Reads a vector of a slice from `at` on, no more than `count` values.
///
/// # Safety
/// `at + min(count, V::LANES)` must not exceed the slice (checked in debug builds).
#[inline(always)]
unsafe fn load<V: Simd>(slice: &[f32], at: usize, count: usize) -> V {
    debug_assert!(at + count.min(V::LANES) <= slice.len());
    // SAFETY: as the caller promises.
    unsafe { V::load_up_to(slice.as_ptr().add(at), count) }
}

/// Adds up `x - origin` and its square for each channel.
pub(super) struct Sums<'a> {
    pub(super) x: &'a [f32],
    pub(super) origin: &'a [f32],
    /// `[2][channels]`
    pub(super) sums: &'a mut [f32],
}

impl Kernel for Sums<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let channels = self.origin.len();
        for offset in (0..channels).step_by(V::LANES) {
            let count = channels - offset;
            // SAFETY: every row has `channels` values, `sums` has two rows.
            unsafe {
                let origin = load::<V>(self.origin, offset, count);
                let (mut sum, mut square) = (V::splat(0.0), V::splat(0.0));
                for row in (0..self.x.len()).step_by(channels) {
                    let value = load::<V>(self.x, row + offset, count).sub(origin);
                    sum = sum.add(value);
                    square = value.mul_add(value, square);
                }
                sum.store_up_to(self.sums[offset..].as_mut_ptr(), count);
                square.store_up_to(self.sums[channels + offset..].as_mut_ptr(), count);
            }
        }
    }
}

/// `max(x * scale + shift + residual, 0)`, the last two steps where asked for.
pub(super) struct Affine<'a> {
    /// The values, or none for those that are in the destination.
    pub(super) x: Option<&'a [f32]>,
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
    pub(super) residual: Option<&'a [f32]>,
    pub(super) relu: bool,
    pub(super) to: SharedMut<'a>,
}

impl Kernel for Affine<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let channels = self.scale.len();
        for offset in (0..channels).step_by(V::LANES) {
            let count = channels - offset;
            // SAFETY: every row has `channels` values, and the destination is this block's alone.
            unsafe {
                let (scale, shift) = (load::<V>(self.scale, offset, count), load::<V>(self.shift, offset, count));
                for at in (offset..self.to.len()).step_by(channels) {
                    let value = match self.x {
                        Some(x) => load::<V>(x, at, count),
                        None => V::load_up_to(self.to.at(at, count.min(V::LANES)), count),
                    };
                    let mut value = value.mul_add(scale, shift);
                    if let Some(residual) = self.residual {
                        value = value.add(load(residual, at, count));
                    }
                    if self.relu {
                        value = value.relu();
                    }
                    value.store_up_to(self.to.at(at, count.min(V::LANES)), count);
                }
            }
        }
    }
}

/// The gradient behind the gate at one vector.
///
/// # Safety
/// As for [`load`].
#[inline(always)]
unsafe fn gated<V: Simd>(gy: V, x: V, scale: V, shift: V, gate: Gate<'_>, at: usize, count: usize) -> V {
    match gate {
        Gate::Open => gy,
        Gate::Normalised => gy.where_positive(x.mul_add(scale, shift)),
        // SAFETY: as the caller promises.
        Gate::Output(y) => gy.where_positive(unsafe { load(y, at, count) }),
    }
}

/// Adds up the gradient behind the gate, `g`, and `g * (x - mean)` for each channel.
pub(super) struct GradientSums<'a> {
    pub(super) x: &'a [f32],
    pub(super) gy: &'a [f32],
    pub(super) mean: &'a [f32],
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
    pub(super) gate: Gate<'a>,
    /// `[2][channels]`
    pub(super) sums: &'a mut [f32],
}

impl Kernel for GradientSums<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let channels = self.mean.len();
        for offset in (0..channels).step_by(V::LANES) {
            let count = channels - offset;
            // SAFETY: every row has `channels` values, `sums` has two rows.
            unsafe {
                let (scale, shift) = (load::<V>(self.scale, offset, count), load::<V>(self.shift, offset, count));
                let mean = load::<V>(self.mean, offset, count);
                let (mut sum, mut product) = (V::splat(0.0), V::splat(0.0));
                for at in (offset..self.x.len()).step_by(channels) {
                    let (x, gy) = (load::<V>(self.x, at, count), load::<V>(self.gy, at, count));
                    let gradient = gated(gy, x, scale, shift, self.gate, at, count);
                    sum = sum.add(gradient);
                    product = gradient.mul_add(x.sub(mean), product);
                }
                sum.store_up_to(self.sums[offset..].as_mut_ptr(), count);
                product.store_up_to(self.sums[channels + offset..].as_mut_ptr(), count);
            }
        }
    }
}

/// The gradient by the input, and that by the residual: the gradient behind the gate.
pub(super) struct InputGradient<'a> {
    pub(super) x: &'a [f32],
    pub(super) gy: &'a [f32],
    pub(super) mean: &'a [f32],
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
    pub(super) gate: Gate<'a>,
    pub(super) map: &'a GradientMap,
    pub(super) to: SharedMut<'a>,
    pub(super) residual: Option<SharedMut<'a>>,
}

impl Kernel for InputGradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let channels = self.mean.len();
        for offset in (0..channels).step_by(V::LANES) {
            let count = channels - offset;
            let stored = count.min(V::LANES);
            // SAFETY: every row has `channels` values, and the destinations are this block's alone.
            unsafe {
                let (scale, shift) = (load::<V>(self.scale, offset, count), load::<V>(self.shift, offset, count));
                let mean = load::<V>(self.mean, offset, count);
                let slope = load::<V>(&self.map.slope, offset, count);
                let constant = load::<V>(&self.map.offset, offset, count);
                for at in (offset..self.x.len()).step_by(channels) {
                    let (x, gy) = (load::<V>(self.x, at, count), load::<V>(self.gy, at, count));
                    let gradient = gated(gy, x, scale, shift, self.gate, at, count);
                    if let Some(residual) = self.residual {
                        gradient.store_up_to(residual.at(at, stored), count);
                    }
                    let value = gradient.mul_add(scale, x.sub(mean).mul_add(slope, constant));
                    value.store_up_to(self.to.at(at, stored), count);
                }
            }
        }
    }
}
