//! Weights between PyTorch's order `[out, in, kernel, kernel]` and the panels of the matrix product.

use rayon::prelude::*;

use crate::{
    gemm::Panels,
    memory::{Scratch, SharedMut, filled},
    simd::MAX_LANES,
    words::{Words, word},
};

/// Packs a matrix into panels, in parallel over vectors of columns: `fill(k, first, to)` writes row `k` from column `first` on. The rows
/// are written in the given order, which should be that in which `fill` reads its memory.
fn pack<I: Iterator<Item = usize>>(
    panels: Panels,
    order: impl Fn() -> I + Sync,
    fill: impl Fn(usize, usize, &mut [f32]) + Sync,
) -> Scratch {
    let mut packed = Scratch::new(panels.len());
    let out = SharedMut::new(&mut packed);
    (0..panels.vectors()).into_par_iter().for_each(|vector| {
        let first = vector * panels.lanes;
        let used = (panels.columns - first).min(panels.lanes);
        for k in order() {
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
/// column `first` on, and neighbouring channels share words where `words` says so. A channel's pixels come one after the other, because
/// the weights of a pair of channels lie side by side.
pub(crate) fn pack_channels(
    panels: Panels,
    words: Words,
    channels: usize,
    fill: impl Fn(usize, usize, usize, &mut [f32]) + Sync,
) -> Scratch {
    let per_pixel = words.of(channels);
    let order = || (0..per_pixel).flat_map(|word| (word..panels.depth).step_by(per_pixel));
    if words != Words::Channels {
        return pack(panels, order, |k, first, to| fill(k / per_pixel, k % per_pixel, first, to));
    }
    pack(panels, order, |k, first, to| {
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
    pack(panels, || 0..panels.depth, |k, first, to| to.copy_from_slice(&rows[k * panels.columns + first..][..to.len()]))
}

/// Input and output channels that [`unpack`] moves together: both sides of the move stay in the first-level cache, in which rows that
/// lie powers of two apart find little room.
const BLOCK: usize = 16;

/// Brings a gradient from `[tap, in, out]` into `[out, in, tap]`.
pub(crate) fn unpack(gradient: &[f32], inputs: usize, outputs: usize, taps: usize) -> Vec<f32> {
    let row = inputs * taps;
    let fill = |weight: SharedMut<'_>| {
        (0..outputs.div_ceil(BLOCK)).into_par_iter().for_each(|block| {
            let output = block * BLOCK..((block + 1) * BLOCK).min(outputs);
            for (first, tap) in (0..inputs).step_by(BLOCK).flat_map(|first| (0..taps).map(move |tap| (first, tap))) {
                for input in first..(first + BLOCK).min(inputs) {
                    let from = &gradient[(tap * inputs + input) * outputs..][output.clone()];
                    for (o, &value) in output.clone().zip(from) {
                        // SAFETY: each group of output channels is written by one thread.
                        unsafe { weight.at(o * row + input * taps + tap, 1).write(value) };
                    }
                }
            }
        });
    };
    // SAFETY: the blocks cover all pairs of channels, each with all taps.
    unsafe { filled(outputs * row, fill) }
}
