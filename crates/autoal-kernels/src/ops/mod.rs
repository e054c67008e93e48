//! The kernels as operations on Burn's tensors, with gradients, on the `flex` device.
//!
//! Tensors have Burn's shape `[batch, channels, rows, columns]`, but results are stored channels-last, as a permuted view: consecutive
//! operations of this module pass activations on without moving them, and Burn's own operations see an ordinary tensor. Inputs in any
//! layout are accepted.

mod backends;
mod batch_norm;
mod conv;
mod fork;
mod optimizer;
mod pool;
mod tensor;

use std::sync::{PoisonError, RwLock};

use burn::{
    backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor},
    tensor::{DType, Device, Tensor},
};

use crate::{
    Isa, Precision,
    conv::ConvShape,
    optimizer::{AdamStep, SgdStep},
};

/// The instruction set of all operations, once [`set_isa`] was called.
static CHOSEN: RwLock<Option<Option<Isa>>> = RwLock::new(None);

/// Makes all operations use this instruction set instead of the best one; with `None`, [`supports`] says no to every tensor. For
/// benchmarks and for narrowing down a fault: results differ in rounding between instruction sets.
pub fn set_isa(isa: Option<Isa>) {
    *CHOSEN.write().unwrap_or_else(PoisonError::into_inner) = Some(isa);
}

fn chosen() -> Option<Isa> {
    CHOSEN.read().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(|| Some(Isa::detect()))
}

fn isa() -> Isa {
    chosen().unwrap_or_else(Isa::detect)
}

/// Whether tensors of this device can be handed to the operations of this module; elsewhere they panic.
pub fn supports(device: &Device) -> bool {
    *device == Device::flex() && chosen().is_some()
}

/// Whether [`Precision::Bf16`] is emulated, and slow.
pub fn emulates_bf16() -> bool {
    !isa().has_bf16()
}

/// How a square kernel moves over an image, and what its products are computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Step between outputs, in input pixels.
    pub stride: usize,
    /// Zero pixels around the input.
    pub padding: usize,
    /// Format of the factors.
    pub precision: Precision,
}

/// Whether a convolution of these tensors can be computed here: on the `flex` device, in f32, with a square kernel.
pub fn supports_conv2d(x: &Tensor<4>, weight: &Tensor<4>, convolution: Convolution) -> bool {
    let [_, inputs, rows, columns] = weight.dims();
    supports(&x.device())
        && (x.dtype(), weight.dtype()) == (DType::F32, DType::F32)
        && rows == columns
        && inputs == x.dims()[1]
        && tensor::conv_shape(x.dims(), weight.dims(), convolution).is_supported()
}

