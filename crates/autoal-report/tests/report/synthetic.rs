//! Made-up experiments with all the files of real ones, the same on every run.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::json;

/// How large an experiment to make.
pub(crate) struct Size {
    pub(crate) strategies: usize,
    pub(crate) seeds: u64,
    pub(crate) rounds: usize,
}

/// Strategies with how much they gain over Random, in points.
const STRATEGIES: [(&str, f64); 15] = [
    ("random", 0.0),
    ("entropy", 0.4),
    ("margin", 1.3),
    ("least-confidence", 0.6),
    ("badge", 1.9),
    ("coreset", -0.6),
    ("bald", 0.7),
    ("kmeans", 0.2),
    ("typiclust", 1.2),
    ("learning-loss", 0.5),
    ("bait", 2.4),
    ("uncertainty-herding", 2.9),
    ("max-herding", 1.6),
    ("albl", 0.3),
    ("autoal", 3.1),
];
const CANDIDATES: [&str; 7] = ["entropy", "margin", "least-confidence", "kmeans", "bald", "var-ratio", "mean-std"];
const CLASSES: [&str; 8] =
    ["basophil", "eosinophil", "erythroblast", "granulocyte", "lymphocyte", "monocyte", "neutrophil", "platelet"];
const QUERY: usize = 40;
const SEED_SET: usize = 80;

