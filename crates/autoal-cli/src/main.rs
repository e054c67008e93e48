//! `autoal`: deep active learning on images. Commands, progress and printing; everything else lives in the libraries below.

mod allocator;
mod cli;
mod commands;
mod exit;
mod printer;
mod progress;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let cli = cli::Cli::parse();
    let printer = printer::Printer::new(cli.global.log);
    match cli.run(printer) {
        Ok(code) => code.into(),
        Err(error) => {
            printer.error(&error);
            exit::Code::of(&error).into()
        }
    }
}
