//! All cells of a configuration, one after another or several at a time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use serde::Serialize;

use crate::files::write_atomic;
use crate::record::FORMAT_VERSION;
use crate::{CellName, Environment, Event, ExperimentError, StrategyEntry, cell};

/// How to run, as against what.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Folder that holds one folder an experiment.
    pub output: PathBuf,
    /// Cells that run at the same time.
    pub jobs: usize,
    /// The command that started this run, for the record.
    pub command: String,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// Every cell is complete.
    Complete,
    /// The user stopped it; the same command goes on.
    Stopped,
    /// Some cells failed, the others are complete.
    Failed(Vec<(CellName, ExperimentError)>),
}

/// An experiment on disk.
#[derive(Debug)]
pub struct Experiment {
    folder: PathBuf,
}

/// `experiment.json`.
#[derive(Serialize)]
struct Summary<'a> {
    version: u32,
    name: &'a str,
    command: &'a str,
    autoal_version: &'a str,
    device: String,
    config: toml::Table,
    data: DataSummary<'a>,
    seeds: Vec<u64>,
    strategies: Vec<StrategySummary<'a>>,
}

#[derive(Serialize)]
struct DataSummary<'a> {
    name: &'a str,
    digest: &'a str,
    classes: &'a [String],
    pool_size: usize,
    test_size: usize,
}

#[derive(Serialize)]
struct StrategySummary<'a> {
    label: &'a str,
    name: &'a str,
    parameters: &'a toml::Table,
}

impl Experiment {
    /// The folder of the experiment's results.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs every cell that is not complete, seed by seed so that the strategies of a seed can be compared early.
    pub fn run(env: &Environment<'_>, options: &RunOptions) -> Result<(Self, Outcome), ExperimentError> {
        let folder = options.output.join(&env.config.name);
        write_summary(env, options, &folder)?;
        let cells: Vec<(&StrategyEntry, CellName)> = env
            .config
            .seeds
            .iter()
            .flat_map(|seed| env.config.strategies.iter().map(move |entry| (entry, *seed)))
            .map(|(entry, seed)| (entry, CellName { strategy: entry.label.clone(), seed }))
            .collect();
        env.tell(&Event::Loaded {
            dataset: env.dataset.name.clone(),
            pool: env.dataset.train.len(),
            test: env.dataset.test.len(),
            classes: env.dataset.num_classes(),
        });
        env.tell(&Event::Planned { cells: cells.len(), rounds: env.config.budget.rounds + 1 });
        warn_of_emulation(env);
        let failures = run_cells(env, &folder, cells, options.jobs.max(1));
        let outcome = match failures {
            _ if env.stop.requested() => Outcome::Stopped,
            failures if failures.is_empty() => Outcome::Complete,
            failures => Outcome::Failed(failures),
        };
        Ok((Self { folder }, outcome))
    }
}

/// A precision that is meant to save time must not cost it unnoticed.
fn warn_of_emulation(env: &Environment<'_>) {
    if env.device.emulates(env.config.train.precision) {
        let message =
            "`train.precision` is `bf16`, which this processor has no instructions for and emulates: `f32` is faster here";
        env.tell(&Event::Warning { message: message.into() });
    }
}

/// Works through the cells with `jobs` threads. A cell that fails does not stop the others.
fn run_cells(
    env: &Environment<'_>,
    folder: &Path,
    cells: Vec<(&StrategyEntry, CellName)>,
    jobs: usize,
) -> Vec<(CellName, ExperimentError)> {
    let queue = Mutex::new(cells.into_iter());
    let failures = Mutex::new(Vec::new());
    let work = || {
        while !env.stop.requested() {
            let Some((entry, name)) = queue.lock().unwrap_or_else(PoisonError::into_inner).next() else { return };
            match cell::run(env, folder, entry, name.clone()) {
                Ok(()) | Err(ExperimentError::Stopped) => {}
                Err(error) => failures.lock().unwrap_or_else(PoisonError::into_inner).push((name, error)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        work();
    });
    failures.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn write_summary(env: &Environment<'_>, options: &RunOptions, folder: &Path) -> Result<(), ExperimentError> {
    let (config, dataset) = (&env.config, &env.dataset);
    let summary = Summary {
        version: FORMAT_VERSION,
        name: &config.name,
        command: &options.command,
        autoal_version: env!("CARGO_PKG_VERSION"),
        device: env.device.name().to_owned(),
        config: config.resolved(),
        data: DataSummary {
            name: &dataset.name,
            digest: &dataset.digest,
            classes: &dataset.classes,
            pool_size: dataset.train.len(),
            test_size: dataset.test.len(),
        },
        seeds: config.seeds.iter().map(|seed| seed.0).collect(),
        strategies: config
            .strategies
            .iter()
            .map(|entry| StrategySummary { label: &entry.label, name: &entry.name, parameters: &entry.parameters })
            .collect(),
    };
    let text = serde_json::to_vec_pretty(&summary).expect("a summary holds only plain values");
    write_atomic(&folder.join("experiment.json"), &text)
}
