//! SearchNet: which candidate to listen to, for each sample.
//!
//! It looks at samples as the task model does (a network of the same kind), at the task model's embeddings (a small head), or at
//! nothing (one vector for all samples). Its last layer starts at zero, so the search starts from equal weights.

use autoal_models::{BatchStatistics, Input, Linear, Network};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::tensors::tensor_1d;

/// A network over embeddings: `Linear(D, hidden) -> tanh -> Linear(hidden, K)`.
#[derive(Module, Debug)]
pub struct EmbeddingHead {
    hidden: Linear,
    output: Linear,
}

/// One row of outputs, the same for every sample.
#[derive(Module, Debug)]
pub struct GlobalWeights {
    logits: Param<Tensor<1>>,
}

/// The network that weighs the candidates.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one SearchNet at a time")]
pub enum SearchNet {
    /// A network of the task model's kind over inputs.
    Own(Network),
    /// A head over embeddings of the task model.
    Head(EmbeddingHead),
    /// One vector for all samples.
    Global(GlobalWeights),
}

/// What SearchNet says of `B` samples.
#[derive(Debug, Clone)]
pub struct SearchForward {
    /// One number a sample and candidate, `[B, K]`.
    pub logits: Tensor<2>,
    /// Inputs of the loss module, see [`SearchNet::stage_widths`].
    pub stages: Vec<Tensor<2>>,
}

impl SearchNet {
    /// A network of the task model's kind, with a last layer of zeros.
    pub fn own(network: Network) -> Self {
        Self::Own(network.with_zero_classifier())
    }

    /// A head over embeddings of length `dim`; first weights of the hidden layer come from `rng`.
    pub fn head(dim: usize, hidden: usize, candidates: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let hidden_layer = Linear::init(dim, hidden, rng, device);
        let output = Linear::init(hidden, candidates, rng, device).zeroed();
        Self::Head(EmbeddingHead { hidden: hidden_layer, output })
    }

    /// One weight a candidate.
    pub fn global(candidates: usize, device: &Device) -> Self {
        Self::Global(GlobalWeights { logits: Param::from_tensor(tensor_1d(&vec![0.0; candidates], device)) })
    }

    /// Widths of [`SearchForward::stages`].
    pub fn stage_widths(&self) -> Vec<usize> {
        match self {
            Self::Own(network) => network.stage_widths(),
            Self::Head(head) => vec![head.hidden.outputs()],
            Self::Global(_) => Vec::new(),
        }
    }

    /// Inference: running statistics of batch norm.
    pub fn forward(&self, input: Input) -> SearchForward {
        match (self, input) {
            (Self::Own(network), input) => {
                let forward = network.forward(input);
                SearchForward { logits: forward.logits, stages: forward.stages }
            }
            (Self::Head(head), Input::Features(x)) => {
                let hidden = head.hidden.forward(x).tanh();
                SearchForward { logits: head.output.forward(hidden.clone()), stages: vec![hidden] }
            }
            (Self::Global(weights), input) => {
                let logits = weights.logits.val();
                let candidates = logits.dims()[0];
                let rows = logits.unsqueeze::<2>().expand([input.len(), candidates]);
                SearchForward { logits: rows, stages: Vec::new() }
            }
            (Self::Head(_), Input::Images(_)) => unreachable!("a head over embeddings is only built with embeddings as inputs"),
        }
    }

    /// Training: batch statistics of batch norm, for [`SearchNet::absorb`] after the step.
    pub fn forward_train(&self, input: Input) -> (SearchForward, BatchStatistics) {
        match self {
            Self::Own(network) => {
                let (forward, statistics) = network.forward_train(input, None);
                (SearchForward { logits: forward.logits, stages: forward.stages }, statistics)
            }
            Self::Head(_) | Self::Global(_) => (self.forward(input), BatchStatistics::default()),
        }
    }

    /// Moves running statistics towards those of a training batch.
    #[must_use]
    pub fn absorb(self, statistics: BatchStatistics) -> Self {
        match self {
            Self::Own(network) => Self::Own(network.absorb(statistics)),
            other => other,
        }
    }
}
