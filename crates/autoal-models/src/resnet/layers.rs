//! Convolution, batch norm, and the one place where they are computed.
//!
//! Parameters are plain tensors with PyTorch's names and layouts. Running statistics are parameters without gradients: a training
//! forward *returns* the batch's statistics, and [`BatchNorm::absorb`] moves the running ones. So clones never share them, a file never
//! holds stale ones, and which statistics are used is said by the caller, not by a hidden switch.

#[cfg(feature = "flex")]
mod fast;

use burn::module::{Module, Param};
use burn::tensor::module::{batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, activation};
use rand::Rng;

use crate::config::Precision;
use crate::init;

/// PyTorch's default.
const EPSILON: f64 = 1e-5;
/// Share of the new statistics in the running ones, PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// A convolution without bias and without groups.
#[derive(Module, Debug)]
pub(crate) struct Conv {
    /// `[out, in, rows, columns]`.
    weight: Param<Tensor<4>>,
    #[module(skip)]
    stride: usize,
    #[module(skip)]
    padding: usize,
}

impl Conv {
    pub(crate) fn init(channels: [usize; 2], kernel: usize, stride: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let [inputs, outputs] = channels;
        let weight = init::kaiming_fan_out([outputs, inputs, kernel, kernel], rng, device);
        Self { weight, stride, padding: kernel / 2 }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let (stride, padding) = ([self.stride; 2], [(self.padding, self.padding); 2]);
        conv2d(input, self.weight.val(), None, ConvOptions { stride, padding, dilation: [1, 1], groups: 1 })
    }
}

/// Normalisation of each channel (Ioffe and Szegedy, 2015).
#[derive(Module, Debug)]
pub(crate) struct BatchNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    running_mean: Param<Tensor<1>>,
    running_var: Param<Tensor<1>>,
}

/// Mean and unbiased variance of each channel over one batch, `[channels]` each, without gradients.
#[derive(Debug, Clone)]
pub(crate) struct ChannelStatistics {
    mean: Tensor<1>,
    variance: Tensor<1>,
}

/// One forward through the network: what all of its layers are told.
pub(crate) struct Pass<'a> {
    /// What batch norm normalises with.
    pub(crate) statistics: Statistics<'a>,
    /// What convolutions multiply in, where the kernels compute them; Burn's own know f32 alone.
    #[cfg_attr(not(feature = "flex"), expect(dead_code, reason = "read by the kernels"))]
    pub(crate) precision: Precision,
}

/// Which statistics batch norm normalises with.
pub(crate) enum Statistics<'a> {
    /// The running ones: inference.
    Running,
    /// Those of the batch, which are added to the list in forward order: training.
    Batch(&'a mut Vec<ChannelStatistics>),
}

impl BatchNorm {
    pub(crate) fn init(channels: usize, device: &Device) -> Self {
        Self {
            weight: init::constant(1.0, [channels], device),
            bias: init::constant(0.0, [channels], device),
            running_mean: init::buffer(0.0, channels, device),
            running_var: init::buffer(1.0, channels, device),
        }
    }

    fn forward(&self, input: Tensor<4>, statistics: &mut Statistics<'_>) -> Tensor<4> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        match statistics {
            Statistics::Running => batch_norm(input, weight, bias, self.running_mean.val(), self.running_var.val(), EPSILON),
            Statistics::Batch(list) => {
                let [batch, _, rows, columns] = input.dims();
                let trained = batch_norm_train(input, weight, bias, EPSILON);
                list.push(ChannelStatistics::new(trained.mean, trained.variance, batch * rows * columns));
                trained.output
            }
        }
    }

    /// Moves the running statistics towards those of a batch.
    pub(crate) fn absorb(self, batch: ChannelStatistics) -> Self {
        Self {
            running_mean: self.running_mean.map(|running| moved(running, batch.mean)),
            running_var: self.running_var.map(|running| moved(running, batch.variance)),
            ..self
        }
    }
}

impl ChannelStatistics {
    /// From the biased variance over `count` values a channel; PyTorch keeps the unbiased one for inference.
    fn new(mean: Tensor<1>, biased_variance: Tensor<1>, count: usize) -> Self {
        let correction = if count > 1 { count as f64 / (count - 1) as f64 } else { 1.0 };
        Self { mean: mean.without_autodiff(), variance: biased_variance.without_autodiff() * correction }
    }
}

fn moved(running: Tensor<1>, batch: Tensor<1>) -> Tensor<1> {
    let on_graph = running.is_autodiff();
    let next = running.without_autodiff() * (1.0 - MOMENTUM) + batch * MOMENTUM;
    if on_graph { Tensor::from_inner(next) } else { next }
}

/// What follows a convolution and its batch norm.
#[expect(clippy::large_enum_variant, reason = "a value lives for one call")]
pub(crate) enum After {
    /// Nothing.
    Identity,
    /// `ReLU`.
    Relu,
    /// Addition of a shortcut, then `ReLU`.
    AddRelu(Tensor<4>),
}

/// `after(norm(conv(input)))`: every convolution of the network goes through here, so this is where a fused kernel is chosen.
pub(crate) fn conv_norm(conv: &Conv, norm: &BatchNorm, input: Tensor<4>, after: After, pass: &mut Pass<'_>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(output) = fast::conv_norm(conv, norm, &input, &after, pass) {
        return output;
    }
    let output = norm.forward(conv.forward(input), &mut pass.statistics);
    match after {
        After::Identity => output,
        After::Relu => activation::relu(output),
        After::AddRelu(shortcut) => activation::relu(output + shortcut),
    }
}

/// The tensor for the two branches of a residual block, which meet again in its addition.
pub(crate) fn fork(x: Tensor<4>) -> [Tensor<4>; 2] {
    #[cfg(feature = "flex")]
    if fast::supports(&x) {
        return fast::fork(x);
    }
    [x.clone(), x]
}

/// The 3x3 maximum of every second pixel, after the stem for photographs.
pub(crate) fn max_pool(x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if fast::supports(&x) {
        return fast::max_pool(x);
    }
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]))
}

/// `[batch, channels, rows, columns]` to `[batch, channels]`.
pub(crate) fn global_average(x: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fast::supports(&x) {
        return fast::global_average(x);
    }
    x.flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2)
}
