//! The manifest's rules of comparison.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::answers::Answer;
use super::fixture::{Archive, Case, Fixture};

/// Standard normal quantile at 1 - 1e-4, the only significance level that the manifest uses.
const Z_AT_1E4: f64 = 3.719_016_485;

/// What is wrong with an answer; `Ok` when it conforms.
pub(crate) fn compare(fixture: &Fixture, case: &Case, answer: &Answer) -> Result<(), String> {
    let (inputs, expected) = (fixture.inputs(case)?, fixture.expected(case)?);
    let rows = &answer.runs[0];
    match case.compare.as_str() {
        "ordered-ids" => ordered_ids(case, &inputs, &expected, rows),
        "id-set" => id_set(case, &inputs, &expected, rows),
        "scores" => scores(case, &expected, rows),
        "partition" => partition(&expected, rows),
        "cluster-counts" => cluster_counts(case, &inputs, &expected, rows),
        "distribution" => distribution(case, &expected, rows),
        "quality" => quality(case, &inputs, &expected, answer),
        other => Err(format!("unknown kind of comparison `{other}`")),
    }
}

/// Ids of an answer after the checks that every selection must pass.
fn selected(case: &Case, inputs: &Archive, rows: &[(u32, f64)]) -> Result<Vec<u32>, String> {
    let ids: Vec<u32> = rows.iter().map(|(id, _)| *id).collect();
    let distinct: HashSet<u32> = ids.iter().copied().collect();
    let pool: HashSet<u32> = inputs.integers("ids")?.into_iter().collect();
    if ids.len() != case.query_size {
        return Err(format!("{} ids, query size is {}", ids.len(), case.query_size));
    }
    if distinct.len() != ids.len() {
        return Err("duplicate ids".into());
    }
    if !distinct.is_subset(&pool) {
        return Err("ids that are not in the pool".into());
    }
    Ok(ids)
}

/// A column of the expectation by id.
fn by_id(expected: &Archive, column: &str) -> Result<HashMap<u32, f64>, String> {
    Ok(expected.integers("pool_ids")?.into_iter().zip(expected.numbers(column)).collect())
}

fn ordered_ids(case: &Case, inputs: &Archive, expected: &Archive, rows: &[(u32, f64)]) -> Result<(), String> {
    let ids = selected(case, inputs, rows)?;
    let want = expected.integers("ids")?;
    let score = if case.tolerance.tie > 0.0 { by_id(expected, "scores")? } else { HashMap::new() };
    for (rank, (got, want)) in ids.iter().zip(&want).enumerate() {
        let tied = match (score.get(got), score.get(want)) {
            (Some(a), Some(b)) => (a - b).abs() <= case.tolerance.tie * b.abs().max(1.0),
            _ => false,
        };
        if got != want && !tied {
            return Err(format!("rank {rank}: id {got}, expected {want}"));
        }
    }
    Ok(())
}

