//! The same layers by `autoal-kernels`: on Burn's `flex` device, several times faster than its own operations.

use autoal_kernels::ops;
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
    let weight = conv.weight.val();
    if !ops::supports_conv2d(input, &weight, conv.stride, conv.padding) {
        return None;
    }
    let output = ops::conv2d(input.clone(), weight, conv.stride, conv.padding, pass.precision.into());
    let (residual, relu) = match after {
        After::Identity => (None, false),
        After::Relu => (None, true),
        After::AddRelu(shortcut) => (Some(shortcut.clone()), true),
    };
    Some(match &mut pass.statistics {
        Statistics::Running => with_running(norm, output, residual, relu),
        Statistics::Batch(list) => {
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

/// Normalises with the running statistics: one affine map of each channel, unless gradients are wanted.
fn with_running(norm: &BatchNorm, x: Tensor<4>, residual: Option<Tensor<4>>, relu: bool) -> Tensor<4> {
    let (weight, bias) = (norm.weight.val(), norm.bias.val());
    let (mean, variance) = (norm.running_mean.val(), norm.running_var.val());
    let tracked = residual.iter().chain([&x]).any(Tensor::is_autodiff) || weight.is_autodiff();
    if tracked {
        let normalised = batch_norm(x, weight, bias, mean, variance, EPSILON);
        let sum = residual.into_iter().fold(normalised, |sum, residual| sum + residual);
        return if relu { activation::relu(sum) } else { sum };
    }
    let scale = weight / (variance + EPSILON).sqrt();
    let shift = bias - mean * scale.clone();
    ops::affine_act(x, scale, shift, residual, relu)
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
