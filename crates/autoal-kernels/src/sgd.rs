//! Stochastic gradient descent with momentum in one pass over memory.

use rayon::prelude::*;

use crate::{
    Isa,
    memory::{SharedMut, filled},
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

/// Values in one parallel task.
const PART: usize = 32 << 10;

/// Parameters and velocity after a step.
///
/// # Panics
/// If lengths differ.
pub fn step(isa: Isa, step: SgdStep, x: &[f32], gradient: &[f32], velocity: &[f32]) -> (Vec<f32>, Vec<f32>) {
    assert!(x.len() == gradient.len() && x.len() == velocity.len(), "{}, {}, {}", x.len(), gradient.len(), velocity.len());
    let mut velocities = Vec::new();
    let fill = |to: SharedMut<'_>| {
        let fill_velocity = |to_velocity: SharedMut<'_>| {
            let parts = x.par_chunks(PART).zip(gradient.par_chunks(PART)).zip(velocity.par_chunks(PART));
            parts.enumerate().for_each(|(i, ((x, gradient), velocity))| {
                let (to, to_velocity) = (to.part(i * PART, x.len()), to_velocity.part(i * PART, x.len()));
                isa.run(Part { step, x, gradient, velocity, to, to_velocity });
            });
        };
        // SAFETY: the parts cover the velocity and each is written whole.
        velocities = unsafe { filled(x.len(), fill_velocity) };
    };
    // SAFETY: the parts cover the parameters and each is written whole.
    let parameters = unsafe { filled(x.len(), fill) };
    (parameters, velocities)
}

struct Part<'a> {
    step: SgdStep,
    x: &'a [f32],
    gradient: &'a [f32],
    velocity: &'a [f32],
    to: SharedMut<'a>,
    to_velocity: SharedMut<'a>,
}

impl Kernel for Part<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let Part { step, x, gradient, velocity, to, to_velocity } = self;
        let (momentum, decay, minus_lr) = (V::splat(step.momentum), V::splat(step.weight_decay), V::splat(-step.lr));
        for at in (0..x.len()).step_by(V::LANES) {
            let count = (x.len() - at).min(V::LANES);
            // SAFETY: all slices have the length of `x`, and the destinations are this part's alone.
            unsafe {
                let x = V::load_up_to(x[at..].as_ptr(), count);
                let gradient = x.mul_add(decay, V::load_up_to(gradient[at..].as_ptr(), count));
                let velocity = V::load_up_to(velocity[at..].as_ptr(), count).mul_add(momentum, gradient);
                let direction = if step.nesterov { velocity.mul_add(momentum, gradient) } else { velocity };
                velocity.store_up_to(to_velocity.at(at, count), count);
                direction.mul_add(minus_lr, x).store_up_to(to.at(at, count), count);
            }
        }
    }
}
