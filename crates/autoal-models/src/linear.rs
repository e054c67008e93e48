//! A linear layer in PyTorch's layout.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::init;

/// `y = x · weightᵀ + bias`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Param<Tensor<2>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    /// A layer with PyTorch's first weights: uniform within `1 / sqrt(inputs)`.
    pub fn init(inputs: usize, outputs: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let weight = init::linear_uniform([outputs, inputs], inputs, rng, device);
        let bias = init::linear_uniform([outputs], inputs, rng, device);
        Self { weight, bias }
    }

    /// The same layer with all parameters at 0, so that every output is 0.
    #[must_use]
    pub fn zeroed(self) -> Self {
        Self { weight: self.weight.map(zeros), bias: self.bias.map(zeros) }
    }

    /// `[batch, in]` to `[batch, out]`.
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        input.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze::<2>()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.weight.dims()[0]
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.weight.dims()[1]
    }
}

/// Zeros in place of a parameter, learned where the parameter was.
fn zeros<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let learned = tensor.is_require_grad();
    let zeros = tensor.detach().zeros_like();
    if learned { zeros.require_grad() } else { zeros }
}
