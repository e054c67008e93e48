//! Times strategies on embeddings from a file, for `scripts/bench-strategies`.
//!
//! `time_strategies DIR QUERY_SIZE RUNS STRATEGY...` reads `DIR/embeddings.npy` `[N, D]`, `DIR/log_proba.npy` `[N, C]` and
//! `DIR/labeled_embeddings.npy` `[L, D]`, and prints a line of JSON for each strategy: seconds of every run, the selected rows and what the
//! strategy logs.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use autoal_data::{Label, SampleId, Seed, npy};
use autoal_strategies::{ArrayOutputs, QueryContext, StrategySpec, catalog};
use ndarray::Array2;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, query_size, runs, strategies @ ..] = arguments.as_slice() else {
        return Err("usage: time_strategies DIR QUERY_SIZE RUNS STRATEGY...".into());
    };
    let (query_size, runs): (usize, usize) = (query_size.parse()?, runs.parse()?);
    let read = |name: &str| read(&Path::new(folder).join(name));
    let (embeddings, log_proba, labeled) = (read("embeddings.npy")?, read("log_proba.npy")?, read("labeled_embeddings.npy")?);
    let candidates: Vec<SampleId> = (0..embeddings.nrows() as u32).map(SampleId).collect();
    let known: Vec<SampleId> = (0..labeled.nrows() as u32).map(|i| SampleId(u32::MAX - i)).collect();
    let labels: Vec<Label> = (0..labeled.nrows()).map(|i| Label((i % log_proba.ncols()) as u16)).collect();
    let outputs = ArrayOutputs::new()
        .with_embeddings(embeddings.view())
        .with_log_proba(log_proba.view())
        .with_labeled_embeddings(labeled.view());
    let context = QueryContext {
        candidates: &candidates,
        labeled: &known,
        labels: &labels,
        num_classes: log_proba.ncols(),
        seed: Seed(1),
        round: 0,
        outputs: &outputs,
    };
    strategies.iter().try_for_each(|strategy| time(strategy, &context, query_size, runs))
}

fn read(path: &Path) -> Result<Array2<f32>, Box<dyn Error>> {
    let array = npy::read_file(path)?;
    let &[rows, columns] = array.shape() else {
        return Err(format!("`{}` has shape {:?}, expected two axes", path.display(), array.shape()).into());
    };
    Ok(Array2::from_shape_vec((rows, columns), array.to_f32())?)
}

#[expect(clippy::print_stdout, reason = "its output is the measurement")]
fn time(name: &str, context: &QueryContext<'_>, query_size: usize, runs: usize) -> Result<(), Box<dyn Error>> {
    let mut seconds = Vec::new();
    let mut last = None;
    for _ in 0..runs.max(1) {
        let mut strategy = catalog::build(&StrategySpec::Name(name.to_owned()))?;
        let start = Instant::now();
        last = Some(strategy.select(context, query_size)?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    let selection = last.ok_or("no run")?;
    let rows: Vec<u32> = selection.samples.iter().map(|sample| sample.id.0).collect();
    println!("{}", serde_json::json!({ "strategy": name, "seconds": seconds, "rows": rows, "log": selection.log }));
    Ok(())
}
