//! Convolution as a matrix product over patches that are addressed in place.
//!
//! With channels last and a padded image, the value that tap `(u, v)` of output `(p, q)` reads lies at an offset that is a sum of one
//! term for the output and one for the tap and channel. These two tables are all the product needs; no patch is copied.
//!
//! The input gradient of a strided convolution falls into `stride^2` ordinary convolutions of the output gradient: the taps that reach
//! an input pixel depend on its position modulo the stride alone.

use rayon::prelude::*;

use super::{ConvShape, weights};
use crate::{
    Arithmetic, Isa,
    batch_norm::Affine,
    gemm::{Gemm, Panels, share},
    memory::{Scratch, SharedMut, filled},
    words::{Words, split},
};

/// Rows of the product that one parallel task should have at least.
const ROWS_PER_TASK: usize = 64;

/// Parallel tasks come in multiples of this, so that a few threads finish together.
const TASKS: usize = 8;

/// Images in words, with zeros around them.
#[derive(Clone, Copy)]
struct Padded {
    words: Words,
    height: usize,
    width: usize,
    channels: usize,
    /// Zero rows above, zero columns to the left.
    before: usize,
    /// Rows and columns in all.
    padded_height: usize,
    padded_width: usize,
}

impl Padded {
    /// The input with its padding.
    fn input(shape: &ConvShape, words: Words) -> Self {
        Padded {
            words,
            height: shape.height,
            width: shape.width,
            channels: shape.in_channels,
            before: shape.padding,
            padded_height: shape.height + 2 * shape.padding,
            padded_width: shape.width + 2 * shape.padding,
        }
    }

    /// The output gradient, with as many zeros as any tap of any input pixel reaches beyond it.
    fn output_gradient(shape: &ConvShape, words: Words) -> Self {
        let before = (shape.kernel - 1) / shape.stride;
        let reach = |size: usize| (size - 1 + shape.padding) / shape.stride + 1;
        let (height, width) = (shape.out_height(), shape.out_width());
        Padded {
            words,
            height,
            width,
            channels: shape.out_channels,
            before,
            padded_height: before + reach(shape.height).max(height),
            padded_width: before + reach(shape.width).max(width),
        }
    }

    /// Whether the images can be read where they are.
    fn is_plain(&self) -> bool {
        self.words == Words::Single && (self.padded_height, self.padded_width) == (self.height, self.width)
    }
    /// Values of an image.
    fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }
    /// Values of the images that share words.
    fn group_len(&self) -> usize {
        self.words.images() * self.image_len()
    }
    /// Words of a pixel.
    fn pixel(&self) -> usize {
        self.words.of(self.channels)
    }
    /// Words of a padded image, or of padded images that share them.
    fn len(&self) -> usize {
        self.padded_height * self.padded_width * self.pixel()
    }
    fn offset(&self, row: usize, column: usize) -> usize {
        (row * self.padded_width + column) * self.pixel()
    }

    /// Copies the images that share words into the middle of zeros.
    fn copy(&self, isa: Isa, images: &[f32], padded: &mut [f32]) {
        let (values, words) = (self.width * self.channels, self.width * self.pixel());
        let images = split(images, self.image_len());
        padded.fill(0.0);
        for y in 0..self.height {
            let row = images.map(|image| image.get(y * values..(y + 1) * values).unwrap_or_default());
            self.words.write(isa, self.channels, row, &mut padded[self.offset(y + self.before, self.before)..][..words]);
        }
    }

    /// All images with their padding, or the images themselves where they can be read in place.
    fn copy_all<'a>(&self, isa: Isa, images: &'a [f32], scratch: &'a mut Option<Scratch>) -> &'a [f32] {
        if self.is_plain() {
            return images;
        }
        let scratch = scratch.insert(Scratch::new(images.len().div_ceil(self.group_len()) * self.len()));
        let groups = scratch.par_chunks_mut(self.len()).zip(images.par_chunks(self.group_len()));
        groups.for_each(|(padded, images)| self.copy(isa, images, padded));
        scratch
    }
}

