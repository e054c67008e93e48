//! First weights, drawn on the host: a seed gives the same start on every device.
//!
//! torchvision's rules for ResNet (Kaiming normal, fan-out, for convolutions; batch norm at 1 and 0) and PyTorch's for linear layers
//! (uniform within `1 / sqrt(fan_in)`, biases too).

use burn::module::Param;
use burn::tensor::{Device, Shape, Tensor, TensorData};
use rand::{Rng, RngExt};

/// A parameter with these values, row-major.
pub(crate) fn parameter<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, Shape::new(shape)), device))
}

/// A tensor that belongs to the network's state but is never learned.
pub(crate) fn buffer(value: f32, len: usize, device: &Device) -> Param<Tensor<1>> {
    parameter(vec![value; len], [len], device).set_require_grad(false)
}

/// A parameter with one value everywhere.
pub(crate) fn constant<const D: usize>(value: f32, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    parameter(vec![value; shape.iter().product()], shape, device)
}

/// Weight of a convolution, `[out, in, rows, columns]`: normal with variance `2 / (out * rows * columns)` (He et al., 2015, fan-out).
pub(crate) fn kaiming_fan_out(shape: [usize; 4], rng: &mut impl Rng, device: &Device) -> Param<Tensor<4>> {
    let std = (2.0 / (shape[0] * shape[2] * shape[3]) as f64).sqrt();
    let len: usize = shape.iter().product();
    let mut values = Vec::with_capacity(len + 1);
    while values.len() < len {
        let (a, b) = normal_pair(rng);
        values.push((a * std) as f32);
        values.push((b * std) as f32);
    }
    values.truncate(len);
    parameter(values, shape, device)
}

/// A parameter of a linear layer: uniform within `1 / sqrt(fan_in)`.
pub(crate) fn linear_uniform<const D: usize>(
    shape: [usize; D],
    fan_in: usize,
    rng: &mut impl Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let bound = 1.0 / (fan_in as f64).sqrt();
    let len: usize = shape.iter().product();
    let values = (0..len).map(|_| ((rng.random::<f64>() * 2.0 - 1.0) * bound) as f32).collect();
    parameter(values, shape, device)
}

/// Two independent standard normal numbers (Box and Muller, 1958).
pub(crate) fn normal_pair(rng: &mut impl Rng) -> (f64, f64) {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
    (radius * cos, radius * sin)
}
