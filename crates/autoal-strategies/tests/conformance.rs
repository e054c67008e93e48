//! Every case of the conformance fixtures, and the page in docs/ that says so.

#[path = "../examples/conformance/runner/mod.rs"]
mod runner;

use std::path::{Path, PathBuf};

use runner::fixture::Fixture;
use runner::{Outcome, answers, compare};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

#[test]
fn every_case_conforms_and_the_page_says_so() {
    let outcome = Outcome::of(&root()).expect("the fixtures are readable");
    assert!(!outcome.answers.is_empty() && !outcome.values.is_empty());
    let problems = outcome.problems();
    assert!(problems.is_empty(), "{} cases do not conform:\n{}", problems.len(), problems.join("\n"));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert_eq!(written, outcome.page(), "docs/conformance.md is out of date; its head says how to write it");
}

#[test]
fn a_wrong_answer_is_found() {
    let fixture = Fixture::open(&root()).expect("the fixtures are readable");
    for case in fixture.cases.iter().filter(|case| case.strategy == "margin") {
        let mut answer = answers::answer(&fixture, case).expect("it answers").expect("the strategy exists");
        let rows = &mut answer.runs[0];
        match case.compare.as_str() {
            "scores" => rows[0].1 += 0.01,
            _ => rows.reverse(),
        }
        assert!(compare::compare(&fixture, case, &answer).is_err(), "{}", case.name);
    }
}
