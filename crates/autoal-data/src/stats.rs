//! Facts about a data set: samples of each class, imbalance, channel means and deviations.

use rayon::prelude::*;
use serde::Serialize;

use crate::split::class_counts;
use crate::{Dataset, Images, InputShape, Normalization, Samples, Split};

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

/// Facts about all parts of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatasetStatistics {
    /// Its name.
    pub name: String,
    /// Shape of one sample.
    pub shape: InputShape,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The pool.
    pub train: SplitStatistics,
    /// For model selection.
    pub validation: Option<SplitStatistics>,
    /// What accuracy is reported on.
    pub test: SplitStatistics,
    /// Channel means and deviations of the pool's pixels, scaled to 0..1; `None` for features.
    pub channels: Option<Normalization>,
    /// The constants that training uses; `None` for features.
    pub normalization: Option<Normalization>,
    /// SHA-256 over samples and labels.
    pub digest: String,
}

/// Facts about one part of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SplitStatistics {
    /// Number of samples.
    pub samples: usize,
    /// Samples of each class.
    pub class_counts: Vec<usize>,
    /// Samples of the most frequent class over those of the rarest that occurs.
    pub imbalance_ratio: f64,
}

impl DatasetStatistics {
    /// Counts and measures a data set.
    pub fn of(dataset: &Dataset) -> Self {
        let classes = dataset.num_classes();
        Self {
            name: dataset.name.clone(),
            shape: dataset.train.samples.shape(),
            classes: dataset.classes.clone(),
            train: SplitStatistics::of(&dataset.train, classes),
            validation: dataset.validation.as_ref().map(|split| SplitStatistics::of(split, classes)),
            test: SplitStatistics::of(&dataset.test, classes),
            channels: match &dataset.train.samples {
                Samples::Images(images) => Some(channel_statistics(images)),
                Samples::Features(_) => None,
            },
            normalization: dataset.normalization.clone(),
            digest: dataset.digest.clone(),
        }
    }
}

impl SplitStatistics {
    /// Counts the labels of a part with so many classes.
    pub fn of(split: &Split, classes: usize) -> Self {
        let class_counts = class_counts(&split.labels, classes);
        let occurring = class_counts.iter().copied().filter(|count| *count > 0);
        let ratio = occurring.clone().max().zip(occurring.min()).map(|(most, least)| most as f64 / least as f64);
        Self { samples: split.len(), class_counts, imbalance_ratio: ratio.unwrap_or(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;

    #[test]
    fn means_and_deviations_are_those_of_the_scaled_pixels() {
        // Channel 0: 0, 255, 0, 255; channel 1: 51 throughout; channel 2: 0, 51, 102, 153.
        let pixels = vec![0, 51, 0, 255, 51, 51, 0, 51, 102, 255, 51, 153];
        let statistics = channel_statistics(&Images::new(pixels, 2, 2, 3).expect("one image"));
        let close = |found: f32, expected: f64| (f64::from(found) - expected).abs() < 1e-6;
        for (found, expected) in statistics.mean.iter().zip([0.5, 0.2, 0.3]) {
            assert!(close(*found, expected), "{found} {expected}");
        }
        // The population's deviation of 0, 0.2, 0.4, 0.6 is sqrt(0.05).
        for (found, expected) in statistics.std.iter().zip([0.5, 1.0, 0.05_f64.sqrt()]) {
            assert!(close(*found, expected), "{found} {expected}");
        }
    }

    #[test]
    fn classes_that_do_not_occur_are_counted_but_no_part_of_the_ratio() {
        let images = Images::new(vec![0; 7], 1, 1, 1).expect("seven images");
        let labels = [0, 0, 0, 0, 2, 2, 0].map(Label).to_vec();
        let statistics = SplitStatistics::of(&Split { samples: Samples::Images(images), labels, sources: Vec::new() }, 4);
        assert_eq!(statistics.class_counts, [5, 0, 2, 0]);
        assert_eq!(statistics.imbalance_ratio, 2.5);
    }
}
