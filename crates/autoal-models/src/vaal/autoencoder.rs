//! Variational autoencoders (Kingma and Welling, ICLR 2014) over images and over features.

use autoal_data::InputShape;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use rand::Rng;

use super::layers::{Conv3x3, enlarge};
use crate::Input;
use crate::linear::Linear;

/// Channels after each halving of the image.
const CHANNELS: [usize; 4] = [32, 64, 128, 128];
/// Hidden units over features.
const HIDDEN: usize = 128;

/// A Gaussian for each sample, `[B, latent]` each.
pub(super) struct Latent {
    pub(super) mean: Tensor<2>,
    log_variance: Tensor<2>,
}

impl Latent {
    /// A draw from standard normal `noise` of the same shape.
    pub(super) fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + (self.log_variance.clone() * 0.5).exp() * noise
    }

    /// Kullback-Leibler divergence from the standard normal, in nats, mean over the batch, `[1]`.
    pub(super) fn divergence(&self) -> Tensor<1> {
        let mean_squared = self.mean.clone().powi_scalar(2);
        let terms = self.log_variance.clone().exp() + mean_squared - self.log_variance.clone() - 1.0;
        terms.sum_dim(1).mean() * 0.5
    }
}

/// Encoder and decoder.
#[derive(Module, Debug)]
pub(super) enum Autoencoder {
    Images(ImageAutoencoder),
    Features(FeatureAutoencoder),
}

#[derive(Module, Debug)]
pub(super) struct ImageAutoencoder {
    encoder: Vec<Conv3x3>,
    moments: Linear,
    start: Linear,
    decoder: Vec<Conv3x3>,
    /// Size of the image before each halving, `[rows, columns]`, and after the last.
    #[module(skip)]
    sizes: Vec<[usize; 2]>,
}

#[derive(Module, Debug)]
pub(super) struct FeatureAutoencoder {
    encoder: Linear,
    moments: Linear,
    decoder: Vec<Linear>,
}

impl Autoencoder {
    pub(super) fn init(shape: InputShape, latent: usize, rng: &mut impl Rng, device: &Device) -> Self {
        match shape {
            InputShape::Image { channels, height, width } => {
                Self::Images(ImageAutoencoder::init([channels, height, width], latent, rng, device))
            }
            InputShape::Features { dim } => Self::Features(FeatureAutoencoder {
                encoder: Linear::init(dim, HIDDEN, rng, device),
                moments: Linear::init(HIDDEN, 2 * latent, rng, device),
                decoder: vec![Linear::init(latent, HIDDEN, rng, device), Linear::init(HIDDEN, dim, rng, device)],
            }),
        }
    }

    pub(super) fn encode(&self, input: &Input) -> Latent {
        let moments = match (self, input) {
            (Self::Images(net), Input::Images(x)) => net.moments(x.clone()),
            (Self::Features(net), Input::Features(x)) => net.moments.forward(activation::relu(net.encoder.forward(x.clone()))),
            _ => unreachable!("an encoder makes inputs of the shape that the autoencoder was built for"),
        };
        let parts = moments.chunk(2, 1);
        Latent { mean: parts[0].clone(), log_variance: parts[1].clone() }
    }

    /// Mean squared error of rebuilding `input` from `latent`, `[1]`.
    pub(super) fn error(&self, latent: Tensor<2>, input: Input) -> Tensor<1> {
        match (self, input) {
            (Self::Images(net), Input::Images(x)) => mean_square((net.decode(latent) - x).flatten(1, 3)),
            (Self::Features(net), Input::Features(x)) => {
                let hidden = activation::relu(net.decoder[0].forward(latent));
                mean_square(net.decoder[1].forward(hidden) - x)
            }
            _ => unreachable!("an encoder makes inputs of the shape that the autoencoder was built for"),
        }
    }
}

impl ImageAutoencoder {
    fn init([channels, height, width]: [usize; 3], latent: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let mut sizes = vec![[height, width]];
        let (mut encoder, mut decoder, mut inputs) = (Vec::new(), Vec::new(), channels);
        for outputs in CHANNELS {
            let [rows, columns] = sizes[sizes.len() - 1];
            sizes.push([rows.div_ceil(2), columns.div_ceil(2)]);
            encoder.push(Conv3x3::init(inputs, outputs, 2, rng, device));
            decoder.push(Conv3x3::init(outputs, inputs, 1, rng, device));
            inputs = outputs;
        }
        let [rows, columns] = sizes[sizes.len() - 1];
        let flat = inputs * rows * columns;
        let moments = Linear::init(flat, 2 * latent, rng, device);
        Self { encoder, moments, start: Linear::init(latent, flat, rng, device), decoder, sizes }
    }

    fn moments(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.encoder.iter().fold(images, |x, layer| activation::relu(layer.forward(x)));
        self.moments.forward(x.flatten::<2>(1, 3))
    }

    fn decode(&self, latent: Tensor<2>) -> Tensor<4> {
        let batch = latent.dims()[0];
        let [rows, columns] = self.sizes[self.sizes.len() - 1];
        let mut x = self.start.forward(latent).reshape([batch, CHANNELS[CHANNELS.len() - 1], rows, columns]);
        for (layer, size) in self.decoder.iter().zip(&self.sizes).rev() {
            x = layer.forward(enlarge(activation::relu(x), *size));
        }
        x
    }
}

/// Mean of squares, `[1]`: first over each row, because a sum over millions of values at once depends on the number of threads.
fn mean_square(x: Tensor<2>) -> Tensor<1> {
    x.powi_scalar(2).mean_dim(1).mean()
}
