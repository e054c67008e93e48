//! The guard around every strategy of the catalog: checks the query and brings it into one order.

use ndarray::Array1;

use crate::{
    Need, OutputsError, QueryContext, QueryError, QueryStrategy, RoundOutcome, Selection, StrategyError, StrategyState,
    SubsetOutputs,
};

/// A strategy behind checks, so that no strategy needs its own.
///
/// The inner strategy sees distinct candidates in ascending order of id and `1 <= query_size <= N`. Since it never sees the order in
/// which the caller listed the candidates, its answer cannot depend on it. Candidates that are ascending already, as those of a pool,
/// cost no copy.
pub(crate) struct Checked {
    inner: Box<dyn QueryStrategy>,
    needs: &'static [Need],
}

impl Checked {
    pub(crate) fn new(inner: Box<dyn QueryStrategy>, needs: &'static [Need]) -> Self {
        Self { inner, needs }
    }

    /// Arrays of the candidates that are there and have another number of rows are an error before rows are reordered or gathered.
    fn check_shapes(&self, context: &QueryContext<'_>) -> Result<(), QueryError> {
        for need in self.needs {
            let found = match need {
                Need::LogProba => context.log_proba().map(drop),
                Need::Embeddings => context.check_embeddings(),
                Need::McDropout => context.mc_dropout().map(drop),
                Need::PredictedLoss => context.predicted_loss().map(drop),
                _ => Ok(()),
            };
            if let Err(error @ OutputsError::Failed(_)) = found {
                return Err(QueryError::outputs(self.name())(error));
            }
        }
        Ok(())
    }
}

impl QueryStrategy for Checked {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        context.validate(query_size)?;
        self.check_shapes(context)?;
        let query_size = query_size.min(context.candidates.len());
        let Some(order) = ascending_order(context) else {
            return self.inner.select(context, query_size);
        };
        let ordered = SubsetOutputs::new(context.outputs, order);
        let candidates = ordered.ids(context.candidates);
        self.inner.select(&QueryContext { candidates: &candidates, outputs: &ordered, ..*context }, query_size)
    }

    fn scores(&mut self, context: &QueryContext<'_>) -> Result<Option<Array1<f64>>, QueryError> {
        context.validate(1)?;
        self.check_shapes(context)?;
        let Some(order) = ascending_order(context) else {
            return self.inner.scores(context);
        };
        let ordered = SubsetOutputs::new(context.outputs, order);
        let candidates = ordered.ids(context.candidates);
        let scores = self.inner.scores(&QueryContext { candidates: &candidates, outputs: &ordered, ..*context })?;
        Ok(scores.map(|scores| {
            let mut back = Array1::zeros(scores.len());
            ordered.rows().iter().zip(scores).for_each(|(&row, score)| back[row] = score);
            back
        }))
    }

    fn observe(&mut self, outcome: &RoundOutcome<'_>) {
        self.inner.observe(outcome);
    }

    fn state(&self) -> StrategyState {
        self.inner.state()
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.inner.restore(state)
    }
}

/// Rows of the candidates by ascending id; `None` when they are in that order.
fn ascending_order(context: &QueryContext<'_>) -> Option<Vec<usize>> {
    if context.candidates.is_sorted() {
        return None;
    }
    let mut order: Vec<usize> = (0..context.candidates.len()).collect();
    order.sort_unstable_by_key(|&row| context.candidates[row]);
    Some(order)
}
