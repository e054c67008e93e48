//! Variation ratio of an ensemble of independently trained models.
//!
//! **Formula**: `1 - f_mode / E`, ties within a level by `1 - max p̄`. **Cost**: training `E` models a round.
//! **Reference**: Beluch et al., CVPR 2018.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::var_ratio::vote_ratio;
use crate::{Acquisition, Buildable, Need, OutputsError, Parameter, QueryContext, StrategyError, StrategyInfo, config};

/// Parameters of [`EnsVarRatio`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EnsVarRatioConfig {
    /// Number of models, E.
    pub members: usize,
}

impl Default for EnsVarRatioConfig {
    fn default() -> Self {
        Self { members: 5 }
    }
}

/// Share of an ensemble's votes against the most voted class.
#[derive(Debug, Clone, Copy)]
pub struct EnsVarRatio(EnsVarRatioConfig);

impl Acquisition for EnsVarRatio {
    fn name(&self) -> &'static str {
        Self::INFO.name
    }

    fn score(&self, context: &QueryContext<'_>) -> Result<Array1<f64>, OutputsError> {
        Ok(vote_ratio(context.outputs.ensemble(self.0.members)?))
    }
}

impl Buildable for EnsVarRatio {
    type Config = EnsVarRatioConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "ens-var-ratio",
        summary: "samples that an ensemble votes apart",
        paper: "Beluch et al., CVPR 2018",
        needs: &[Need::Ensemble],
        parameters: &[Parameter {
            key: "members",
            default: "5",
            doc: "models trained a round, each from its own initial weights",
        }],
    };

    fn build(config: EnsVarRatioConfig) -> Result<Self, StrategyError> {
        if config.members < 2 {
            return Err(config::parameter(Self::INFO.name, format!("`members` is {}, expected at least 2", config.members)));
        }
        Ok(Self(config))
    }
}
