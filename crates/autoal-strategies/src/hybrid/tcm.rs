//! TCM: TypiClust while there are few labels, Margin afterwards.
//!
//! **Rule**: the first `switch-after-queries` queries go to TypiClust, all later ones to Margin. The paper ties the switch to the budget
//! and the number of classes; three queries are what the later comparisons use. The number of queries made is kept in the state.
//!
//! **Cost**: that of the strategy in charge.
//!
//! **Reference**: Doucet, Estermann, Aczel, Wattenhofer, ICLR 2024 workshops, arXiv 2403.03728.

use serde::{Deserialize, Serialize};

use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, StrategySpec,
    StrategyState, catalog,
};

/// TypiClust, then Margin.
pub struct Tcm {
    switch_after_queries: u32,
    early: Box<dyn QueryStrategy>,
    late: Box<dyn QueryStrategy>,
    queries: Queries,
}

/// How many rounds have been queried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Queries {
    count: u32,
    last_round: Option<u32>,
}

impl Queries {
    /// Counts a round once, however often it is asked.
    fn begin(&mut self, round: u32) {
        if self.last_round != Some(round) {
            *self = Self { count: self.count + 1, last_round: Some(round) };
        }
    }
}

/// Parameters of [`Tcm`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TcmConfig {
    /// Queries made by the first strategy.
    pub switch_after_queries: u32,
    /// The first strategy.
    pub early: StrategySpec,
    /// The strategy after the switch.
    pub late: StrategySpec,
}

impl Default for TcmConfig {
    fn default() -> Self {
        Self {
            switch_after_queries: 3,
            early: StrategySpec::Name("typi-clust".into()),
            late: StrategySpec::Name("margin".into()),
        }
    }
}

impl QueryStrategy for Tcm {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        self.queries.begin(context.round);
        let in_charge = if self.queries.count <= self.switch_after_queries { &mut self.early } else { &mut self.late };
        in_charge.select(context, query_size)
    }

    fn state(&self) -> StrategyState {
        StrategyState(serde_json::to_value(self.queries).expect("plain numbers"))
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.queries = crate::adaptive::state_from(Self::INFO.name, state)?;
        Ok(())
    }
}

impl Buildable for Tcm {
    type Config = TcmConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "tcm",
        summary: "TypiClust for the first queries, Margin afterwards",
        paper: "Doucet et al., ICLR 2024 workshops",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[
            Parameter { key: "switch-after-queries", default: "3", doc: "queries made by the first strategy" },
            Parameter { key: "early", default: "\"typi-clust\"", doc: "the first strategy" },
            Parameter { key: "late", default: "\"margin\"", doc: "the strategy after the switch" },
        ],
    };

    fn build(config: TcmConfig) -> Result<Self, StrategyError> {
        Ok(Self {
            switch_after_queries: config.switch_after_queries,
            early: catalog::build(&config.early)?,
            late: catalog::build(&config.late)?,
            queries: Queries::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::{SampleId, Seed};
    use ndarray::array;

    use super::*;
    use crate::ArrayOutputs;

    #[test]
    fn the_switch_happens_once_and_survives_a_resume() {
        let log_proba = array![[0.9_f32, 0.1], [0.5, 0.5], [0.7, 0.3]].mapv(f32::ln);
        let outputs = ArrayOutputs::new().with_log_proba(log_proba.view());
        let candidates = [0, 1, 2].map(SampleId);
        let config = || TcmConfig {
            switch_after_queries: 2,
            early: StrategySpec::Name("least-confidence".into()),
            late: StrategySpec::Name("random".into()),
        };
        let mut strategy = Tcm::build(config()).expect("valid");
        for round in 0..5 {
            let context = QueryContext {
                candidates: &candidates,
                labeled: &[],
                labels: &[],
                num_classes: 2,
                seed: Seed(0),
                round,
                outputs: &outputs,
            };
            let mut late = catalog::build(&StrategySpec::Name("random".into())).expect("known");
            let expected =
                if round < 2 { [1, 2, 0].map(SampleId).to_vec() } else { late.select(&context, 3).expect("valid").ids() };
            assert_eq!(strategy.select(&context, 3).expect("valid").ids(), expected);
            assert_eq!(strategy.select(&context, 3).expect("valid").ids(), expected, "asking twice in a round changes nothing");
            let state = strategy.state();
            strategy = Tcm::build(config()).expect("valid");
            strategy.restore(&state).expect("its own state");
        }
    }
}
