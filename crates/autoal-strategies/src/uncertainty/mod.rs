//! Acquisition functions: each scores every sample by itself, and the highest scores are selected.
//!
//! All cost O(N C) time after the model's outputs and O(N) memory, and asking for fewer samples gives the first of the same order.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

/// An acquisition function without parameters: its type, what is known of it, and its scores `[N]` as a function of the context.
macro_rules! acquisition {
    ($(#[$doc:meta])* $type:ident, $name:literal, $summary:literal, $paper:literal, [$($need:ident),*], $score:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $type;

        impl crate::Acquisition for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn score(&self, context: &crate::QueryContext<'_>) -> Result<ndarray::Array1<f64>, crate::OutputsError> {
                let score: fn(&crate::QueryContext<'_>) -> Result<ndarray::Array1<f64>, crate::OutputsError> = $score;
                score(context)
            }
        }

        impl crate::Buildable for $type {
            type Config = crate::config::NoParameters;

            const INFO: crate::StrategyInfo = crate::StrategyInfo {
                name: $name,
                summary: $summary,
                paper: $paper,
                needs: &[$(crate::Need::$need),*],
                parameters: &[],
            };

            fn build(_: Self::Config) -> Result<Self, crate::StrategyError> {
                Ok(Self)
            }
        }
    };
}

mod bald;
mod ddu;
mod ensemble;
mod entropy;
mod least_confidence;
mod margin;
mod mean_std;
mod predicted_loss;
mod random;
mod vaal;
mod var_ratio;

pub use bald::Bald;
pub use ddu::{Ddu, DduConfig};
pub use ensemble::{EnsVarRatio, EnsVarRatioConfig};
pub use entropy::{Entropy, EntropyMc};
pub use least_confidence::{LeastConfidence, LeastConfidenceMc};
pub(crate) use margin::gap as margin_gap;
pub use margin::{Margin, MarginMc};
pub use mean_std::MeanStd;
pub use predicted_loss::PredictedLoss;
pub use random::Random;
pub use vaal::Vaal;
pub use var_ratio::{VarRatioCoded, VarRatioCodedMc, VarRatioMc};

/// `score` of every row in parallel, `[N]`.
fn score_rows(rows: ArrayView2<'_, f32>, score: impl Fn(ArrayView1<'_, f32>) -> f64 + Sync + Send) -> Array1<f64> {
    rows.axis_iter(Axis(0)).into_par_iter().with_min_len(1024).map(score).collect::<Vec<_>>().into()
}
