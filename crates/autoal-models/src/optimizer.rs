//! Burn's optimizers with PyTorch's arithmetic: every default is written out, because Burn's differ (dampening, epsilon, decay).

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};

use crate::config::OptimizerConfig;

impl OptimizerConfig {
    /// A fresh optimizer; one optimizer serves one network.
    pub fn init(&self) -> ModuleOptimizer {
        let decay = |rate: f64| (rate > 0.0).then(|| WeightDecayConfig::new(rate as f32));
        match *self {
            Self::Sgd { momentum, nesterov, weight_decay, .. } => {
                let momentum = (momentum > 0.0)
                    .then(|| MomentumConfig::new().with_momentum(momentum).with_dampening(0.0).with_nesterov(nesterov));
                SgdConfig::new().with_momentum(momentum).with_weight_decay(decay(weight_decay)).init()
            }
            Self::Adam { betas, epsilon, weight_decay, .. } => AdamConfig::new()
                .with_beta_1(betas.0 as f32)
                .with_beta_2(betas.1 as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay(decay(weight_decay))
                .init(),
            Self::AdamW { betas, epsilon, weight_decay, .. } => AdamWConfig::new()
                .with_beta_1(betas.0 as f32)
                .with_beta_2(betas.1 as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay(weight_decay as f32)
                .init(),
        }
    }
}
