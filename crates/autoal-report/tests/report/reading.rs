//! Broken, truncated and future files, and plain CSV.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use autoal_report::{Experiment, ReportError, Severity, StrategyRuns, import_csv, read_all};
use tempfile::TempDir;

use crate::synthetic::{Size, write};

fn small() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let run = folder.path().join("made-up");
    write(&run, "made-up", &Size { strategies: 3, seeds: 2, rounds: 3 });
    (folder, run)
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).expect("the file is there");
    file.write_all(text.as_bytes()).expect("the file can be written");
}

fn error_of(run: &Path) -> ReportError {
    Experiment::read(run).expect_err("the run is broken")
}

#[test]
fn a_whole_run_is_read_in_the_order_of_its_configuration() {
    let (_folder, run) = small();
    let experiment = Experiment::read(&run).expect("the run is whole");
    let labels: Vec<&str> = experiment.strategies.iter().map(StrategyRuns::label).collect();
    assert_eq!(labels, ["random", "albl", "autoal"]);
    assert!(experiment.cells().all(|c| c.rounds.len() == 4 && c.queries.len() == 3 * 40));
    assert_eq!(experiment.all_notes(), []);
}

#[test]
fn a_truncated_last_line_is_left_out_and_said() {
    let (_folder, run) = small();
    append(&run.join("autoal/seed-2/rounds.jsonl"), "{\"version\": 1, \"round\": 4, \"lab");
    append(&run.join("autoal/seed-2/queries.csv"), "2,40,7");
    append(&run.join("autoal/seed-2/search.jsonl"), "{\"kind\":");
    let experiment = Experiment::read(&run).expect("a run that goes on can be read");
    assert_eq!(experiment.strategies[2].cells[1].rounds.len(), 4);
    let notes: Vec<String> = experiment.all_notes().into_iter().map(|n| n.text).collect();
    for file in ["rounds.jsonl` ends inside line 5", "queries.csv` ends inside line 123", "search.jsonl` ends inside line 22"] {
        assert!(notes.iter().any(|n| n.contains(file)), "{file} in {notes:?}");
    }
}

#[test]
fn a_broken_line_names_file_and_line() {
    let (_folder, run) = small();
    append(&run.join("albl/seed-1/rounds.jsonl"), "{\"round\": \"four\"}\n");
    let text = error_of(&run).to_string();
    assert!(text.contains("albl/seed-1/rounds.jsonl` line 5: invalid type: string \"four\", expected usize at column"), "{text}");
    let (_folder, run) = small();
    append(&run.join("albl/seed-1/queries.csv"), "x,0,1,,2,0.5,,,\n");
    let text = error_of(&run).to_string();
    assert!(text.contains("albl/seed-1/queries.csv` line 123"), "{text}");
}

#[test]
fn rounds_that_do_not_grow_are_refused() {
    let (_folder, run) = small();
    append(&run.join("albl/seed-1/rounds.jsonl"), "{\"round\": 3, \"labels\": 300}\n");
    assert!(error_of(&run).to_string().contains("round 3 with 300 labels follows round 3 with 200; rounds and labels must grow"));
}

#[test]
fn a_version_from_the_future_is_refused_with_the_version_needed() {
    let (_folder, run) = small();
    append(&run.join("albl/seed-1/rounds.jsonl"), "{\"version\": 7, \"round\": {\"new\": true}}\n");
    let error = error_of(&run);
    assert!(matches!(error, ReportError::Version { line: 5, found: 7, supported: 1, .. }), "{error}");
    assert!(error.to_string().contains("use a release of autoal that reads version 7"));
}

#[test]
fn selections_of_a_round_that_is_not_finished_do_not_count() {
    let (_folder, run) = small();
    append(&run.join("albl/seed-1/queries.csv"), "9,0,1,,2,0.5,,,\n");
    let experiment = Experiment::read(&run).expect("the run can be read");
    assert_eq!(experiment.strategies[1].cells[0].queries.len(), 120);
}

#[test]
fn cells_that_have_not_started_are_named() {
    let (_folder, run) = small();
    fs::remove_dir_all(run.join("albl/seed-2")).expect("the folder is there");
    fs::remove_dir_all(run.join("autoal")).expect("the folder is there");
    let experiment = Experiment::read(&run).expect("the run can be read");
    let notes = experiment.all_notes();
    let text = "Not a round yet from albl (seed 2); autoal (all seeds).";
    assert!(notes.iter().any(|n| n.severity == Severity::Warning && n.text == text), "{notes:?}");
}

#[test]
fn a_folder_without_results_says_what_was_expected() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let text = read_all(&[folder.path().to_path_buf()]).expect_err("there is nothing").to_string();
    assert!(text.contains("no results here; expected a run's folder"), "{text}");
}

fn csv(text: &str) -> Result<Vec<Experiment>, String> {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let path = folder.path().join("results.csv");
    fs::write(&path, text).expect("the file can be written");
    import_csv(&path).map_err(|e| e.to_string())
}

#[test]
fn a_plain_csv_gives_one_experiment_a_data_set() {
    let text = "strategy,dataset,labels,seed,metric,value\nrandom,a,10,1,accuracy,0.5\nrandom,a,20,1,accuracy,0.6\nrandom,a,10,1,loss,2.5\nbadge,b,10,1,ece,0.1\n";
    let experiments = csv(text).expect("the file is right");
    assert_eq!(experiments.iter().map(Experiment::title).collect::<Vec<_>>(), ["a", "b"]);
    let rounds = &experiments[0].strategies[0].cells[0].rounds;
    assert_eq!((rounds[0].accuracy, rounds[0].loss, rounds[1].labels), (Some(0.5), Some(2.5), 20));
    assert!(experiments[0].counts_labels);
}

#[test]
fn a_wrong_csv_names_the_line_and_what_was_expected() {
    let header = "dataset,strategy,seed,round,value\n";
    for (lines, expected) in [
        ("a,random,1,0,high\n", "line 2: value `high` is not a number"),
        ("a,random,one,0,0.5\n", "line 2: seed `one` is not a whole number"),
        ("a,random,1,0,56.2\n", "line 2: accuracy is 56.2; expected a share from 0 to 1"),
        ("a,random,1,0,0.5\na,random,1,0,0.6\n", "line 3: a second accuracy of `random` with seed 1 at 0"),
        ("", "holds a header and no values"),
    ] {
        let text = csv(&format!("{header}{lines}")).expect_err("the file is wrong");
        assert!(text.contains(expected), "{text}");
    }
    let text = csv("dataset,seed,round,value\n").expect_err("a column is missing");
    assert!(text.contains("no column `strategy` among `dataset,seed,round,value`"), "{text}");
}
