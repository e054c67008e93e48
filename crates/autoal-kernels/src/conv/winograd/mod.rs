//! Convolution of 3x3 kernels with stride and padding 1 by Winograd's F(4x4, 3x3).
//!
//! Output tiles of 4x4 pixels are computed from input tiles of 6x6 in a transformed space, where a convolution is 36 independent matrix
//! products over the channels, one for each *frequency*. Between the three steps lie `transformed` matrices `[36][tiles][channels]`.
//! Tiles are worked on by whole rows of tiles, which are contiguous in the output.
//!
//! Against a direct sum in f32 the result is off by at most 5e-6 of the largest output, with bf16 factors by 2 % in the mean; the tests
//! state the bounds.

mod tiles;
mod transform;
mod weight;

use rayon::prelude::*;

use self::tiles::{GradientRow, InputRow, OutputRow, Tiles};
use super::{ConvShape, weights};
use crate::{
    Arithmetic, Isa, Precision,
    batch_norm::Affine,
    gemm::{Gemm, Panels, share},
    memory::{Scratch, SharedMut, filled},
    words::Words,
};

/// Products in the transformed space: the pixels of an input tile.
const FREQUENCIES: usize = 36;

/// Floats between rows and between frequencies beyond what they hold: without them, powers of two as channel counts would put all rows
/// into the same few sets of the caches.
const GAP: usize = 16;

/// Whether a convolution maps inputs to outputs or output gradients to input gradients.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction<'a> {
    /// Weights as they are; outputs are mapped where a map is given.
    Forward(Option<Affine<'a>>),
    /// Weights turned by half a turn, with input and output channels exchanged.
    InputGradient,
}

/// A matrix `[tiles][words]` for each frequency.
#[derive(Clone, Copy)]
struct Transformed {
    tiles: usize,
    words: usize,
}

impl Transformed {
    /// Words from one tile to the next; the gap takes what a vector is longer than the last channels.
    fn row(self) -> usize {
        self.words.next_multiple_of(GAP) + GAP
    }
    /// Words from one frequency to the next.
    fn frequency(self) -> usize {
        self.tiles * self.row() + GAP
    }
    fn len(self) -> usize {
        FREQUENCIES * self.frequency()
    }
    /// Where each tile starts.
    fn rows(self) -> Vec<u32> {
        (0..self.tiles).map(|tile| (tile * self.row()) as u32).collect()
    }
}

/// Floats of transformed input and output that one task works on; they fit a second-level cache of 1 MiB.
const TASK_FLOATS: usize = 192 << 10;

/// Tiles in one task at least, so that the transformed weights are not read too often.
const TASK_TILES: usize = 48;

/// With fewer tasks than this, each step of the convolution is shared among threads instead.
const TASKS: usize = 8;

/// The forward convolution, or the one that turns output gradients into input gradients.
pub(crate) fn convolve(arithmetic: Arithmetic, shape: &ConvShape, x: &[f32], weight: &[f32], direction: Direction) -> Vec<f32> {
    let Arithmetic { isa, precision } = arithmetic;
    let (ci, co, affine) = match direction {
        Direction::Forward(affine) => (shape.in_channels, shape.out_channels, affine),
        Direction::InputGradient => (shape.out_channels, shape.in_channels, None),
    };
    let words = Words::over_channels(precision);
    let panels = Panels { depth: words.of(ci), columns: co, lanes: isa.lanes() };
    let u = weight::transform(isa, shape, weight, direction, words, panels);
    let tiles = Tiles::new(shape, words);
    let step = Step { isa, precision, words, tiles, ci, co, panels, affine, x, u: &u, zeros: &vec![0.0; ci] };
    let per_task = (TASK_FLOATS / (FREQUENCIES * (words.of(ci) + co))).max(TASK_TILES);
    let tasks = (tiles.count()).div_ceil(per_task).next_multiple_of(TASKS / 2).min(tiles.rows());
    let fill = |out: SharedMut<'_>| {
        if tasks >= TASKS {
            (0..tasks).into_par_iter().for_each(|task| step.run(share(tiles.rows(), tasks, task), out, false));
        } else {
            step.run(0..tiles.rows(), out, true);
        }
    };
    // SAFETY: the rows of tiles cover the output.
    unsafe { filled(tiles.pixels() * co, fill) }
}

/// What all tasks of a convolution share.
struct Step<'a> {
    isa: Isa,
    precision: Precision,
    words: Words,
    tiles: Tiles,
    ci: usize,
    co: usize,
    panels: Panels,
    affine: Option<Affine<'a>>,
    x: &'a [f32],
    u: &'a [f32],
    zeros: &'a [f32],
}

