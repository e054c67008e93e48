//! Samples and their names: images stay `u8` in memory, features are `f32` rows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names one sample of the pool: its row in the training split, for the whole life of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleId(pub u32);

impl SampleId {
    /// The row of the training split that this id names.
    pub fn row(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for SampleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A class, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(pub u16);

impl Label {
    /// The class number as an index.
    pub fn class(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The shape of one sample as a network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputShape {
    /// An image of `channels` planes.
    Image {
        /// 1 (grey) or 3 (RGB).
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A feature vector.
    Features {
        /// Its length.
        dim: usize,
    },
}

/// Images of one size, `u8`, laid out `[sample, row, column, channel]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    pixels: Vec<u8>,
    height: usize,
    width: usize,
    channels: usize,
}

impl Images {
    /// Wraps `pixels` in the layout `[sample, row, column, channel]`; `None` when their number is not a multiple of the image size or
    /// the size is zero.
    pub fn new(pixels: Vec<u8>, height: usize, width: usize, channels: usize) -> Option<Self> {
        let size = height.checked_mul(width)?.checked_mul(channels)?;
        (size > 0 && pixels.len().is_multiple_of(size)).then_some(Self { pixels, height, width, channels })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / (self.height * self.width * self.channels)
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Channels of an image: 1 or 3.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// One image, `[row, column, channel]`.
    pub fn get(&self, index: usize) -> &[u8] {
        let size = self.height * self.width * self.channels;
        &self.pixels[index * size..(index + 1) * size]
    }

    /// All pixels, `[sample, row, column, channel]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The images of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { pixels: gather(rows, |row| self.get(row)), ..*self }
    }
}

/// Feature vectors, `f32`, laid out `[sample, dimension]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    dim: usize,
}

impl Features {
    /// Wraps `values` in the layout `[sample, dimension]`; `None` when their number is not a multiple of `dim` or `dim` is zero.
    pub fn new(values: Vec<f32>, dim: usize) -> Option<Self> {
        (dim > 0 && values.len().is_multiple_of(dim)).then_some(Self { values, dim })
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Length of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One vector.
    pub fn get(&self, index: usize) -> &[f32] {
        &self.values[index * self.dim..(index + 1) * self.dim]
    }

    /// All values, `[sample, dimension]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The vectors of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { values: gather(rows, |row| self.get(row)), dim: self.dim }
    }
}

/// The inputs of a split: pictures, or vectors that some other network made of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Pictures.
    Images(Images),
    /// Feature vectors.
    Features(Features),
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Images(images) => images.len(),
            Self::Features(features) => features.len(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Images(images) => Self::Images(images.select(rows)),
            Self::Features(features) => Self::Features(features.select(rows)),
        }
    }

    /// These samples and then those of `other`; `None` when one sample of each has not the same shape.
    pub fn concat(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            _ if self.shape() != other.shape() => None,
            (Self::Images(a), Self::Images(b)) => Some(Self::Images(Images { pixels: [a.pixels(), b.pixels()].concat(), ..*a })),
            (Self::Features(a), Self::Features(b)) => {
                Some(Self::Features(Features { values: [a.values(), b.values()].concat(), dim: a.dim }))
            }
            _ => None,
        }
    }

    /// Shape of one sample.
    pub fn shape(&self) -> InputShape {
        match self {
            Self::Images(images) => InputShape::Image { channels: images.channels, height: images.height, width: images.width },
            Self::Features(features) => InputShape::Features { dim: features.dim },
        }
    }
}

fn gather<'a, T: Copy + 'a>(rows: &[usize], get: impl Fn(usize) -> &'a [T]) -> Vec<T> {
    rows.iter().map(|row| get(*row)).collect::<Vec<_>>().concat()
}
