//! One round, top to bottom: train, evaluate, query, annotate, commit.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use autoal_data::{Label, Oracle, SampleId, Stream};
use autoal_models::{
    EpochReport, Evaluation, ModelError, PoolOutputs, PoolQuery, TASK_MODEL, TrainOptions, TrainedModel, TrainingSet, evaluate,
    train,
};
use autoal_strategies::{QueryContext, RoundOutcome, Selection};

use crate::cell::Cell;
use crate::record::FORMAT_VERSION;
use crate::seed_set_model::{SeedSetKey, SeedSetModel};
use crate::timed::TimedOutputs;
use crate::{Event, ExperimentError, Phase, RoundRecord, RoundSeconds, strategy, thumbnails};

/// Which candidates a query may choose from when there is a limit.
const CANDIDATE_LIMIT: Stream = Stream::named("candidate-limit");

/// Runs and commits one round.
pub(crate) fn run(cell: &mut Cell<'_>, round: u32) -> Result<(), ExperimentError> {
    let start = Instant::now();
    let trained = train_model(cell, round)?;
    let (test, evaluate_seconds) = evaluate_model(cell, round, &trained.model)?;
    let mut seconds = RoundSeconds { train: trained.seconds, evaluate: evaluate_seconds, ..RoundSeconds::default() };
    let labels = cell.pool.labeled().len();
    let selection =
        if round < cell.last_round() { query(cell, round, &trained.model, &mut seconds)? } else { Selection::default() };
    let answered = annotate(cell, &selection)?;
    // The seed set's model is trained once for all strategies; each of them needed it, so each accounts for it in full.
    seconds.total = seconds.sum().max(start.elapsed().as_secs_f64());
    let record = RoundRecord {
        version: FORMAT_VERSION,
        round,
        labels,
        accuracy: test.accuracy,
        balanced_accuracy: test.balanced_accuracy,
        loss: test.loss,
        ece: test.calibration_error,
        recall: test.recall,
        train_loss: trained.model.train_loss,
        queried: selection.samples.len(),
        nan_scores: selection.nan_scores,
        weights: selection.weights.clone(),
        pseudo_labels: selection.pseudo_labels.clone(),
        strategy_state: cell.strategy.as_ref().map(|strategy| strategy.state()).unwrap_or_default(),
        seconds,
        peak_memory_bytes: peak_memory_bytes(),
    };
    commit(cell, record, &selection, &answered, &trained.model)
}

/// Trains on what is labeled now. The model of the seed set is shared by all strategies of the seed.
fn train_model(cell: &Cell<'_>, round: u32) -> Result<SeedSetModel, ExperimentError> {
    cell.env.tell(&Event::PhaseStarted { cell: cell.name.clone(), round, phase: Phase::Train });
    let loss_head = strategy::needs_loss_head(cell.entry);
    if round == 0 && cell.strategy.is_some() {
        let key = SeedSetKey { seed: cell.name.seed, loss_head };
        return cell.env.seed_set_models.get(key, || train_now(cell, round, loss_head));
    }
    train_now(cell, round, loss_head)
}

