//! Our answers to cases.
//!
//! Most are a query or the scores of the strategy that the catalog builds from the case's name and parameters. A case that asks for
//! something else (given clusters, an intermediate quantity, counts over many seeds) has a file of its own here.

mod badge;
mod bait;
mod cluster_margin;
mod k_means;
mod power_bald;
mod typi_clust;

use autoal_strategies::{QueryStrategy, StrategySpec, catalog};

use super::fixture::{Archive, Case, Fixture, Query};

/// Rows of `id, score` in rank order; several runs where a case wants them.
pub(crate) struct Answer {
    pub(crate) runs: Vec<Vec<(u32, f64)>>,
}

impl Answer {
    pub(crate) fn one(rows: Vec<(u32, f64)>) -> Self {
        Self { runs: vec![rows] }
    }

    /// Ids in order, without scores.
    pub(crate) fn ids(ids: impl IntoIterator<Item = u32>) -> Self {
        Self::one(ids.into_iter().map(|id| (id, f64::NAN)).collect())
    }
}

/// Everything that a special answer may look at.
pub(crate) struct Question<'a> {
    pub(crate) case: &'a Case,
    pub(crate) inputs: &'a Archive,
    pub(crate) query: &'a Query,
}

type Special = fn(&Question<'_>) -> Result<Option<Answer>, String>;

/// Special answers; one gives `None` for cases that are a plain query.
const SPECIAL: &[(&str, Special)] = &[
    ("badge", badge::answer),
    ("bait", bait::answer),
    ("cluster-margin", cluster_margin::answer),
    ("k-means", k_means::answer),
    ("power-bald", power_bald::answer),
    ("typi-clust", typi_clust::answer),
];

/// The answer to a case; `None` when no strategy of that name exists.
pub(crate) fn answer(fixture: &Fixture, case: &Case) -> Result<Option<Answer>, String> {
    if catalog::find(&case.strategy).is_err() {
        return Ok(None);
    }
    let inputs = fixture.inputs(case)?;
    let query = Query::of(&inputs)?;
    let question = Question { case, inputs: &inputs, query: &query };
    let named = |error: String| format!("{}: {error}", case.name);
    for (_, special) in SPECIAL.iter().filter(|(name, _)| *name == case.strategy) {
        if let Some(answer) = special(&question).map_err(named)? {
            return Ok(Some(answer));
        }
    }
    plain(&question).map(Some).map_err(named)
}

fn plain(question: &Question<'_>) -> Result<Answer, String> {
    let case = question.case;
    let mut strategy = build(case)?;
    let context = question.query.context(1);
    match case.compare.as_str() {
        "scores" => {
            let scores = strategy.scores(&context).map_err(|error| error.to_string())?.ok_or("the strategy has no scores")?;
            Ok(Answer::one(question.query.ids.iter().map(|id| id.0).zip(scores).collect()))
        }
        "ordered-ids" | "id-set" => {
            let selection = strategy.select(&context, case.query_size).map_err(|error| error.to_string())?;
            Ok(Answer::one(selection.samples.iter().map(|s| (s.id.0, s.score.unwrap_or(f64::NAN))).collect()))
        }
        other => Err(format!("a case of kind `{other}` needs an answer of its own")),
    }
}

/// The strategy of a case with the case's parameters.
pub(crate) fn build(case: &Case) -> Result<Box<dyn QueryStrategy>, String> {
    let mut table = toml::Table::try_from(&case.params).map_err(|error| error.to_string())?;
    table.insert("name".into(), case.strategy.clone().into());
    catalog::build(&StrategySpec::Table(table)).map_err(|error| error.to_string())
}

/// Ids of a selection under one seed.
pub(crate) fn select(question: &Question<'_>, seed: u64) -> Result<Vec<u32>, String> {
    let selection = build(question.case)?.select(&question.query.context(seed), question.case.query_size);
    Ok(selection.map_err(|error| error.to_string())?.samples.iter().map(|s| s.id.0).collect())
}

/// The selections under seeds 0, 1, ... of a case that compares a mean over runs.
pub(crate) fn runs(question: &Question<'_>) -> Result<Answer, String> {
    let wanted = question.case.runs_wanted.unwrap_or(1) as u64;
    let run = |seed| Ok(select(question, seed)?.into_iter().map(|id| (id, f64::NAN)).collect());
    Ok(Answer { runs: (0..wanted).map(run).collect::<Result<_, String>>()? })
}

/// How often each id stood at `rank` under `seeds` seeds.
pub(crate) fn counts(question: &Question<'_>, rank: usize, seeds: u64) -> Result<Answer, String> {
    let mut counts: Vec<(u32, f64)> = question.query.ids.iter().map(|id| (id.0, 0.0)).collect();
    for seed in 0..seeds {
        let drawn = select(question, seed)?[rank];
        counts.iter_mut().filter(|(id, _)| *id == drawn).for_each(|(_, count)| *count += 1.0);
    }
    Ok(Answer::one(counts))
}
