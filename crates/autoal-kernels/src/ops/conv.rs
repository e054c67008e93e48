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

use super::tensor::{channels_last, conv_shape, dims, from_channels_last, from_row_major, row_major, to_channels_last};
use super::{Convolution, isa};
use crate::{
    Arithmetic,
    batch_norm::{Affine, After},
    conv::{self, ConvShape},
};

/// The sizes of a convolution of these tensors.
fn shape_of(x: &FlexTensor, weight: &FlexTensor, convolution: Convolution) -> ConvShape {
    let shape = conv_shape(dims(x), dims(weight), convolution);
    let [_, inputs, rows, columns] = dims(weight);
    assert!(shape.is_supported() && (inputs, rows) == (shape.in_channels, columns), "convolution of {shape:?}");
    shape
}

fn arithmetic(convolution: Convolution) -> Arithmetic {
    Arithmetic { isa: isa(), precision: convolution.precision }
}

fn from_output(elements: Vec<f32>, shape: &ConvShape) -> FlexTensor {
    from_channels_last(elements, [shape.batch, shape.out_channels, shape.out_height(), shape.out_width()])
}

/// `x` is stored channels-last.
fn forward(x: &FlexTensor, weight: &FlexTensor, shape: &ConvShape, convolution: Convolution) -> FlexTensor {
    from_output(conv::forward(arithmetic(convolution), shape, channels_last(x), &row_major(weight)), shape)
}

pub(super) fn plain(x: FlexTensor, weight: &FlexTensor, convolution: Convolution) -> FlexTensor {
    let shape = shape_of(&x, weight, convolution);
    forward(&to_channels_last(x), weight, &shape, convolution)
}

pub(super) fn affine(
    x: FlexTensor,
    weight: &FlexTensor,
    convolution: Convolution,
    [scale, shift]: [&FlexTensor; 2],
    residual: Option<FlexTensor>,
    relu: bool,
) -> FlexTensor {
    let shape = shape_of(&x, weight, convolution);
    let (x, residual) = (to_channels_last(x), residual.map(to_channels_last));
    let after = After { residual: residual.as_ref().map(channels_last), relu };
    let affine = Affine { scale: &row_major(scale), shift: &row_major(shift), after };
    let y = conv::forward_affine(arithmetic(convolution), &shape, channels_last(&x), &row_major(weight), affine);
    from_output(y, &shape)
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    weight: FloatTensor<Autodiff<Flex, C>>,
    convolution: Convolution,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), weight.node()];
    let (x, weight) = (x.into_primitive(), weight.into_primitive());
    let shape = shape_of(&x, &weight, convolution);
    let x = to_channels_last(x);
    let y = forward(&x, &weight, &shape, convolution);
    match Differentiable.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((x, weight, shape, convolution), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct Differentiable;

impl Backward<Flex, 2> for Differentiable {
    type State = (FlexTensor, FlexTensor, ConvShape, Convolution);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x_node, weight_node] = ops.parents;
        let gy = to_channels_last(grads.consume::<Flex>(&ops.node));
        let (x, weight, shape, convolution) = ops.state;
        let (arithmetic, gy) = (arithmetic(convolution), channels_last(&gy));
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
