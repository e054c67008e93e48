//! A generator of small labeled pictures for tests and first steps.
//!
//! Each class has a pattern of slow waves. A picture is its class's pattern, moved by a few pixels, brighter or darker, under noise;
//! `difficulty` trades the pattern's strength for noise. Imbalance, near-duplicates and wrong labels can be added, each alone. Every
//! sample has random numbers of its own, so a pool of another size keeps the pictures of the same ids and classes.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::Parts;
use crate::{DataError, Images, Label, SampleId, Samples, Seed, Split, Stream, SyntheticConfig};

const PATTERN: Stream = Stream::named("synthetic-pattern");
const ORDER: Stream = Stream::named("synthetic-order");
const PICTURE: Stream = Stream::named("synthetic-picture");
const TEST_PICTURE: Stream = Stream::named("synthetic-test-picture");
const DUPLICATE: Stream = Stream::named("synthetic-duplicate");
const LABEL: Stream = Stream::named("synthetic-label");

/// Waves of a class's pattern, in each channel.
const WAVES: usize = 3;
/// Strength of a pattern at difficulty 0, in grey levels: it fills the range without leaving it often.
const CONTRAST: f64 = 90.0;
/// Noise at difficulty 0 and at difficulty 1, in grey levels.
const NOISE: [f64; 2] = [4.0, 80.0];
/// Noise that sets a near-duplicate apart from its original, in grey levels.
const DUPLICATE_NOISE: f64 = 2.0;

/// Makes the pool and the test set.
pub(crate) fn generate(config: &SyntheticConfig) -> Result<Parts, DataError> {
    check(config)?;
    let generator = Generator::new(config);
    let (train, test) = (generator.pool(), generator.test());
    Ok(Parts { origin: "synthetic".into(), train, validation: None, test, class_names: None })
}

fn check(config: &SyntheticConfig) -> Result<(), DataError> {
    let within = |key, value: f64, low: f64, high: f64| {
        let fits = (low..=high).contains(&value);
        if fits { Ok(()) } else { Err(DataError::config(key, format!("expected {low} to {high}, found {value}"))) }
    };
    let count = |key, value: usize, low: usize, high: usize| within(key, value as f64, low as f64, high as f64);
    count("classes", config.classes, 2, 1000)?;
    count("pool-size", config.pool_size, config.classes, 10_000_000)?;
    count("test-size", config.test_size, 1, 10_000_000)?;
    count("image-size", config.image_size, 4, 512)?;
    within("difficulty", config.difficulty, 0.0, 1.0)?;
    within("imbalance", config.imbalance, 1.0, 1e6)?;
    within("near-duplicates", config.near_duplicates, 0.0, 0.95)?;
    within("label-noise", config.label_noise, 0.0, 1.0)?;
    match config.channels {
        1 | 3 => Ok(()),
        channels => Err(DataError::config("channels", format!("expected 1 (grey) or 3 (colour), found {channels}"))),
    }
}

struct Generator<'a> {
    config: &'a SyntheticConfig,
    seed: Seed,
    patterns: Vec<Pattern>,
}

/// Waves of one class: by channel.
type Pattern = Vec<[Wave; WAVES]>;

#[derive(Clone, Copy)]
struct Wave {
    /// Periods over the picture's width and height.
    frequency: [f64; 2],
    phase: f64,
}

impl<'a> Generator<'a> {
    fn new(config: &'a SyntheticConfig) -> Self {
        let seed = Seed(config.generator_seed);
        let pattern = |class: usize| {
            let mut rng = seed.rng(PATTERN.child(class as u64), 0);
            (0..config.channels).map(|_| std::array::from_fn(|_| Wave::random(&mut rng))).collect()
        };
        Self { config, seed, patterns: (0..config.classes).map(pattern).collect() }
    }

    fn pool(&self) -> Split {
        let mut labels = self.shuffled_classes();
        let size = labels.len();
        let mut pictures: Vec<Vec<u8>> = Vec::with_capacity(size);
        let copies = (self.config.near_duplicates * size as f64).round() as usize;
        for (row, label) in labels.iter().enumerate().take(size - copies) {
            pictures.push(self.picture(*label, PICTURE, SampleId(row as u32)));
        }
        for row in size - copies..size {
            let mut rng = self.seed.sample_rng(DUPLICATE, 0, SampleId(row as u32));
            let original = rng.random_range(0..size - copies);
            let copy = pictures[original].iter().map(|value| grey_level(f64::from(*value) + DUPLICATE_NOISE * normal(&mut rng)));
            let copy = copy.collect();
            pictures.push(copy);
            labels[row] = labels[original];
        }
        self.make_labels_wrong(&mut labels);
        self.split(&pictures, labels)
    }

