//! The operations on Burn's tensors against Burn's own.

use autoal_kernels::{
    Precision,
    ops::{self, Convolution},
};
use burn::tensor::{
    Device, Tensor, TensorData, activation,
    module::{batch_norm_train, conv2d, max_pool2d},
    ops::{ConvOptions, MaxPoolOptions},
};

use crate::naive::{error, noise};

/// Two f32 computations that differ in the order of sums and, at most, in Winograd's transforms; relative to the largest value.
const AGREEMENT: f64 = 1e-4;

const EPSILON: f64 = 1e-5;

fn tensor<const D: usize>(dims: [usize; D], seed: u64) -> Tensor<D> {
    let device = Device::flex().autodiff();
    Tensor::from_data(TensorData::new(noise(dims.iter().product(), seed), dims), &device).require_grad()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().expect("f32 values")
}

fn assert_close<const D: usize>(what: &str, ours: Tensor<D>, theirs: Tensor<D>) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let theirs: Vec<f64> = values(theirs).into_iter().map(f64::from).collect();
    let error = error(&values(ours), &theirs);
    assert!(error < AGREEMENT, "{what}: {error:.1e}");
}

fn convolution(stride: usize, padding: usize) -> Convolution {
    Convolution { stride, padding, precision: Precision::F32 }
}

/// Inputs of a convolution, batch norm, addition and `ReLU`.
struct Layer {
    x: Tensor<4>,
    weight: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    shortcut: Tensor<4>,
    stride: usize,
}

impl Layer {
    fn new(channels: [usize; 2], side: usize, kernel: usize, stride: usize) -> Self {
        let [inputs, outputs] = channels;
        let out = (side + kernel / 2 * 2 - kernel) / stride + 1;
        Layer {
            x: tensor([3, inputs, side, side], 1),
            weight: tensor([outputs, inputs, kernel, kernel], 2),
            gamma: tensor([outputs], 3),
            beta: tensor([outputs], 4),
            shortcut: tensor([3, outputs, out, out], 5),
            stride,
        }
    }

    fn padding(&self) -> usize {
        self.weight.dims()[2] / 2
    }

    fn convolution(&self) -> Convolution {
        convolution(self.stride, self.padding())
    }

    fn ours(&self) -> [Tensor<4>; 2] {
        assert!(ops::supports_conv2d(&self.x, &self.weight, self.convolution()));
        let y = ops::conv2d(self.x.clone(), self.weight.clone(), self.convolution());
        let first = ops::batch_norm_act(y, self.gamma.clone(), self.beta.clone(), None, true, EPSILON).output;
        let second =
            ops::batch_norm_act(first.clone(), self.gamma.clone(), self.beta.clone(), Some(self.shortcut.clone()), true, EPSILON);
        [first, second.output]
    }

    fn theirs(&self) -> [Tensor<4>; 2] {
        let (stride, padding) = ([self.stride; 2], [(self.padding(), self.padding()); 2]);
        let options = ConvOptions { stride, padding, dilation: [1, 1], groups: 1 };
        let y = conv2d(self.x.clone(), self.weight.clone(), None, options);
        let first = activation::relu(batch_norm_train(y, self.gamma.clone(), self.beta.clone(), EPSILON).output);
        let second = batch_norm_train(first.clone(), self.gamma.clone(), self.beta.clone(), EPSILON).output;
        [first, activation::relu(second + self.shortcut.clone())]
    }
}

#[test]
fn layers_and_all_their_gradients_agree_with_burn() {
    for (channels, side, kernel, stride) in [
        ([16, 24], 9, 3, 1),
        ([3, 16], 16, 7, 2),
        ([8, 16], 8, 3, 2),
        ([8, 16], 7, 1, 2),
        ([16, 16], 2, 3, 1),
        ([20, 12], 1, 3, 1),
    ] {
        let layer = Layer::new(channels, side, kernel, stride);
        let (ours, theirs) = (layer.ours(), layer.theirs());
        let direction = tensor(ours[1].dims(), 6).detach();
        let loss = |y: &Tensor<4>| (y.clone() * direction.clone()).sum();
        let (g_ours, g_theirs) = (loss(&ours[1]).backward(), loss(&theirs[1]).backward());
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            assert_close("output", ours.inner(), theirs.inner());
        }
        let four = |t: &Tensor<4>| (t.grad(&g_ours).expect("tracked"), t.grad(&g_theirs).expect("tracked"));
        for (what, t) in [("input", &layer.x), ("weight", &layer.weight), ("shortcut", &layer.shortcut)] {
            let (ours, theirs) = four(t);
            assert_close(what, ours, theirs);
        }
        for (what, t) in [("gamma", &layer.gamma), ("beta", &layer.beta)] {
            assert_close(what, t.grad(&g_ours).expect("tracked"), t.grad(&g_theirs).expect("tracked"));
        }
    }
}

