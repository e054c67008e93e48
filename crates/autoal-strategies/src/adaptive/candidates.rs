//! The strategies that an adaptive strategy mixes.

use autoal_data::SampleId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{
    CandidateWeight, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategySpec, StrategyState, catalog,
    config,
};

/// Candidates in the order of the configuration.
pub(crate) struct Candidates(Vec<Box<dyn QueryStrategy>>);

impl Candidates {
    /// Builds the candidates of the strategy `owner`; an error when there is none.
    pub(crate) fn build(owner: &str, specs: &[StrategySpec]) -> Result<Self, StrategyError> {
        if specs.is_empty() {
            return Err(config::parameter(owner, "`candidates` is empty, expected at least one strategy"));
        }
        specs.iter().map(catalog::build).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn name(&self, index: usize) -> &str {
        self.0[index].name()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut dyn QueryStrategy> {
        self.0.iter_mut().map(|strategy| strategy.as_mut() as &mut dyn QueryStrategy)
    }

    /// What one candidate selects, in its name.
    pub(crate) fn select(&mut self, index: usize, context: &QueryContext<'_>, count: usize) -> Result<Selection, QueryError> {
        let selection = self.0[index].select(context, count)?;
        let nominated_by = vec![vec![self.name(index).to_owned()]; selection.samples.len()];
        Ok(Selection { nominated_by, ..selection })
    }

    /// What every candidate would select, the most wanted first.
    pub(crate) fn nominations(&mut self, context: &QueryContext<'_>, count: usize) -> Result<Vec<Vec<SampleId>>, QueryError> {
        self.0.iter_mut().map(|strategy| Ok(strategy.select(context, count)?.ids())).collect()
    }

    /// Shares of the candidates for the record of a round.
    pub(crate) fn weights(&self, shares: &[f64]) -> Vec<CandidateWeight> {
        let total: f64 = shares.iter().sum();
        let names = self.0.iter().map(|strategy| strategy.name().to_owned());
        names.zip(shares).map(|(candidate, share)| CandidateWeight { candidate, weight: share / total }).collect()
    }

    /// The states of all candidates; `null` when none has one.
    pub(crate) fn state(&self) -> StrategyState {
        let states: Vec<StrategyState> = self.0.iter().map(|strategy| strategy.state()).collect();
        if states.iter().all(|state| state.0.is_null()) {
            return StrategyState::default();
        }
        StrategyState(serde_json::to_value(states).expect("states are JSON values"))
    }

    /// Takes back what [`Candidates::state`] gave.
    pub(crate) fn restore(&mut self, owner: &str, state: &StrategyState) -> Result<(), StrategyError> {
        if state.0.is_null() {
            return Ok(());
        }
        let states: Vec<StrategyState> = state_from(owner, state)?;
        check_len(owner, states.len(), self.len())?;
        self.0.iter_mut().zip(&states).try_for_each(|(strategy, state)| strategy.restore(state))
    }
}

/// Memory of an adaptive strategy: its own, and its candidates'.
#[derive(Debug, Serialize, Deserialize)]
struct Saved<S> {
    own: S,
    candidates: StrategyState,
}

/// The state of a strategy with memory `own`.
pub(crate) fn save(own: &impl Serialize, candidates: &Candidates) -> StrategyState {
    let saved = Saved { own, candidates: candidates.state() };
    StrategyState(serde_json::to_value(saved).expect("memories are plain numbers and lists"))
}

/// Takes back what [`save`] gave: restores the candidates and returns the strategy's own memory, `None` when nothing was saved.
pub(crate) fn load<S: DeserializeOwned>(
    owner: &str,
    state: &StrategyState,
    candidates: &mut Candidates,
) -> Result<Option<S>, StrategyError> {
    if state.0.is_null() {
        return Ok(None);
    }
    let saved: Saved<S> = state_from(owner, state)?;
    candidates.restore(owner, &saved.candidates)?;
    Ok(Some(saved.own))
}

/// Parses a state of the strategy `owner`.
pub(crate) fn state_from<S: DeserializeOwned>(owner: &str, state: &StrategyState) -> Result<S, StrategyError> {
    serde_json::from_value(state.0.clone()).map_err(|error| bad_state(owner, error.to_string()))
}

/// An error unless a state has one value a candidate.
pub(crate) fn check_len(owner: &str, found: usize, candidates: usize) -> Result<(), StrategyError> {
    if found == candidates {
        return Ok(());
    }
    Err(bad_state(owner, format!("it was saved with {found} candidates, now there are {candidates}")))
}

fn bad_state(owner: &str, detail: String) -> StrategyError {
    StrategyError::State { strategy: owner.to_owned(), detail }
}
