//! Same configuration, same results: repeated, in parallel, and on another number of threads.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::program::{Place, SMALL, succeed};

/// Everything that must not change from run to run: the files of all cells without seconds and memory.
pub(crate) fn facts(folder: &Path) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for strategy in folders(folder) {
        for cell in folders(&strategy) {
            for file in ["queries.csv", "rounds.jsonl", "search.jsonl"] {
                let path = cell.join(file);
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                let text = if file == "rounds.jsonl" { without_measurements(&text) } else { text };
                facts.insert(path.strip_prefix(folder).expect("inside").display().to_string(), text);
            }
        }
    }
    assert!(!facts.is_empty(), "no results under {}", folder.display());
    facts
}

fn folders(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a results folder");
    entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir() && !path.ends_with("report")).collect()
}

fn without_measurements(lines: &str) -> String {
    let strip = |line: &str| {
        let mut value: Value = serde_json::from_str(line).expect("a round is JSON");
        let round = value.as_object_mut().expect("a round is an object");
        round.remove("seconds").expect("seconds are recorded");
        round.remove("peak_memory_bytes").expect("memory is recorded");
        value.to_string()
    };
    lines.lines().map(strip).collect::<Vec<_>>().join("\n")
}

#[test]
fn threads_and_parallel_cells_do_not_change_a_bit() {
    let place = Place::with(SMALL);
    let run = |output: &str, threads: &str, jobs: &str| {
        let mut command = place.experiment(&["--output", output, "--jobs", jobs]);
        command.env("RAYON_NUM_THREADS", threads);
        succeed(command);
        facts(&place.path().join(output).join("small"))
    };
    let first = run("a", "1", "1");
    assert_eq!(first, run("b", "2", "1"));
    assert_eq!(first, run("c", "2", "3"));
}

#[test]
fn strategies_of_a_seed_start_from_the_same_model() {
    let place = Place::with(SMALL);
    succeed(place.experiment(&["--rounds", "0"]));
    for seed in ["seed-1", "seed-2"] {
        let first = |strategy: &str| {
            let cell = place.path().join("runs/small").join(strategy).join(seed);
            let manifest = std::fs::read_to_string(cell.join("manifest.json")).expect("a manifest");
            let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
            let rounds = std::fs::read_to_string(cell.join("rounds.jsonl")).expect("rounds");
            (manifest["seed_set_digest"].to_string(), without_measurements(&rounds))
        };
        assert_eq!(first("random"), first("autoal"));
        assert_eq!(first("random"), first("badge"));
    }
}

#[test]
fn a_run_that_is_complete_is_not_run_again_and_a_longer_one_goes_on() {
    let place = Place::with(SMALL);
    let selected = ["--strategies", "random", "--seeds", "1"];
    let table = succeed(place.experiment(&selected));
    assert!(table.contains("random"), "{table}");
    let before = std::fs::read_to_string(place.path().join("runs/small/random/seed-1/rounds.jsonl")).expect("rounds");
    succeed(place.experiment(&[&selected[..], &["--rounds", "3"]].concat()));
    let after = std::fs::read_to_string(place.path().join("runs/small/random/seed-1/rounds.jsonl")).expect("rounds");
    // The last round of the shorter run had no query, so it alone is run again.
    let committed = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(committed(&before), committed(&after));
    assert_eq!(after.lines().count(), 4);
}
