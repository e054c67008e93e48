//! TypiClust: clusters are given, so that k-means does not matter.

use autoal_strategies::diversity::{Partition, TypiClustConfig};
use autoal_strategies::{ModelOutputs, Rows};

use super::{Answer, Question};

pub(crate) fn answer(question: &Question<'_>) -> Result<Option<Answer>, String> {
    let parameter = |name: &str| question.case.params.get(name).and_then(serde_json::Value::as_u64).map(|value| value as usize);
    let config = TypiClustConfig {
        min_cluster_size: parameter("min_cluster_size").ok_or("no `min_cluster_size`")?,
        neighbours: parameter("neighbours").ok_or("no `neighbours`")?,
        ..TypiClustConfig::default()
    };
    // Rows in ascending order of id, as the strategy sees them: the lower row wins ties.
    let mut order: Vec<usize> = (0..question.query.ids.len()).collect();
    order.sort_by_key(|&row| question.query.ids[row]);
    let embeddings = question.query.outputs.embeddings().map_err(|error| error.to_string())?.select(ndarray::Axis(0), &order);
    let clusters = question.inputs.integers("clusters")?;
    let of_rows: Vec<u32> = order.iter().map(|&row| clusters[row]).collect();
    let of_labeled = question.inputs.integers("labeled_clusters")?;
    let rows = Rows::from_view(embeddings.view()).ok_or("no embeddings")?;
    let partition = Partition { rows, of_rows: &of_rows, of_labeled: &of_labeled, config };
    let id = |row: usize| question.query.ids[order[row]].0;
    Ok(Some(if question.case.compare == "scores" {
        Answer::one(partition.typicality().into_iter().enumerate().map(|(row, t)| (id(row), t)).collect())
    } else {
        Answer::ids(partition.pick(question.case.query_size, |row| row as u64).into_iter().map(id))
    }))
}
