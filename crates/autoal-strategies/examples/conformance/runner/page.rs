//! The page docs/conformance.md: what was compared with whom, how closely, and the result.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Results;
use super::fixture::{Case, Fixture};

/// The whole page.
pub(crate) fn text(fixture: &Fixture, results: &Results, values: &Results) -> String {
    let mut text = String::from(HEAD);
    for ((strategy, compare), cases) in groups(fixture) {
        let passed = cases.iter().filter(|case| results.get(&case.name).is_some_and(Option::is_none)).count();
        let line = [
            strategy.to_owned(),
            references(&cases),
            what(compare, &cases),
            tolerance(&cases),
            format!("{passed} of {} pass", cases.len()),
        ];
        writeln!(text, "| {} |", line.join(" | ")).expect("writing to a string cannot fail");
    }
    let passed = values.values().filter(|result| result.is_none()).count();
    let elsewhere = "The four of the ranking loss of LPL are held in the tests of `autoal-models`, where that loss lives.";
    writeln!(text, "\nClosed forms (`values.json`): {passed} of {} pass. {elsewhere}", values.len())
        .expect("writing to a string cannot fail");
    text.push_str(
        "\n## Where references disagree\n\nThe formula of the paper decides. Implementations that answer otherwise, and why:\n\n",
    );
    for line in disagreements(fixture) {
        writeln!(text, "- {line}").expect("writing to a string cannot fail");
    }
    text
}

const HEAD: &str = "# Conformance\n
Every query strategy is held against independent implementations on fixed inputs. The fixtures, and how they were made, are in
`crates/autoal-strategies/tests/conformance/`; this page is written by
`cargo run --release -p autoal-strategies --example conformance -- crates/autoal-strategies/tests/conformance --page docs/conformance.md`,
and a test fails when it is out of date. `scripts/conformance DIR OUT` answers any folder of the same layout.\n
Order is score descending, then id ascending, not-a-number last. *tie* is how near two expected scores must be for two ids to change
places.\n
| strategy | held against | compared | tolerance | result |
|---|---|---|---|---|
";

fn groups(fixture: &Fixture) -> Vec<((&str, &str), Vec<&Case>)> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Case>> = BTreeMap::new();
    for case in &fixture.cases {
        groups.entry((&case.strategy, &case.compare)).or_default().push(case);
    }
    groups.into_iter().collect()
}

/// Implementations that agree, with versions.
fn references(cases: &[&Case]) -> String {
    let mut names: Vec<String> = Vec::new();
    let first = cases.iter().map(|case| (&case.reference.package, &case.reference.version));
    let others =
        cases.iter().flat_map(|case| &case.agreement).filter(|a| a.agrees == Some(true)).map(|a| (&a.package, &a.version));
    for (package, version) in first.chain(others) {
        let name =
            if version.is_empty() { "a float64 computation of the formula".to_owned() } else { format!("{package} {version}") };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn what(compare: &str, cases: &[&Case]) -> String {
    let quantity = cases.iter().find(|case| !case.quantity.is_empty()).map_or("scores", |case| case.quantity.as_str());
    match compare {
        "ordered-ids" => "ids in order".into(),
        "id-set" => "ids as a set".into(),
        "scores" => quantity.into(),
        "partition" => "clusters".into(),
        "cluster-counts" => "selections per cluster".into(),
        "distribution" => "distribution over seeds (chi-square)".into(),
        _ => format!("{quantity}, mean over runs"),
    }
}

/// The widest tolerance of the cases.
fn tolerance(cases: &[&Case]) -> String {
    let widest = |of: fn(&Case) -> f64| cases.iter().map(|case| of(case)).fold(0.0, f64::max);
    let parts = [
        ("abs", widest(|c| c.tolerance.abs)),
        ("rel", widest(|c| c.tolerance.rel)),
        ("tie", widest(|c| c.tolerance.tie)),
        ("p >", widest(|c| c.tolerance.p_value)),
        ("standard errors", widest(|c| c.tolerance.z)),
        ("ratio", widest(|c| c.tolerance.ratio)),
    ];
    let named: Vec<String> =
        parts.iter().filter(|(_, value)| *value > 0.0).map(|(name, value)| format!("{name} {value:.3e}")).collect();
    if named.is_empty() { "exact".into() } else { named.join(", ") }
}

fn disagreements(fixture: &Fixture) -> Vec<String> {
    let mut lines: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for case in &fixture.cases {
        for other in case.agreement.iter().filter(|other| other.agrees == Some(false)) {
            let who = format!("{} {}", other.package, other.version);
            *lines.entry((case.strategy.clone(), who, other.detail.clone())).or_default() += 1;
        }
    }
    let line = |((strategy, who, detail), count): ((String, String, String), usize)| {
        let detail = if detail.is_empty() { "answers otherwise".to_owned() } else { detail };
        format!("`{strategy}`, {who} ({count} {}): {detail}", if count == 1 { "case" } else { "cases" })
    };
    lines.into_iter().map(line).collect()
}
