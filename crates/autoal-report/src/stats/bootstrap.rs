//! The bootstrap over seeds.
//!
//! Its generator has a fixed key, so the same results give the same report.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;

use super::rank::average_ranks;
use super::{CONFIDENCE, mean};

/// Resamples of every bootstrap in a report.
pub const RESAMPLES: usize = 10_000;

const KEY: u64 = 0x00A1_0A1B_0075;

/// Calls `each` with the indices of `resamples` draws of `n` out of `n` with replacement.
pub fn resample(n: usize, resamples: usize, mut each: impl FnMut(&[usize])) {
    let mut rng = ChaCha8Rng::seed_from_u64(KEY);
    let mut drawn = vec![0; n];
    for _ in 0..resamples {
        // Lemire's multiply-shift; its bias for n seeds is n / 2^32.
        for index in &mut drawn {
            *index = ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize;
        }
        each(&drawn);
    }
}

/// The value below which a share `p` of `sorted` lies, with linear interpolation; none of no values.
pub fn percentile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64))
}

/// Percentile interval of the mean; none of no values.
pub fn mean_interval(values: &[f64], resamples: usize) -> Option<(f64, f64)> {
    let mut means = Vec::with_capacity(resamples);
    resample(values.len(), resamples, |drawn| means.extend(mean(&drawn.iter().map(|&i| values[i]).collect::<Vec<_>>())));
    means.sort_by(f64::total_cmp);
    Some((percentile(&means, (1.0 - CONFIDENCE) / 2.0)?, percentile(&means, f64::midpoint(1.0, CONFIDENCE))?))
}

/// Where a strategy stands among the others, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rank {
    /// Rank of the mean over all seeds; 1 is best.
    pub rank: f64,
    /// Percentile interval of the rank over resampled seeds.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Share of resamples in which the strategy is alone the best.
    pub best: f64,
}

/// Ranks strategies by their mean over seeds. `values[strategy][seed]`, higher is better, the same seeds for all: a resample draws seeds,
/// not values, so that what the seeds have in common cancels. None without seeds.
pub fn ranking(values: &[Vec<f64>], resamples: usize) -> Option<Vec<Rank>> {
    let seeds = values.first()?.len();
    let ranks_of = |drawn: &[usize]| {
        let means = values.iter().map(|v| mean(&drawn.iter().map(|&i| -v[i]).collect::<Vec<_>>()));
        means.collect::<Option<Vec<f64>>>().map(|m| average_ranks(&m))
    };
    let all: Vec<usize> = (0..seeds).collect();
    let observed = ranks_of(&all)?;
    let mut drawn_ranks = vec![Vec::with_capacity(resamples); values.len()];
    resample(seeds, resamples, |drawn| {
        for (list, rank) in drawn_ranks.iter_mut().zip(ranks_of(drawn).into_iter().flatten()) {
            list.push(rank);
        }
    });
    let rank = |(rank, mut drawn): (f64, Vec<f64>)| {
        drawn.sort_by(f64::total_cmp);
        let low = percentile(&drawn, (1.0 - CONFIDENCE) / 2.0)?;
        let high = percentile(&drawn, f64::midpoint(1.0, CONFIDENCE))?;
        let best = drawn.iter().filter(|r| **r == 1.0).count() as f64 / resamples as f64;
        Some(Rank { rank, low, high, best })
    };
    observed.into_iter().zip(drawn_ranks).map(rank).collect()
}
