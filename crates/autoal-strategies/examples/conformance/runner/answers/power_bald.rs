//! `PowerBALD`: how often each sample is drawn first.

use super::{Answer, Question, counts};

/// Draws for a distribution; the fixtures ask for at least 5000.
const SEEDS: u64 = 6000;

pub(crate) fn answer(question: &Question<'_>) -> Result<Option<Answer>, String> {
    if question.case.compare == "distribution" { counts(question, 0, SEEDS).map(Some) } else { Ok(None) }
}
