//! A task model's network: a backbone that makes embeddings, and a linear classifier.
//!
//! Whether batch norm uses running or batch statistics is said by the method, never by a hidden state: [`Network::forward`] infers,
//! [`Network::forward_train`] trains and hands back the batch statistics for [`Network::absorb`]. Gradients are a separate matter: they
//! exist on a network that went through Burn's `train()`, and not after `valid()`.

use autoal_data::InputShape;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::ModelError;
use crate::config::{Arch, ModelConfig, Precision};
use crate::feature_net::FeatureNet;
use crate::linear::Linear;
use crate::resnet::{ChannelStatistics, ResNet, Statistics};

/// A batch of normalised inputs.
#[derive(Debug, Clone)]
pub enum Input {
    /// `[batch, channels, rows, columns]`.
    Images(Tensor<4>),
    /// `[batch, dim]`.
    Features(Tensor<2>),
}

impl Input {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Images(x) => x.dims()[0],
            Self::Features(x) => x.dims()[0],
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a network says of a batch of `B` samples.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Before dropout and the classifier, `[B, D]`.
    pub embedding: Tensor<2>,
    /// `[B, K]`.
    pub logits: Tensor<2>,
    /// Global averages after each stage, for the loss-prediction head; for networks over features the embedding alone.
    pub stages: Vec<Tensor<2>>,
}

/// Statistics of one training batch, for [`Network::absorb`]; empty for networks without batch norm.
#[derive(Debug, Clone, Default)]
#[must_use = "running statistics stay behind unless the network absorbs them"]
pub struct BatchStatistics(Vec<ChannelStatistics>);

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a network is built once and never stored in numbers")]
enum Backbone {
    ResNet(ResNet),
    Features(FeatureNet),
}

/// Backbone and classifier.
#[derive(Module, Debug)]
pub struct Network {
    backbone: Backbone,
    classifier: Linear,
}

impl Network {
    /// A network with first weights drawn from `rng` on the host, in the order of the layers; `outputs` classes or candidates.
    ///
    /// Pretrained weights are not loaded here but by [`train`](crate::train()), which sets the precision as well. Fails when the
    /// configuration does not fit `shape`.
    pub fn init(
        config: &ModelConfig,
        shape: InputShape,
        outputs: usize,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.check(shape).map_err(ModelError::Config)?;
        if outputs == 0 {
            return Err(ModelError::Config("a network needs at least one output".into()));
        }
        let backbone = match shape {
            InputShape::Image { channels, .. } => {
                Backbone::ResNet(ResNet::init(config.stem, channels, config.width, rng, device))
            }
            InputShape::Features { dim } => {
                let hidden: &[usize] = if config.arch == Arch::Mlp { &config.hidden } else { &[] };
                Backbone::Features(FeatureNet::init(dim, hidden, rng, device))
            }
        };
        let width = backbone.embedding_width();
        Ok(Self { backbone, classifier: Linear::init(width, outputs, rng, device) })
    }

    /// Inference: running statistics, no dropout.
    ///
    /// # Panics
    /// When the kind or shape of the input is not the network's; [`crate::InputEncoder`] makes inputs that fit.
    pub fn forward(&self, input: Input) -> Forward {
        let stages = self.backbone.forward(input, Statistics::Running);
        self.classify(stages, None)
    }

    /// Inference with dropout before the classifier: `mask` is `[B, D]` and holds 0 or `1 / (1 - p)`.
    pub fn forward_dropout(&self, input: Input, mask: Tensor<2>) -> Forward {
        let stages = self.backbone.forward(input, Statistics::Running);
        self.classify(stages, Some(mask))
    }

    /// Training: batch statistics, and dropout where a mask is given. The statistics are for [`Network::absorb`] after the step.
    pub fn forward_train(&self, input: Input, mask: Option<Tensor<2>>) -> (Forward, BatchStatistics) {
        let mut list = Vec::new();
        let stages = self.backbone.forward(input, Statistics::Batch(&mut list));
        (self.classify(stages, mask), BatchStatistics(list))
    }

    /// Moves the running statistics of batch norm towards those of a training batch of this network.
    #[must_use]
    pub fn absorb(self, statistics: BatchStatistics) -> Self {
        let backbone = match self.backbone {
            Backbone::ResNet(net) => Backbone::ResNet(net.absorb(statistics.0)),
            Backbone::Features(net) => Backbone::Features(net),
        };
        Self { backbone, ..self }
    }

    /// The same network with convolutions in that precision, wherever it goes from here; one over features has none and stays as it is.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        let backbone = match self.backbone {
            Backbone::ResNet(net) => Backbone::ResNet(net.with_precision(precision)),
            Backbone::Features(net) => Backbone::Features(net),
        };
        Self { backbone, ..self }
    }

    /// The same network with a classifier that says 0 for everything.
    #[must_use]
    pub fn with_zero_classifier(self) -> Self {
        Self { classifier: self.classifier.zeroed(), ..self }
    }

    /// A copy with gradients and its own place in the graph: training it leaves this one untouched.
    #[must_use]
    pub fn trainable_copy(&self) -> Self {
        self.valid().train()
    }

    /// The last layer.
    pub fn classifier(&self) -> &Linear {
        &self.classifier
    }

    /// Length of the embedding, `D`.
    pub fn embedding_width(&self) -> usize {
        self.backbone.embedding_width()
    }

    /// Widths of [`Forward::stages`].
    pub fn stage_widths(&self) -> Vec<usize> {
        match &self.backbone {
            Backbone::ResNet(net) => net.stage_widths().to_vec(),
            Backbone::Features(net) => vec![net.width()],
        }
    }

    /// Number of outputs, `K`.
    pub fn outputs(&self) -> usize {
        self.classifier.outputs()
    }

    /// What its convolutions multiply in.
    pub fn precision(&self) -> Precision {
        match &self.backbone {
            Backbone::ResNet(net) => net.precision(),
            Backbone::Features(_) => Precision::F32,
        }
    }

    /// Whether a batch of one sample would be normalised by itself.
    pub fn has_batch_norm(&self) -> bool {
        matches!(self.backbone, Backbone::ResNet(_))
    }

    fn classify(&self, stages: Vec<Tensor<2>>, mask: Option<Tensor<2>>) -> Forward {
        let embedding = stages.last().expect("a backbone has a stage").clone();
        let hidden = match mask {
            Some(mask) => embedding.clone() * mask,
            None => embedding.clone(),
        };
        Forward { logits: self.classifier.forward(hidden), embedding, stages }
    }
}

impl Backbone {
    fn embedding_width(&self) -> usize {
        match self {
            Self::ResNet(net) => net.stage_widths()[3],
            Self::Features(net) => net.width(),
        }
    }

    fn forward(&self, input: Input, statistics: Statistics<'_>) -> Vec<Tensor<2>> {
        match (self, input) {
            (Self::ResNet(net), Input::Images(x)) => net.forward(x, statistics).to_vec(),
            (Self::Features(net), Input::Features(x)) => vec![net.forward(x)],
            (Self::ResNet(_), Input::Features(_)) => panic!("a ResNet takes images, got features"),
            (Self::Features(_), Input::Images(_)) => panic!("a network over features got images"),
        }
    }
}