fn train_now(cell: &Cell<'_>, round: u32, loss_head: bool) -> Result<SeedSetModel, ExperimentError> {
    let (env, start) = (cell.env, Instant::now());
    let pairs = cell.pool.labeled().iter().chain(&cell.pseudo_labels);
    let (rows, labels): (Vec<SampleId>, Vec<Label>) = pairs.copied().unzip();
    let data = TrainingSet {
        samples: &env.dataset.train.samples,
        rows: &rows,
        labels: &labels,
        num_classes: env.dataset.num_classes(),
        normalization: env.dataset.normalization.as_ref(),
    };
    let mut observe = |report: &EpochReport| {
        env.tell(&Event::Epoch { cell: cell.name.clone(), epoch: report.epoch, epochs: report.epochs, loss: report.loss });
        if env.stop.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options =
        TrainOptions { loss_head, stream: TASK_MODEL, pretrained: env.pretrained.as_deref(), observer: Some(&mut observe) };
    let model = train(&env.config.model, &env.config.train, &data, cell.name.seed, round, &env.device, options)
        .map_err(|source| failed(cell, round, source))?;
    Ok(SeedSetModel { model: Arc::new(model), seconds: start.elapsed().as_secs_f64() })
}

fn evaluate_model(cell: &Cell<'_>, round: u32, model: &TrainedModel) -> Result<(Evaluation, f64), ExperimentError> {
    let (env, start) = (cell.env, Instant::now());
    env.go_on()?;
    env.tell(&Event::PhaseStarted { cell: cell.name.clone(), round, phase: Phase::Evaluate });
    let test = evaluate(model, &env.dataset.test).map_err(|source| failed(cell, round, source))?;
    Ok((test, start.elapsed().as_secs_f64()))
}

/// Asks the strategy.
fn query(
    cell: &mut Cell<'_>,
    round: u32,
    model: &TrainedModel,
    seconds: &mut RoundSeconds,
) -> Result<Selection, ExperimentError> {
    let (env, start) = (cell.env, Instant::now());
    env.go_on()?;
    env.tell(&Event::PhaseStarted { cell: cell.name.clone(), round, phase: Phase::Query });
    let candidates = candidates(cell, round);
    let (labeled, labels): (Vec<SampleId>, Vec<Label>) = cell.pool.labeled().iter().copied().unzip();
    let pool = PoolOutputs::new(PoolQuery {
        model,
        train_config: &env.config.train,
        pretrained: env.pretrained.as_deref(),
        samples: &env.dataset.train.samples,
        candidates: &candidates,
        labeled: &labeled,
        labels: &labels,
        num_classes: env.dataset.num_classes(),
        normalization: env.dataset.normalization.as_ref(),
        seed: cell.name.seed,
        round,
    });
    let outputs = TimedOutputs::new(&pool);
    let context = QueryContext {
        candidates: &candidates,
        labeled: &labeled,
        labels: &labels,
        num_classes: env.dataset.num_classes(),
        seed: cell.name.seed,
        round,
        outputs: &outputs,
    };
    let strategy = cell.strategy.as_mut().expect("only cells with a strategy have a round that queries");
    let selection = strategy.select(&context, env.config.budget.query_size).map_err(|source| ExperimentError::Query {
        cell: cell.name.clone(),
        round,
        source,
    })?;
    seconds.account(start.elapsed().as_secs_f64(), outputs.seconds(), &selection);
    Ok(selection)
}

/// The unlabeled samples of this query: all of them, or the first `candidate-limit` in a keyed random order.
fn candidates(cell: &Cell<'_>, round: u32) -> Vec<SampleId> {
    let limit = cell.env.config.budget.candidate_limit;
    let mut candidates = cell.pool.unlabeled().to_vec();
    if limit > 0 && limit < candidates.len() {
        candidates.sort_by_cached_key(|id| (cell.name.seed.hash(CANDIDATE_LIMIT, round, *id), *id));
        candidates.truncate(limit);
        candidates.sort_unstable();
    }
    candidates
}

/// Gets the labels of the selected samples, and tells the strategy.
fn annotate(cell: &mut Cell<'_>, selection: &Selection) -> Result<Vec<(SampleId, Label)>, ExperimentError> {
    let ids = selection.ids();
    let labels = cell.oracle.annotate(&ids);
    let answered: Vec<_> = ids.into_iter().zip(labels.iter().copied()).collect();
    cell.label(&answered)?;
    cell.pseudo_labels.clone_from(&selection.pseudo_labels);
    if let (Some(strategy), false) = (&mut cell.strategy, answered.is_empty()) {
        strategy.observe(&RoundOutcome { selection, labels: &labels });
    }
    Ok(answered)
}

fn commit(
    cell: &mut Cell<'_>,
    record: RoundRecord,
    selection: &Selection,
    answered: &[(SampleId, Label)],
    model: &TrainedModel,
) -> Result<(), ExperimentError> {
    let (round, labels, accuracy, seconds) = (record.round, record.labels, record.accuracy, record.seconds.total);
    let mut rows = Vec::new();
    if round == 0 {
        let first = &cell.pool.labeled()[..labels];
        rows.extend(cell.query_rows(0, first, &Selection::default(), &[]));
    }
    if !answered.is_empty() {
        let samples = &cell.env.dataset.train.samples;
        let predictions = model.predict(samples, &selection.ids()).map_err(|source| failed(cell, round, source))?;
        rows.extend(cell.query_rows(round + 1, answered, selection, &predictions));
        thumbnails::write(&cell.folder, round + 1, samples, &selection.ids())?;
    }
    cell.store.commit(record, &rows, &selection.log)?;
    cell.env.tell(&Event::RoundCommitted { cell: cell.name.clone(), round, labels, accuracy, seconds });
    Ok(())
}

fn failed(cell: &Cell<'_>, round: u32, source: ModelError) -> ExperimentError {
    match source {
        ModelError::Interrupted { .. } => ExperimentError::Stopped,
        source => ExperimentError::Model { cell: cell.name.clone(), round, source },
    }
}

impl RoundSeconds {
    fn sum(&self) -> f64 {
        self.train + self.evaluate + self.outputs + self.candidates + self.search + self.query
    }

    /// Splits the seconds of a query into passes over the pool, the strategy's own phases, and the rest.
    fn account(&mut self, all: f64, outputs: f64, selection: &Selection) {
        self.outputs = outputs;
        for (phase, seconds) in &selection.seconds {
            match *phase {
                "search" => self.search += seconds,
                "candidates" => self.candidates += seconds,
                _ => {}
            }
        }
        // What a strategy counts as its candidates' work may hold passes over the pool; those are counted once.
        let overlap = self.outputs + self.candidates + self.search - all;
        self.candidates -= overlap.clamp(0.0, self.candidates);
        self.query = (all - self.outputs - self.candidates - self.search).max(0.0);
    }
}

/// Peak resident memory of this process, from Linux's `/proc`; 0 elsewhere.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
