//! Convolution of images hardly larger than the kernel, as one matrix product from all input pixels to all output pixels.
//!
//! With channels last, an image is already a row of that product. The matrix holds the weight of the tap that connects each pair of
//! pixels, and zero where none does. A 3x3 kernel on 2x2 pixels takes 16 multiplications in place of 36 with im2col; on one pixel,
//! where only the middle tap ever meets the input, 1 in place of 9.

use rayon::prelude::*;

use super::{ConvShape, weights};
use crate::{
    Arithmetic,
    batch_norm::Affine,
    gemm::{Gemm, Panels},
    memory::{Scratch, SharedMut, filled},
    words::Words,
};

/// The tap that leads from each input pixel to each output pixel, `[inputs][outputs]`.
struct Taps {
    taps: Vec<Option<usize>>,
    inputs: usize,
    outputs: usize,
}

impl Taps {
    fn new(shape: &ConvShape) -> Self {
        let (inputs, outputs) = (shape.height * shape.width, shape.out_height() * shape.out_width());
        let along = |input: usize, output: usize| {
            (input + shape.padding).checked_sub(output * shape.stride).filter(|&tap| tap < shape.kernel)
        };
        let tap = |pair: usize| {
            let (input, output) = (pair / outputs, pair % outputs);
            let row = along(input / shape.width, output / shape.out_width())?;
            let column = along(input % shape.width, output % shape.out_width())?;
            Some(row * shape.kernel + column)
        };
        Taps { taps: (0..inputs * outputs).map(tap).collect(), inputs, outputs }
    }

    fn between(&self, input: usize, output: usize) -> Option<usize> {
        self.taps[input * self.outputs + output]
    }
}

pub(crate) fn forward(
    arithmetic: Arithmetic,
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    affine: Option<Affine<'_>>,
) -> Vec<f32> {
    let (taps, words) = (Taps::new(shape), Words::over_channels(arithmetic.precision));
    let (ci, co) = (shape.in_channels, shape.out_channels);
    let panels = Panels { depth: taps.inputs * words.of(ci), columns: taps.outputs * co, lanes: arithmetic.isa.lanes() };
    let matrix = weights::pack_channels(panels, words, ci, |input, channel, first, to| {
        fill(to, first, co, |output| taps.between(input, output), |c, tap| weight[(c * ci + channel) * shape.taps() + tap]);
    });
    let mut scratch = None;
    let x = words.all(arithmetic.isa, ci, taps.inputs * ci, x, &mut scratch);
    let mut y = product(arithmetic, shape.batch, x, &matrix, panels);
    if let Some(affine) = affine {
        affine.in_place_parallel(arithmetic.isa, &mut y);
    }
    y
}

pub(crate) fn input_gradient(arithmetic: Arithmetic, shape: &ConvShape, gy: &[f32], weight: &[f32]) -> Vec<f32> {
    let (taps, words) = (Taps::new(shape), Words::over_channels(arithmetic.precision));
    let (ci, co) = (shape.in_channels, shape.out_channels);
    let panels = Panels { depth: taps.outputs * words.of(co), columns: taps.inputs * ci, lanes: arithmetic.isa.lanes() };
    let matrix = weights::pack_channels(panels, words, co, |output, channel, first, to| {
        fill(to, first, ci, |input| taps.between(input, output), |c, tap| weight[(channel * ci + c) * shape.taps() + tap]);
    });
    let mut scratch = None;
    let gy = words.all(arithmetic.isa, co, taps.outputs * co, gy, &mut scratch);
    product(arithmetic, shape.batch, gy, &matrix, panels)
}

