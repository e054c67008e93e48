//! Result files in, [`Experiment`]s out.
//!
//! A run that is still going is read as far as it got: a last line that was cut off mid-write is left out and noted. Any other line that
//! does not parse is an error that names the file and the line, because a number that silently lacks a seed is worse than none.

mod lines;
mod plain_csv;
mod queries;
mod run;

use std::path::{Path, PathBuf};

pub use plain_csv::import_csv;
pub(crate) use run::run;

use crate::error::ReportError;
use crate::experiment::Experiment;

/// Reads every experiment that `paths` name: a run's folder, a folder of runs, or a CSV file (see [`import_csv`]).
///
/// # Errors
/// When a path holds no results, and whatever [`Experiment::read`] and [`import_csv`] refuse.
pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Experiment>, ReportError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_file() {
            all.extend(import_csv(path)?);
        } else if run::holds_cells(path)? || path.join("experiment.json").is_file() {
            all.push(run(path)?);
        } else {
            all.extend(folder_of_runs(path)?);
        }
    }
    Ok(all)
}

fn folder_of_runs(path: &Path) -> Result<Vec<Experiment>, ReportError> {
    let mut found = Vec::new();
    for folder in run::folders(path)? {
        if run::holds_cells(&folder)? {
            found.push(run(&folder)?);
        }
    }
    if found.is_empty() {
        let detail =
            "no results here; expected a run's folder with `STRATEGY/seed-N/rounds.jsonl`, a folder of runs, or a CSV file";
        return Err(ReportError::empty(path, detail));
    }
    Ok(found)
}