impl Step<'_> {
    /// Transforms the input of some rows of tiles, multiplies, and transforms back into the output.
    fn run(&self, rows: std::ops::Range<usize>, out: SharedMut<'_>, parallel: bool) {
        let Step { isa, precision, words, tiles, ci, co, panels, x, zeros, .. } = *self;
        let count = rows.len() * tiles.across;
        let (v, m) = (Transformed { tiles: count, words: panels.depth }, Transformed { tiles: count, words: co });
        let (mut v_buffer, mut m_buffer) = (Scratch::new(v.len()), Scratch::new(m.len()));
        let to = SharedMut::new(&mut v_buffer);
        for_each(parallel, rows.len(), |i| {
            isa.run(InputRow { tiles, channels: ci, x, zeros, words, row: rows.start + i, first: i, to, layout: v });
        });
        let (c, a_rows, c_rows) = (SharedMut::new(&mut m_buffer), v.rows(), m.rows());
        let cols: Vec<u32> = (0..panels.depth as u32).collect();
        let u_frequency = weight::frequency(panels);
        for_each(parallel, FREQUENCIES, |f| {
            let a = &v_buffer[f * v.frequency()..][..v.frequency()];
            let b = &self.u[f * u_frequency..][..panels.len()];
            let c = c.part(f * m.frequency(), m.frequency());
            let gemm = Gemm { a, rows: &a_rows, cols: &cols, b, panels, c, c_rows: &c_rows, accumulate: false, precision };
            // SAFETY: each frequency has its own part of the buffer, and rows lie `m.row() >= co` apart.
            unsafe { if parallel { gemm.run_parallel(isa) } else { gemm.run(isa) } };
        });
        for_each(parallel, rows.len(), |i| {
            let row = rows.start + i;
            isa.run(OutputRow { tiles, channels: co, from: &m_buffer, layout: m, row, first: i, out });
            if let Some(affine) = self.affine {
                let at = tiles.first_pixel(row) * co;
                // SAFETY: a row of tiles has just written all of its pixels, and is one thread's alone.
                unsafe { affine.in_place(isa, at, out.part(at, tiles.first_pixel(row + 1) * co - at)) };
            }
        });
    }
}

/// Calls `f` for each index, shared among threads or not.
fn for_each(parallel: bool, count: usize, f: impl Fn(usize) + Sync + Send) {
    if parallel {
        (0..count).into_par_iter().for_each(f);
    } else {
        (0..count).for_each(f);
    }
}

/// Floats of transformed input and output gradient held at once, for the weight gradient; they fit a third-level cache.
const GROUP_FLOATS: usize = 3 << 20;

/// Tiles summed in one group at least, so that the gradient is not read and written too often.
const GROUP_TILES: usize = 128;

/// Sums, for each frequency, the products of transformed inputs and output gradients over all tiles, group after group.
pub(crate) fn weight_gradient(arithmetic: Arithmetic, shape: &ConvShape, x: &[f32], gy: &[f32]) -> Vec<f32> {
    let Arithmetic { isa, precision } = arithmetic;
    let (ci, co) = (shape.in_channels, shape.out_channels);
    let tiles = Tiles::new(shape, Words::over_images(precision));
    let per_group = (GROUP_FLOATS / (FREQUENCIES * (ci + co))).max(GROUP_TILES);
    let groups = tiles.count().div_ceil(per_group).min(tiles.rows());
    let mut gradient = Scratch::new(weight::gradient_frequency(ci, co) * FREQUENCIES);
    let zeros = vec![0.0; ci.max(co)];
    for group in 0..groups {
        let rows = share(tiles.rows(), groups, group);
        let sum = GroupSum { isa, precision, tiles, ci, co, x, gy, zeros: &zeros, rows, accumulate: group > 0 };
        sum.add_to(&mut gradient);
    }
    let taps = weight::gradient(isa, ci, co, &gradient);
    weights::unpack(&taps, ci, co, shape.taps())
}

/// One group of tiles of the weight gradient.
struct GroupSum<'a> {
    isa: Isa,
    precision: Precision,
    tiles: Tiles,
    ci: usize,
    co: usize,
    x: &'a [f32],
    gy: &'a [f32],
    zeros: &'a [f32],
    rows: std::ops::Range<usize>,
    accumulate: bool,
}

impl GroupSum<'_> {
    fn add_to(&self, gradient: &mut [f32]) {
        let GroupSum { isa, precision, tiles, ci, co, accumulate, .. } = *self;
        let (words, count) = (Words::over_images(precision), self.rows.len() * tiles.across);
        let v = Transformed { tiles: count, words: ci };
        let panels = Panels { depth: count, columns: co, lanes: isa.lanes() };
        let d_frequency = panels.len() + GAP;
        let (mut v_buffer, mut d_buffer) = (Scratch::new(v.len()), Scratch::new(FREQUENCIES * d_frequency));
        let (to, d_to) = (SharedMut::new(&mut v_buffer), SharedMut::new(&mut d_buffer));
        (0..self.rows.len()).into_par_iter().for_each(|first| {
            let (row, zeros) = (self.rows.start + first, self.zeros);
            isa.run(InputRow { tiles, channels: ci, x: self.x, zeros, words, row, first, to, layout: v });
            isa.run(GradientRow {
                tiles,
                channels: co,
                gy: self.gy,
                zeros,
                words,
                row,
                first,
                to: d_to,
                panels,
                frequency: d_frequency,
            });
        });
        let rows: Vec<u32> = (0..ci as u32).collect();
        let (cols, c_rows) = (v.rows(), (0..ci).map(|i| (i * co) as u32).collect::<Vec<_>>());
        let (c, c_frequency) = (SharedMut::new(gradient), weight::gradient_frequency(ci, co));
        (0..FREQUENCIES).into_par_iter().for_each(|f| {
            let a = &v_buffer[f * v.frequency()..][..v.frequency()];
            let b = &d_buffer[f * d_frequency..][..panels.len()];
            let c = c.part(f * c_frequency, c_frequency);
            let gemm = Gemm { a, rows: &rows, cols: &cols, b, panels, c, c_rows: &c_rows, accumulate, precision };
            // SAFETY: each frequency has its own part of the gradient, whose rows are consecutive.
            unsafe { gemm.run_parallel(isa) };
        });
    }
}
