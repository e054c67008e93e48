//! `autoal config check FILE ...` and `autoal config show FILE`.

use std::path::PathBuf;

use autoal_experiment::ExperimentConfig;
use clap::Subcommand;

use crate::exit::Code;
use crate::printer::Printer;

/// What to do with configurations.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check configurations without running anything
    Check {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print a configuration with every default written out
    Show {
        /// The file
        file: PathBuf,
    },
}

/// Checks or shows.
pub(crate) fn run(command: &ConfigCommand, printer: Printer) -> anyhow::Result<Code> {
    match command {
        ConfigCommand::Show { file } => {
            let config = ExperimentConfig::read(file)?;
            printer.data(&toml::to_string(&config.resolved())?)?;
            Ok(Code::Ok)
        }
        ConfigCommand::Check { files } => check(files, printer),
    }
}

/// Checks all files, so that one run shows every mistake.
fn check(files: &[PathBuf], printer: Printer) -> anyhow::Result<Code> {
    let mut code = Code::Ok;
    for file in files {
        match ExperimentConfig::read(file) {
            Ok(config) => {
                let cells = config.strategies.len() * config.seeds.len();
                printer.data(&format!("{}: ok, {cells} cells of {} rounds\n", file.display(), config.budget.rounds + 1))?;
            }
            Err(error) => {
                printer.error(&error.into());
                code = Code::Config;
            }
        }
    }
    Ok(code)
}
