//! What the report refuses to average, compare or claim.

use std::fs;
use std::path::{Path, PathBuf};

use autoal_report::curves::{Curves, Pairs, StrategyCurves};
use autoal_report::{Experiment, Metric, ReportOptions, Severity, render_json};
use tempfile::TempDir;

use crate::synthetic::{Size, write};

fn run(seeds: u64) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let run = folder.path().join("made-up");
    write(&run, "made-up", &Size { strategies: 3, seeds, rounds: 4 });
    (folder, run)
}

fn report(run: &Path) -> String {
    render_json(&[run.to_path_buf()], &ReportOptions::default()).expect("the run can be reported")
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("the file is there");
    assert!(text.contains(from));
    fs::write(path, text.replace(from, to)).expect("the file can be written");
}

fn drop_last_line(path: &Path) {
    let text = fs::read_to_string(path).expect("the file is there");
    let end = text.trim_end().rfind('\n').expect("there are several lines");
    fs::write(path, &text[..=end]).expect("the file can be written");
}

#[test]
fn few_seeds_give_curves_and_no_ranking() {
    let (_folder, run) = run(3);
    let json = report(&run);
    assert!(json.contains("no ranking is supported by fewer than 5"));
    assert!(json.contains("made-up-curves-accuracy") && json.contains("made-up-difference"));
    assert!(!json.contains("made-up-penalties") && !json.contains("made-up-ranks"));
}

#[test]
fn enough_seeds_give_a_ranking() {
    let (_folder, run) = run(5);
    let json = report(&run);
    assert!(!json.contains("no ranking is supported"));
    assert!(json.contains("made-up-penalties") && json.contains("made-up-ranks"));
}

#[test]
fn one_seed_gives_no_band_and_no_test() {
    let (_folder, run) = run(1);
    let curves = Curves::of(&Experiment::read(&run).expect("the run can be read"), Metric::Accuracy);
    assert!(curves.strategies.iter().flat_map(StrategyCurves::mean).all(|(_, e)| e.half_width.is_none()));
    let test = Pairs::of(&curves.strategies[1], &curves.strategies[0]).test_areas().expect("there is a pair");
    assert_eq!((test.interval, test.t, test.p), (None, None, None));
    assert!(report(&run).contains("One complete seed: no band, no test, and no ranking is supported."));
}

#[test]
fn a_seed_that_stops_early_is_left_out_of_means_and_said() {
    let (_folder, run) = run(5);
    drop_last_line(&run.join("autoal/seed-2/rounds.jsonl"));
    let experiment = Experiment::read(&run).expect("the run can be read");
    let curves = Curves::of(&experiment, Metric::Accuracy);
    let autoal = curves.strategy("autoal").expect("it is there");
    assert_eq!((autoal.complete.len(), autoal.partial.len()), (4, 1));
    assert!(autoal.mean().iter().all(|(_, e)| e.n == 4), "no round is averaged over other seeds than the rest");
    assert_eq!(Pairs::of(autoal, curves.strategy("random").expect("it is there")).a.len(), 4);
    let note = "autoal has not reached 240 labels: seed 2 at 200.";
    assert!(experiment.all_notes().iter().any(|n| n.text.starts_with(note)), "{:?}", experiment.all_notes());
}

#[test]
fn a_missing_round_is_found() {
    let (_folder, run) = run(5);
    let path = run.join("albl/seed-4/rounds.jsonl");
    let text = fs::read_to_string(&path).expect("the file is there");
    let kept: Vec<&str> = text.lines().enumerate().filter(|(i, _)| *i != 2).map(|(_, l)| l).collect();
    fs::write(&path, kept.join("\n") + "\n").expect("the file can be written");
    let experiment = Experiment::read(&run).expect("the run can be read");
    assert_eq!(Curves::of(&experiment, Metric::Accuracy).strategies[1].complete.len(), 4);
    assert!(
        experiment
            .all_notes()
            .iter()
            .any(|n| n.text == "albl, seed 4: round 2 is missing. The seed is left out of means and tests.")
    );
}

#[test]
fn different_seed_sets_are_never_paired() {
    let (_folder, run) = run(5);
    replace(&run.join("autoal/seed-3/manifest.json"), "5eed3", "0ther");
    let experiment = Experiment::read(&run).expect("the run can be read");
    let curves = Curves::of(&experiment, Metric::Accuracy);
    let pairs = Pairs::of(curves.strategy("autoal").expect("it is there"), curves.strategy("random").expect("it is there"));
    assert_eq!(pairs.a.iter().map(|c| c.seed).collect::<Vec<_>>(), [1, 2, 4, 5]);
    let notes = experiment.all_notes();
    assert!(
        notes.iter().any(|n| n.severity == Severity::Refused && n.text.starts_with("Seed 3 started from different seed sets")),
        "{notes:?}"
    );
    assert!(report(&run).contains("No ranking: the strategies share 4 seeds with the same seed set, fewer than 5."));
}

#[test]
fn different_data_is_never_paired() {
    let (_folder, run) = run(5);
    for seed in 1..=5 {
        replace(&run.join(format!("autoal/seed-{seed}/manifest.json")), "d1ce5", "0ther");
    }
    let experiment = Experiment::read(&run).expect("the run can be read");
    let curves = Curves::of(&experiment, Metric::Accuracy);
    assert!(Pairs::of(&curves.strategies[2], &curves.strategies[0]).a.is_empty());
    assert!(experiment.all_notes().iter().any(|n| n.text.starts_with("The cells ran on 2 different versions of the data")));
}

#[test]
fn unequal_seeds_are_said_and_pairs_use_the_common_ones() {
    let (_folder, run) = run(5);
    fs::remove_dir_all(run.join("albl/seed-5")).expect("the folder is there");
    let experiment = Experiment::read(&run).expect("the run can be read");
    assert!(experiment.all_notes().iter().any(|n| n.text.starts_with("The strategies have different seeds")));
    let curves = Curves::of(&experiment, Metric::Accuracy);
    assert_eq!(Pairs::of(&curves.strategies[1], &curves.strategies[0]).a.len(), 4);
}

#[test]
fn a_metric_that_was_not_recorded_is_refused_with_those_that_were() {
    let options = ReportOptions { metric: Metric::Loss, ..ReportOptions::default() };
    let error = render_json(&[crate::openal::path("mnist")], &options).expect_err("OpenAL has accuracy only").to_string();
    assert!(error.contains("has no metric `loss`; it has accuracy"), "{error}");
}
