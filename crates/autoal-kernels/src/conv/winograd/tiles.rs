//! From pixels into the transformed space and back, one row of tiles at a time.

use super::{super::ConvShape, FREQUENCIES, Transformed, transform};
use crate::{
    gemm::Panels,
    memory::SharedMut,
    simd::{Kernel, Simd},
    words::Words,
};

/// Output pixels along a tile.
const TILE: usize = 4;

/// The tiles of all images, or of all groups of images that share words. Rows of tiles are counted through all groups.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    batch: usize,
    /// Images that share words.
    group: usize,
    height: usize,
    width: usize,
    down: usize,
    /// Tiles in a row.
    pub(super) across: usize,
}

impl Tiles {
    pub(super) fn new(shape: &ConvShape, words: Words) -> Self {
        let (batch, height, width) = (shape.batch, shape.height, shape.width);
        Tiles { batch, group: words.images(), height, width, down: height.div_ceil(TILE), across: width.div_ceil(TILE) }
    }
    /// Rows of tiles in all groups.
    pub(super) fn rows(self) -> usize {
        self.batch.div_ceil(self.group) * self.down
    }
    /// Tiles in all groups.
    pub(super) fn count(self) -> usize {
        self.rows() * self.across
    }
    /// The first pixel of a row of tiles, of images that do not share words; for the row behind the last, the number of pixels.
    pub(super) fn first_pixel(self, row: usize) -> usize {
        (row / self.down * self.height + row % self.down * TILE) * self.width
    }
    /// Pixels in all images.
    pub(super) fn pixels(self) -> usize {
        self.batch * self.height * self.width
    }

    /// The index of pixel `(y, x)` of a tile in the `member`-th image of its group, counted from `before` pixels above and left of its
    /// first; `None` outside the image and beyond the last image.
    #[inline(always)]
    fn pixel(self, [row, tile]: [usize; 2], member: usize, before: usize, y: usize, x: usize) -> Option<usize> {
        let image = row / self.down * self.group + member;
        // Outside on the low side wraps to a large number and fails the same comparison.
        let y = ((row % self.down) * TILE + y).wrapping_sub(before);
        let x = (tile * TILE + x).wrapping_sub(before);
        (y < self.height && x < self.width && image < self.batch).then(|| (image * self.height + y) * self.width + x)
    }

    /// Pointers to the `N x N` pixels of a tile; those outside the image point to zeros.
    #[inline(always)]
    fn pointers<const N: usize>(
        self,
        tile: [usize; 2],
        member: usize,
        before: usize,
        images: &[f32],
        zeros: &[f32],
        channels: usize,
    ) -> [[*const f32; N]; N] {
        debug_assert!(zeros.len() >= channels);
        let mut pointers = [[zeros.as_ptr(); N]; N];
        for (y, line) in pointers.iter_mut().enumerate() {
            for (x, pointer) in line.iter_mut().enumerate() {
                if let Some(pixel) = self.pixel(tile, member, before, y, x) {
                    *pointer = images[pixel * channels..][..channels].as_ptr();
                }
            }
        }
        pointers
    }
}

/// Reads one vector of channels of each pixel.
///
/// # Safety
/// Each pointer must be valid for `min(count, V::LANES)` values from `offset` on.
#[inline(always)]
unsafe fn load<V: Simd, const N: usize>(pointers: &[[*const f32; N]; N], offset: usize, count: usize) -> [[V; N]; N] {
    let mut square = [[V::splat(0.0); N]; N];
    for y in 0..N {
        for x in 0..N {
            // SAFETY: as the caller promises.
            square[y][x] = unsafe { V::load_up_to(pointers[y][x].add(offset), count) };
        }
    }
    square
}

/// Transforms one row of input tiles: `B^T d B`.
pub(super) struct InputRow<'a> {
    pub(super) tiles: Tiles,
    pub(super) channels: usize,
    pub(super) x: &'a [f32],
    /// At least `channels` zeros.
    pub(super) zeros: &'a [f32],
    /// What is written.
    pub(super) words: Words,
    /// The row of tiles, counted through all groups.
    pub(super) row: usize,
    /// The row of tiles, counted within the destination.
    pub(super) first: usize,
    pub(super) to: SharedMut<'a>,
    pub(super) layout: Transformed,
}

impl Kernel for InputRow<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        for tile in 0..self.tiles.across {
            let pixels = |member| self.tiles.pointers::<6>([self.row, tile], member, 1, self.x, self.zeros, self.channels);
            let pointers = [pixels(0), if self.words == Words::Images { pixels(1) } else { [[self.zeros.as_ptr(); 6]; 6] }];
            let to = (self.first * self.tiles.across + tile) * self.layout.row();
            for offset in (0..self.channels).step_by(V::LANES) {
                let count = self.channels - offset;
                let to = to + self.words.of(offset);
                // SAFETY: each pointer is valid for `channels` values; this tile's row of each frequency is written by this call only,
                // and holds the words of `channels` values and a gap.
                unsafe {
                    if count >= V::LANES {
                        self.vector::<V>(&pointers, offset, V::LANES, to);
                    } else {
                        self.vector::<V>(&pointers, offset, count, to);
                    }
                }
            }
        }
    }
}

