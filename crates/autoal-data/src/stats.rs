//! Facts about a data set: samples of each class, imbalance, channel means and deviations.

use rayon::prelude::*;

use crate::{Images, Normalization};

/// Mean and standard deviation of each channel, of pixels scaled to 0..1. Sums are of whole numbers, so the result is the same for
/// any number of threads. A channel that never changes gets deviation 1.
pub fn channel_statistics(images: &Images) -> Normalization {
    let channels = images.channels();
    let histogram = images.pixels().par_chunks(channels << 16).map(|chunk| count(chunk, channels)).reduce(
        || vec![[0_u64; 256]; channels],
        |mut a, b| {
            a.iter_mut().flatten().zip(b.iter().flatten()).for_each(|(a, b)| *a += b);
            a
        },
    );
    let moments = histogram.iter().map(|counts| {
        let sum = |f: fn(u64) -> u64| counts.iter().zip(0..).map(|(count, value)| count * f(value)).sum::<u64>() as f64;
        let total = sum(|_| 1).max(1.0);
        let mean = sum(|value| value) / total;
        let variance = (sum(|value| value * value) / total - mean * mean).max(0.0);
        (mean / 255.0, if variance > 0.0 { variance.sqrt() / 255.0 } else { 1.0 })
    });
    let (mean, std) = moments.map(|(mean, std)| (mean as f32, std as f32)).unzip();
    Normalization { mean, std }
}

fn count(pixels: &[u8], channels: usize) -> Vec<[u64; 256]> {
    let mut histogram = vec![[0; 256]; channels];
    for pixel in pixels.chunks_exact(channels) {
        for (counts, value) in histogram.iter_mut().zip(pixel) {
            counts[usize::from(*value)] += 1;
        }
    }
    histogram
}
