//! `autoal`: deep active learning on images. Commands, progress and printing; everything else lives in the libraries below.

mod cli;
mod commands;
mod exit;
mod printer;
mod progress;

use std::process::ExitCode;

use clap::Parser;

/// Training allocates and frees large buffers all the time; this allocator keeps them instead of returning them to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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
