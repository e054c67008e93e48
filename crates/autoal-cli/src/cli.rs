//! The command line: what can be asked, and which command answers.

use std::path::PathBuf;

use autoal_data::LoadOptions;
use autoal_models::Kernels;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::exit::Code;
use crate::printer::Printer;

/// Deep active learning on images: compare query strategies under one protocol, or choose what to label next.
#[derive(Debug, Parser)]
#[command(name = "autoal", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: commands::run::RunArgs,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// How to tell what happens, on stderr
    #[arg(long, value_enum, default_value_t, global = true)]
    pub(crate) log: Log,
    /// Folder of data sets; files that are missing there are fetched [default: `$AUTOAL_DATA_DIR`, else the user's cache]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Fetch nothing; say what is missing instead
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Kernels of the CPU: an instruction set as `portable` or `avx2`, or `stock` for Burn's own operations; for benchmarks, and to narrow
    /// down a fault [default: the fastest]
    #[arg(long, value_name = "NAME", global = true, hide_short_help = true)]
    kernels: Option<Kernels>,
}

impl GlobalArgs {
    /// Where data sets are, and whether missing ones may be fetched.
    pub(crate) fn load_options(&self) -> LoadOptions {
        let mut options = LoadOptions { offline: self.offline, ..LoadOptions::default() };
        if let Some(data_dir) = &self.data_dir {
            options.data_dir.clone_from(data_dir);
        }
        options
    }
}

/// How to tell what happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// Progress bars on a terminal, only warnings and errors elsewhere
    #[default]
    Auto,
    /// One line for each round
    Plain,
    /// One JSON object for each event
    Json,
    /// Errors only
    Quiet,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment, or go on with it (same as `autoal --config FILE`)
    Run(commands::run::RunArgs),
    /// Check a configuration, or show it with every default written out
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    /// List, fetch, check and describe data sets
    #[command(subcommand)]
    Data(commands::data::DataCommand),
    /// Statistics, figures and one HTML page from the results of runs
    Report(commands::report::ReportArgs),
    /// Ask a query strategy which samples to label next, over arrays from any framework
    Select(commands::select::SelectArgs),
    /// List the query strategies: what each prefers and needs, its paper, its parameters
    Strategies(commands::strategies::StrategiesArgs),
    /// List the backends: what is compiled in, and what was found
    Devices,
    /// Print the completions of a shell
    Completions(commands::completions::CompletionsArgs),
}

impl Cli {
    /// Runs the command that was asked for.
    pub(crate) fn run(&self, printer: Printer) -> anyhow::Result<Code> {
        if let Some(kernels) = self.global.kernels {
            kernels.choose();
        }
        match &self.command {
            None => commands::run::run(&self.run, &self.global, printer),
            Some(Command::Run(args)) => commands::run::run(args, &self.global, printer),
            Some(Command::Config(command)) => commands::config::run(command, printer),
            Some(Command::Data(command)) => commands::data::run(command, &self.global, printer),
            Some(Command::Report(args)) => commands::report::run(args, printer),
            Some(Command::Select(args)) => commands::select::run(args, printer),
            Some(Command::Strategies(args)) => commands::strategies::run(args, printer),
            Some(Command::Devices) => commands::devices::run(printer),
            Some(Command::Completions(args)) => commands::completions::run(args, printer),
        }
    }
}
