//! Batch normalisation (Ioffe and Szegedy, 2015) with what follows it in a residual network: an optional addition, an optional `ReLU`.
//!
//! Activations are channels-last: `rows` of `channels` values, a row for each pixel of each image. Forward takes two passes over memory
//! and backward two; the `ReLU`'s mask is computed again from the input where there is no addition. Sums are taken in f32 over blocks of
//! rows whose size depends on the number of channels alone, then in f64 over the blocks in order.

mod kernels;

use rayon::prelude::*;

use self::kernels::{GradientSums, InputGradient, Sums};
use crate::{
    Isa,
    memory::{SharedMut, filled},
};

/// What an affine map of the channels is followed by.
#[derive(Clone, Copy, Debug)]
pub struct After<'a> {
    /// Added to the result, of the same size.
    pub residual: Option<&'a [f32]>,
    /// Whether negative values become zero, after the addition.
    pub relu: bool,
}

/// Mean and biased variance of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// `[channels]`
    pub mean: Vec<f32>,
    /// `[channels]`, divided by the number of values.
    pub variance: Vec<f32>,
}

/// Parameters of the normalisation.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// Factor of each channel.
    pub gamma: &'a [f32],
    /// Offset of each channel.
    pub beta: &'a [f32],
    /// Added to the variance.
    pub epsilon: f64,
}

/// Gradients of a normalisation.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// By the input.
    pub input: Vec<f32>,
    /// By the residual, where asked for.
    pub residual: Option<Vec<f32>>,
    /// By the factors.
    pub gamma: Vec<f32>,
    /// By the offsets.
    pub beta: Vec<f32>,
}

/// Where a gradient passes backward.
#[derive(Clone, Copy, Debug)]
pub enum Gate<'a> {
    /// Everywhere: there was no `ReLU`.
    Open,
    /// Where the normalised input was positive: a `ReLU` followed at once.
    Normalised,
    /// Where this output was positive: a `ReLU` followed the addition of a residual.
    Output(&'a [f32]),
}

/// A batch norm with known statistics, and what follows it: `x * scale + shift` by channel, then the rest.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Factor of each channel.
    pub scale: &'a [f32],
    /// Offset of each channel.
    pub shift: &'a [f32],
    /// What follows; the residual has the size of the whole output.
    pub after: After<'a>,
}

impl Affine<'_> {
    /// Maps values that lie at `at` of the whole output, where they are.
    ///
    /// # Safety
    /// The values must be initialised, and no other thread may access them meanwhile.
    pub(crate) unsafe fn in_place(&self, isa: Isa, at: usize, values: SharedMut<'_>) {
        let Affine { scale, shift, after: After { residual, relu } } = *self;
        let residual = residual.map(|r| &r[at..at + values.len()]);
        isa.run(kernels::Affine { x: None, scale, shift, residual, relu, to: values });
    }

    /// The same by all threads.
    pub(crate) fn in_place_parallel(&self, isa: Isa, values: &mut [f32]) {
        let block = block(self.scale.len());
        values.par_chunks_mut(block).enumerate().for_each(|(i, values)| {
            // SAFETY: each block of a slice is one thread's alone.
            unsafe { self.in_place(isa, i * block, SharedMut::new(values)) };
        });
    }
}

/// Floats in a block: a block of the operands stays in a second-level cache.
const BLOCK_FLOATS: usize = 16 << 10;

/// Rows in a block at most, so that f32 sums stay short.
const BLOCK_ROWS: usize = 256;

/// Floats in a block of `channels` channels.
fn block(channels: usize) -> usize {
    channels * (BLOCK_FLOATS / channels).clamp(1, BLOCK_ROWS)
}

/// `x * scale + shift`, one factor and offset a channel, then what comes `after`.
///
/// # Panics
/// If lengths do not fit.
pub fn affine(isa: Isa, x: &[f32], scale: &[f32], shift: &[f32], after: After<'_>) -> Vec<f32> {
    let channels = scale.len();
    assert!(x.len().is_multiple_of(channels) && shift.len() == channels, "{} values of {channels} channels", x.len());
    assert!(after.residual.is_none_or(|r| r.len() == x.len()), "the residual has the size of the input");
    let block = block(channels);
    let fill = |out: SharedMut<'_>| {
        x.par_chunks(block).enumerate().for_each(|(i, x)| {
            let at = i * block;
            let (to, residual) = (out.part(at, x.len()), after.residual.map(|r| &r[at..at + x.len()]));
            isa.run(kernels::Affine { x: Some(x), scale, shift, residual, relu: after.relu, to });
        });
    };
    // SAFETY: the blocks cover the output and each is written whole.
    unsafe { filled(x.len(), fill) }
}

/// Normalises with the batch's own statistics, which are returned as well.
///
/// # Panics
/// If lengths do not fit.
pub fn forward(isa: Isa, x: &[f32], parameters: Parameters<'_>, after: After<'_>) -> (Vec<f32>, Statistics) {
    let statistics = statistics(isa, x, parameters.gamma.len());
    let (scale, shift) = fold(parameters, &statistics);
    (affine(isa, x, &scale, &shift, after), statistics)
}

