//! Views of samples: which row, shifted and mirrored how.
//!
//! A view is drawn for each (seed, stream, round, sample), so it depends neither on the order of a batch nor on other samples.

use autoal_data::{SampleId, Seed, Stream};
use rand::RngExt;

use crate::config::AugmentConfig;

/// One look at a sample; features ignore all but the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// Row of the samples.
    pub(crate) row: usize,
    /// Rows by which the image moves down; what comes in is black.
    pub(crate) down: isize,
    /// Columns by which the image moves right.
    pub(crate) right: isize,
    /// Mirrored left to right, after the shift.
    pub(crate) flip: bool,
}

impl View {
    /// The sample as it is.
    pub(crate) fn plain(row: usize) -> Self {
        Self { row, down: 0, right: 0, flip: false }
    }

    /// A view drawn for one sample. A crop of a padded image is a shift of up to `crop_padding` pixels.
    pub(crate) fn drawn(config: AugmentConfig, seed: Seed, stream: Stream, round: u32, sample: SampleId) -> Self {
        if config == AugmentConfig::default() {
            return Self::plain(sample.row());
        }
        let mut rng = seed.sample_rng(stream, round, sample);
        let padding = config.crop_padding as i64;
        let mut shift = || if padding > 0 { rng.random_range(-padding..=padding) as isize } else { 0 };
        let (down, right) = (shift(), shift());
        Self { row: sample.row(), down, right, flip: config.flip && rng.random::<bool>() }
    }
}
