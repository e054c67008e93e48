//! Runs conformance cases: a fixture folder in; answers, what is wrong with them, and a page out.
//!
//! `fixture` reads a folder, `answers` asks our strategies (a file for each that needs more than a plain query), `values` answers closed
//! forms, `compare` holds answers against expectations by the manifest's rules, `page` writes what was compared.

pub(crate) mod answers;
pub(crate) mod compare;
pub(crate) mod fixture;
pub(crate) mod page;
pub(crate) mod values;

use std::collections::BTreeMap;
use std::path::Path;

use answers::Answer;
use fixture::Fixture;

/// Results by name of the case: `None` for a pass, else what is wrong.
pub(crate) type Results = BTreeMap<String, Option<String>>;

/// All answers to a folder, and how they compare.
pub(crate) struct Outcome {
    fixture: Fixture,
    pub(crate) answers: BTreeMap<String, Answer>,
    pub(crate) values: serde_json::Map<String, serde_json::Value>,
    results: Results,
    value_results: Results,
}

impl Outcome {
    /// Answers and compares every case of the folder `root`.
    pub(crate) fn of(root: &Path) -> Result<Self, String> {
        let fixture = Fixture::open(root)?;
        let (mut answers, mut results) = (BTreeMap::new(), Results::new());
        for case in &fixture.cases {
            let problem = match answers::answer(&fixture, case) {
                Ok(Some(answer)) => {
                    let problem = compare::compare(&fixture, case, &answer).err();
                    answers.insert(case.name.clone(), answer);
                    problem
                }
                Ok(None) => Some(format!("no strategy `{}`", case.strategy)),
                Err(error) => Some(error),
            };
            results.insert(case.name.clone(), problem);
        }
        let values = values::answers(root)?;
        let value_results = values::results(root, &values)?;
        Ok(Self { fixture, answers, values, results, value_results })
    }

    /// One line for each case that does not conform.
    pub(crate) fn problems(&self) -> Vec<String> {
        let all = self.results.iter().chain(&self.value_results);
        all.filter_map(|(name, problem)| problem.as_ref().map(|problem| format!("{name}: {problem}"))).collect()
    }

    /// The page in docs/.
    pub(crate) fn page(&self) -> String {
        page::text(&self.fixture, &self.results, &self.value_results)
    }
}
