//! `autoal run --config FILE`: an experiment from one file to results.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use autoal_data::Seed;
use autoal_experiment::{Environment, Experiment, ExperimentConfig, ExperimentError, Outcome, RunOptions, Stop};
use autoal_models::ComputeDevice;
use autoal_models::config::Weights;
use autoal_report::{ReportOptions, text, write_report};
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::cli::GlobalArgs;
use crate::exit::{Code, UsageError};
use crate::printer::Printer;
use crate::progress;

/// Size of the curves in a terminal, in characters.
const PLOT: (usize, usize) = (80, 18);

/// Arguments of `autoal run`. Flags override the keys of the same name in the configuration.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// The experiment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that results go to, in a folder of the experiment's name [default: runs]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Device, as `autoal devices` lists them
    #[arg(long)]
    device: Option<String>,
    /// Seeds, separated by commas
    #[arg(long, value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Only these strategies of the configuration, by label, separated by commas
    #[arg(long, value_delimiter = ',')]
    strategies: Vec<String>,
    /// Queries a cell
    #[arg(long)]
    rounds: Option<u32>,
    /// Cells that run at the same time; results do not depend on it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
}

/// Runs the experiment to its end, or until the user stops it.
pub(crate) fn run(args: &RunArgs, global: &GlobalArgs, printer: Printer) -> anyhow::Result<Code> {
    let config = args.config()?;
    let output = args.output.clone().or_else(|| config.output.clone()).unwrap_or_else(|| "runs".into());
    let stop = Stop::default();
    // The first signal asks the run to stop after its current step, the second ends the process at once.
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, i32::from(Code::Interrupted as u8), stop.flag())
            .and_then(|_| flag::register(signal, stop.flag()))
            .context("cannot listen for Ctrl-C")?;
    }
    let device = ComputeDevice::parse(&config.device).map_err(ExperimentError::Device)?;
    let observer = progress::observer(printer);
    let (load, download) = (global.load_options(), progress::Download::new(printer));
    let dataset = autoal_data::load(&config.data, &load, &download)?;
    let pretrained = match config.model.weights {
        Weights::Imagenet => Some(autoal_data::fetch_weights("resnet18", &load, &download)?),
        Weights::Scratch | Weights::File(_) => None,
    };
    let env = Environment::new(config, Arc::new(dataset), device, pretrained, &*observer, stop)?;
    let options = RunOptions { output, jobs: args.jobs.into(), command: command_line() };
    let (experiment, outcome) = Experiment::run(&env, &options)?;
    observer.finish();
    finish(&experiment, outcome, printer)
}

/// Shows what came out.
fn finish(experiment: &Experiment, outcome: Outcome, printer: Printer) -> anyhow::Result<Code> {
    match outcome {
        Outcome::Stopped => {
            printer.say(&format!("stopped; every finished round is kept. To go on: {}", command_line()));
            return Ok(Code::Interrupted);
        }
        Outcome::Failed(failures) => {
            for (cell, error) in failures {
                printer.error(&anyhow::Error::from(error).context(format!("{cell} did not finish")));
            }
            printer.say(&format!("the other cells are complete. To try again: {}", command_line()));
            return Ok(Code::Failure);
        }
        Outcome::Complete => {}
    }
    show(experiment, printer)?;
    Ok(Code::Ok)
}

/// Prints the table of strategies and their curves, and writes the report.
fn show(experiment: &Experiment, printer: Printer) -> anyhow::Result<()> {
    let folder = experiment.folder().to_owned();
    let results = autoal_report::Experiment::read(&folder)?;
    printer.data(&format!("{}\n{}", text::summary_table(&results), text::curves(&results, PLOT.0, PLOT.1)))?;
    let written = write_report(&[folder], &ReportOptions { command: command_line(), ..ReportOptions::default() })?;
    printer.say(&format!("report: {}", written.page.display()));
    Ok(())
}

/// The command as it was typed, quoted where a shell needs it.
pub(crate) fn command_line() -> String {
    let quote = |word: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    std::env::args().map(quote).collect::<Vec<_>>().join(" ")
}

impl RunArgs {
    /// The configuration with the flags applied.
    fn config(&self) -> anyhow::Result<ExperimentConfig> {
        let Some(path) = &self.config else {
            return Err(UsageError("`--config FILE` is needed; `autoal --help` lists what else there is".into()).into());
        };
        let mut config = ExperimentConfig::read(path)?;
        if let Some(device) = &self.device {
            config.device.clone_from(device);
        }
        if let Some(seed) = self.seeds.iter().enumerate().find(|(at, seed)| self.seeds[..*at].contains(seed)) {
            return Err(UsageError(format!("`--seeds` names seed {} twice", seed.1)).into());
        }
        if !self.seeds.is_empty() {
            config.seeds = self.seeds.iter().copied().map(Seed).collect();
        }
        if let Some(rounds) = self.rounds {
            config.budget.rounds = rounds;
        }
        for label in &self.strategies {
            if !config.strategies.iter().any(|entry| entry.label == *label) {
                let known: Vec<&str> = config.strategies.iter().map(|entry| entry.label.as_str()).collect();
                let message = format!("`--strategies {label}` is not in the configuration; it has {}", known.join(", "));
                return Err(UsageError(message).into());
            }
        }
        if !self.strategies.is_empty() {
            config.strategies.retain(|entry| self.strategies.contains(&entry.label));
        }
        Ok(config)
    }
}
