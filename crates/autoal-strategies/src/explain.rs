//! Why a sample was selected: which of the strategy's candidates nominated it, and the labeled sample nearest to it.

use std::collections::HashSet;

use autoal_data::SampleId;
use ndarray::Axis;

use crate::{OutputsError, QueryContext, QueryError, Rows, Selection, StrategySpec, catalog, distance};

/// What is known of one selected sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Candidates of the strategy that would have selected it in a query of the same size; empty for strategies without candidates.
    pub nominated_by: Vec<String>,
    /// The row of the nearest labeled sample and its Euclidean distance; `None` without embeddings or labeled samples.
    pub nearest: Option<(usize, f64)>,
}

/// Explains every sample of a selection, in its order. One selection of every candidate, and O(query size L D).
pub fn explain(
    spec: &StrategySpec,
    context: &QueryContext<'_>,
    query_size: usize,
    selection: &Selection,
) -> Result<Vec<Explanation>, QueryError> {
    let name = spec.name().map_err(|error| QueryError::Input(error.to_string()))?.to_owned();
    let nominations = nominations(spec, &name, context, query_size)?;
    let nearest = nearest_labeled(context, selection).map_err(QueryError::outputs(&name))?;
    let explanation = |(rank, id): (usize, SampleId)| Explanation {
        nominated_by: nominations.iter().filter(|(_, ids)| ids.contains(&id)).map(|(name, _)| name.clone()).collect(),
        nearest: nearest.as_ref().map(|nearest| nearest[rank]),
    };
    Ok(selection.ids().into_iter().enumerate().map(explanation).collect())
}

/// What every candidate of the strategy selects on its own.
fn nominations(
    spec: &StrategySpec,
    name: &str,
    context: &QueryContext<'_>,
    query_size: usize,
) -> Result<Vec<(String, HashSet<SampleId>)>, QueryError> {
    let failed = |error: crate::StrategyError| QueryError::strategy(name, error.to_string());
    let mut parameters = (catalog::find(name).map_err(failed)?.defaults)();
    parameters.extend(spec.parameters());
    let candidates = match parameters.remove("candidates") {
        Some(candidates) => {
            candidates.try_into::<Vec<StrategySpec>>().map_err(|error| QueryError::strategy(name, error.to_string()))?
        }
        None => Vec::new(),
    };
    let nominate = |spec: &StrategySpec| {
        let mut strategy = catalog::build(spec).map_err(failed)?;
        let ids = strategy.select(context, query_size)?.ids().into_iter().collect();
        Ok((strategy.name().to_owned(), ids))
    };
    candidates.iter().map(nominate).collect()
}

/// The labeled sample nearest to each selected one.
fn nearest_labeled(context: &QueryContext<'_>, selection: &Selection) -> Result<Option<Vec<(usize, f64)>>, OutputsError> {
    let embeddings = match context.embeddings() {
        Err(OutputsError::Missing { .. }) => return Ok(None),
        embeddings => embeddings?,
    };
    let labeled = match context.labeled_embeddings() {
        Err(OutputsError::Missing { .. }) => return Ok(None),
        labeled => labeled?,
    };
    let selected: HashSet<SampleId> = selection.ids().into_iter().collect();
    let row_of = context.candidates.iter().enumerate().filter(|(_, id)| selected.contains(id)).map(|(row, id)| (*id, row));
    let row_of: std::collections::HashMap<SampleId, usize> = row_of.collect();
    let rows: Vec<usize> = selection.ids().iter().filter_map(|id| row_of.get(id).copied()).collect();
    let gathered = embeddings.view().select(Axis(0), &rows);
    let gathered = Rows::from_view(gathered.view()).expect("a fresh array is row-major");
    let nearest = distance::nearest(gathered, labeled);
    Ok(nearest.map(|found| found.iter().map(|near| (near.index as usize, f64::from(near.squared).sqrt())).collect()))
}
