//! Convolution on `flex`, and its gradient.

use burn::backend::{
    Autodiff, Flex,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    flex::FlexTensor,
    tensor::FloatTensor,
};

use super::isa;
use super::tensor::{channels_last, conv_shape, dims, from_channels_last, from_row_major, row_major, to_channels_last};
use crate::{
    Arithmetic, Precision,
    conv::{self, ConvShape},
};

/// The sizes of a convolution of these tensors.
fn shape_of(x: &FlexTensor, weight: &FlexTensor, stride: usize, padding: usize) -> ConvShape {
    let shape = conv_shape(dims(x), dims(weight), stride, padding);
    let [_, inputs, rows, columns] = dims(weight);
    assert!(shape.is_supported() && (inputs, rows) == (shape.in_channels, columns), "convolution of {shape:?}");
    shape
}

/// `x` is stored channels-last.
fn forward(x: &FlexTensor, weight: &FlexTensor, shape: &ConvShape, precision: Precision) -> FlexTensor {
    let y = conv::forward(Arithmetic { isa: isa(), precision }, shape, channels_last(x), &row_major(weight));
    from_channels_last(y, [shape.batch, shape.out_channels, shape.out_height(), shape.out_width()])
}

pub(super) fn plain(x: FlexTensor, weight: &FlexTensor, stride: usize, padding: usize, precision: Precision) -> FlexTensor {
    let shape = shape_of(&x, weight, stride, padding);
    forward(&to_channels_last(x), weight, &shape, precision)
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    weight: FloatTensor<Autodiff<Flex, C>>,
    stride: usize,
    padding: usize,
    precision: Precision,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), weight.node()];
    let (x, weight) = (x.into_primitive(), weight.into_primitive());
    let shape = shape_of(&x, &weight, stride, padding);
    let x = to_channels_last(x);
    let y = forward(&x, &weight, &shape, precision);
    match Convolution.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((x, weight, shape, precision), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct Convolution;

impl Backward<Flex, 2> for Convolution {
    type State = (FlexTensor, FlexTensor, ConvShape, Precision);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, weight_node] = ops.parents;
        let gy = to_channels_last(grads.consume::<Flex>(&ops.node));
        let (x, weight, shape, precision) = ops.state;
        let (arithmetic, gy) = (Arithmetic { isa: isa(), precision }, channels_last(&gy));
        if let Some(node) = x_node {
            let gradient = conv::input_gradient(arithmetic, &shape, gy, &row_major(&weight));
            grads.register::<Flex>(node.id, from_channels_last(gradient, dims(&x)));
        }
        if let Some(node) = weight_node {
            let gradient = conv::weight_gradient(arithmetic, &shape, channels_last(&x), gy);
            grads.register::<Flex>(node.id, from_row_major(gradient, dims(&weight)));
        }
    }
}