/// A convolution in the form of the product: which pixels it makes, what it reads for them, and its weights.
struct Patches {
    /// Offset of each output pixel's patch within a padded image.
    rows: Vec<u32>,
    /// Offset of each value within a patch.
    cols: Vec<u32>,
    /// Offset of each output pixel within an image of the result.
    c_rows: Vec<u32>,
}

impl Patches {
    /// The patches of the forward convolution, values in the order `[tap, channel]`.
    fn input(shape: &ConvShape, padded: &Padded) -> Self {
        let pixels = || (0..shape.out_height()).flat_map(|y| (0..shape.out_width()).map(move |x| (y, x)));
        let taps = (0..shape.kernel).flat_map(|u| (0..shape.kernel).map(move |v| (u, v)));
        Patches {
            rows: pixels().map(|(y, x)| padded.offset(y * shape.stride, x * shape.stride) as u32).collect(),
            cols: taps.flat_map(|(u, v)| (0..padded.pixel()).map(move |c| (padded.offset(u, v) + c) as u32)).collect(),
            c_rows: (0..pixels().count()).map(|i| (i * shape.out_channels) as u32).collect(),
        }
    }
}

/// Shares groups of images among threads; each pads its group, multiplies by every set of patches and weights, and maps what came
/// out.
fn convolve(
    arithmetic: Arithmetic,
    padded: Padded,
    parts: &[(Patches, Scratch, Panels)],
    images: &[f32],
    affine: Option<Affine<'_>>,
    out: SharedMut<'_>,
    out_len: usize,
) {
    let Arithmetic { isa, precision } = arithmetic;
    let batch = images.len() / padded.image_len();
    let pixels = out_len / parts[0].2.columns;
    let wanted = (batch * pixels).div_ceil(ROWS_PER_TASK).next_multiple_of(TASKS);
    let tasks = wanted.min(batch);
    (0..tasks).into_par_iter().for_each(|task| {
        let group = share(batch, tasks, task);
        let count = group.len();
        let images = &images[group.start * padded.image_len()..group.end * padded.image_len()];
        let mut scratch = None;
        let a: &[f32] = if padded.is_plain() {
            images
        } else {
            let scratch = scratch.insert(Scratch::new(count * padded.len()));
            let pairs = scratch.chunks_exact_mut(padded.len()).zip(images.chunks_exact(padded.image_len()));
            pairs.for_each(|(padded_image, image)| padded.copy(isa, image, padded_image));
            scratch
        };
        let c = out.part(group.start * out_len, count * out_len);
        for (patches, b, panels) in parts {
            let rows = repeat(&patches.rows, count, padded.len());
            let c_rows = repeat(&patches.c_rows, count, out_len);
            let (cols, panels, accumulate) = (&patches.cols, *panels, false);
            let gemm = Gemm { a, rows: &rows, cols, b, panels, c, c_rows: &c_rows, accumulate, precision };
            // SAFETY: the images of this task are written by no other, and their pixels do not overlap.
            unsafe { gemm.run(isa) };
        }
        if let Some(affine) = affine {
            // SAFETY: the parts have written all pixels of this task's images.
            unsafe { affine.in_place(isa, group.start * out_len, c) };
        }
    });
}

/// The offsets of one image for `count` images.
fn repeat(offsets: &[u32], count: usize, step: usize) -> Vec<u32> {
    (0..count).flat_map(|image| offsets.iter().map(move |&offset| offset + (image * step) as u32)).collect()
}

