//! The terminal's summary, of OpenAL's published results.

use autoal_report::{Experiment, text};
use tempfile::TempDir;

use crate::openal;
use crate::synthetic::{Size, write};

#[test]
fn the_summary_table_of_openal() {
    insta::assert_snapshot!(text::summary_table(&openal::experiment("cifar10")));
}

#[test]
fn the_learning_curves_of_openal() {
    insta::assert_snapshot!(text::curves(&openal::experiment("cifar10"), 80, 18));
}

#[test]
fn table_and_curves_of_fifteen_strategies_fit_a_terminal() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    write(folder.path(), "made-up", &Size { strategies: 15, seeds: 2, rounds: 3 });
    let experiment = Experiment::read(folder.path()).expect("the run can be read");
    let (table, curves) = (text::summary_table(&experiment), text::curves(&experiment, 80, 20));
    assert_eq!(curves.lines().count(), 20);
    let rows = table.lines().take(16).chain(curves.lines());
    rows.for_each(|l| assert!(l.chars().count() <= 80, "{l}"));
    assert!(table.contains("2 seeds a strategy: no ranking is supported by fewer than 5."));
}

#[test]
fn without_two_rounds_there_is_no_curve() {
    assert_eq!(text::curves(&Experiment::default(), 80, 20), "");
    assert!(text::summary_table(&Experiment::default()).contains("No strategy has a complete seed yet."));
}
