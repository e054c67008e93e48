//! AutoAL as a query strategy: search, ask the candidates about the pool, weigh, pick, record.

use std::time::Instant;

use autoal_data::{SampleId, Stream};
use autoal_strategies::{CandidateWeight, QueryContext, QueryError, QueryStrategy, Selected, Selection, SubsetOutputs, random};

use crate::BilevelError;
use crate::config::{AutoAlConfig, Pick};
use crate::fit_net::AutoAlEnv;
use crate::nominations::{Ask, Candidates};
use crate::pick;
use crate::record::{RoundRecord, SearchRecord};
use crate::search::round::{RoundSearch, Searched};
use crate::weigh::Weighed;

const WITNESSES: Stream = Stream::named("autoal-witnesses");

/// AutoAL, a query strategy.
///
/// It has no memory: every network is drawn anew in each round from (seed, round), so a resumed run goes on the same.
pub struct AutoAl {
    config: AutoAlConfig,
    env: AutoAlEnv,
    candidates: Candidates,
}

impl AutoAl {
    /// Builds the candidates and checks that the networks fit the data.
    pub fn new(config: AutoAlConfig, env: AutoAlEnv) -> Result<Self, BilevelError> {
        env.model.check(env.dataset.train.samples.shape()).map_err(|detail| BilevelError::Config { detail })?;
        let candidates = Candidates::build(config.candidates())?;
        Ok(Self { config, env, candidates })
    }

    /// Its configuration.
    pub fn config(&self) -> &AutoAlConfig {
        &self.config
    }

