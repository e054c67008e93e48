//! The operations on Burn's plain and gradient-tracking CPU backend.

use burn::backend::{Autodiff, Flex, autodiff::checkpoint::strategy::CheckpointStrategy, flex::FlexTensor, tensor::FloatTensor};

use super::{
    Convolution, KernelOps,
    batch_norm::{self, Inputs},
    conv, fork, optimizer, pool,
};
use crate::optimizer::{AdamStep, SgdStep};

impl KernelOps for Flex {
    fn kernel_conv2d(x: FlexTensor, weight: FlexTensor, convolution: Convolution) -> FlexTensor {
        conv::plain(x, &weight, convolution)
    }
    fn kernel_batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        relu: bool,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        batch_norm::plain(Inputs { x, residual: None, gamma, beta, epsilon, relu })
    }
    fn kernel_batch_norm_add(
        x: FlexTensor,
        residual: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        relu: bool,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        batch_norm::plain(Inputs { x, residual: Some(residual), gamma, beta, epsilon, relu })
    }
    fn kernel_conv_affine(
        x: FlexTensor,
        weight: FlexTensor,
        convolution: Convolution,
        scale: FlexTensor,
        shift: FlexTensor,
        relu: bool,
    ) -> FlexTensor {
        conv::affine(x, &weight, convolution, [&scale, &shift], None, relu)
    }
    fn kernel_conv_affine_add(
        x: FlexTensor,
        weight: FlexTensor,
        convolution: Convolution,
        scale: FlexTensor,
        shift: FlexTensor,
        residual: FlexTensor,
        relu: bool,
    ) -> FlexTensor {
        conv::affine(x, &weight, convolution, [&scale, &shift], Some(residual), relu)
    }
    fn kernel_max_pool2d(x: FlexTensor, kernel: usize, stride: usize, padding: usize) -> FlexTensor {
        pool::max(x, kernel, stride, padding).0
    }
    fn kernel_global_average(x: FlexTensor) -> FlexTensor {
        pool::average(x)
    }
    fn kernel_fork(x: FlexTensor) -> (FlexTensor, FlexTensor) {
        (x.clone(), x)
    }
    fn kernel_sgd(x: FlexTensor, gradient: FlexTensor, velocity: FlexTensor, step: SgdStep) -> (FlexTensor, FlexTensor) {
        optimizer::sgd(x, &gradient, velocity, step)
    }
    fn kernel_adam(
        x: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        optimizer::adam(x, &gradient, [first, second], step)
    }
}

impl<C: CheckpointStrategy> KernelOps for Autodiff<Flex, C> {
    fn kernel_conv2d(x: FloatTensor<Self>, weight: FloatTensor<Self>, convolution: Convolution) -> FloatTensor<Self> {
        conv::tracked::<C>(x, weight, convolution)
    }
    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        batch_norm::tracked::<C>(x, gamma, beta, epsilon, relu)
    }
    fn kernel_batch_norm_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        batch_norm::tracked_add::<C>(x, residual, gamma, beta, epsilon, relu)
    }
    fn kernel_conv_affine(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Convolution,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: bool,
    ) -> FloatTensor<Self> {
        unimplemented!("`conv2d_affine_act` is for inference on plain tensors");
    }
    fn kernel_conv_affine_add(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Convolution,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: bool,
    ) -> FloatTensor<Self> {
        unimplemented!("`conv2d_affine_act` is for inference on plain tensors");
    }
    fn kernel_max_pool2d(x: FloatTensor<Self>, kernel: usize, stride: usize, padding: usize) -> FloatTensor<Self> {
        pool::max_tracked::<C>(x, kernel, stride, padding)
    }
    fn kernel_global_average(x: FloatTensor<Self>) -> FloatTensor<Self> {
        pool::average_tracked::<C>(x)
    }
    fn kernel_fork(x: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        fork::tracked::<C>(x)
    }
    fn kernel_sgd(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unimplemented!("`sgd_step` is for plain tensors: nothing is differentiated through a step");
    }
    fn kernel_adam(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unimplemented!("`adam_step` is for plain tensors: nothing is differentiated through a step");
    }
}