/// Writes columns from `first` on, each a pixel and one of its `channels`: the weight of the pixel's tap, or zero without one.
fn fill(
    to: &mut [f32],
    first: usize,
    channels: usize,
    tap_of: impl Fn(usize) -> Option<usize>,
    weight: impl Fn(usize, usize) -> f32,
) {
    let (mut pixel, mut channel, mut rest) = (first / channels, first % channels, to);
    while !rest.is_empty() {
        let (part, after) = rest.split_at_mut((channels - channel).min(rest.len()));
        match tap_of(pixel) {
            None => part.fill(0.0),
            Some(tap) => part.iter_mut().enumerate().for_each(|(i, to)| *to = weight(channel + i, tap)),
        }
        (pixel, channel, rest) = (pixel + 1, 0, after);
    }
}

/// Each image, in words, times the packed matrix.
fn product(arithmetic: Arithmetic, batch: usize, images: &[f32], matrix: &Scratch, panels: Panels) -> Vec<f32> {
    let Arithmetic { isa, precision } = arithmetic;
    let rows = offsets(batch, panels.depth);
    let c_rows = offsets(batch, panels.columns);
    let cols = offsets(panels.depth, 1);
    let fill = |c: SharedMut<'_>| {
        let (a, b, accumulate) = (images, matrix, false);
        let gemm = Gemm { a, rows: &rows, cols: &cols, b, panels, c, c_rows: &c_rows, accumulate, precision };
        // SAFETY: the rows of the result are consecutive and cover the new vector.
        unsafe { gemm.run_parallel(isa) }
    };
    // SAFETY: every element of every row is written.
    unsafe { filled(batch * panels.columns, fill) }
}

pub(crate) fn weight_gradient(arithmetic: Arithmetic, shape: &ConvShape, x: &[f32], gy: &[f32]) -> Vec<f32> {
    let Arithmetic { isa, precision } = arithmetic;
    let (taps, words) = (Taps::new(shape), Words::over_images(precision));
    let (ci, co) = (shape.in_channels, shape.out_channels);
    let (inputs, outputs) = (taps.inputs * ci, taps.outputs * co);
    let (mut x_scratch, mut gy_scratch) = (None, None);
    let a = words.all(isa, ci, inputs, x, &mut x_scratch);
    let gy = words.all(isa, co, outputs, gy, &mut gy_scratch);
    let panels = Panels { depth: shape.batch.div_ceil(words.images()), columns: outputs, lanes: isa.lanes() };
    let b = weights::pack_rows(panels, gy);
    let mut pairs = Scratch::new(inputs * outputs);
    let (rows, cols, c_rows) = (offsets(inputs, 1), offsets(panels.depth, inputs), offsets(inputs, outputs));
    let (c, accumulate) = (SharedMut::new(&mut pairs), false);
    let gemm = Gemm { a, rows: &rows, cols: &cols, b: &b, panels, c, c_rows: &c_rows, accumulate, precision };
    // SAFETY: the rows of the result are consecutive and cover `pairs`.
    unsafe { gemm.run_parallel(isa) };
    weights::unpack(&fold(&taps, &pairs, ci, co, shape.taps()), ci, co, shape.taps())
}

/// Adds up, for each tap, the gradients of all pairs of pixels that it connects, in the order of the pairs: `[tap, in, out]`.
fn fold(taps: &Taps, pairs: &[f32], ci: usize, co: usize, tap_count: usize) -> Scratch {
    let mut connected = vec![Vec::new(); tap_count];
    for (input, output) in (0..taps.inputs).flat_map(|input| (0..taps.outputs).map(move |output| (input, output))) {
        if let Some(tap) = taps.between(input, output) {
            connected[tap].push((input, output));
        }
    }
    let mut folded = Scratch::new(tap_count * ci * co);
    folded.par_chunks_mut(co).enumerate().for_each(|(row, to)| {
        let (tap, channel) = (row / ci, row % ci);
        to.fill(0.0);
        for &(input, output) in &connected[tap] {
            let from = &pairs[((input * ci + channel) * taps.outputs + output) * co..][..co];
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    });
    folded
}

/// `0, step, 2 step, ..`
fn offsets(count: usize, step: usize) -> Vec<u32> {
    (0..count).map(|i| (i * step) as u32).collect()
}
