//! `autoal completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Code;
use crate::printer::Printer;

/// Arguments of `autoal completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the completion script.
pub(crate) fn run(args: &CompletionsArgs, printer: Printer) -> anyhow::Result<Code> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "autoal", &mut script);
    printer.data(&String::from_utf8_lossy(&script))?;
    Ok(Code::Ok)
}
