//! Closed forms of `values.json`: small inputs with exact answers.

use std::path::Path;

use autoal_strategies::adaptive::comb::class_entropy;
use autoal_strategies::adaptive::exp4p::{Exp4P, importance_weighted_accuracy, mixture};
use autoal_strategies::diversity::Spectrum;
use autoal_strategies::hybrid::factorised_distance;
use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::Results;

/// Answers by name of the case; cases whose piece lives in another crate (the ranking loss of LPL) have none.
pub(crate) fn answers(root: &Path) -> Result<Map<String, Value>, String> {
    let mut answers = Map::new();
    for case in cases(root)? {
        let name = case["name"].as_str().ok_or("a case without a name")?;
        if let Some(answer) = answer(name, &case["input"])? {
            answers.insert(name.to_owned(), answer);
        }
    }
    Ok(answers)
}

/// Cases whose piece lives in another crate, which holds it against these values.
const ELSEWHERE: &[&str] = &["lpl-loss"];

/// How answers compare, for every case whose piece lives in this crate.
pub(crate) fn results(root: &Path, answers: &Map<String, Value>) -> Result<Results, String> {
    let mut results = Results::new();
    for case in cases(root)? {
        let name = case["name"].as_str().ok_or("a case without a name")?;
        if !ELSEWHERE.contains(&kind(name)) {
            let tolerance = case["tolerance"].as_f64().unwrap_or(1e-9);
            let answer = answers.get(name).ok_or_else(|| "no answer".to_owned());
            results.insert(name.to_owned(), answer.and_then(|answer| compare(&case["expected"], answer, tolerance)).err());
        }
    }
    Ok(results)
}

fn kind(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

fn cases(root: &Path) -> Result<Vec<Value>, String> {
    let path = root.join("values.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let file: Value = serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
    file["cases"].as_array().cloned().ok_or_else(|| format!("`{}` has no `cases`", path.display()))
}

fn answer(name: &str, input: &Value) -> Result<Option<Value>, String> {
    match kind(name) {
        "badge" => badge(input).map(Some),
        "comb reward" => comb(input).map(Some),
        "dpp" => dpp(input).map(Some),
        "exp4p" => exp4p(input).map(Some),
        "iw-acc" => importance_weighted(input).map(Some),
        _ => Ok(None),
    }
}

/// Reads one key of a case's input.
fn get<T: serde::de::DeserializeOwned>(input: &Value, key: &str) -> Result<T, String> {
    serde_json::from_value(input[key].clone()).map_err(|error| format!("`{key}`: {error}"))
}

/// The fixture's probabilities are `f64` and its tolerance is theirs, so that the formula is asked, not the `f32` factors of a pool.
fn badge(input: &Value) -> Result<Value, String> {
    let (mut residuals, embeddings): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (get(input, "proba")?, get(input, "embedding")?);
    for row in &mut residuals {
        let top = (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        row[top] -= 1.0;
    }
    let dot = |rows: &[Vec<f64>], i: usize, j: usize| rows[i].iter().zip(&rows[j]).map(|(x, y)| x * y).sum::<f64>();
    let norms = [0, 1].map(|i| dot(&residuals, i, i) * dot(&embeddings, i, i));
    let distance = factorised_distance(norms, dot(&residuals, 0, 1), dot(&embeddings, 0, 1));
    Ok(json!({ "squared_norms": norms, "squared_distance": distance }))
}

fn comb(input: &Value) -> Result<Value, String> {
    Ok(json!({ "reward": class_entropy(&get::<Vec<f64>>(input, "fractions")?) }))
}

#[derive(serde::Deserialize)]
struct Step {
    phi: Vec<Vec<f64>>,
    asked: usize,
    reward: f64,
}

fn exp4p(input: &Value) -> Result<Value, String> {
    let experts: usize = get(input, "experts")?;
    let settings = Exp4P::new(experts, get(input, "horizon")?, get(input, "delta")?);
    let mut log_weights = vec![0.0; experts];
    let step = |Step { phi, asked, reward }: Step| {
        let p = settings.shares(&log_weights);
        let q = mixture(&p, &phi);
        let advice: Vec<f64> = phi.iter().map(|phi| phi[asked] / q[asked]).collect();
        settings.update(&mut log_weights, &p, &advice, reward);
        json!({ "p": p, "q": q, "w_after": log_weights.iter().map(|w| w.exp()).collect::<Vec<_>>() })
    };
    let steps: Vec<Value> = get::<Vec<Step>>(input, "steps")?.into_iter().map(step).collect();
    Ok(json!({ "p_min": settings.p_min, "steps": steps }))
}

fn importance_weighted(input: &Value) -> Result<Value, String> {
    let (q, correct): (Vec<f64>, Vec<u8>) = (get(input, "q")?, get(input, "correct")?);
    let one_draw = |(q, correct): (&f64, &u8)| q * importance_weighted_accuracy([(*correct == 1, *q)].into_iter(), 4);
    Ok(json!({ "expectation": q.iter().zip(&correct).map(one_draw).sum::<f64>() }))
}

fn dpp(input: &Value) -> Result<Value, String> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(input["l_kernel"].clone()).map_err(|error| error.to_string())?;
    let k = input["k"].as_u64().ok_or("no `k`")? as usize;
    let kernel = Array2::from_shape_fn((rows.len(), rows.len()), |(i, j)| rows[i][j]);
    let spectrum = Spectrum::of(&kernel);
    let greedy = autoal_strategies::diversity::greedy_mode(rows.len(), k, |i, j| kernel[[i, j]]);
    Ok(json!({
        "elementary_symmetric": spectrum.elementary(),
        "marginal_diagonal": spectrum.marginals(),
        "k_dpp_inclusion": spectrum.inclusion(k),
        "k_dpp_log_normaliser": spectrum.elementary()[k].ln(),
        "greedy_map": greedy.iter().map(|(item, _)| item).collect::<Vec<_>>(),
        "greedy_log_det": greedy.iter().map(|(_, factor)| factor.ln()).sum::<f64>(),
    }))
}

fn compare(want: &Value, got: &Value, tolerance: f64) -> Result<(), String> {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => want.iter().try_for_each(|(key, want)| {
            compare(want, got.get(key).unwrap_or(&Value::Null), tolerance).map_err(|error| format!("{key}: {error}"))
        }),
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            want.iter().zip(got).try_for_each(|(want, got)| compare(want, got, tolerance))
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) if (a - b).abs() <= tolerance * a.abs().max(1.0) => Ok(()),
            _ => Err(format!("{b}, expected {a}")),
        },
        (want, got) if want == got => Ok(()),
        (want, got) => Err(format!("{got}, expected {want}")),
    }
}