pub(crate) fn forward(
    arithmetic: Arithmetic,
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    affine: Option<Affine<'_>>,
) -> Vec<f32> {
    let words = Words::over_channels(arithmetic.precision);
    let padded = Padded::input(shape, words);
    let (ci, co, taps) = (shape.in_channels, shape.out_channels, shape.taps());
    let panels = Panels { depth: taps * words.of(ci), columns: co, lanes: arithmetic.isa.lanes() };
    let b = weights::pack_channels(panels, words, ci, |tap, channel, first, to| {
        let from = weight[first * ci * taps + channel * taps + tap..].iter().step_by(ci * taps);
        to.iter_mut().zip(from).for_each(|(to, &value)| *to = value);
    });
    let parts = [(Patches::input(shape, &padded), b, panels)];
    let image = shape.out_height() * shape.out_width() * co;
    // SAFETY: the output pixels of the patches cover every image of the result.
    unsafe { filled(shape.output_len(), |out| convolve(arithmetic, padded, &parts, x, affine, out, image)) }
}

pub(crate) fn input_gradient(arithmetic: Arithmetic, shape: &ConvShape, gy: &[f32], weight: &[f32]) -> Vec<f32> {
    let padded = Padded::output_gradient(shape, Words::over_channels(arithmetic.precision));
    let phases = (0..shape.stride).flat_map(|row| (0..shape.stride).map(move |column| (row, column)));
    let parts: Vec<_> = phases
        .map(|(row, column)| Phase::new(shape, row, column))
        .filter(|phase| !phase.rows.is_empty() && !phase.columns.is_empty())
        .map(|phase| phase.part(arithmetic.isa, shape, &padded, weight))
        .collect();
    let image = shape.height * shape.width * shape.in_channels;
    // SAFETY: each input pixel belongs to exactly one phase, and a phase without taps writes zeros.
    unsafe { filled(shape.input_len(), |out| convolve(arithmetic, padded, &parts, gy, None, out, image)) }
}

/// The input pixels at one position modulo the stride, and the taps that reach them.
struct Phase {
    rows: Vec<usize>,
    columns: Vec<usize>,
    row_taps: Vec<usize>,
    column_taps: Vec<usize>,
}

impl Phase {
    fn new(shape: &ConvShape, row: usize, column: usize) -> Self {
        let pixels = |size: usize, phase: usize| (0..size).filter(|p| (p + shape.padding) % shape.stride == phase).collect();
        // Descending, so that ascending positions of the output gradient are read.
        let taps = |phase: usize| (phase..shape.kernel).step_by(shape.stride).rev().collect();
        Phase {
            rows: pixels(shape.height, row),
            columns: pixels(shape.width, column),
            row_taps: taps(row),
            column_taps: taps(column),
        }
    }

    /// Input pixel `p` meets output `(p + padding - tap) / stride` through `tap`.
    fn part(&self, isa: Isa, shape: &ConvShape, padded: &Padded, weight: &[f32]) -> (Patches, Scratch, Panels) {
        let (ci, co, kernel) = (shape.in_channels, shape.out_channels, shape.kernel);
        let taps: Vec<(usize, usize)> = pairs(&self.row_taps, &self.column_taps);
        let pixels = pairs(&self.rows, &self.columns);
        // The first output that a pixel meets, counted from the padding's edge, and how far behind it the one of each tap is.
        let first = |p: usize, taps: &[usize]| {
            (p + shape.padding) / shape.stride + padded.before - taps.first().map_or(0, |t| t / shape.stride)
        };
        let behind = |tap: usize, taps: &[usize]| taps[0] / shape.stride - tap / shape.stride;
        let patches = Patches {
            rows: (pixels.iter())
                .map(|&(y, x)| padded.offset(first(y, &self.row_taps), first(x, &self.column_taps)) as u32)
                .collect(),
            cols: (taps.iter())
                .map(|&(u, v)| padded.offset(behind(u, &self.row_taps), behind(v, &self.column_taps)))
                .flat_map(|offset| (0..padded.pixel()).map(move |c| (offset + c) as u32))
                .collect(),
            c_rows: pixels.iter().map(|&(y, x)| ((y * shape.width + x) * ci) as u32).collect(),
        };
        let panels = Panels { depth: taps.len() * padded.pixel(), columns: ci, lanes: isa.lanes() };
        let b = weights::pack_channels(panels, padded.words, co, |tap, channel, first, to| {
            let (u, v) = taps[tap];
            let from = weight[(channel * ci + first) * kernel * kernel + u * kernel + v..].iter().step_by(kernel * kernel);
            to.iter_mut().zip(from).for_each(|(to, &value)| *to = value);
        });
        (patches, b, panels)
    }
}

