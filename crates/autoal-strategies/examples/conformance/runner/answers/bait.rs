//! BAIT: the fixtures hold the full form, and the gains of the first step for the selection's own query size.

use autoal_strategies::hybrid::{Bait, BaitConfig, Fisher};
use autoal_strategies::{Buildable, QueryStrategy};

use super::{Answer, Question};

pub(crate) fn answer(question: &Question<'_>) -> Result<Option<Answer>, String> {
    let mut bait =
        Bait::build(BaitConfig { fisher: Fisher::Full, ..BaitConfig::default() }).map_err(|error| error.to_string())?;
    let context = question.query.context(0);
    if question.case.compare == "scores" {
        let gains = bait.first_gains(&context, selection_size(&question.case.name)).map_err(|error| error.to_string())?;
        return Ok(Some(Answer::one(context.candidates.iter().map(|id| id.0).zip(gains).collect())));
    }
    // Candidates in ascending order, as the catalog's strategies see them, are not needed: these cases have no ties.
    let selection = bait.select(&context, question.case.query_size).map_err(|error| error.to_string())?;
    Ok(Some(Answer::ids(selection.ids().iter().map(|id| id.0))))
}

/// Gains depend on the query size, and a case on scores names the pool's size instead.
fn selection_size(name: &str) -> usize {
    match name {
        "bait-b1-first-gain" => 5,
        "bait-b2-first-gain" => 8,
        _ => 6,
    }
}
