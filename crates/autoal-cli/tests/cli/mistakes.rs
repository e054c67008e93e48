//! What a user gets for a mistake: the file, the line, what was expected, and an exit code.

use crate::program::{Place, SMALL, complaint, succeed};

/// Exit code and message for the small experiment with one text replaced.
fn replaced(from: &str, to: &str) -> (i32, String) {
    assert!(SMALL.contains(from), "the small experiment has `{from}`");
    let place = Place::with(&SMALL.replace(from, to));
    complaint(place.experiment(&[]))
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_the_nearest_one() {
    let (code, text) = replaced("query-size = 6", "qeury-size = 6");
    assert_eq!(code, 3);
    assert!(text.contains("`experiment.toml`, line 14: unknown field `qeury-size`"), "{text}");
    assert!(text.contains("did you mean `query-size`?"), "{text}");
}

#[test]
fn a_misspelt_key_of_the_data_is_named_with_its_line() {
    let (code, text) = replaced("pool-size = 90", "pool-sise = 90");
    assert_eq!(code, 3);
    assert!(text.contains("line 8: unknown field `pool-sise`") && text.contains("did you mean `pool-size`?"), "{text}");
}

#[test]
fn a_misspelt_strategy_is_named_with_the_nearest_one() {
    let (code, text) = replaced("\"badge\"", "\"bagde\"");
    assert_eq!(code, 3);
    assert!(text.contains("line 4") && text.contains("did you mean `badge`?"), "{text}");
}

#[test]
fn budgets_that_cannot_be_are_refused() {
    for (from, to, expected) in [
        ("query-size = 6", "query-size = 0", "`query-size` is 0"),
        ("seed-set-size = 12", "seed-set-size = 0", "`seed-set-size` is 0"),
        ("seed-set-size = 12", "seed-set-size = 100", "`seed-set-size` is 100, the pool has only 90 samples"),
        ("query-size = 6", "query-size = 80", "`query-size` is 80, only 78 samples are left"),
        ("rounds = 2", "rounds = 20", "the budget is 132 labels (12 + 20 x 6), the pool has only 90 samples"),
    ] {
        let (code, text) = replaced(from, to);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn batches_of_one_are_refused_for_a_network_with_batch_norm() {
    let (code, text) = replaced("batch-size = 8", "batch-size = 1");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("line 22") && text.contains("`batch-size` is 1"), "{text}");
}

#[test]
fn a_setting_of_the_training_that_is_out_of_range_is_named_with_its_line() {
    let (code, text) = replaced("lr = 0.05", "lr = -1.0");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("line 23: `train.optimizer.lr` is -1"), "{text}");
}

#[test]
fn a_precision_that_is_unknown_or_without_effect_is_named_with_its_line() {
    let (code, text) = replaced("epochs = 3", "epochs = 3\nprecision = \"fp16\"");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("line 22: unknown variant `fp16`, expected `f32` or `bf16`"), "{text}");
    let (code, text) = replaced("width = 4\n\n[train]", "arch = \"linear\"\n\n[train]\nprecision = \"bf16\"");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("line 21: `train.precision` is `bf16`, which is for convolutions"), "{text}");
}

#[test]
fn kernels_are_chosen_by_name_and_unknown_ones_refused() {
    let place = Place::with(SMALL);
    let one = ["--strategies", "random", "--seeds", "1", "--rounds", "1"];
    let (code, text) = complaint(place.experiment(&[&one[..], &["--kernels", "avx1024"]].concat()));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("this processor has portable") && text.contains("and stock"), "{text}");
    succeed(place.experiment(&[&one[..], &["--kernels", "portable"]].concat()));
}

#[test]
fn bf16_is_refused_without_its_kernels_and_said_to_be_slow_where_it_is_emulated() {
    let place = Place::with(&SMALL.replace("epochs = 3", "epochs = 3\nprecision = \"bf16\""));
    let run =
        |kernels| complaint(place.experiment(&["--strategies", "random", "--seeds", "1", "--rounds", "1", "--kernels", kernels]));
    let (code, text) = run("stock");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("`train.precision` is `bf16`, which the device `cpu` does not have here: use `f32`"), "{text}");
    assert!(!place.path().join("runs").exists(), "nothing was started");
    let (code, text) = run("portable");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warning: `train.precision` is `bf16`, which this processor"), "{text}");
}

#[test]
fn a_seed_named_twice_on_the_command_line_is_a_usage_error() {
    let place = Place::with(SMALL);
    let (code, text) = complaint(place.experiment(&["--seeds", "1,1"]));
    assert_eq!((code, text.contains("seed 1 twice")), (2, true), "{text}");
}

#[test]
fn a_model_that_does_not_fit_the_data_is_refused() {
    let (code, text) = replaced("width = 4", "arch = \"linear\"");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("use `resnet18`"), "{text}");
}

#[test]
fn a_device_that_is_not_there_gives_one_line_with_the_fix() {
    let place = Place::with(SMALL);
    let (code, text) = complaint(place.experiment(&["--device", "cuda"]));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("--features cuda"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn missing_data_is_named_and_not_fetched_offline() {
    let place = Place::with(
        &SMALL.replace("kind = \"synthetic\"\npool-size = 90\ntest-size = 40\nimage-size = 12", "kind = \"pathmnist\""),
    );
    let (code, text) = complaint(place.experiment(&["--data-dir", "nowhere"]));
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("pathmnist.npz"), "{text}");
}

#[test]
fn a_folder_with_results_of_another_configuration_is_not_touched() {
    let place = Place::with(SMALL);
    let one = ["--strategies", "random", "--seeds", "1"];
    succeed(place.experiment(&one));
    let rounds = place.path().join("runs/small/random/seed-1/rounds.jsonl");
    let before = std::fs::read(&rounds).expect("rounds");
    for (now, expected) in [
        ("epochs = 4", "`config.train.epochs` was 3 and is now 4"),
        ("epochs = 3\nprecision = \"bf16\"", "`config.train.precision` was \"f32\" and is now \"bf16\""),
    ] {
        std::fs::write(place.path().join("experiment.toml"), SMALL.replace("epochs = 3", now)).expect("write");
        let (code, text) = complaint(place.experiment(&one));
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(expected), "{text}");
        assert_eq!(std::fs::read(&rounds).expect("rounds"), before);
    }
}

#[test]
fn a_training_that_diverges_says_what_to_change() {
    let (code, text) = replaced("lr = 0.05", "lr = 1e30");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("round 0: training diverged") && text.contains("lower `optimizer.lr`"), "{text}");
}

#[test]
fn a_seed_set_of_one_class_runs() {
    // One label, so one class.
    let place = Place::with(&SMALL.replace("seed-set-size = 12", "seed-set-size = 1"));
    let (code, text) = complaint(place.experiment(&["--strategies", "random", "--seeds", "1", "--log", "plain"]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warning") && text.contains("one class"), "{text}");
}
