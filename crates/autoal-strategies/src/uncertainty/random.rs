//! Random: every candidate is as good as any other; the baseline of every comparison.
//!
//! **Formula**: a uniform number keyed by (seed, round, id). **Cost**: O(N). Asking for fewer gives the first of the same order, and
//! the order of the candidates cannot matter.

use autoal_data::Stream;
use ndarray::Array1;

use crate::config::NoParameters;
use crate::{Acquisition, Buildable, OutputsError, QueryContext, StrategyError, StrategyInfo, random};

/// Scores at random.
#[derive(Debug, Clone, Copy)]
pub struct Random;

const STREAM: Stream = Stream::named("random");

impl Acquisition for Random {
    fn name(&self) -> &'static str {
        Self::INFO.name
    }

    fn score(&self, context: &QueryContext<'_>) -> Result<Array1<f64>, OutputsError> {
        Ok(random::uniform(context, STREAM).into())
    }
}

impl Buildable for Random {
    type Config = NoParameters;

    const INFO: StrategyInfo =
        StrategyInfo { name: "random", summary: "any sample, all alike", paper: "the baseline", needs: &[], parameters: &[] };

    fn build(_: NoParameters) -> Result<Self, StrategyError> {
        Ok(Self)
    }
}
