//! Two-dimensional convolution without bias or dilation: forward, input gradient and weight gradient.
//!
//! Activations are channels-last, `[batch, height, width, channels]`: vectors run over channels, so images of one or two pixels cost no
//! more than their arithmetic, and no transposition is needed between layers. Weights and their gradients keep PyTorch's order
//! `[out, in, kernel, kernel]`. Three algorithms share the work, chosen by shape alone, hence reproducibly:
//!
//! - `winograd`: F(4x4, 3x3) for 3x3 kernels with stride and padding 1;
//! - `dense`: images hardly larger than the kernel, as one matrix product over all pixels;
//! - `gather`: everything else, a matrix product over patches addressed in place.

mod dense;
mod gather;
mod shape;
mod weights;
mod winograd;

pub use shape::{Algorithm, ConvShape};

use crate::{Arithmetic, batch_norm::Affine};

/// Convolves `x` (`[batch, height, width, in]`) with `weight` (`[out, in, kernel, kernel]`); returns
/// `[batch, out height, out width, out]`.
///
/// # Panics
/// If the shape is not supported, or a slice's length does not fit it.
pub fn forward(arithmetic: impl Into<Arithmetic>, shape: &ConvShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    convolve(arithmetic.into(), shape, x, weight, None)
}

/// [`forward`] with a folded batch norm and what follows it, applied to outputs while they are in a cache.
///
/// # Panics
/// If the shape is not supported, or a slice's length does not fit it.
pub fn forward_affine(
    arithmetic: impl Into<Arithmetic>,
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    affine: Affine<'_>,
) -> Vec<f32> {
    let channels = (affine.scale.len(), affine.shift.len());
    assert_eq!(channels, (shape.out_channels, shape.out_channels), "affine map behind {shape:?}");
    assert!(affine.after.residual.is_none_or(|r| r.len() == shape.output_len()), "residual of {shape:?}");
    convolve(arithmetic.into(), shape, x, weight, Some(affine))
}

fn convolve(arithmetic: Arithmetic, shape: &ConvShape, x: &[f32], weight: &[f32], affine: Option<Affine<'_>>) -> Vec<f32> {
    assert!(shape.is_supported(), "{shape:?}");
    assert_eq!(x.len(), shape.input_len(), "input of {shape:?}");
    assert_eq!(weight.len(), shape.weight_len(), "weight of {shape:?}");
    match shape.algorithm() {
        Algorithm::Winograd => winograd::convolve(arithmetic, shape, x, weight, winograd::Direction::Forward(affine)),
        Algorithm::Dense => dense::forward(arithmetic, shape, x, weight, affine),
        Algorithm::Gather => gather::forward(arithmetic, shape, x, weight, affine),
    }
}

/// Gradient of the loss by the input, from the gradient `gy` by the output.
///
/// # Panics
/// If the shape is not supported, or a slice's length does not fit it.
pub fn input_gradient(arithmetic: impl Into<Arithmetic>, shape: &ConvShape, gy: &[f32], weight: &[f32]) -> Vec<f32> {
    assert!(shape.is_supported(), "{shape:?}");
    assert_eq!(gy.len(), shape.output_len(), "output gradient of {shape:?}");
    assert_eq!(weight.len(), shape.weight_len(), "weight of {shape:?}");
    let arithmetic = arithmetic.into();
    match shape.algorithm() {
        Algorithm::Winograd => winograd::convolve(arithmetic, shape, gy, weight, winograd::Direction::InputGradient),
        Algorithm::Dense => dense::input_gradient(arithmetic, shape, gy, weight),
        Algorithm::Gather => gather::input_gradient(arithmetic, shape, gy, weight),
    }
}

/// Gradient of the loss by the weights, from the input and the gradient `gy` by the output.
///
/// # Panics
/// If the shape is not supported, or a slice's length does not fit it.
pub fn weight_gradient(arithmetic: impl Into<Arithmetic>, shape: &ConvShape, x: &[f32], gy: &[f32]) -> Vec<f32> {
    assert!(shape.is_supported(), "{shape:?}");
    assert_eq!(x.len(), shape.input_len(), "input of {shape:?}");
    assert_eq!(gy.len(), shape.output_len(), "output gradient of {shape:?}");
    let arithmetic = arithmetic.into();
    match shape.algorithm() {
        Algorithm::Winograd => winograd::weight_gradient(arithmetic, shape, x, gy),
        Algorithm::Dense => dense::weight_gradient(arithmetic, shape, x, gy),
        Algorithm::Gather => gather::weight_gradient(arithmetic, shape, x, gy),
    }
}
