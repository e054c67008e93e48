//! Ranking by an acquisition function.

use ndarray::Array1;

use crate::{Acquisition, QueryContext, QueryError, QueryStrategy, Selection, rank};

/// Selects the candidates with the highest scores of an acquisition function.
///
/// Asking for fewer gives the first of the same order. O(N + query size · log) after the scores.
#[derive(Debug, Clone, Copy)]
pub struct AcquisitionStrategy<A>(pub A);

impl<A: Acquisition> AcquisitionStrategy<A> {
    fn checked_scores(&self, context: &QueryContext<'_>) -> Result<Array1<f64>, QueryError> {
        let name = self.0.name();
        let scores = self.0.score(context).map_err(QueryError::outputs(name))?;
        if scores.len() != context.candidates.len() {
            let detail = format!("{} scores for {} candidates", scores.len(), context.candidates.len());
            return Err(QueryError::Strategy { strategy: name.to_owned(), detail });
        }
        Ok(scores)
    }
}

impl<A: Acquisition> QueryStrategy for AcquisitionStrategy<A> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let scores = self.checked_scores(context)?;
        Ok(rank::select(&scores.to_vec(), context.candidates, query_size))
    }

    fn scores(&mut self, context: &QueryContext<'_>) -> Result<Option<Array1<f64>>, QueryError> {
        self.checked_scores(context).map(Some)
    }
}
