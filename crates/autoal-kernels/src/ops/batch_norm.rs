//! Batch norm with addition and `ReLU` on `flex`, and its gradient.

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
use super::tensor::{channels_last, dims, from_channels_last, from_row_major, row_major, to_channels_last};
use crate::batch_norm::{self, After, Gate, Parameters, Statistics};

/// Output, mean and variance.
type Output<T> = (T, T, T);

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(super) struct State {
    x: FlexTensor,
    /// The output, where the `ReLU` followed an addition.
    y: Option<FlexTensor>,
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f64,
    relu: bool,
    statistics: Statistics,
}

/// The inputs of one normalisation.
pub(super) struct Inputs {
    pub(super) x: FlexTensor,
    pub(super) residual: Option<FlexTensor>,
    pub(super) gamma: FlexTensor,
    pub(super) beta: FlexTensor,
    pub(super) epsilon: f64,
    pub(super) relu: bool,
}

fn forward(inputs: Inputs) -> (FlexTensor, State) {
    let Inputs { x, residual, gamma, beta, epsilon, relu } = inputs;
    assert!(residual.as_ref().is_none_or(|residual| dims(residual) == dims(&x)), "the residual has the shape of the input");
    let (x, residual) = (to_channels_last(x), residual.map(to_channels_last));
    let (y, statistics) = {
        let parameters = Parameters { gamma: &row_major(&gamma), beta: &row_major(&beta), epsilon };
        let after = After { residual: residual.as_ref().map(channels_last), relu };
        batch_norm::forward(isa(), channels_last(&x), parameters, after)
    };
    let y = from_channels_last(y, dims(&x));
    let kept = (relu && residual.is_some()).then(|| y.clone());
    (y, State { x, y: kept, gamma, beta, epsilon, relu, statistics })
}

fn statistics_of(state: &State) -> (FlexTensor, FlexTensor) {
    let Statistics { mean, variance } = state.statistics.clone();
    let channels = mean.len();
    (from_row_major(mean, [channels]), from_row_major(variance, [channels]))
}

pub(super) fn plain(inputs: Inputs) -> Output<FlexTensor> {
    let (y, state) = forward(inputs);
    let (mean, variance) = statistics_of(&state);
    (y, mean, variance)
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

pub(super) fn tracked<C: CheckpointStrategy>(
    x: Tracked<C>,
    gamma: Tracked<C>,
    beta: Tracked<C>,
    epsilon: f64,
    relu: bool,
) -> Output<Tracked<C>> {
    let nodes = [x.node(), gamma.node(), beta.node()];
    let inputs = Inputs {
        x: x.into_primitive(),
        residual: None,
        gamma: gamma.into_primitive(),
        beta: beta.into_primitive(),
        epsilon,
        relu,
    };
    let (y, state) = forward(inputs);
    let (mean, variance) = statistics_of(&state);
    let y = match Normalise.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    (y, Tracked::<C>::new(mean), Tracked::<C>::new(variance))
}

pub(super) fn tracked_add<C: CheckpointStrategy>(
    x: Tracked<C>,
    residual: Tracked<C>,
    gamma: Tracked<C>,
    beta: Tracked<C>,
    epsilon: f64,
    relu: bool,
) -> Output<Tracked<C>> {
    let nodes = [x.node(), gamma.node(), beta.node(), residual.node()];
    let inputs = Inputs {
        x: x.into_primitive(),
        residual: Some(residual.into_primitive()),
        gamma: gamma.into_primitive(),
        beta: beta.into_primitive(),
        epsilon,
        relu,
    };
    let (y, state) = forward(inputs);
    let (mean, variance) = statistics_of(&state);
    let y = match NormaliseAdd.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    (y, Tracked::<C>::new(mean), Tracked::<C>::new(variance))
}

/// Gradients by input, factor, offset and, where asked for, residual.
fn backward(gy: FlexTensor, state: &State, with_residual: bool) -> [Option<FlexTensor>; 4] {
    let gy = to_channels_last(gy);
    let parameters = Parameters { gamma: &row_major(&state.gamma), beta: &row_major(&state.beta), epsilon: state.epsilon };
    let gate = match &state.y {
        Some(y) => Gate::Output(channels_last(y)),
        None if state.relu => Gate::Normalised,
        None => Gate::Open,
    };
    // Without a gate the residual's gradient is the output's.
    let masked = with_residual && state.relu;
    let (x, shape) = (channels_last(&state.x), dims(&state.x));
    let gradients = batch_norm::backward(isa(), x, channels_last(&gy), parameters, &state.statistics, gate, masked);
    let channels = gradients.gamma.len();
    let residual = gradients.residual.map(|residual| from_channels_last(residual, shape));
    [
        Some(from_channels_last(gradients.input, shape)),
        Some(from_row_major(gradients.gamma, [channels])),
        Some(from_row_major(gradients.beta, [channels])),
        if with_residual { residual.or(Some(gy)) } else { None },
    ]
}

#[derive(Debug)]
struct Normalise;

impl Backward<Flex, 3> for Normalise {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradients = backward(grads.consume::<Flex>(&ops.node), &ops.state, false);
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct NormaliseAdd;

impl Backward<Flex, 4> for NormaliseAdd {
    type State = State;

    fn backward(self, ops: Ops<State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradients = backward(grads.consume::<Flex>(&ops.node), &ops.state, ops.parents[3].is_some());
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}