    /// A query over candidates in ascending order of id.
    fn query(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, BilevelError> {
        // The pass over the pool is part of every strategy's round; it is made before the clock of AutoAL's own phases starts.
        context.log_proba()?;
        let mut clock = Clock::new();
        let round =
            RoundSearch { config: &self.config, env: &self.env, candidates: &mut self.candidates, context: *context, query_size };
        let searched = round.run()?;
        clock.lap("search");
        let ask = Ask { kind: self.config.nominations, budget: query_size, beta: self.config.beta };
        let signals = self.candidates.ask(context, ask)?;
        clock.lap("candidates");
        let share = query_size as f64 / (context.candidates.len() + context.labeled.len()) as f64;
        let weighed = Weighed::new(&self.config, &self.env, searched.as_ref(), &signals, share, context)?;
        let samples = self.pick(context, &weighed, query_size)?;
        clock.lap("query");
        let mut first_choices = signals.first_choices.clone();
        for rows in &mut first_choices {
            rows.sort_unstable();
        }
        let nominated_by = samples.iter().map(|&(row, _)| self.nominators(&first_choices, row)).collect();
        let record = self.round_record(context, searched.is_some(), &first_choices, &weighed, &samples, signals.nan_scores);
        Ok(Selection { nominated_by, ..selection(context.candidates, &samples, record, searched, clock) })
    }

    /// Rows and scores of the selected samples, the most wanted first.
    fn pick(&self, context: &QueryContext<'_>, weighed: &Weighed, count: usize) -> Result<Vec<(usize, f64)>, BilevelError> {
        match self.config.pick {
            Pick::Top => {
                let rows = pick::top(&weighed.scores, &weighed.support, context.candidates, count);
                Ok(rows.into_iter().map(|row| (row, weighed.scores[row])).collect())
            }
            Pick::Coverage => {
                let mass = pick::sharpened_mass(&weighed.scores, self.config.gamma);
                let (pool, labeled) = (context.embeddings()?, context.labeled_embeddings()?);
                let witnesses = self.witnesses(context);
                let picks = pick::coverage(pool, labeled, &mass, witnesses.as_deref(), count, self.config.sigma);
                Ok(picks.into_iter().map(|pick| (pick.row, pick.gain)).collect())
            }
        }
    }

    /// Random candidates that gains are estimated on, where there are too many for exact ones.
    fn witnesses(&self, context: &QueryContext<'_>) -> Option<Vec<usize>> {
        let all: Vec<usize> = (0..context.candidates.len()).collect();
        (all.len() > self.config.exact_up_to.max(self.config.witnesses)).then(|| {
            let mut sample = random::sample_rows(context, WITNESSES, &all, self.config.witnesses);
            sample.sort_unstable();
            sample
        })
    }

    /// Names of the candidates whose own query would have taken a row.
    fn nominators(&self, first_choices: &[Vec<usize>], row: usize) -> Vec<String> {
        let names = self.candidates.names().iter().zip(first_choices);
        names.filter(|(_, rows)| has(rows, row)).map(|(name, _)| name.clone()).collect()
    }

    /// `first_choices` are sorted rows, one list a candidate.
    fn round_record(
        &self,
        context: &QueryContext<'_>,
        searched: bool,
        first_choices: &[Vec<usize>],
        weighed: &Weighed,
        samples: &[(usize, f64)],
        nan_scores: usize,
    ) -> RoundRecord {
        let common = |a: &[usize], b: &[usize]| a.iter().filter(|&&row| has(b, row)).count();
        RoundRecord {
            round: context.round,
            candidates: self.candidates.names().to_vec(),
            searched,
            mean_weight: weighed.mean_weight.clone(),
            share: weighed.share.clone(),
            selections: first_choices.iter().map(|rows| samples.iter().filter(|(row, _)| has(rows, *row)).count()).collect(),
            overlaps: first_choices.iter().map(|a| first_choices.iter().map(|b| common(a, b)).collect()).collect(),
            selected: samples.len(),
            unlabeled: context.candidates.len(),
            nan_scores,
        }
    }
}

fn has(sorted: &[usize], row: usize) -> bool {
    sorted.binary_search(&row).is_ok()
}

impl QueryStrategy for AutoAl {
    fn name(&self) -> &'static str {
        "autoal"
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        context.validate(query_size)?;
        let query_size = query_size.min(context.candidates.len());
        let answer = if context.candidates.is_sorted() {
            self.query(context, query_size)
        } else {
            // Sums over the pool follow the order of ids, so that the answer does not depend on the order of the candidates.
            let mut order: Vec<usize> = (0..context.candidates.len()).collect();
            order.sort_unstable_by_key(|&row| context.candidates[row]);
            let outputs = SubsetOutputs::new(context.outputs, order);
            let candidates = outputs.ids(context.candidates);
            self.query(&QueryContext { candidates: &candidates, outputs: &outputs, ..*context }, query_size)
        };
        answer.map_err(BilevelError::into_query_error)
    }
}

fn selection(
    ids: &[SampleId],
    samples: &[(usize, f64)],
    record: RoundRecord,
    searched: Option<Searched<'_>>,
    clock: Clock,
) -> Selection {
    let weights = record.candidates.iter().zip(&record.share);
    let weights = weights.map(|(candidate, weight)| CandidateWeight { candidate: candidate.clone(), weight: *weight }).collect();
    let nan_scores = record.nan_scores;
    let steps = searched.into_iter().flat_map(|searched| searched.records).map(SearchRecord::Step);
    let log = steps.chain([SearchRecord::Round(record)]).map(|record| record.line()).collect();
    let samples = samples.iter().map(|&(row, score)| Selected { id: ids[row], score: Some(score) }).collect();
    Selection { samples, weights, log, nan_scores, seconds: clock.laps, ..Selection::default() }
}

/// Seconds by phase.
struct Clock {
    since: Instant,
    laps: Vec<(&'static str, f64)>,
}

impl Clock {
    fn new() -> Self {
        Self { since: Instant::now(), laps: Vec::new() }
    }

    fn lap(&mut self, phase: &'static str) {
        self.laps.push((phase, self.since.elapsed().as_secs_f64()));
        self.since = Instant::now();
    }
}
