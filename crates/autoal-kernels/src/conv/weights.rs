//! Weights between PyTorch's order `[out, in, kernel, kernel]` and the panels of the matrix product.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    gemm::Panels,
    memory::{Scratch, SharedMut, filled},
    simd::MAX_LANES,
    words::{Words, word},
};

/// Packs a matrix into panels, in parallel over vectors of columns: `fill(k, first, to)` writes row `k` from column `first` on.
pub(crate) fn pack(panels: Panels, fill: impl Fn(usize, usize, &mut [f32]) + Sync) -> Scratch {
    let mut packed = Scratch::new(panels.len());
    let out = SharedMut::new(&mut packed);
    (0..panels.vectors()).into_par_iter().for_each(|vector| {
        let first = vector * panels.lanes;
        let used = (panels.columns - first).min(panels.lanes);
        for k in 0..panels.depth {
            // SAFETY: `at` lies within the panels, and each vector of columns is written by one thread.
            let to = unsafe { std::slice::from_raw_parts_mut(out.at(panels.at(vector, k), panels.lanes), panels.lanes) };
            let (to, beyond) = to.split_at_mut(used);
            fill(k, first, to);
            beyond.fill(0.0);
        }
    });
    packed
}

/// Packs a matrix whose rows are the channels of some pixels or taps: `fill(pixel, channel, first, to)` writes the row of a channel from
/// column `first` on, and neighbouring channels share words where `words` says so.
pub(crate) fn pack_channels(
    panels: Panels,
    words: Words,
    channels: usize,
    fill: impl Fn(usize, usize, usize, &mut [f32]) + Sync,
) -> Scratch {
    let per_pixel = words.of(channels);
    if words != Words::Channels {
        return pack(panels, |k, first, to| fill(k / per_pixel, k % per_pixel, first, to));
    }
    pack(panels, |k, first, to| {
        let (pixel, channel) = (k / per_pixel, 2 * (k % per_pixel));
        let mut rows = [[0.0; MAX_LANES]; 2];
        for (channel, row) in (channel..channels).zip(&mut rows) {
            fill(pixel, channel, first, &mut row[..to.len()]);
        }
        let [low, high] = rows;
        to.iter_mut().zip(low.into_iter().zip(high)).for_each(|(to, (low, high))| *to = word(low, high));
    })
}

/// Packs a matrix that is stored in rows.
pub(crate) fn pack_rows(panels: Panels, rows: &[f32]) -> Scratch {
    pack(panels, |k, first, to| to.copy_from_slice(&rows[k * panels.columns + first..][..to.len()]))
}

/// Input and output channels of the blocks in which weights are moved between orders, so that both sides of a move stay in the
/// first-level cache: their rows lie powers of two apart, where few of them find room.
const BLOCK: [usize; 2] = [16, 16];

/// Calls `f` with the input and output channels of each block of the `block`-th group of output channels.
fn blocks(channels: [usize; 2], block: usize, mut f: impl FnMut(Range<usize>, Range<usize>)) {
    let [inputs, outputs] = channels;
    let output = block * BLOCK[1]..((block + 1) * BLOCK[1]).min(outputs);
    for first in (0..inputs).step_by(BLOCK[0]) {
        f(first..(first + BLOCK[0]).min(inputs), output.clone());
    }
}

/// Weights `[out, in, tap]` in the order `[tap, in, out]`.
pub(crate) fn taps_in_out(weight: &[f32], [inputs, outputs]: [usize; 2], taps: usize) -> Scratch {
    let mut moved = Scratch::new(weight.len());
    let to = SharedMut::new(&mut moved);
    (0..outputs.div_ceil(BLOCK[1])).into_par_iter().for_each(|block| {
        blocks([inputs, outputs], block, |input, output| {
            for tap in 0..taps {
                for i in input.clone() {
                    let at = (tap * inputs + i) * outputs + output.start;
                    // SAFETY: each group of output channels is written by one thread.
                    let to = unsafe { std::slice::from_raw_parts_mut(to.at(at, output.len()), output.len()) };
                    let from = weight[(output.start * inputs + i) * taps + tap..].iter().step_by(inputs * taps);
                    to.iter_mut().zip(from).for_each(|(to, &value)| *to = value);
                }
            }
        });
    });
    moved
}

/// Weights `[out, in, tap]` in the order `[tap, out, in]`.
pub(crate) fn taps_out_in(weight: &[f32], [inputs, outputs]: [usize; 2], taps: usize) -> Scratch {
    let mut moved = Scratch::new(weight.len());
    let to = SharedMut::new(&mut moved);
    weight.par_chunks(inputs * taps).enumerate().for_each(|(output, from)| {
        for tap in 0..taps {
            // SAFETY: each output channel is written by one thread.
            let to = unsafe { std::slice::from_raw_parts_mut(to.at((tap * outputs + output) * inputs, inputs), inputs) };
            to.iter_mut().zip(from[tap..].iter().step_by(taps)).for_each(|(to, &value)| *to = value);
        }
    });
    moved
}

/// Brings a gradient from `[tap, in, out]` into `[out, in, tap]`.
pub(crate) fn unpack(gradient: &[f32], inputs: usize, outputs: usize, taps: usize) -> Vec<f32> {
    let row = inputs * taps;
    let fill = |weight: SharedMut<'_>| {
        (0..outputs.div_ceil(BLOCK[1])).into_par_iter().for_each(|block| {
            blocks([inputs, outputs], block, |input, output| {
                for tap in 0..taps {
                    for i in input.clone() {
                        let from = &gradient[(tap * inputs + i) * outputs..][output.clone()];
                        for (o, &value) in output.clone().zip(from) {
                            // SAFETY: each group of output channels is written by one thread.
                            unsafe { weight.at(o * row + i * taps + tap, 1).write(value) };
                        }
                    }
                }
            });
        });
    };
    // SAFETY: the blocks cover all pairs of channels, each with all taps.
    unsafe { filled(outputs * row, fill) }
}