fn pairs(rows: &[usize], columns: &[usize]) -> Vec<(usize, usize)> {
    rows.iter().flat_map(|&row| columns.iter().map(move |&column| (row, column))).collect()
}

/// Floats of padded input and output gradient that are held at once; they stay in a third-level cache.
const GROUP_FLOATS: usize = 2 << 20;

/// Gradients of at least this many elements are computed as one sum; smaller ones as up to `MAX_SUMS` partial sums, so that there
/// is work for every core. A matter of shape alone: the order of additions must not depend on the number of threads.
const GRADIENT_FLOATS: usize = 64 << 10;
const MAX_SUMS: usize = 16;

pub(crate) fn weight_gradient(arithmetic: Arithmetic, shape: &ConvShape, x: &[f32], gy: &[f32]) -> Vec<f32> {
    let words = Words::over_images(arithmetic.precision);
    let padded = Padded::input(shape, words);
    let patches = Patches::input(shape, &padded);
    let (ci, co, pixels) = (shape.in_channels, shape.out_channels, patches.rows.len());
    let (len, gy_image) = (patches.cols.len() * co, pixels * co);
    let sums = (GRADIENT_FLOATS / len).clamp(1, MAX_SUMS);
    let mut gradient = Scratch::new(sums * len);
    // Images are taken in numbers of which only the last may leave words half empty.
    let images = (GROUP_FLOATS / (padded.len() + gy_image)).max(1) * words.images();
    let groups = x.chunks(images * padded.image_len()).zip(gy.chunks(images * gy_image));
    for (group, (x, gy)) in groups.enumerate() {
        let (mut a_scratch, mut gy_scratch) = (None, None);
        let a = padded.copy_all(arithmetic.isa, x, &mut a_scratch);
        let gy = words.all(arithmetic.isa, co, gy_image, gy, &mut gy_scratch);
        let pixels = repeat(&patches.rows, a.len() / padded.len(), padded.len());
        let product = Sums { arithmetic, a, gy, rows: &patches.cols, pixels: &pixels, columns: co, accumulate: group > 0 };
        product.run(&mut gradient, sums);
    }
    let (total, rest) = gradient.split_at_mut(len);
    for part in rest.chunks_exact(len) {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    weights::unpack(total, ci, co, shape.taps())
}

/// The weight gradient of one group of images, as sums over shares of its pixels.
struct Sums<'a> {
    arithmetic: Arithmetic,
    a: &'a [f32],
    gy: &'a [f32],
    rows: &'a [u32],
    pixels: &'a [u32],
    columns: usize,
    accumulate: bool,
}

impl Sums<'_> {
    fn run(&self, gradient: &mut [f32], sums: usize) {
        let Arithmetic { isa, precision } = self.arithmetic;
        let c_rows: Vec<u32> = (0..self.rows.len()).map(|i| (i * self.columns) as u32).collect();
        gradient.par_chunks_mut(c_rows.len() * self.columns).enumerate().for_each(|(index, c)| {
            let pixels = share(self.pixels.len(), sums, index);
            let gy = &self.gy[pixels.start * self.columns..pixels.end * self.columns];
            let panels = Panels { depth: pixels.len(), columns: self.columns, lanes: isa.lanes() };
            let b = weights::pack_rows(panels, gy);
            let (c, accumulate) = (SharedMut::new(c), self.accumulate);
            let cols = &self.pixels[pixels];
            let gemm = Gemm { a: self.a, rows: self.rows, cols, b: &b, panels, c, c_rows: &c_rows, accumulate, precision };
            // SAFETY: the rows are consecutive and cover this sum, which belongs to this task.
            unsafe { gemm.run_parallel(isa) };
        });
    }
}
