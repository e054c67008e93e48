//! One tensor for two consumers, whose gradients are added by all threads and in place.
//!
//! Burn adds the gradients of a tensor that is used twice by itself, on one thread and into a new tensor in row-major order, which the
//! next operation of this module then has to bring back into channels-last order.

use std::sync::{Arc, Mutex, PoisonError};

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
use rayon::prelude::*;

use super::tensor::{channels_last, channels_last_mut, to_channels_last};

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// The gradient of the branch whose turn came first, until the other one's is there.
type Waiting = Arc<Mutex<Option<FlexTensor>>>;

pub(super) fn tracked<C: CheckpointStrategy>(x: Tracked<C>) -> (Tracked<C>, Tracked<C>) {
    let waiting = Waiting::default();
    let branch = |x: Tracked<C>| {
        let (node, waiting) = (x.node(), waiting.clone());
        match Branch.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(waiting, x.into_primitive()),
            OpsKind::UnTracked(prepared) => prepared.finish(x.into_primitive()),
        }
    };
    (branch(x.clone()), branch(x))
}

#[derive(Debug)]
struct Branch;

impl Backward<Flex, 1> for Branch {
    type State = Waiting;

    fn backward(self, ops: Ops<Waiting, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let [Some(node)] = ops.parents else { return };
        let mut waiting = ops.state.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.take() {
            None => *waiting = Some(gradient),
            Some(other) => grads.register::<Flex>(node.id, add(to_channels_last(other), &to_channels_last(gradient))),
        }
    }
}

/// Elements in one parallel task.
const PART: usize = 64 << 10;

fn add(mut sum: FlexTensor, other: &FlexTensor) -> FlexTensor {
    let parts = channels_last_mut(&mut sum).par_chunks_mut(PART).zip(channels_last(other).par_chunks(PART));
    parts.for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(to, from)| *to += from));
    sum
}
