//! BADGE: norms and distances of gradients, draws of the second centre, and the potential of whole selections.

use autoal_strategies::hybrid::GradientEmbedding;
use autoal_strategies::rank;

use super::{Answer, Question, counts, runs};

/// Draws for a distribution; the fixtures ask for at least 5000.
const SEEDS: u64 = 6000;

pub(crate) fn answer(question: &Question<'_>) -> Result<Option<Answer>, String> {
    match question.case.compare.as_str() {
        "distribution" => counts(question, 1, SEEDS).map(Some),
        "quality" => runs(question).map(Some),
        "scores" => scores(question).map(Some),
        _ => Ok(None),
    }
}

fn scores(question: &Question<'_>) -> Result<Answer, String> {
    let context = question.query.context(0);
    let outputs = context.log_proba().and_then(|log_proba| Ok((log_proba, context.embeddings()?)));
    let (log_proba, embeddings) = outputs.map_err(|error| error.to_string())?;
    let gradients = GradientEmbedding::new(log_proba, embeddings);
    let first = rank::top(gradients.squared_norms(), context.candidates, 1)[0];
    let score = |row: usize| {
        if question.case.quantity == "squared gradient norm" {
            gradients.squared_norms()[row]
        } else {
            gradients.distance(row, first)
        }
    };
    Ok(Answer::one(context.candidates.iter().enumerate().map(|(row, id)| (id.0, score(row))).collect()))
}
