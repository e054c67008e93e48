//! KMeans: the cases on quality take the selections of several seeds.

use super::{Answer, Question, runs};

pub(crate) fn answer(question: &Question<'_>) -> Result<Option<Answer>, String> {
    if question.case.compare == "quality" { runs(question).map(Some) } else { Ok(None) }
}
