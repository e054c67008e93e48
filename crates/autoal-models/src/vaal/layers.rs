//! Layers of the two players.

use burn::module::{Module, Param};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, activation};
use rand::Rng;

use crate::init;
use crate::linear::Linear;

/// Hidden units of the discriminator.
const HIDDEN: usize = 512;

/// Tells labeled from unlabeled latent vectors.
#[derive(Module, Debug)]
pub(super) struct Discriminator {
    hidden: Vec<Linear>,
    output: Linear,
}

impl Discriminator {
    pub(super) fn init(latent: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let hidden = vec![Linear::init(latent, HIDDEN, rng, device), Linear::init(HIDDEN, HIDDEN, rng, device)];
        Self { hidden, output: Linear::init(HIDDEN, 1, rng, device) }
    }

    /// Log-odds of being labeled, `[B]`, of latent vectors `[B, latent]`.
    pub(super) fn forward(&self, latent: Tensor<2>) -> Tensor<1> {
        let hidden = self.hidden.iter().fold(latent, |x, layer| activation::relu(layer.forward(x)));
        self.output.forward(hidden).squeeze_dim::<1>(1)
    }
}

/// A 3x3 convolution with bias.
#[derive(Module, Debug)]
pub(super) struct Conv3x3 {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    stride: usize,
}

impl Conv3x3 {
    pub(super) fn init(inputs: usize, outputs: usize, stride: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let weight = init::kaiming_fan_out([outputs, inputs, 3, 3], rng, device);
        Self { weight, bias: init::constant(0.0, [outputs], device), stride }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions { stride: [self.stride; 2], padding: [(1, 1); 2], dilation: [1, 1], groups: 1 };
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// Repeats each pixel to twice the size, then cuts to `size`, `[rows, columns]`.
pub(super) fn enlarge(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [batch, channels, rows, columns] = x.dims();
    let doubled = x.reshape([batch * channels, rows, 1, columns, 1]).expand([batch * channels, rows, 2, columns, 2]).reshape([
        batch,
        channels,
        2 * rows,
        2 * columns,
    ]);
    doubled.narrow(2, 0, size[0]).narrow(3, 0, size[1])
}
