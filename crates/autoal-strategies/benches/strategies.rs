//! Time of one query: `cargo bench -p autoal-strategies`. Names carry candidates x width, query size and classes.
//!
//! The largest pool is mapped from a file, as `autoal select` does. The whole takes hours on a small machine; a filter names what is of
//! interest, as in `cargo bench -p autoal-strategies -- 10000x512`; that of the largest must be named, `-- 1000000x512`.
//!
//! Embeddings are those of a network that knows some of the classes: rectified, of low rank within a class, with noise.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;

use autoal_data::{Label, SampleId, Seed, Stream};
use autoal_strategies::exported::Exported;
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
    time(criterion, &context, query_size, strategies);
}

/// One group whose name carries candidates x width, query size and classes.
fn time(criterion: &mut Criterion, context: &QueryContext<'_>, query_size: usize, strategies: &[&str]) {
    let candidates = context.candidates.len();
    let mut group = criterion.benchmark_group(format!("{candidates}x{WIDTH}-b{query_size}-c{CLASSES}"));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for name in strategies {
        let mut strategy = catalog::build(&StrategySpec::Name((*name).to_owned())).expect("defaults are valid");
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(strategy.select(context, query_size).expect("a selection")));
        });
    }
    group.finish();
}

/// Writes arrays of a large pool to a folder, a block at a time, and queries them through a memory map.
fn mapped_queries(criterion: &mut Criterion, candidates: usize, query_size: usize, strategies: &[&str]) {
    const BLOCK: usize = 20_000;
    let mut rng = Seed(1).rng(Stream::named("bench"), 1);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_npy(&folder.path().join("log_proba.npy"), candidates, CLASSES, [log_proba(candidates, &mut rng)]);
    let blocks = (0..candidates.div_ceil(BLOCK)).map(|block| embeddings(BLOCK.min(candidates - block * BLOCK), &mut rng));
    write_npy(&folder.path().join("embeddings.npy"), candidates, WIDTH, blocks);
    write_npy(&folder.path().join("labeled_embeddings.npy"), LABELED, WIDTH, [embeddings(LABELED, &mut rng)]);
    let exported = Exported::load(folder.path(), None).expect("the arrays that were just written");
    exported.query(Seed(1), 0, |context| time(criterion, context, query_size, strategies));
}

/// Writes a row-major `f32` array as NumPy would, from parts with all rows in order.
fn write_npy(path: &Path, rows: usize, columns: usize, parts: impl IntoIterator<Item = Array2<f32>>) {
    let mut file = BufWriter::new(File::create(path).expect("a file in the temporary folder"));
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let header = format!("{header:<117}\n");
    file.write_all(b"\x93NUMPY\x01\x00").and_then(|()| file.write_all(&118_u16.to_le_bytes())).expect("room on the disk");
    file.write_all(header.as_bytes()).expect("room on the disk");
    for part in parts {
        part.iter().try_for_each(|x| file.write_all(&x.to_le_bytes())).expect("room on the disk");
    }
    file.flush().expect("room on the disk");
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
    queries(criterion, 50_000, 1000, &simple());
    let scale = ["entropy", "margin", "least-confidence", "k-means", "core-set", "badge", "cluster-margin"];
    // The arrays of the largest pool are only made when they are asked for.
    if std::env::args().any(|argument| argument.contains("1000000")) {
        mapped_queries(criterion, 1_000_000, 10_000, &scale);
    }
}

criterion_group!(all, benches);
criterion_main!(all);
