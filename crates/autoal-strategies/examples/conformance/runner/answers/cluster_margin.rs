//! Cluster-Margin: its three parts by themselves (clusters, smallest margins, spread over given clusters).

use autoal_data::{Seed, Stream};
use autoal_strategies::diversity::{linkage, spread};
use autoal_strategies::uncertainty::Margin;
use autoal_strategies::{Acquisition, ModelOutputs, Rows, rank};

use super::{Answer, Question};

pub(crate) fn answer(question: &Question<'_>) -> Result<Option<Answer>, String> {
    match question.case.compare.as_str() {
        "partition" => partition(question).map(Some),
        "id-set" => smallest_margins(question, question.case.query_size).map(|rows| Some(ids(question, rows))),
        "cluster-counts" => {
            let count = question.case.params.get("candidates").and_then(serde_json::Value::as_u64).ok_or("no `candidates`")?;
            let candidates = smallest_margins(question, count as usize)?;
            let clusters = question.inputs.integers("clusters")?;
            let rows = spread(&question.query.context(1), &candidates, &clusters, question.case.query_size);
            Ok(Some(ids(question, rows)))
        }
        _ => Ok(None),
    }
}

fn ids(question: &Question<'_>, rows: Vec<usize>) -> Answer {
    Answer::ids(rows.into_iter().map(|row| question.query.ids[row].0))
}

fn smallest_margins(question: &Question<'_>, count: usize) -> Result<Vec<usize>, String> {
    let scores = Margin.score(&question.query.context(1)).map_err(|error| error.to_string())?;
    Ok(rank::top(&scores.to_vec(), &question.query.ids, count))
}

fn partition(question: &Question<'_>) -> Result<Answer, String> {
    let threshold = question.case.params.get("distance_threshold").and_then(serde_json::Value::as_f64).ok_or("no threshold")?;
    let embeddings = question.query.outputs.embeddings().map_err(|error| error.to_string())?;
    let rows = Rows::from_view(embeddings).ok_or("embeddings are not row-major")?;
    let merges = linkage::merges(rows, &mut Seed(1).rng(Stream::named("conformance"), 0));
    let clusters = linkage::cut(rows.len(), &merges, threshold);
    Ok(Answer::one(question.query.ids.iter().zip(clusters).map(|(id, cluster)| (id.0, f64::from(cluster))).collect()))
}
