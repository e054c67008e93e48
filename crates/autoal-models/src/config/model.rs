//! `[model]`: which network, its size, and where its first weights come from.

use std::path::PathBuf;

use autoal_data::InputShape;
use serde::{Deserialize, Serialize};

/// Kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arch {
    /// ResNet-18 over images.
    #[serde(rename = "resnet18")]
    ResNet18,
    /// One linear layer over features; the features are the embedding.
    Linear,
    /// Hidden layers with `ReLU` over features; the last hidden layer is the embedding.
    Mlp,
}

/// First layers of the ResNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stem {
    /// 3x3 convolution, stride 1, no max-pool: usual for 32x32 images, four times the work of `small-max-pool`.
    Small,
    /// 3x3 convolution, stride 1, then 3x3 max-pool, stride 2: the paper's.
    SmallMaxPool,
    /// 7x7 convolution, stride 2, then 3x3 max-pool, stride 2: torchvision's, for images of about 100 pixels and more.
    Imagenet,
}

/// Where the first weights of the backbone come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Weights {
    /// Drawn anew from the seed.
    Scratch,
    /// torchvision's ResNet-18, trained on ImageNet.
    Imagenet,
    /// A `.pth`, `.pt` or `.safetensors` file with torchvision's names.
    File(PathBuf),
}

impl From<String> for Weights {
    fn from(text: String) -> Self {
        match text.as_str() {
            "scratch" => Self::Scratch,
            "imagenet" => Self::Imagenet,
            _ => Self::File(text.into()),
        }
    }
}

impl From<Weights> for String {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::Scratch => "scratch".into(),
            Weights::Imagenet => "imagenet".into(),
            Weights::File(path) => path.display().to_string(),
        }
    }
}

/// How a model is trained on part of the labels for strategies that ask for its accuracy on the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holdout {
    /// A new linear classifier on the embeddings of the current model: seconds.
    Head,
    /// The whole network from scratch: as long as a round's training, each time.
    Full,
}

/// The `[model]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Kind of network.
    pub arch: Arch,
    /// First layers of the ResNet.
    pub stem: Stem,
    /// Channels of the ResNet's first stage; the embedding has eight times as many.
    pub width: usize,
    /// Probability of dropping a unit of the embedding before the classifier, in training and in MC-dropout passes.
    pub dropout: f64,
    /// First weights of the ResNet.
    pub weights: Weights,
    /// Widths of the hidden layers of `mlp`.
    pub hidden: Vec<usize>,
    /// Stochastic passes for strategies on MC dropout.
    pub mc_draws: usize,
    /// What is retrained when a strategy asks for hold-out accuracy.
    pub holdout: Holdout,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            arch: Arch::ResNet18,
            stem: Stem::SmallMaxPool,
            width: 64,
            dropout: 0.5,
            weights: Weights::Scratch,
            hidden: vec![128],
            mc_draws: 10,
            holdout: Holdout::Head,
        }
    }
}

impl ModelConfig {
    /// Whether every value is in range and the network fits samples of that shape; the message names the key and what was expected.
    pub fn check(&self, shape: InputShape) -> Result<(), String> {
        match (self.arch, shape) {
            (Arch::ResNet18, InputShape::Features { .. }) => {
                return Err(
                    "`model.arch` is `resnet18`, which takes images, but the data are features: use `linear` or `mlp`".into()
                );
            }
            (Arch::Linear | Arch::Mlp, InputShape::Image { .. }) => {
                return Err("`model.arch` is a network over features, but the data are images: use `resnet18`".into());
            }
            (Arch::ResNet18, InputShape::Image { channels, .. }) if channels != 1 && channels != 3 => {
                return Err(format!("the images have {channels} channels, expected 1 or 3"));
            }
            _ => {}
        }
        if self.width == 0 || self.width > 1024 {
            return Err(format!("`model.width` is {}, expected 1 to 1024", self.width));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(format!("`model.dropout` is {}, expected at least 0 and below 1", self.dropout));
        }
        if self.mc_draws == 0 || self.mc_draws > 10_000 {
            return Err(format!("`model.mc-draws` is {}, expected 1 to 10000", self.mc_draws));
        }
        if self.arch == Arch::Mlp && (self.hidden.is_empty() || self.hidden.iter().any(|width| *width == 0 || *width > 65_536)) {
            return Err(format!("`model.hidden` is {:?}, expected at least one width, each from 1 to 65536", self.hidden));
        }
        if self.arch != Arch::ResNet18 && self.weights != Weights::Scratch {
            return Err("`model.weights` is only for `resnet18`: drop it, or set it to `scratch`".into());
        }
        Ok(())
    }
}
