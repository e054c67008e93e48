//! Pooling over channels-last activations. Inner loops run over channels, which compilers vectorise; nothing here is unsafe.

use rayon::prelude::*;

/// Sizes of a max-pooling with a square window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolShape {
    /// Channels.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Rows and columns of the window, at most 15.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Pixels around the input that never win; at most half the window.
    pub padding: usize,
}

impl PoolShape {
    /// Rows of the output.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }
    /// Columns of the output.
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }
    fn input_len(&self) -> usize {
        self.height * self.width * self.channels
    }
    fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.channels
    }

    /// Where the input pixel under a tap of an output pixel starts; `None` in the padding.
    fn input_at(&self, output: usize, tap: usize) -> Option<usize> {
        let y = (output / self.out_width() * self.stride + tap / self.kernel).checked_sub(self.padding)?;
        let x = (output % self.out_width() * self.stride + tap % self.kernel).checked_sub(self.padding)?;
        (y < self.height && x < self.width).then(|| (y * self.width + x) * self.channels)
    }
}

/// The largest value of each window, and which tap of the window it was: the first of equal ones; NaN wins, as in PyTorch.
pub fn max_pool(shape: &PoolShape, x: &[f32]) -> (Vec<f32>, Vec<u8>) {
    let images = x.len() / shape.input_len();
    let mut y = vec![0.0; images * shape.output_len()];
    let mut winners = vec![0; y.len()];
    let outputs = y.par_chunks_mut(shape.output_len()).zip(winners.par_chunks_mut(shape.output_len()));
    outputs.zip(x.par_chunks(shape.input_len())).for_each(|((y, winners), x)| {
        let pixels = y.chunks_exact_mut(shape.channels).zip(winners.chunks_exact_mut(shape.channels));
        for (output, (y, winners)) in pixels.enumerate() {
            max_of_window(shape, x, output, y, winners);
        }
    });
    (y, winners)
}

fn max_of_window(shape: &PoolShape, x: &[f32], output: usize, y: &mut [f32], winners: &mut [u8]) {
    let mut first = true;
    for tap in 0..shape.kernel * shape.kernel {
        let Some(at) = shape.input_at(output, tap) else { continue };
        let x = &x[at..at + shape.channels];
        if std::mem::take(&mut first) {
            y.copy_from_slice(x);
            winners.fill(tap as u8);
            continue;
        }
        for ((y, winner), &x) in y.iter_mut().zip(winners.iter_mut()).zip(x) {
            let wins = x > *y || x.is_nan();
            *y = if wins { x } else { *y };
            *winner = if wins { tap as u8 } else { *winner };
        }
    }
}

/// Gradient of [`max_pool`] by its input.
pub fn max_pool_gradient(shape: &PoolShape, gy: &[f32], winners: &[u8]) -> Vec<f32> {
    let images = gy.len() / shape.output_len();
    let mut gx = vec![0.0; images * shape.input_len()];
    let outputs = gy.par_chunks(shape.output_len()).zip(winners.par_chunks(shape.output_len()));
    outputs.zip(gx.par_chunks_mut(shape.input_len())).for_each(|((gy, winners), gx)| {
        let pixels = gy.chunks_exact(shape.channels).zip(winners.chunks_exact(shape.channels));
        for (output, (gy, winners)) in pixels.enumerate() {
            for (channel, (&gy, &winner)) in gy.iter().zip(winners).enumerate() {
                let at = shape.input_at(output, winner as usize).expect("a winner is a pixel of the input");
                gx[at + channel] += gy;
            }
        }
    });
    gx
}

/// Mean of each channel over the pixels of each image, `[batch, channels]`.
pub fn global_average(x: &[f32], pixels: usize, channels: usize) -> Vec<f32> {
    let mut y = vec![0.0; x.len() / pixels];
    y.par_chunks_mut(channels).zip(x.par_chunks(pixels * channels)).for_each(|(y, x)| {
        for pixel in x.chunks_exact(channels) {
            y.iter_mut().zip(pixel).for_each(|(y, x)| *y += x);
        }
        for y in y {
            *y /= pixels as f32;
        }
    });
    y
}

/// Gradient of [`global_average`] by its input.
pub fn global_average_gradient(gy: &[f32], pixels: usize, channels: usize) -> Vec<f32> {
    let mut gx = vec![0.0; gy.len() * pixels];
    gx.par_chunks_mut(pixels * channels).zip(gy.par_chunks(channels)).for_each(|(gx, gy)| {
        for pixel in gx.chunks_exact_mut(channels) {
            pixel.iter_mut().zip(gy).for_each(|(gx, gy)| *gx = gy / pixels as f32);
        }
    });
    gx
}
