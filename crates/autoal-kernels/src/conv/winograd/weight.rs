//! Weights into the transformed space, and their gradients back.

use rayon::prelude::*;

use super::{super::ConvShape, Direction, FREQUENCIES, GAP, transform};
use crate::{
    Isa,
    gemm::Panels,
    memory::{Scratch, SharedMut},
    simd::{Kernel, MAX_LANES, Simd},
    words::Words,
};

/// Floats from one frequency's panels to the next.
pub(super) fn frequency(panels: Panels) -> usize {
    panels.len() + GAP
}

/// `G g G^T` of all kernels, as panels `[words of inputs][output]` for each frequency.
pub(super) fn transform(
    isa: Isa,
    shape: &ConvShape,
    weight: &[f32],
    direction: Direction<'_>,
    words: Words,
    panels: Panels,
) -> Scratch {
    let mut transformed = Scratch::new(FREQUENCIES * frequency(panels));
    let to = SharedMut::new(&mut transformed);
    let row = shape.in_channels * 9;
    (0..panels.vectors()).into_par_iter().for_each(|vector| {
        let (inputs, input_step, output_step, flip) = match direction {
            Direction::Forward(_) => (shape.in_channels, 9, row, false),
            Direction::InputGradient => (shape.out_channels, row, 9, true),
        };
        isa.run(WeightVector { weight, inputs, input_step, output_step, flip, words, panels, vector, to });
    });
    transformed
}

/// Transforms the kernels of one vector of outputs.
struct WeightVector<'a> {
    weight: &'a [f32],
    inputs: usize,
    input_step: usize,
    output_step: usize,
    flip: bool,
    words: Words,
    panels: Panels,
    vector: usize,
    to: SharedMut<'a>,
}

impl Kernel for WeightVector<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        for k in 0..self.panels.depth {
            let at = self.panels.at(self.vector, k);
            // SAFETY: this vector of each panel row is written by this kernel alone.
            unsafe {
                let at = |f: usize| self.to.at(f * frequency(self.panels) + at, V::LANES);
                if self.words == Words::Channels {
                    let (low, high) = (self.transformed::<V>(2 * k), self.transformed::<V>(2 * k + 1));
                    for f in 0..FREQUENCIES {
                        V::pair(low[f / 6][f % 6], high[f / 6][f % 6]).store(at(f));
                    }
                } else {
                    let transformed = self.transformed::<V>(k);
                    for f in 0..FREQUENCIES {
                        transformed[f / 6][f % 6].store(at(f));
                    }
                }
            }
        }
    }
}

impl WeightVector<'_> {
    /// The kernels from one input, zero beyond the last.
    #[inline(always)]
    fn transformed<V: Simd>(&self, input: usize) -> [[V; 6]; 6] {
        let first = self.vector * V::LANES;
        let used = if input < self.inputs { (self.panels.columns - first).min(V::LANES) } else { 0 };
        let mut lanes = [0.0; 9 * MAX_LANES];
        for lane in 0..used {
            let kernel = &self.weight[input * self.input_step + (first + lane) * self.output_step..][..9];
            for (tap, &value) in kernel.iter().enumerate() {
                lanes[if self.flip { 8 - tap } else { tap } * V::LANES + lane] = value;
            }
        }
        let mut kernels = [[V::splat(0.0); 3]; 3];
        for tap in 0..9 {
            // SAFETY: `lanes` holds nine vectors of at most `MAX_LANES`.
            kernels[tap / 3][tap % 3] = unsafe { V::load(lanes[tap * V::LANES..][..V::LANES].as_ptr()) };
        }
        transform::weight_tile(kernels)
    }
}

/// Floats from one frequency of the transformed gradient, `[in, out]`, to the next.
pub(super) fn gradient_frequency(ci: usize, co: usize) -> usize {
    ci * co + GAP
}

/// `G^T u G` of the transformed gradient, as `[tap, in, out]`.
pub(super) fn gradient(isa: Isa, ci: usize, co: usize, transformed: &[f32]) -> Scratch {
    let mut taps = Scratch::new(9 * ci * co);
    let to = SharedMut::new(&mut taps);
    (0..ci).into_par_iter().for_each(|input| isa.run(GradientVectors { transformed, ci, co, input, to }));
    taps
}

/// Transforms the gradients of the kernels of one input channel.
struct GradientVectors<'a> {
    transformed: &'a [f32],
    ci: usize,
    co: usize,
    input: usize,
    to: SharedMut<'a>,
}

impl Kernel for GradientVectors<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        for offset in (0..self.co).step_by(V::LANES) {
            let (at, count) = (self.input * self.co + offset, self.co - offset);
            let mut square = [[V::splat(0.0); 6]; 6];
            for f in 0..FREQUENCIES {
                let from = &self.transformed[f * gradient_frequency(self.ci, self.co) + at..][..count.min(V::LANES)];
                // SAFETY: the slice just taken is as long as what is read.
                square[f / 6][f % 6] = unsafe { V::load_up_to(from.as_ptr(), count) };
            }
            let taps = transform::weight_gradient_tile(square);
            for tap in 0..9 {
                // SAFETY: each input channel's part of each tap is written by this kernel alone.
                unsafe {
                    let to = self.to.at(tap * self.ci * self.co + at, count.min(V::LANES));
                    taps[tap / 3][tap % 3].store_up_to(to, count);
                }
            }
        }
    }
}