fn id_set(case: &Case, inputs: &Archive, expected: &Archive, rows: &[(u32, f64)]) -> Result<(), String> {
    let got: BTreeSet<u32> = selected(case, inputs, rows)?.into_iter().collect();
    let want: BTreeSet<u32> = expected.integers("ids")?.into_iter().collect();
    let score = if case.tolerance.tie > 0.0 { by_id(expected, "scores")? } else { HashMap::new() };
    let sorted = |a: &BTreeSet<u32>, b: &BTreeSet<u32>| {
        let mut scores: Vec<f64> = a.difference(b).map(|id| score.get(id).copied().unwrap_or(f64::NAN)).collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let (many, few) = (sorted(&got, &want), sorted(&want, &got));
    if many.len() == few.len() && many.iter().zip(&few).all(|(a, b)| (a - b).abs() <= case.tolerance.tie) {
        return Ok(());
    }
    Err(format!("{} ids missing, {} too many", few.len(), many.len()))
}

fn scores(case: &Case, expected: &Archive, rows: &[(u32, f64)]) -> Result<(), String> {
    let got: HashMap<u32, f64> = rows.iter().copied().collect();
    for (id, want) in by_id(expected, "scores")? {
        let allowed = case.tolerance.abs + case.tolerance.rel * want.abs();
        let score = got.get(&id).ok_or_else(|| format!("no score for id {id}"))?;
        if (score - want).abs().partial_cmp(&allowed).is_none_or(std::cmp::Ordering::is_gt) {
            return Err(format!("id {id}: {score}, expected {want}"));
        }
    }
    Ok(())
}

fn partition(expected: &Archive, rows: &[(u32, f64)]) -> Result<(), String> {
    let want = by_id(expected, "labels")?;
    let pairs: BTreeSet<(u64, u64)> = rows
        .iter()
        .map(|(id, score)| Ok((score.to_bits(), want.get(id).ok_or("strange id")?.to_bits())))
        .collect::<Result<_, String>>()?;
    let ours: BTreeSet<u64> = pairs.iter().map(|(ours, _)| *ours).collect();
    let theirs: BTreeSet<u64> = pairs.iter().map(|(_, theirs)| *theirs).collect();
    if rows.len() == want.len() && pairs.len() == ours.len() && ours.len() == theirs.len() {
        return Ok(());
    }
    Err(format!("{} clusters, expected {}, or members differ", ours.len(), theirs.len()))
}

fn cluster_counts(case: &Case, inputs: &Archive, expected: &Archive, rows: &[(u32, f64)]) -> Result<(), String> {
    let ids = selected(case, inputs, rows)?;
    let candidates: HashSet<u32> = expected.integers("candidates")?.into_iter().collect();
    if ids.iter().any(|id| !candidates.contains(id)) {
        return Err("an id outside the smallest margins".into());
    }
    let label = by_id(expected, "labels")?;
    let count = |cluster: f64| ids.iter().filter(|id| label.get(*id) == Some(&cluster)).count() as f64;
    let got: Vec<f64> = expected.numbers("clusters").into_iter().map(count).collect();
    // Sizes count among the candidates: the expectation `counts`, not `counts_other`.
    if got == expected.numbers("counts") { Ok(()) } else { Err(format!("counts {got:?}")) }
}

fn distribution(case: &Case, expected: &Archive, rows: &[(u32, f64)]) -> Result<(), String> {
    if case.tolerance.p_value != 1e-4 {
        return Err(format!("significance level {}, only 1e-4 is known", case.tolerance.p_value));
    }
    let probability = by_id(expected, "probability")?;
    let total: f64 = rows.iter().map(|(_, count)| count).sum();
    let mut cells: Vec<(f64, f64)> = Vec::new();
    for (id, count) in rows {
        match probability.get(id) {
            Some(p) if *p > 0.0 => cells.push((p * total, *count)),
            _ if *count > 0.0 => return Err(format!("id {id} has probability 0 and was drawn")),
            _ => {}
        }
    }
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    let pooled = pool_rare(&cells);
    let statistic: f64 = pooled.iter().map(|(expected, observed)| (observed - expected).powi(2) / expected).sum();
    let freedom = (pooled.len() - 1) as f64;
    if freedom < 1.0 {
        return Ok(());
    }
    // Wilson and Hilferty: the cube root of chi-square over its degrees of freedom is nearly normal.
    let z = ((statistic / freedom).cbrt() - (1.0 - 2.0 / (9.0 * freedom))) / (2.0 / (9.0 * freedom)).sqrt();
    if z < Z_AT_1E4 { Ok(()) } else { Err(format!("chi-square {statistic:.1} with {freedom} degrees of freedom")) }
}

/// Joins rare cells until each expects at least 5.
fn pool_rare(cells: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut pooled: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    for (expected, observed) in cells {
        open = (open.0 + expected, open.1 + observed);
        if open.0 >= 5.0 {
            pooled.push(std::mem::take(&mut open));
        }
    }
    match pooled.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => pooled.push(open),
    }
    pooled
}

fn quality(case: &Case, inputs: &Archive, expected: &Archive, answer: &Answer) -> Result<(), String> {
    let ids = inputs.integers("ids")?;
    let row: BTreeMap<u32, usize> = ids.iter().enumerate().map(|(row, id)| (*id, row)).collect();
    let points = points(case, inputs)?;
    let mut found = Vec::new();
    for run in &answer.runs {
        let chosen: Vec<usize> = selected(case, inputs, run)?.iter().map(|id| row[id]).collect();
        let nearest = |x: &Vec<f64>| chosen.iter().map(|&c| squared(x, &points[c])).fold(f64::INFINITY, f64::min);
        found.push(points.iter().map(nearest).sum::<f64>());
    }
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    if case.quantity == "badge potential" {
        let (want, sd) = (expected.numbers("mean")[0], expected.numbers("sd")[0]);
        let room = case.tolerance.z * sd * (1.0 / found.len() as f64 + 1.0 / 300.0).sqrt() + case.tolerance.rel * want;
        return if (mean - want).abs() <= room {
            Ok(())
        } else {
            Err(format!("mean potential {mean}, expected {want} ± {room}"))
        };
    }
    let limit = case.tolerance.ratio * expected.numbers("potential_single").into_iter().fold(0.0, f64::max);
    if mean <= limit { Ok(()) } else { Err(format!("potential {mean}, at most {limit}")) }
}

/// The vectors whose potential is compared: embeddings, or gradient embeddings of the last layer.
fn points(case: &Case, inputs: &Archive) -> Result<Vec<Vec<f64>>, String> {
    let embeddings = inputs.matrix("embeddings").ok_or("no embeddings")?;
    let wide = |row: ndarray::ArrayView1<'_, f32>| row.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    if case.quantity != "badge potential" {
        return Ok(embeddings.outer_iter().map(wide).collect());
    }
    let log_proba = inputs.matrix("log_proba").ok_or("no log-probabilities")?;
    let gradient = |(lp, h): (ndarray::ArrayView1<'_, f32>, ndarray::ArrayView1<'_, f32>)| {
        let top = (0..lp.len()).rev().max_by(|&a, &b| lp[a].total_cmp(&lp[b])).expect("there is a class");
        let factor = |class: usize| f64::from(lp[class]).exp() - f64::from(u8::from(class == top));
        (0..lp.len()).flat_map(|class| wide(h).into_iter().map(move |x| x * factor(class))).collect()
    };
    Ok(log_proba.outer_iter().zip(embeddings.outer_iter()).map(gradient).collect())
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum()
}
