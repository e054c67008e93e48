//! Adam (Kingma and Ba, 2015) and Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

use rayon::prelude::*;

use super::PART;
use crate::{
    Isa,
    simd::{Kernel, Simd},
};

/// One step: `g' = g + penalty x`, `m' = b1 m + (1 - b1) g'`, `v' = b2 v + (1 - b2) g'^2`, then
/// `x' = kept x - rate m' / (correction sqrt(v') + epsilon)`.
///
/// Factors are rounded to f32 when they are used; as f64, `1 - b2` keeps its digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate over `1 - b1^t` in step `t`, which counts from one.
    pub rate: f64,
    /// Shares of the old moments that are kept.
    pub betas: (f64, f64),
    /// `1 / sqrt(1 - b2^t)`
    pub correction: f64,
    /// Keeps the divisor from zero.
    pub epsilon: f64,
    /// Pull of the parameters towards zero as a part of the gradient: Adam's weight decay.
    pub penalty: f64,
    /// Share of the parameters that is kept: `1 - lr weight_decay` in `AdamW`, otherwise 1.
    pub kept: f64,
}

impl AdamStep {
    /// Moves parameters `x` and the first and second moments of their gradients.
    ///
    /// # Panics
    /// If lengths differ.
    pub fn apply(self, isa: Isa, x: &mut [f32], gradient: &[f32], moments: [&mut [f32]; 2]) {
        let lengths = [gradient.len(), moments[0].len(), moments[1].len()];
        assert!(lengths == [x.len(); 3], "{}, {lengths:?}", x.len());
        let [first, second] = moments.map(|moment| moment.par_chunks_mut(PART));
        let parts = x.par_chunks_mut(PART).zip(gradient.par_chunks(PART)).zip(first.zip(second));
        parts.for_each(|((x, gradient), (first, second))| isa.run(Part { step: self, x, gradient, first, second }));
    }
}

/// Slices of one length.
struct Part<'a> {
    step: AdamStep,
    x: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Kernel for Part<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let Part { step, x, gradient, first, second } = self;
        let AdamStep { rate, betas: (beta_1, beta_2), correction, epsilon, penalty, kept } = step;
        let splat = |factor: f64| V::splat(factor as f32);
        let ([beta_1, rest_1], [beta_2, rest_2]) = ([beta_1, 1.0 - beta_1].map(splat), [beta_2, 1.0 - beta_2].map(splat));
        let [minus_rate, correction, epsilon, penalty, kept] = [-rate, correction, epsilon, penalty, kept].map(splat);
        for at in (0..x.len()).step_by(V::LANES) {
            let count = (x.len() - at).min(V::LANES);
            let (to, to_first, to_second) = (x[at..].as_mut_ptr(), first[at..].as_mut_ptr(), second[at..].as_mut_ptr());
            // SAFETY: all slices have the length of `x`, of which `count` values are left.
            unsafe {
                let x = V::load_up_to(to, count);
                let gradient = x.mul_add(penalty, V::load_up_to(gradient[at..].as_ptr(), count));
                let first = V::load_up_to(to_first, count).mul_add(beta_1, gradient.mul(rest_1));
                let second = V::load_up_to(to_second, count).mul_add(beta_2, gradient.mul(gradient).mul(rest_2));
                let divisor = second.sqrt().mul_add(correction, epsilon);
                first.store_up_to(to_first, count);
                second.store_up_to(to_second, count);
                first.div(divisor).mul_add(minus_rate, x.mul(kept)).store_up_to(to, count);
            }
        }
    }
}
