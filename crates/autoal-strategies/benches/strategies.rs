//! Time of one query: `cargo bench -p autoal-strategies`. Names carry candidates x width, query size and classes.
//!
//! Embeddings are those of a network that knows some of the classes: rectified, of low rank within a class, with noise.

use std::hint::black_box;

use autoal_data::{Label, SampleId, Seed, Stream};
use autoal_strategies::{ArrayOutputs, Need, QueryContext, StrategySpec, catalog};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use ndarray::Array2;
use rand::{Rng, RngExt};

const CLASSES: usize = 10;
const LABELED: usize = 100;
const WIDTH: usize = 512;

fn normal(rng: &mut impl Rng) -> f32 {
    // Box and Muller.
    let (a, b): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}

/// Embeddings `[rows, WIDTH]` with ten classes.
fn embeddings(rows: usize, rng: &mut impl Rng) -> Array2<f32> {
    const RANK: usize = 32;
    let centres = Array2::from_shape_simple_fn((CLASSES, WIDTH), || normal(rng));
    let basis = Array2::from_shape_simple_fn((RANK, WIDTH), || normal(rng) / (RANK as f32).sqrt());
    let within = Array2::from_shape_simple_fn((rows, RANK), || normal(rng)).dot(&basis);
    Array2::from_shape_fn((rows, WIDTH), |(i, j)| (centres[[i % CLASSES, j]] + within[[i, j]] + 0.3 * normal(rng)).max(0.0))
}

fn log_proba(rows: usize, rng: &mut impl Rng) -> Array2<f32> {
    let mut logits = Array2::from_shape_simple_fn((rows, CLASSES), || 2.0 * normal(rng));
    for mut row in logits.outer_iter_mut() {
        let sum: f32 = row.iter().map(|z| z.exp()).sum();
        row.mapv_inplace(|z| z - sum.ln());
    }
    logits
}

fn queries(criterion: &mut Criterion, candidates: usize, query_size: usize, strategies: &[&str]) {
    let mut rng = Seed(1).rng(Stream::named("bench"), 0);
    let ids: Vec<SampleId> = (0..candidates as u32).map(SampleId).collect();
    let labeled: Vec<SampleId> = (0..LABELED as u32).map(|i| SampleId(u32::MAX - i)).collect();
    let labels: Vec<Label> = (0..LABELED).map(|i| Label((i % CLASSES) as u16)).collect();
    let outputs = ArrayOutputs::new()
        .with_embeddings(embeddings(candidates, &mut rng))
        .with_labeled_embeddings(embeddings(LABELED, &mut rng))
        .with_log_proba(log_proba(candidates, &mut rng))
        .with_labeled_log_proba(log_proba(LABELED, &mut rng));
    let context = QueryContext {
        candidates: &ids,
        labeled: &labeled,
        labels: &labels,
        num_classes: CLASSES,
        seed: Seed(1),
        round: 0,
        outputs: &outputs,
    };
    let mut group = criterion.benchmark_group(format!("{candidates}x{WIDTH}-b{query_size}-c{CLASSES}"));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for name in strategies {
        let mut strategy = catalog::build(&StrategySpec::Name((*name).to_owned())).expect("defaults are valid");
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(strategy.select(&context, query_size).expect("a selection")));
        });
    }
    group.finish();
}

/// Strategies that need nothing but log-probabilities and embeddings.
fn simple() -> Vec<&'static str> {
    let given = [Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLabels, Need::LabeledLogProba];
    let infos = catalog::ENTRIES.iter().map(|entry| entry.info);
    infos
        .filter(|info| !info.needs.is_empty() && info.needs.iter().all(|need| given.contains(need)))
        .map(|info| info.name)
        .collect()
}

fn benches(criterion: &mut Criterion) {
    queries(criterion, 10_000, 200, &simple());
    queries(criterion, 50_000, 1000, &["margin", "core-set", "badge", "k-means", "typi-clust"]);
}

criterion_group!(all, benches);
criterion_main!(all);
