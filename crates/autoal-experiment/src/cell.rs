//! One (strategy, seed): its folder, its pool, and the loop over rounds.

use std::path::{Path, PathBuf};

use autoal_data::{HiddenLabels, Label, Oracle, Pool, SampleId, Stratification, digest_ids, seed_set};
use autoal_models::Prediction;
use autoal_strategies::{QueryStrategy, Selection};

use crate::lock::CellLock;
use crate::manifest::{DataIdentity, Manifest, StrategyIdentity};
use crate::store::CellStore;
use crate::{CellName, Environment, Event, ExperimentError, Query, StrategyEntry, round, strategy};

/// A cell that runs: what is committed, and what follows from it.
pub(crate) struct Cell<'a> {
    pub(crate) env: &'a Environment<'a>,
    pub(crate) name: CellName,
    pub(crate) entry: &'a StrategyEntry,
    pub(crate) folder: PathBuf,
    pub(crate) store: CellStore,
    pub(crate) pool: Pool,
    pub(crate) oracle: HiddenLabels,
    /// Labels that the strategy made up for the next training only.
    pub(crate) pseudo_labels: Vec<(SampleId, Label)>,
    /// `None` for the run with all labels, which queries nothing.
    pub(crate) strategy: Option<Box<dyn QueryStrategy>>,
    _lock: CellLock,
}

/// Folder of a cell inside the experiment's folder.
pub(crate) fn folder(experiment: &Path, cell: &CellName) -> PathBuf {
    experiment.join(&cell.strategy).join(format!("seed-{}", cell.seed.0))
}

/// Runs a cell to its end, from wherever it is.
pub(crate) fn run(
    env: &Environment<'_>,
    experiment: &Path,
    entry: &StrategyEntry,
    name: CellName,
) -> Result<(), ExperimentError> {
    let mut cell = Cell::open(env, experiment, entry, name)?;
    let done = cell.store.rounds().len() as u32;
    env.tell(&Event::CellStarted { cell: cell.name.clone(), done });
    if done == 0 {
        cell.warn_of_one_class();
    }
    for round in done..=cell.last_round() {
        round::run(&mut cell, round)?;
    }
    env.tell(&Event::CellFinished { cell: cell.name.clone() });
    Ok(())
}

impl<'a> Cell<'a> {
    fn open(
        env: &'a Environment<'a>,
        experiment: &Path,
        entry: &'a StrategyEntry,
        name: CellName,
    ) -> Result<Self, ExperimentError> {
        let folder = folder(experiment, &name);
        std::fs::create_dir_all(&folder).map_err(|source| ExperimentError::io(&folder, source))?;
        let lock = CellLock::acquire(&folder)?;
        let full = entry.name == strategy::FULL_DATA;
        let first = first_labels(env, &name, full)?;
        manifest(env, entry, &name, &first).claim(&folder)?;
        let mut cell = Self {
            env,
            name,
            entry,
            store: CellStore::load(&folder)?,
            folder,
            pool: Pool::new((0..env.dataset.train.len() as u32).map(SampleId).collect()),
            oracle: HiddenLabels::new(env.dataset.train.labels.clone()),
            pseudo_labels: Vec::new(),
            strategy: if full { None } else { Some(strategy::build(entry, env)?) },
            _lock: lock,
        };
        cell.store.reopen(cell.last_round());
        cell.replay(&first)?;
        Ok(cell)
    }

    /// The last round of this cell; it trains and tests but does not query.
    pub(crate) fn last_round(&self) -> u32 {
        if self.strategy.is_some() { self.env.config.budget.rounds } else { 0 }
    }

    /// Puts pool and strategy where the last committed round left them.
    fn replay(&mut self, first: &[SampleId]) -> Result<(), ExperimentError> {
        let Some(last) = self.store.rounds().last() else {
            let labels = self.oracle.annotate(first);
            return self.label(&first.iter().copied().zip(labels).collect::<Vec<_>>());
        };
        self.pseudo_labels.clone_from(&last.pseudo_labels);
        if let Some(strategy) = &mut self.strategy {
            strategy.restore(&last.strategy_state)?;
        }
        let labels: Vec<_> = self.store.queries().iter().map(|query| (query.sample, query.label)).collect();
        self.label(&labels)
    }

    /// A seed set of one class is allowed, but the first model then knows nothing of the others.
    fn warn_of_one_class(&self) {
        let mut labels = self.pool.labeled().iter().map(|(_, label)| label);
        let first = labels.next();
        if self.env.dataset.num_classes() > 1 && labels.all(|label| Some(label) == first) {
            let message = format!("{}: the seed set holds one class only; the first model cannot tell classes apart", self.name);
            self.env.tell(&Event::Warning { message });
        }
    }

    /// Moves samples to the labeled part of the pool.
    pub(crate) fn label(&mut self, labels: &[(SampleId, Label)]) -> Result<(), ExperimentError> {
        self.pool.label(labels).map_err(|source| ExperimentError::Pool { cell: self.name.clone(), source })
    }

    /// Rows of `queries.csv` for labels that came in one batch.
    ///
    /// `predictions` are of the model that selected, in the order of the labels; the seed set has none, and an empty selection.
    pub(crate) fn query_rows(
        &self,
        round: u32,
        labels: &[(SampleId, Label)],
        selection: &Selection,
        predictions: &[Prediction],
    ) -> Vec<Query> {
        let sources = &self.env.dataset.train.sources;
        let row = |(rank, (sample, label)): (usize, &(SampleId, Label))| Query {
            round,
            rank,
            sample: *sample,
            source: sources.get(sample.row()).cloned().unwrap_or_default(),
            label: *label,
            score: selection.samples.get(rank).and_then(|selected| selected.score),
            predicted: predictions.get(rank).map(|prediction| prediction.class),
            confidence: predictions.get(rank).map(|prediction| prediction.confidence),
            nominated_by: selection.nominated_by.get(rank).map(|names| names.join(" ")).unwrap_or_default(),
        };
        labels.iter().enumerate().map(row).collect()
    }
}

/// The samples that are labeled before the first query: the seed set, or everything for the run with all labels.
fn first_labels(env: &Environment<'_>, name: &CellName, full: bool) -> Result<Vec<SampleId>, ExperimentError> {
    let (budget, train) = (&env.config.budget, &env.dataset.train);
    let ids: Vec<SampleId> = (0..train.len() as u32).map(SampleId).collect();
    let size = if full { ids.len() } else { budget.seed_set_size };
    let by = if budget.stratified_seed_set { Stratification::Stratified } else { Stratification::Uniform };
    Ok(seed_set(&ids, &train.labels, size, name.seed, by)?)
}

fn manifest(env: &Environment<'_>, entry: &StrategyEntry, name: &CellName, first: &[SampleId]) -> Manifest {
    let identity =
        StrategyIdentity { label: entry.label.clone(), name: entry.name.clone(), parameters: entry.parameters.clone() };
    let data = DataIdentity { name: env.dataset.name.clone(), digest: env.dataset.digest.clone() };
    let (config, device) = (&env.config, env.device.name());
    Manifest::new(&config.name, name, identity, device, data, digest_ids(first), config.result_identity())
}