/// Operations that Burn's backends are extended by.
#[backend_extension(Autodiff, Flex)]
pub trait KernelOps: Backend {
    /// See [`conv2d`].
    fn kernel_conv2d(x: FloatTensor<Self>, weight: FloatTensor<Self>, convolution: Convolution) -> FloatTensor<Self>;
    /// See [`batch_norm_act`].
    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// See [`batch_norm_act`].
    fn kernel_batch_norm_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// See [`conv2d_affine_act`].
    fn kernel_conv_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        convolution: Convolution,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
    /// See [`conv2d_affine_act`].
    fn kernel_conv_affine_add(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        convolution: Convolution,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
    /// See [`max_pool2d`].
    fn kernel_max_pool2d(x: FloatTensor<Self>, kernel: usize, stride: usize, padding: usize) -> FloatTensor<Self>;
    /// See [`global_average`].
    fn kernel_global_average(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`fork`].
    fn kernel_fork(x: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// See [`sgd_step`].
    fn kernel_sgd(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// See [`adam_step`].
    fn kernel_adam(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Convolution without bias of `x`, `[batch, in, rows, columns]`, with `weight`, `[out, in, kernel, kernel]`; forward and gradients
/// multiply in the given precision.
///
/// # Panics
/// Where [`supports_conv2d`] is false.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, convolution: Convolution) -> Tensor<4> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as KernelOps>::kernel_conv2d(x, weight, convolution))
}

/// [`conv2d`], then `y * scale + shift` by channel, the addition of `residual` and `ReLU` where asked for: a convolution with its batch norm
/// folded into it, for inference.
///
/// # Panics
/// Where [`supports_conv2d`] is false, if a shape does not fit, and for tensors that track gradients.
pub fn conv2d_affine_act(
    x: Tensor<4>,
    weight: Tensor<4>,
    convolution: Convolution,
    scale: Tensor<1>,
    shift: Tensor<1>,
    residual: Option<Tensor<4>>,
    relu: bool,
) -> Tensor<4> {
    let (x, weight, scale, shift) = (x.into_dispatch(), weight.into_dispatch(), scale.into_dispatch(), shift.into_dispatch());
    Tensor::from_dispatch(match residual {
        None => <Dispatch as KernelOps>::kernel_conv_affine(x, weight, convolution, scale, shift, relu),
        Some(residual) => {
            let residual = residual.into_dispatch();
            <Dispatch as KernelOps>::kernel_conv_affine_add(x, weight, convolution, scale, shift, residual, relu)
        }
    })
}

/// What [`batch_norm_act`] returns.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// The result, of the input's shape.
    pub output: Tensor<4>,
    /// Mean of each channel over the batch, `[channels]`, without gradients.
    pub mean: Tensor<1>,
    /// Biased variance of each channel over the batch, `[channels]`, without gradients.
    pub variance: Tensor<1>,
}

/// Batch normalisation with the batch's statistics, then the addition of `residual` and `ReLU` where asked for.
///
/// # Panics
/// If the device is not supported or a shape does not fit.
pub fn batch_norm_act(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    residual: Option<Tensor<4>>,
    relu: bool,
    epsilon: f64,
) -> Normalised {
    let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    let (output, mean, variance) = match residual {
        None => <Dispatch as KernelOps>::kernel_batch_norm(x, gamma, beta, epsilon, relu),
        Some(r) => <Dispatch as KernelOps>::kernel_batch_norm_add(x, r.into_dispatch(), gamma, beta, epsilon, relu),
    };
    Normalised {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}

/// Largest value of each square window.
///
/// # Panics
/// If the device is not supported, the window is larger than the padded image, or the padding more than half the window.
pub fn max_pool2d(x: Tensor<4>, kernel: usize, stride: usize, padding: usize) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as KernelOps>::kernel_max_pool2d(x.into_dispatch(), kernel, stride, padding))
}

/// Mean of each channel over all pixels: `[batch, channels, rows, columns]` to `[batch, channels]`.
///
/// # Panics
/// If the device is not supported.
pub fn global_average(x: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as KernelOps>::kernel_global_average(x.into_dispatch()))
}

/// The tensor twice, for two consumers that *both* lead to whatever is differentiated: their gradients are added in parallel and in
/// place, instead of by one thread into a new tensor. A gradient that reaches only one of the two is lost.
///
/// # Panics
/// If the device is not supported.
pub fn fork(x: Tensor<4>) -> [Tensor<4>; 2] {
    let (first, second) = <Dispatch as KernelOps>::kernel_fork(x.into_dispatch());
    [Tensor::from_dispatch(first), Tensor::from_dispatch(second)]
}

/// Parameters and velocity after a step of gradient descent, in one pass over memory by all threads; in place where the tensors are not
/// shared. Tensors of one shape, in f32.
///
/// # Panics
/// If the device is not supported or shapes differ, and for tensors that track gradients.
pub fn sgd_step<const D: usize>(x: Tensor<D>, gradient: Tensor<D>, velocity: Tensor<D>, step: SgdStep) -> [Tensor<D>; 2] {
    let (x, gradient, velocity) = (x.into_dispatch(), gradient.into_dispatch(), velocity.into_dispatch());
    let (x, velocity) = <Dispatch as KernelOps>::kernel_sgd(x, gradient, velocity, step);
    [x, velocity].map(Tensor::from_dispatch)
}

/// Parameters and the first and second moments of their gradients after a step of Adam, as [`sgd_step`].
///
/// # Panics
/// If the device is not supported or shapes differ, and for tensors that track gradients.
pub fn adam_step<const D: usize>(x: Tensor<D>, gradient: Tensor<D>, moments: [Tensor<D>; 2], step: AdamStep) -> [Tensor<D>; 3] {
    let (x, gradient, [first, second]) = (x.into_dispatch(), gradient.into_dispatch(), moments.map(Tensor::into_dispatch));
    let (x, first, second) = <Dispatch as KernelOps>::kernel_adam(x, gradient, first, second, step);
    [x, first, second].map(Tensor::from_dispatch)
}
