//! `[train]`: how a network is trained on the labels of a round.

use serde::{Deserialize, Serialize};

use super::model::Arch;

/// Update rule, with PyTorch's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Stochastic gradient descent.
    Sgd {
        /// Learning rate.
        lr: f64,
        /// Momentum, without dampening; 0 for none.
        #[serde(default)]
        momentum: f64,
        /// Nesterov's form of momentum.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty on every parameter.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with an L2 penalty in the gradient.
    Adam {
        /// Learning rate.
        lr: f64,
        /// Decay of the first and the second moment.
        #[serde(default = "default_betas")]
        betas: (f64, f64),
        /// Added to the root of the second moment.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
        /// L2 penalty on every parameter.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW {
        /// Learning rate.
        lr: f64,
        /// Decay of the first and the second moment.
        #[serde(default = "default_betas")]
        betas: (f64, f64),
        /// Added to the root of the second moment.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
        /// Share of every parameter that is removed a step, times the learning rate.
        #[serde(default = "default_decoupled_decay")]
        weight_decay: f64,
    },
}

const fn default_betas() -> (f64, f64) {
    (0.9, 0.999)
}

const fn default_epsilon() -> f64 {
    1e-8
}

const fn default_decoupled_decay() -> f64 {
    1e-2
}

impl OptimizerConfig {
    /// The learning rate before the schedule.
    pub fn lr(&self) -> f64 {
        match *self {
            Self::Sgd { lr, .. } | Self::Adam { lr, .. } | Self::AdamW { lr, .. } => lr,
        }
    }

    /// Whether every value is in range; the message names the key and what was expected.
    pub fn check(&self) -> Result<(), String> {
        let lr = self.lr();
        if !(lr.is_finite() && lr > 0.0) {
            return Err(format!("`optimizer.lr` is {lr}, expected a number above 0"));
        }
        let weight_decay = match *self {
            Self::Sgd { momentum, nesterov, weight_decay, .. } => {
                if !(0.0..1.0).contains(&momentum) {
                    return Err(format!("`optimizer.momentum` is {momentum}, expected at least 0 and below 1"));
                }
                if nesterov && momentum == 0.0 {
                    return Err("`optimizer.nesterov` needs `optimizer.momentum` above 0".into());
                }
                weight_decay
            }
            Self::Adam { betas, epsilon, weight_decay, .. } | Self::AdamW { betas, epsilon, weight_decay, .. } => {
                if !(0.0..1.0).contains(&betas.0) || !(0.0..1.0).contains(&betas.1) {
                    return Err(format!(
                        "`optimizer.betas` is [{}, {}], expected two numbers of at least 0 and below 1",
                        betas.0, betas.1
                    ));
                }
                if !(epsilon.is_finite() && epsilon > 0.0) {
                    return Err(format!("`optimizer.epsilon` is {epsilon}, expected a number above 0"));
                }
                weight_decay
            }
        };
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return Err(format!("`optimizer.weight-decay` is {weight_decay}, expected at least 0"));
        }
        Ok(())
    }
}

/// How the learning rate changes over the epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// Never.
    Constant {},
    /// Times `gamma` at each milestone.
    MultiStep {
        /// Below 1: a fraction of the epochs; else an epoch.
        milestones: Vec<f64>,
        /// The factor.
        #[serde(default = "default_gamma")]
        gamma: f64,
    },
    /// Half a cosine from the learning rate down to `minimum`.
    Cosine {
        /// Learning rate at the end.
        #[serde(default)]
        minimum: f64,
    },
}

const fn default_gamma() -> f64 {
    0.1
}

/// Seeded changes of the training images, made anew each epoch; none by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Pixels of black border from which a crop of the image's own size is taken.
    pub crop_padding: usize,
    /// Mirror every second image left to right.
    pub flip: bool,
}

/// Weights of the classes in the loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Every sample counts the same.
    #[default]
    None,
    /// Every class that occurs counts the same.
    Balanced,
}

/// Number format in which convolutions multiply, in training and whenever the trained network is used. Weights, activations, gradients,
/// sums and all other layers are 32-bit floats in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16, for convolutions on the `flex` device only. A processor without AVX512-BF16 emulates it, slowly.
    Bf16,
}

/// The `[train]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the labels of a round.
    pub epochs: usize,
    /// Samples a step.
    pub batch_size: usize,
    /// Update rule.
    pub optimizer: OptimizerConfig,
    /// Learning rate over the epochs.
    pub schedule: ScheduleConfig,
    /// Changes of the training images.
    pub augment: AugmentConfig,
    /// Weights of the classes in the loss.
    pub class_weights: ClassWeights,
    /// Number format of convolutions.
    pub precision: Precision,
    /// Samples a batch when nothing is learned.
    pub eval_batch_size: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 200,
            batch_size: 128,
            optimizer: OptimizerConfig::Sgd { lr: 0.05, momentum: 0.9, nesterov: false, weight_decay: 5e-4 },
            schedule: ScheduleConfig::Cosine { minimum: 0.0 },
            augment: AugmentConfig::default(),
            class_weights: ClassWeights::None,
            precision: Precision::F32,
            eval_batch_size: 256,
        }
    }
}

impl TrainConfig {
    /// Whether every value is in range; the message names the key and what was expected.
    pub fn check(&self) -> Result<(), String> {
        if self.epochs == 0 {
            return Err("`train.epochs` is 0, expected at least 1".into());
        }
        if self.batch_size == 0 || self.eval_batch_size == 0 {
            return Err("`train.batch-size` and `train.eval-batch-size` are expected to be at least 1".into());
        }
        if self.augment.crop_padding > 1024 {
            return Err(format!("`train.augment.crop-padding` is {}, expected at most 1024", self.augment.crop_padding));
        }
        self.optimizer.check().map_err(|detail| detail.replacen("`optimizer.", "`train.optimizer.", 1))?;
        self.schedule.check(self.epochs).map_err(|detail| detail.replacen("`schedule.", "`train.schedule.", 1))
    }

    /// Whether every value means something for a network of that kind; the message names the key and what to do.
    pub fn check_arch(&self, arch: Arch) -> Result<(), String> {
        match (self.precision, arch) {
            (Precision::F32, _) | (Precision::Bf16, Arch::ResNet18) => Ok(()),
            (Precision::Bf16, Arch::Linear | Arch::Mlp) => {
                Err("`train.precision` is `bf16`, which is for convolutions, but a network over features has none: use `f32`"
                    .into())
            }
        }
    }
}