    fn test(&self) -> Split {
        let labels: Vec<Label> = (0..self.config.test_size).map(|row| Label((row % self.config.classes) as u16)).collect();
        let pictures: Vec<Vec<u8>> =
            labels.iter().enumerate().map(|(row, label)| self.picture(*label, TEST_PICTURE, SampleId(row as u32))).collect();
        self.split(&pictures, labels)
    }

    fn split(&self, pictures: &[Vec<u8>], labels: Vec<Label>) -> Split {
        let images = Images::new(pictures.concat(), self.config.image_size, self.config.image_size, self.config.channels);
        let samples = Samples::Images(images.expect("sizes were checked"));
        Split { samples, labels, sources: Vec::new() }
    }

    /// Class frequencies fall geometrically from the first class to the last, which has the first one's share over the imbalance.
    fn shuffled_classes(&self) -> Vec<Label> {
        let (classes, size) = (self.config.classes, self.config.pool_size);
        let weights: Vec<f64> =
            (0..classes).map(|class| self.config.imbalance.powf(-(class as f64) / (classes - 1) as f64)).collect();
        let total: f64 = weights.iter().sum();
        // Each class has one sample whatever its share.
        let mut counts: Vec<usize> = weights.iter().map(|weight| ((size as f64 * weight / total) as usize).max(1)).collect();
        let sum: usize = counts.iter().sum();
        counts[0] = (counts[0] + size).saturating_sub(sum).max(1);
        let mut labels: Vec<Label> =
            counts.iter().enumerate().flat_map(|(class, count)| std::iter::repeat_n(Label(class as u16), *count)).collect();
        labels.truncate(size);
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|row| (self.seed.hash(ORDER, 0, SampleId(*row as u32)), *row));
        order.into_iter().map(|row| labels[row]).collect()
    }

    fn make_labels_wrong(&self, labels: &mut [Label]) {
        let wrong = (self.config.label_noise * labels.len() as f64).round() as usize;
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|row| (self.seed.hash(LABEL, 0, SampleId(*row as u32)), *row));
        for row in order.into_iter().take(wrong) {
            let mut rng = self.seed.sample_rng(LABEL.child(1), 0, SampleId(row as u32));
            let shift = rng.random_range(1..self.config.classes);
            labels[row] = Label(((labels[row].class() + shift) % self.config.classes) as u16);
        }
    }

    /// One picture of a class, `[row, column, channel]`.
    fn picture(&self, label: Label, stream: Stream, id: SampleId) -> Vec<u8> {
        let mut rng = self.seed.sample_rng(stream.child(u64::from(label.0)), 0, id);
        let side = self.config.image_size;
        let difficulty = self.config.difficulty;
        let noise = NOISE[0] + (NOISE[1] - NOISE[0]) * difficulty;
        let contrast = CONTRAST * (1.0 - difficulty) * rng.random_range(0.7..1.3);
        let brightness = 128.0 + rng.random_range(-20.0..20.0);
        // Up to an eighth of the picture in each direction.
        let shift = [(); 2].map(|()| rng.random_range(-0.125..0.125));
        let mut pixels = Vec::with_capacity(side * side * self.config.channels);
        for row in 0..side {
            for column in 0..side {
                let at = [column as f64 / side as f64 + shift[0], row as f64 / side as f64 + shift[1]];
                for waves in &self.patterns[label.class()] {
                    let pattern = waves.iter().map(|wave| wave.height(at)).sum::<f64>() / WAVES as f64;
                    pixels.push(grey_level(brightness + contrast * pattern + noise * normal(&mut rng)));
                }
            }
        }
        pixels
    }
}

impl Wave {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        Self { frequency: [(); 2].map(|()| rng.random_range(-2.0..2.0)), phase: rng.random_range(0.0..TAU) }
    }

    fn height(self, at: [f64; 2]) -> f64 {
        (TAU * (self.frequency[0] * at[0] + self.frequency[1] * at[1]) + self.phase).sin()
    }
}

/// A number of about the standard normal distribution: the sum of twelve uniform ones, less six. It needs no function whose rounding
/// differs between machines.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let sum: u64 = (0..6).map(|_| rng.next_u64()).map(|bits| (bits >> 32) + (bits & 0xffff_ffff)).sum();
    sum as f64 / f64::from(u32::MAX) - 6.0
}

fn grey_level(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}
