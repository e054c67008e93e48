//! Stochastic gradient descent with momentum.

use rayon::prelude::*;

use super::PART;
use crate::{
    Isa,
    simd::{Kernel, Simd},
};

/// One step: `v' = momentum v + g + weight_decay x`, then `x' = x - lr v'`, or with Nesterov's look ahead
/// `x' = x - lr (g + weight_decay x + momentum v')`. PyTorch's formula without dampening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub lr: f32,
    /// Share of the old velocity that is kept.
    pub momentum: f32,
    /// Whether the gradient is corrected by the new velocity instead of being replaced by it.
    pub nesterov: bool,
    /// Pull of the parameters towards zero.
    pub weight_decay: f32,
}

impl SgdStep {
    /// Moves parameters `x` and their velocity.
    ///
    /// # Panics
    /// If lengths differ.
    pub fn apply(self, isa: Isa, x: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        assert!(x.len() == gradient.len() && x.len() == velocity.len(), "{}, {}, {}", x.len(), gradient.len(), velocity.len());
        let parts = x.par_chunks_mut(PART).zip(gradient.par_chunks(PART)).zip(velocity.par_chunks_mut(PART));
        parts.for_each(|((x, gradient), velocity)| isa.run(Part { step: self, x, gradient, velocity }));
    }
}

/// Slices of one length.
struct Part<'a> {
    step: SgdStep,
    x: &'a mut [f32],
    gradient: &'a [f32],
    velocity: &'a mut [f32],
}

impl Kernel for Part<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let Part { step, x, gradient, velocity } = self;
        let (momentum, decay, minus_lr) = (V::splat(step.momentum), V::splat(step.weight_decay), V::splat(-step.lr));
        for at in (0..x.len()).step_by(V::LANES) {
            let count = (x.len() - at).min(V::LANES);
            let (to, to_velocity) = (x[at..].as_mut_ptr(), velocity[at..].as_mut_ptr());
            // SAFETY: all slices have the length of `x`, of which `count` values are left.
            unsafe {
                let x = V::load_up_to(to, count);
                let gradient = x.mul_add(decay, V::load_up_to(gradient[at..].as_ptr(), count));
                let velocity = V::load_up_to(to_velocity, count).mul_add(momentum, gradient);
                let direction = if step.nesterov { velocity.mul_add(momentum, gradient) } else { velocity };
                velocity.store_up_to(to_velocity, count);
                direction.mul_add(minus_lr, x).store_up_to(to, count);
            }
        }
    }
}
