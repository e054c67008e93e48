//! Networks over features: no hidden layer (`linear`), or hidden layers with `ReLU` (`mlp`).

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use rand::Rng;

use crate::linear::Linear;

/// Hidden layers; with none, the features themselves are the embedding.
#[derive(Module, Debug)]
pub(crate) struct FeatureNet {
    hidden: Vec<Linear>,
    #[module(skip)]
    width: usize,
}

impl FeatureNet {
    pub(crate) fn init(dim: usize, hidden: &[usize], rng: &mut impl Rng, device: &Device) -> Self {
        let mut width = dim;
        let hidden = hidden
            .iter()
            .map(|outputs| {
                let layer = Linear::init(width, *outputs, rng, device);
                width = *outputs;
                layer
            })
            .collect();
        Self { hidden, width }
    }

    /// Length of the embedding.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// `[batch, dim]` to `[batch, width]`.
    pub(crate) fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.hidden.iter().fold(features, |x, layer| activation::relu(layer.forward(x)))
    }
}
