//! Every case of the statistics fixtures, at the tolerance that the case states.

use serde_json::Value;

use crate::conformance;

const FIXTURES: &str = include_str!("../conformance/stats/stats.json");
const CASES: usize = 103;
/// What a case without its own tolerance allows, as `check.py` does.
const DEFAULT_TOLERANCE: f64 = 1e-9;

#[test]
fn every_statistic_agrees_with_its_reference_implementation() {
    let fixtures: Value = serde_json::from_str(FIXTURES).expect("the fixtures are JSON");
    let cases = fixtures["cases"].as_array().expect("the fixtures hold cases");
    assert_eq!(cases.len(), CASES);
    let mut failures = Vec::new();
    for case in cases {
        let name = case["name"].as_str().expect("a case has a name");
        let answer = conformance::answer(name, &case["input"]).unwrap_or(Value::Null);
        let tolerance = case["tolerance"].as_f64().unwrap_or(DEFAULT_TOLERANCE);
        compare(&case["expected"], &answer, tolerance, name, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn compare(want: &Value, got: &Value, tolerance: f64, path: &str, failures: &mut Vec<String>) {
    let fine = match want {
        Value::Object(map) => {
            map.iter().for_each(|(key, want)| compare(want, &got[key], tolerance, &format!("{path} {key}"), failures));
            true
        }
        Value::Array(list) => {
            let at = |i: usize| got.get(i).unwrap_or(&Value::Null);
            list.iter().enumerate().for_each(|(i, want)| compare(want, at(i), tolerance, &format!("{path} {i}"), failures));
            got.as_array().is_some_and(|g| g.len() == list.len())
        }
        Value::Number(want) => {
            let want = want.as_f64().unwrap_or(f64::NAN);
            got.as_f64().is_some_and(|got| (got - want).abs() <= tolerance * want.abs().max(1.0))
        }
        other => other == got,
    };
    if !fine {
        failures.push(format!("{path}: got {got}, expected {want}"));
    }
}