/// A number in 0..1 that depends on nothing but `key`: `SplitMix64`'s finaliser.
fn noise(key: u64) -> f64 {
    let mut z = key.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn accuracy(strategy: usize, seed: u64, round: usize) -> f64 {
    let labels = (SEED_SET + round * QUERY) as f64;
    let learned = 0.93 - 0.45 * (-labels / 320.0).exp();
    // The first model is the same for all strategies of a seed.
    let gain = STRATEGIES[strategy].1 / 100.0 * (1.0 - (-(round as f64) / 4.0).exp());
    let own = if round == 0 { 0.0 } else { (noise(seed * 7919 + strategy as u64 * 104_729 + round as u64) - 0.5) * 0.012 };
    learned + gain + own + (noise(seed * 31 + 5) - 0.5) * 0.02
}

/// Writes an experiment to `folder`.
pub(crate) fn write(folder: &Path, name: &str, size: &Size) {
    let strategies = &STRATEGIES[STRATEGIES.len() - size.strategies + 1..];
    let labels: Vec<&str> = std::iter::once("random").chain(strategies.iter().map(|s| s.0)).collect();
    let list: Vec<_> = labels.iter().map(|l| json!({"label": l, "name": l, "parameters": {}})).collect();
    let experiment = json!({"version": 1, "name": name, "command": format!("autoal run --config {name}.toml"),
        "config": {"name": name, "budget": {"seed-set-size": SEED_SET, "query-size": QUERY, "rounds": size.rounds}},
        "data": {"name": name, "digest": "d1ce5", "classes": CLASSES, "pool_size": 5000, "test_size": 1000},
        "seeds": (1..=size.seeds).collect::<Vec<_>>(), "strategies": list, "autoal_version": "0.1.0", "device": "flex, 2 threads"});
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(folder.join("experiment.json"), experiment.to_string()).expect("the file can be written");
    for label in labels {
        let strategy = STRATEGIES.iter().position(|s| s.0 == label).expect("the label is of the list");
        for seed in 1..=size.seeds {
            cell(&folder.join(label).join(format!("seed-{seed}")), name, strategy, seed, size.rounds);
        }
    }
}

fn cell(folder: &Path, name: &str, strategy: usize, seed: u64, rounds: usize) {
    let label = STRATEGIES[strategy].0;
    fs::create_dir_all(folder.join("thumbnails")).expect("the folder can be made");
    let manifest = json!({"version": 1, "experiment": name, "strategy": {"label": label, "name": label, "parameters": {}}, "seed": seed,
        "device": "flex, 2 threads", "autoal_version": "0.1.0", "data": {"name": name, "digest": "d1ce5"},
        "seed_set_digest": format!("5eed{seed}"), "config": {}, "config_digest": "c0f1"});
    fs::write(folder.join("manifest.json"), manifest.to_string()).expect("the file can be written");
    let (mut lines, mut queries, mut search) = (
        String::new(),
        "round,rank,sample,source,label,score,predicted,confidence,nominated_by\n0,0,77,,1,,,,\n".to_owned(),
        String::new(),
    );
    for round in 0..=rounds {
        let accuracy = accuracy(strategy, seed, round);
        let weights: Vec<_> =
            CANDIDATES.iter().enumerate().map(|(i, c)| json!({"candidate": c, "weight": weight(i, round, seed)})).collect();
        let is_autoal = label == "autoal";
        let line = json!({"version": 1, "round": round, "labels": SEED_SET + round * QUERY, "accuracy": accuracy,
            "balanced_accuracy": accuracy - 0.03, "loss": 1.4 - accuracy, "ece": 0.14 - 0.1 * accuracy, "recall": [accuracy], "train_loss": 0.1,
            "seconds": {"train": 12.0 + round as f64, "evaluate": 1.1, "outputs": 2.0, "candidates": if is_autoal { 3.0 } else { 0.0 },
                "search": if is_autoal { 9.0 } else { 0.0 }, "query": 0.1 * strategy as f64, "total": 15.1 + round as f64 + 0.1 * strategy as f64
                + if is_autoal { 12.0 } else { 0.0 }},
            "peak_memory_bytes": 1_200_000_000_u64 + 10_000_000 * strategy as u64, "weights": if is_autoal && round < rounds { weights } else { vec![] },
            "nan_scores": 0, "queried": if round < rounds { QUERY } else { 0 }});
        writeln!(lines, "{line}").expect("a string grows");
        if round < rounds {
            query_lines(&mut queries, strategy, seed, round);
            if is_autoal {
                search_lines(&mut search, seed, round);
            }
            if seed == 1 {
                thumbnails(&folder.join("thumbnails").join(format!("round-{}.png", round + 1)), strategy, round);
            }
        }
    }
    fs::write(folder.join("rounds.jsonl"), lines).expect("the file can be written");
    fs::write(folder.join("queries.csv"), queries).expect("the file can be written");
    if !search.is_empty() {
        fs::write(folder.join("search.jsonl"), search).expect("the file can be written");
    }
}

fn weight(candidate: usize, round: usize, seed: u64) -> f64 {
    let drift = if candidate == 1 { round as f64 * 0.02 } else { 0.0 };
    0.1 + drift + noise(seed * 13 + candidate as u64 * 17 + round as u64) * 0.05
}

fn query_lines(out: &mut String, strategy: usize, seed: u64, round: usize) {
    for rank in 0..QUERY {
        let key = strategy as u64 / 3 * 1_000_003 + seed * 10_007 + (round * QUERY + rank) as u64;
        let sample = (noise(key) * 5000.0) as u64;
        let class = (noise(sample + 3) * noise(sample + 9) * CLASSES.len() as f64) as usize;
        let (predicted, confidence) = ((class + usize::from(rank % 3 == 0)) % CLASSES.len(), 0.2 + 0.7 * noise(sample + 17));
        let nominated_by = if STRATEGIES[strategy].0 == "autoal" { "entropy margin" } else { "" };
        let score = 2.0 - rank as f64 * 0.01;
        writeln!(out, "{},{rank},{sample},,{class},{score:.6},{predicted},{confidence:.6},{nominated_by}", round + 1)
            .expect("a string grows");
    }
}

fn search_lines(out: &mut String, seed: u64, round: usize) {
    for step in 0..6 {
        let progress = step as f64 / 6.0;
        let line = json!({"kind": "step", "round": round, "cycle": 0, "step": step, "phase": "search", "search_loss": 1.0 - progress,
            "grad_norm": 0.02 * (1.2 - progress) / (1.0 + round as f64 / 9.0), "selected": 38.0 + 3.0 * noise(seed + step), "budget": 40.0,
            "precision": 0.3 + 0.3 * progress + 0.05 * noise(seed * 3 + round as u64)});
        writeln!(out, "{line}").expect("a string grows");
    }
    let selections: Vec<f64> = (0..CANDIDATES.len()).map(|i| (weight(i, round, seed) * 50.0).round()).collect();
    let line = json!({"kind": "round", "round": round, "candidates": CANDIDATES, "mean_weight": vec![0.1; CANDIDATES.len()], "selections": selections});
    writeln!(out, "{line}").expect("a string grows");
}

fn thumbnails(path: &Path, strategy: usize, round: usize) {
    const SIDE: u32 = 28;
    let tint = |k: u32| (noise(u64::from(k) + strategy as u64 * 97 + round as u64 * 7) * 200.0) as u8;
    let strip = image::RgbImage::from_fn(SIDE * 20, SIDE, |x, y| {
        let (tile, dx, dy) = (x / SIDE, f64::from(x % SIDE) - 14.0, f64::from(y) - 14.0);
        let inside = dx.hypot(dy) < 6.0 + 6.0 * noise(u64::from(tile) + strategy as u64);
        if inside { image::Rgb([120, tint(tile), 160]) } else { image::Rgb([235, 215, 215 - tint(tile) / 8]) }
    });
    strip.save(path).expect("the image can be written");
}
