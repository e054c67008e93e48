//! Sizes of a convolution and the choice of the algorithm.

/// Sizes of a convolution with a square kernel, equal stride and zero padding on all sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Step between outputs, in input pixels.
    pub stride: usize,
    /// Zero pixels around the input.
    pub padding: usize,
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Winograd's F(4x4, 3x3): 36 multiplications for 16 outputs instead of 144.
    Winograd,
    /// One matrix product from all pixels to all pixels.
    Dense,
    /// A matrix product over patches.
    Gather,
}

/// What Winograd's transforms cost beyond its multiplications, as a factor on these; roughly what was measured at 64 channels.
const WINOGRAD_OVERHEAD: f64 = 1.3;

/// Channels below which Winograd's transforms outweigh what they save.
const WINOGRAD_CHANNELS: usize = 8;

impl ConvShape {
    /// Rows of the output.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }
    /// Columns of the output.
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }
    /// Elements of the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.in_channels
    }
    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.out_channels
    }
    /// Elements of the weights.
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.in_channels * self.taps()
    }
    /// Weights between one pair of channels.
    pub fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Whether these kernels compute the shape at all: no empty dimension, a kernel that fits, and offsets within 32 bits.
    pub fn is_supported(&self) -> bool {
        let sizes = [self.batch, self.in_channels, self.out_channels, self.height, self.width, self.kernel, self.stride];
        let fits = self.height.min(self.width) + 2 * self.padding >= self.kernel;
        let padded = self.batch * (self.height + 2 * self.padding + self.stride) * (self.width + 2 * self.padding + self.stride);
        let pixels = padded * self.in_channels.max(self.out_channels);
        sizes.iter().all(|&size| size > 0) && fits && pixels.max(self.weight_len() * self.taps()) < u32::MAX as usize / 2
    }

    /// The algorithm with the fewest multiplications for one image and pair of channels.
    pub fn algorithm(&self) -> Algorithm {
        let (inputs, outputs) = (self.height * self.width, self.out_height() * self.out_width());
        let winograd = if self.is_winograd() {
            (self.height.div_ceil(4) * self.width.div_ceil(4) * 36) as f64 * WINOGRAD_OVERHEAD
        } else {
            f64::INFINITY
        };
        let (dense, gather) = ((inputs * outputs) as f64, (self.taps() * outputs) as f64);
        if dense <= gather && dense <= winograd {
            Algorithm::Dense
        } else if winograd < gather {
            Algorithm::Winograd
        } else {
            Algorithm::Gather
        }
    }

    fn is_winograd(&self) -> bool {
        (self.kernel, self.stride, self.padding) == (3, 1, 1) && self.in_channels.min(self.out_channels) >= WINOGRAD_CHANNELS
    }
}