#[test]
fn views_of_any_layout_are_accepted() {
    let x = tensor([2, 5, 6, 4], 1).inner();
    let weight = tensor([7, 6, 3, 3], 2).inner();
    let theirs = ops::conv2d(
        Tensor::from_data(x.clone().permute([0, 2, 1, 3]).into_data(), &Device::flex()),
        weight.clone(),
        convolution(1, 1),
    );
    assert_close("permuted", ops::conv2d(x.clone().permute([0, 2, 1, 3]), weight.clone(), convolution(1, 1)), theirs);
    let sliced = x.permute([0, 2, 1, 3]).slice([1..2, 0..6, 0..5, 1..4]);
    let theirs = ops::conv2d(Tensor::from_data(sliced.clone().into_data(), &Device::flex()), weight.clone(), convolution(2, 1));
    assert_close("sliced", ops::conv2d(sliced, weight, convolution(2, 1)), theirs);
}

#[test]
fn pooling_agrees_with_burn() {
    let x = tensor([3, 10, 9, 8], 1);
    let ours = ops::max_pool2d(x.clone(), 3, 2, 1);
    let theirs = max_pool2d(x.clone(), MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]));
    let direction = tensor(ours.dims(), 2).detach();
    let gradient = |y: &Tensor<4>| x.grad(&(y.clone() * direction.clone()).sum().backward()).expect("tracked");
    assert_close("gradient of max-pool", gradient(&ours), gradient(&theirs));
    assert_close("max-pool", ours.inner(), theirs.inner());

    let ours = ops::global_average(x.clone());
    let theirs = x.clone().flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2);
    let direction = tensor(ours.dims(), 2).detach();
    let gradient = |y: &Tensor<2>| x.grad(&(y.clone() * direction.clone()).sum().backward()).expect("tracked");
    assert_close("gradient of average", gradient(&ours), gradient(&theirs));
    assert_close("average", ours.inner(), theirs.inner());
}

#[test]
fn shapes_and_devices_that_are_not_supported_are_declined() {
    let (x, weight) = (tensor([1, 3, 4, 4], 1), tensor([2, 3, 7, 7], 2));
    assert!(!ops::supports_conv2d(&x, &weight, convolution(1, 1)), "the kernel is larger than the padded image");
    assert!(!ops::supports_conv2d(&x, &tensor([2, 3, 3, 1], 2), convolution(1, 1)), "the kernel is not square");
    assert!(ops::supports(&Device::flex()) && ops::supports(&Device::flex().autodiff()));
}

/// Every algorithm, with and without what may follow: folded into the convolution against one step after the other.
#[test]
fn a_folded_batch_norm_agrees_with_burn() {
    for (channels, side, kernel, stride) in
        [([16, 24], 9, 3, 1), ([3, 16], 16, 7, 2), ([8, 16], 7, 1, 2), ([16, 16], 2, 3, 1), ([20, 12], 1, 3, 1)]
    {
        let layer = Layer::new(channels, side, kernel, stride);
        let (x, weight, shortcut) = (layer.x.clone().inner(), layer.weight.clone().inner(), layer.shortcut.clone().inner());
        let (scale, shift) = (layer.gamma.clone().inner(), layer.beta.clone().inner());
        let by_channel = |t: &Tensor<1>| t.clone().reshape([1, channels[1], 1, 1]);
        let (step, around) = ([stride; 2], [(layer.padding(), layer.padding()); 2]);
        let options = ConvOptions { stride: step, padding: around, dilation: [1, 1], groups: 1 };
        let mapped = conv2d(x.clone(), weight.clone(), None, options) * by_channel(&scale) + by_channel(&shift);
        for (residual, relu) in [(None, false), (None, true), (Some(shortcut.clone()), true)] {
            let theirs = residual.iter().fold(mapped.clone(), |sum, residual| sum + residual.clone());
            let theirs = if relu { activation::relu(theirs) } else { theirs };
            let (x, weight, scale, shift) = (x.clone(), weight.clone(), scale.clone(), shift.clone());
            let ours = ops::conv2d_affine_act(x, weight, layer.convolution(), scale, shift, residual, relu);
            assert_close("folded", ours, theirs);
        }
    }
}
