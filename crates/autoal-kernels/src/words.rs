//! How the factors of a matrix product lie in memory: in words of 32 bits, each one f32 or two bf16 values that are summed over.
//!
//! With two values in a word, the summed dimension is half as long and one instruction multiplies and adds both. Which two share a word
//! is a matter of what is summed over: neighbouring channels in a convolution, two images in a weight gradient. Buffers of words have
//! the type `[f32]`, because vectors load both alike.

use rayon::prelude::*;

use crate::{
    Isa, Precision,
    memory::Scratch,
    simd::{Kernel, MAX_LANES, Simd},
};

/// What a word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// One f32.
    Single,
    /// Channels `2i` and `2i + 1` of a pixel in bf16; zero for a channel beyond the last.
    Channels,
    /// The same value of images `2i` and `2i + 1` in bf16; zero for an image beyond the last.
    Images,
}

impl Words {
    /// For a sum over channels.
    pub(crate) fn over_channels(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Words::Single,
            Precision::Bf16 => Words::Channels,
        }
    }
    /// For a sum over images and their pixels.
    pub(crate) fn over_images(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Words::Single,
            Precision::Bf16 => Words::Images,
        }
    }
    /// Words that hold this many channels of a pixel.
    #[inline(always)]
    pub(crate) fn of(self, channels: usize) -> usize {
        if self == Words::Channels { channels.div_ceil(2) } else { channels }
    }
    /// Images that share their words.
    #[inline(always)]
    pub(crate) fn images(self) -> usize {
        if self == Words::Images { 2 } else { 1 }
    }

    /// Brings values of pixels of so many channels into words: those of one image, or where two images share words, of these two, the
    /// second of which may be missing.
    pub(crate) fn write(self, isa: Isa, channels: usize, values: [&[f32]; 2], to: &mut [f32]) {
        let [first, second] = values;
        match self {
            Words::Single => to.copy_from_slice(first),
            // With an even number of channels no word spans two pixels, so that all pixels are one row.
            Words::Channels if channels.is_multiple_of(2) => isa.run(ChannelWords { values: first, row: first.len(), to }),
            Words::Channels => isa.run(ChannelWords { values: first, row: channels, to }),
            Words::Images => isa.run(ImageWords { first, second, to }),
        }
    }

    /// The words of all images, each of `image` values, or the images themselves where words are values.
    pub(crate) fn all<'a>(
        self,
        isa: Isa,
        channels: usize,
        image: usize,
        images: &'a [f32],
        scratch: &'a mut Option<Scratch>,
    ) -> &'a [f32] {
        if self == Words::Single {
            return images;
        }
        let (group, words) = (self.images() * image, self.of(channels) * (image / channels));
        let scratch = scratch.insert(Scratch::new(images.len().div_ceil(group) * words));
        let groups = scratch.par_chunks_mut(words).zip(images.par_chunks(group));
        groups.for_each(|(to, images)| self.write(isa, channels, split(images, image), to));
        scratch
    }
}

/// One or two images.
pub(crate) fn split(images: &[f32], image: usize) -> [&[f32]; 2] {
    let (first, second) = images.split_at(image);
    [first, second]
}

/// A word of two values, rounded to bf16.
pub(crate) fn word(low: f32, high: f32) -> f32 {
    f32::from_bits(rounded(low) >> 16 | rounded(high) & 0xffff_0000)
}

/// The bits of a value whose upper half is the nearest bf16 value, of two equally near ones the even; NaN stays NaN.
pub(crate) fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    if value.is_nan() { bits | 0x0040_0000 } else { bits.wrapping_add(0x7fff + (bits >> 16 & 1)) }
}

/// The two values of a word.
pub(crate) fn halves(word: f32) -> [f32; 2] {
    let bits = word.to_bits();
    [f32::from_bits(bits << 16), f32::from_bits(bits & 0xffff_0000)]
}

/// Rounds rows of values; two neighbours of a row share a word.
struct ChannelWords<'a> {
    values: &'a [f32],
    row: usize,
    to: &'a mut [f32],
}

impl Kernel for ChannelWords<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        let rows = self.values.chunks_exact(self.row).zip(self.to.chunks_exact_mut(self.row.div_ceil(2)));
        for (values, to) in rows {
            let mut vectors = values.chunks_exact(V::LANES);
            let mut words = to.chunks_exact_mut(V::LANES / 2);
            for (values, words) in vectors.by_ref().zip(words.by_ref()) {
                // SAFETY: the slices are as long as what is read and written.
                unsafe { V::load(values.as_ptr()).store_halves(words.as_mut_ptr()) };
            }
            let (values, words) = (vectors.remainder(), &mut to[self.row / V::LANES * V::LANES / 2..]);
            if !values.is_empty() {
                let mut last = [0.0; MAX_LANES / 2];
                // SAFETY: the slice is as long as what is read, and no vector is wider than `last`.
                unsafe { V::load_first(values.as_ptr(), values.len()).store_halves(last.as_mut_ptr()) };
                words.copy_from_slice(&last[..words.len()]);
            }
        }
    }
}

/// Rounds two images, or one and zeros; values at the same place share a word.
struct ImageWords<'a> {
    first: &'a [f32],
    second: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for ImageWords<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        debug_assert!(self.second.is_empty() || self.second.len() == self.first.len());
        for (i, (first, to)) in self.first.chunks(V::LANES).zip(self.to.chunks_mut(V::LANES)).enumerate() {
            // SAFETY: the slices are as long as what is read and written.
            unsafe {
                let low = V::load_up_to(first.as_ptr(), first.len());
                let high = match self.second.get(i * V::LANES..i * V::LANES + first.len()) {
                    Some(second) => V::load_up_to(second.as_ptr(), second.len()),
                    None => V::splat(0.0),
                };
                V::pair(low, high).store_up_to(to.as_mut_ptr(), to.len());
            }
        }
    }
}
