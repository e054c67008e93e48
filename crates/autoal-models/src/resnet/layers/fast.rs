//! The same layers by `autoal-kernels`: on Burn's `flex` device, several times faster than its own operations.

use autoal_kernels::ops::{self, Convolution};
use burn::tensor::module::batch_norm;
use burn::tensor::{DType, Tensor, activation};

use super::{After, BatchNorm, ChannelStatistics, Conv, EPSILON, Pass, Statistics};
use crate::config::Precision;

/// Whether a tensor can be handed to the kernels.
pub(super) fn supports(input: &Tensor<4>) -> bool {
    ops::supports(&input.device()) && input.dtype() == DType::F32
}

/// `after(norm(conv(input)))`, or `None` where the kernels do not know the shape.
pub(super) fn conv_norm(
    conv: &Conv,
    norm: &BatchNorm,
    input: &Tensor<4>,
    after: &After,
    pass: &mut Pass<'_>,
) -> Option<Tensor<4>> {
    let (weight, norm_is_tracked) = (conv.weight.val(), norm.weight.val().is_autodiff());
    let convolution = Convolution { stride: conv.stride, padding: conv.padding, precision: pass.precision.into() };
    if !ops::supports_conv2d(input, &weight, convolution) {
        return None;
    }
    let (residual, relu) = match after {
        After::Identity => (None, false),
        After::Relu => (None, true),
        After::AddRelu(shortcut) => (Some(shortcut.clone()), true),
    };
    let tracked = norm_is_tracked || residual.iter().chain([input, &weight]).any(Tensor::is_autodiff);
    Some(match &mut pass.statistics {
        Statistics::Running if tracked => with_running(norm, ops::conv2d(input.clone(), weight, convolution), residual, relu),
        Statistics::Running => {
            let (scale, shift) = folded(norm);
            ops::conv2d_affine_act(input.clone(), weight, convolution, scale, shift, residual, relu)
        }
        Statistics::Batch(list) => {
            let output = ops::conv2d(input.clone(), weight, convolution);
            let [batch, _, rows, columns] = output.dims();
            let normalised = ops::batch_norm_act(output, norm.weight.val(), norm.bias.val(), residual, relu, EPSILON);
            list.push(ChannelStatistics::new(normalised.mean, normalised.variance, batch * rows * columns));
            normalised.output
        }
    })
}

impl From<Precision> for autoal_kernels::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}

/// The running statistics as factor and offset of each channel.
fn folded(norm: &BatchNorm) -> (Tensor<1>, Tensor<1>) {
    let scale = norm.weight.val() / (norm.running_var.val() + EPSILON).sqrt();
    let shift = norm.bias.val() - norm.running_mean.val() * scale.clone();
    (scale, shift)
}

/// Normalises with the running statistics where gradients are wanted.
fn with_running(norm: &BatchNorm, x: Tensor<4>, residual: Option<Tensor<4>>, relu: bool) -> Tensor<4> {
    let (mean, variance) = (norm.running_mean.val(), norm.running_var.val());
    let normalised = batch_norm(x, norm.weight.val(), norm.bias.val(), mean, variance, EPSILON);
    let sum = residual.into_iter().fold(normalised, |sum, residual| sum + residual);
    if relu { activation::relu(sum) } else { sum }
}

/// The 3x3 maximum of every second pixel.
pub(super) fn max_pool(x: Tensor<4>) -> Tensor<4> {
    ops::max_pool2d(x, 3, 2, 1)
}

/// `[batch, channels, rows, columns]` to `[batch, channels]`.
pub(super) fn global_average(x: Tensor<4>) -> Tensor<2> {
    ops::global_average(x)
}

/// The tensor for two consumers that meet again.
pub(super) fn fork(x: Tensor<4>) -> [Tensor<4>; 2] {
    ops::fork(x)
}
