//! Pooling on `flex`, and its gradient.

use std::sync::Arc;

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

use super::tensor::{channels_last, dims, from_channels_last, from_row_major, row_major, to_channels_last};
use crate::pool::{self, PoolShape};

/// The pooled tensor and the winning tap of each of its values.
pub(super) fn max(x: FlexTensor, kernel: usize, stride: usize, padding: usize) -> (FlexTensor, Arc<Vec<u8>>) {
    let [batch, channels, height, width] = dims(&x);
    let shape = PoolShape { channels, height, width, kernel, stride, padding };
    let fits = height.min(width) + 2 * padding >= kernel && 2 * padding <= kernel && (1..16).contains(&kernel) && stride > 0;
    assert!(fits, "max-pooling of {shape:?}");
    let (y, winners) = pool::max_pool(&shape, channels_last(&to_channels_last(x)));
    (from_channels_last(y, [batch, channels, shape.out_height(), shape.out_width()]), Arc::new(winners))
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

pub(super) fn max_tracked<C: CheckpointStrategy>(x: Tracked<C>, kernel: usize, stride: usize, padding: usize) -> Tracked<C> {
    let (node, x) = (x.node(), x.into_primitive());
    let [batch, channels, height, width] = dims(&x);
    let (y, winners) = max(x, kernel, stride, padding);
    let shape = PoolShape { channels, height, width, kernel, stride, padding };
    match MaxPool.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((shape, batch, winners), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct MaxPool;

impl Backward<Flex, 1> for MaxPool {
    type State = (PoolShape, usize, Arc<Vec<u8>>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [node] = ops.parents;
        let gy = to_channels_last(grads.consume::<Flex>(&ops.node));
        let (shape, batch, winners) = ops.state;
        if let Some(node) = node {
            let gx = pool::max_pool_gradient(&shape, channels_last(&gy), &winners);
            grads.register::<Flex>(node.id, from_channels_last(gx, [batch, shape.channels, shape.height, shape.width]));
        }
    }
}

pub(super) fn average(x: FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = dims(&x);
    let y = pool::global_average(channels_last(&to_channels_last(x)), height * width, channels);
    from_row_major(y, [batch, channels])
}

pub(super) fn average_tracked<C: CheckpointStrategy>(x: Tracked<C>) -> Tracked<C> {
    let (node, x) = (x.node(), x.into_primitive());
    let shape = dims(&x);
    let y = average(x);
    match Average.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(shape, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct Average;

impl Backward<Flex, 1> for Average {
    type State = [usize; 4];

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [node] = ops.parents;
        let gy = grads.consume::<Flex>(&ops.node);
        let shape @ [_, channels, height, width] = ops.state;
        if let Some(node) = node {
            let gx = pool::global_average_gradient(&row_major(&gy), height * width, channels);
            grads.register::<Flex>(node.id, from_channels_last(gx, shape));
        }
    }
}
