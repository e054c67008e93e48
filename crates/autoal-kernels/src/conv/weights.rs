//! Weights between PyTorch's order `[out, in, kernel, kernel]` and the panels of the matrix product.

use rayon::prelude::*;

use crate::{
    gemm::Panels,
    memory::{Scratch, SharedMut},
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

/// Output channels that [`unpack`] writes together: their weights' cache lines stay in the second-level cache.
const CHANNELS: usize = 16;

/// Brings a gradient from `[tap, in, out]` (rows of `out_channels`) into `[out, in, tap]`.
pub(crate) fn unpack(gradient: &[f32], in_channels: usize, out_channels: usize, taps: usize) -> Vec<f32> {
    let row = in_channels * taps;
    let mut weight = vec![0.0; out_channels * row];
    weight.par_chunks_mut(CHANNELS * row).enumerate().for_each(|(block, weight)| {
        let first = block * CHANNELS;
        for channel in 0..in_channels {
            for tap in 0..taps {
                let from = &gradient[(tap * in_channels + channel) * out_channels + first..];
                for (to, &value) in weight.chunks_exact_mut(row).zip(from) {
                    to[channel * taps + tap] = value;
                }
            }
        }
    });
    weight
}