impl InputRow<'_> {
    #[inline(always)]
    unsafe fn vector<V: Simd>(&self, pointers: &[[[*const f32; 6]; 6]; 2], offset: usize, count: usize, to: usize) {
        let [first, second] = pointers;
        // SAFETY: as the caller argues; half a vector of words beyond the last channel's lies in the gap.
        unsafe {
            let transformed = transform::input_tile(load::<V, 6>(first, offset, count));
            let at = |f: usize, count: usize| self.to.at(f * self.layout.frequency() + to, count);
            match self.words {
                Words::Single => {
                    for f in 0..FREQUENCIES {
                        transformed[f / 6][f % 6].store_up_to(at(f, count.min(V::LANES)), count);
                    }
                }
                Words::Channels => {
                    for f in 0..FREQUENCIES {
                        transformed[f / 6][f % 6].store_halves(at(f, V::LANES / 2));
                    }
                }
                Words::Images => {
                    let second = transform::input_tile(load::<V, 6>(second, offset, count));
                    for f in 0..FREQUENCIES {
                        let words = V::pair(transformed[f / 6][f % 6], second[f / 6][f % 6]);
                        words.store_up_to(at(f, count.min(V::LANES)), count);
                    }
                }
            }
        }
    }
}

/// Transforms one row of output gradient tiles, `A dY A^T`, into panels.
pub(super) struct GradientRow<'a> {
    pub(super) tiles: Tiles,
    pub(super) channels: usize,
    pub(super) gy: &'a [f32],
    pub(super) zeros: &'a [f32],
    /// What is written: single values, or those of two images.
    pub(super) words: Words,
    pub(super) row: usize,
    pub(super) first: usize,
    pub(super) to: SharedMut<'a>,
    pub(super) panels: Panels,
    /// Floats from the panels of one frequency to those of the next.
    pub(super) frequency: usize,
}

impl Kernel for GradientRow<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        for tile in 0..self.tiles.across {
            let pixels = |member| self.tiles.pointers::<4>([self.row, tile], member, 0, self.gy, self.zeros, self.channels);
            let pointers = [pixels(0), if self.words == Words::Images { pixels(1) } else { [[self.zeros.as_ptr(); 4]; 4] }];
            let k = self.first * self.tiles.across + tile;
            for vector in 0..self.panels.vectors() {
                let offset = vector * V::LANES;
                let count = self.channels - offset;
                let to = self.panels.at(vector, k);
                // SAFETY: each pointer is valid for `channels` values; a whole vector of the panels belongs to this tile.
                unsafe {
                    if count >= V::LANES {
                        self.vector::<V>(&pointers, offset, V::LANES, to);
                    } else {
                        self.vector::<V>(&pointers, offset, count, to);
                    }
                }
            }
        }
    }
}

impl GradientRow<'_> {
    #[inline(always)]
    unsafe fn vector<V: Simd>(&self, pointers: &[[[*const f32; 4]; 4]; 2], offset: usize, count: usize, to: usize) {
        let [first, second] = pointers;
        // SAFETY: as the caller argues.
        unsafe {
            let transformed = transform::output_gradient_tile(load::<V, 4>(first, offset, count));
            let at = |f: usize| self.to.at(f * self.frequency + to, V::LANES);
            if self.words == Words::Images {
                let second = transform::output_gradient_tile(load::<V, 4>(second, offset, count));
                for f in 0..FREQUENCIES {
                    V::pair(transformed[f / 6][f % 6], second[f / 6][f % 6]).store(at(f));
                }
            } else {
                for f in 0..FREQUENCIES {
                    transformed[f / 6][f % 6].store(at(f));
                }
            }
        }
    }
}

/// Transforms one row of product tiles into output pixels: `A^T m A`.
pub(super) struct OutputRow<'a> {
    pub(super) tiles: Tiles,
    pub(super) channels: usize,
    pub(super) from: &'a [f32],
    pub(super) layout: Transformed,
    pub(super) row: usize,
    pub(super) first: usize,
    pub(super) out: SharedMut<'a>,
}

impl Kernel for OutputRow<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Simd>(self) {
        for tile in 0..self.tiles.across {
            let from = (self.first * self.tiles.across + tile) * self.layout.row();
            for offset in (0..self.channels).step_by(V::LANES) {
                let count = self.channels - offset;
                // SAFETY: this tile's row of each frequency holds `channels` values, and the output pixels of a tile belong to it alone.
                unsafe {
                    if count >= V::LANES {
                        self.vector::<V>(tile, from + offset, offset, V::LANES);
                    } else {
                        self.vector::<V>(tile, from + offset, offset, count);
                    }
                }
            }
        }
    }
}

impl OutputRow<'_> {
    #[inline(always)]
    unsafe fn vector<V: Simd>(&self, tile: usize, from: usize, offset: usize, count: usize) {
        let mut square = [[V::splat(0.0); 6]; 6];
        for f in 0..FREQUENCIES {
            let at = f * self.layout.frequency() + from;
            debug_assert!(at + count.min(V::LANES) <= self.from.len());
            // SAFETY: as the caller argues.
            square[f / 6][f % 6] = unsafe { V::load_up_to(self.from.as_ptr().add(at), count) };
        }
        let pixels = transform::output_tile(square);
        for y in 0..TILE {
            for x in 0..TILE {
                if let Some(pixel) = self.tiles.pixel([self.row, tile], 0, 0, y, x) {
                    // SAFETY: as the caller argues.
                    unsafe {
                        let to = self.out.at(pixel * self.channels + offset, count.min(V::LANES));
                        pixels[y][x].store_up_to(to, count);
                    }
                }
            }
        }
    }
}
