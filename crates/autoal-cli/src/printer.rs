//! The one owner of stdout and stderr: stdout is data, stderr is talk.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;

use crate::cli::Log;

/// Prints, in the way that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    log: Log,
}

impl Printer {
    /// A printer that tells what happens as `log` says.
    pub(crate) fn new(log: Log) -> Self {
        Self { log }
    }

    /// How to tell what happens.
    pub(crate) fn log(self) -> Log {
        self.log
    }

    /// Whether progress bars are wanted and can be drawn.
    pub(crate) fn draws_bars(self) -> bool {
        self.log == Log::Auto && io::stderr().is_terminal()
    }

    /// Writes data to stdout. A reader that went away (`| head`) is no error.
    #[expect(clippy::unused_self, reason = "whoever prints data must hold the printer")]
    pub(crate) fn data(self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.context("cannot write to standard output"),
        }
    }

    /// Says something on stderr, unless only errors are wanted or events go there as JSON.
    pub(crate) fn say(self, text: &str) {
        if matches!(self.log, Log::Auto | Log::Plain) {
            Self::line(text);
        }
    }

    /// Writes one line to stderr as it is.
    pub(crate) fn line(text: &str) {
        // Nothing can be done when stderr is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Shows an error, with its causes that say something new.
    pub(crate) fn error(self, error: &anyhow::Error) {
        let mut text = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        if self.log == Log::Json {
            Self::line(&serde_json::json!({ "event": "error", "message": text }).to_string());
        } else {
            Self::line(&format!("error: {text}"));
        }
    }
}