/// Mean and biased variance of each channel of `x`.
///
/// # Panics
/// If `x` is not made of rows of `channels`.
pub fn statistics(isa: Isa, x: &[f32], channels: usize) -> Statistics {
    assert!(!x.is_empty() && x.len().is_multiple_of(channels), "{} values of {channels} channels", x.len());
    // Sums of differences from some value of the same channel do not cancel when a mean is far from zero.
    let origin = &x[..channels];
    let partial = |x: &[f32]| {
        let mut sums = vec![0.0; 2 * channels];
        isa.run(Sums { x, origin, sums: &mut sums });
        sums
    };
    let total = add_up(x.par_chunks(block(channels)).map(partial).collect(), channels);
    let count = (x.len() / channels) as f64;
    let of = |c: usize| {
        let (sum, square) = (total[c] / count, total[channels + c] / count);
        ((f64::from(origin[c]) + sum) as f32, (square - sum * sum).max(0.0) as f32)
    };
    let (mean, variance) = (0..channels).map(of).unzip();
    Statistics { mean, variance }
}

/// The affine map that normalises: factor and offset of each channel.
pub fn fold(parameters: Parameters<'_>, statistics: &Statistics) -> (Vec<f32>, Vec<f32>) {
    let of = |c: usize| {
        let scale = f64::from(parameters.gamma[c]) * inverse_deviation(statistics.variance[c], parameters.epsilon);
        (scale as f32, (f64::from(parameters.beta[c]) - f64::from(statistics.mean[c]) * scale) as f32)
    };
    (0..parameters.gamma.len()).map(of).unzip()
}

fn inverse_deviation(variance: f32, epsilon: f64) -> f64 {
    1.0 / (f64::from(variance) + epsilon).sqrt()
}

/// Gradients of [`forward`], from the gradient `gy` by its output. `statistics` are those that it returned.
///
/// # Panics
/// If lengths do not fit.
pub fn backward(
    isa: Isa,
    x: &[f32],
    gy: &[f32],
    parameters: Parameters<'_>,
    statistics: &Statistics,
    gate: Gate<'_>,
    with_residual: bool,
) -> Gradients {
    let channels = parameters.gamma.len();
    assert!(x.len() == gy.len() && x.len().is_multiple_of(channels), "{} and {} values", x.len(), gy.len());
    assert!(statistics.mean.len() == channels, "statistics of {} channels for {channels}", statistics.mean.len());
    let (scale, shift) = fold(parameters, statistics);
    let block = block(channels);
    let gate_of = |i: usize, len: usize| match gate {
        Gate::Output(y) => Gate::Output(&y[i * block..][..len]),
        other => other,
    };
    let mean = &statistics.mean[..];
    let partial = |(i, (x, gy)): (usize, (&[f32], &[f32]))| {
        let mut sums = vec![0.0; 2 * channels];
        let gate = gate_of(i, x.len());
        isa.run(GradientSums { x, gy, mean, scale: &scale, shift: &shift, gate, sums: &mut sums });
        sums
    };
    let total = add_up(x.par_chunks(block).zip(gy.par_chunks(block)).enumerate().map(partial).collect(), channels);
    let map = GradientMap::new(parameters, statistics, &total, x.len() / channels);
    let mut residual = Vec::new();
    let mut fill_residual = |input: SharedMut<'_>| {
        let fill = |to_residual: Option<SharedMut<'_>>| {
            x.par_chunks(block).zip(gy.par_chunks(block)).enumerate().for_each(|(i, (x, gy))| {
                let (to, gate) = (input.part(i * block, x.len()), gate_of(i, x.len()));
                let residual = to_residual.map(|r| r.part(i * block, x.len()));
                isa.run(InputGradient { x, gy, mean, scale: &scale, shift: &shift, gate, map: &map, to, residual });
            });
        };
        if with_residual {
            // SAFETY: the blocks cover the gradient and each is written whole.
            residual = unsafe { filled(x.len(), |r| fill(Some(r))) };
        } else {
            fill(None);
        }
    };
    // SAFETY: the blocks cover the gradient and each is written whole.
    let input = unsafe { filled(x.len(), &mut fill_residual) };
    Gradients { input, residual: with_residual.then_some(residual), gamma: map.gamma, beta: map.beta }
}

/// `gx = g * scale + (x - mean) * slope + offset`, with `g` the gradient behind the gate.
struct GradientMap {
    slope: Vec<f32>,
    offset: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl GradientMap {
    /// From the sums over each channel of `g` and of `g * (x - mean)`.
    fn new(parameters: Parameters<'_>, statistics: &Statistics, total: &[f64], count: usize) -> Self {
        let channels = parameters.gamma.len();
        let mut map = GradientMap { slope: vec![], offset: vec![], gamma: vec![], beta: vec![] };
        for c in 0..channels {
            let inverse = inverse_deviation(statistics.variance[c], parameters.epsilon);
            let (beta, gamma) = (total[c], total[channels + c] * inverse);
            let factor = -f64::from(parameters.gamma[c]) * inverse / count as f64;
            map.slope.push((factor * gamma * inverse) as f32);
            map.offset.push((factor * beta) as f32);
            map.gamma.push(gamma as f32);
            map.beta.push(beta as f32);
        }
        map
    }
}

/// Adds the blocks' sums in the order of the blocks.
fn add_up(partial: Vec<Vec<f32>>, channels: usize) -> Vec<f64> {
    let mut total = vec![0.0; 2 * channels];
    for sums in partial {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(sum));
    }
    total
}
