//! Writes a report from runs' folders or CSV files.
//!
//! ```sh
//! cargo run -p autoal-report --example report -- OUT crates/autoal-report/tests/data/openal/*.csv
//! ```

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use autoal_report::{ReportOptions, write_report};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("usage: report OUT RUN..")?;
    let paths: Vec<PathBuf> = arguments.collect();
    let written = write_report(&paths, &ReportOptions { out: Some(out), ..ReportOptions::default() })?;
    writeln!(std::io::stdout(), "{written:?}")?;
    Ok(())
}
