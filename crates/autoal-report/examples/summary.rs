//! Prints the summary table and the learning curves of a run's folder or a CSV of results.
//!
//! ```sh
//! cargo run -p autoal-report --example summary -- crates/autoal-report/tests/data/openal/cifar10.csv
//! ```

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use autoal_report::{read_all, text};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    for experiment in read_all(&paths)? {
        let mut out = std::io::stdout().lock();
        write!(out, "{}\n{}\n", text::summary_table(&experiment), text::curves(&experiment, 80, 20))?;
    }
    Ok(())
}
