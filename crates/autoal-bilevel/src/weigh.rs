//! The candidates' weights on the pool, and the combined score of every candidate sample.

use autoal_strategies::QueryContext;
use burn::tensor::{Tensor, activation};
use ndarray::{Array2, ArrayView1, Axis};

use crate::BilevelError;
use crate::config::{AutoAlConfig, Reading, SearchConfig};
use crate::fit_net::AutoAlEnv;
use crate::gate::{equation_gate, threshold};
use crate::nominations::Signals;
use crate::search::Key;
use crate::search::paper::{QUERY_MIXTURE, weights};
use crate::search::round::Searched;
use crate::tensors::{host_f64, host_matrix, tensor_of};

/// What the pool looks like after weighing; lists over samples follow the candidates of the query.
pub(crate) struct Weighed {
    /// Combined score, `[N]`.
    pub(crate) scores: Vec<f64>,
    /// Sum of the nominations of a sample, `[N]`.
    pub(crate) support: Vec<f64>,
    /// Mean weight of each candidate strategy, `[K]`.
    pub(crate) mean_weight: Vec<f64>,
    /// `v_κ / Σv`, `[K]`.
    pub(crate) share: Vec<f64>,
}

impl Weighed {
    /// Weighs the samples that anyone nominates (SearchNet need not look at others: their score is 0); `upper` is the query's share of
    /// the pool. Without a search all weights are equal.
    pub(crate) fn new(
        config: &AutoAlConfig,
        env: &AutoAlEnv,
        searched: Option<&Searched<'_>>,
        signals: &Signals,
        upper: f64,
        context: &QueryContext<'_>,
    ) -> Result<Self, BilevelError> {
        let nominations = signals.matrix();
        let support: Vec<f64> = nominations.outer_iter().map(|row| row.iter().map(|r| f64::from(*r)).sum()).collect();
        let nominated: Vec<usize> = (0..support.len()).filter(|&row| support[row] > 0.0).collect();
        let marks = nominations.select(Axis(0), &nominated);
        let logits = match searched {
            Some(searched) => logits(searched, &nominated, env)?,
            None => Array2::zeros(marks.raw_dim()),
        };
        let logits = tensor_of(&logits, env.device.burn());
        let activated = match (&config.search, searched) {
            (SearchConfig::Paper(keys), Some(_)) => weights(logits.clone(), keys.activation),
            _ => activation::softmax(logits.clone(), 1),
        };
        let weights = host_matrix(&activated);
        let combined: Vec<f64> = weights.outer_iter().zip(marks.outer_iter()).map(|(w, r)| dot(&w, &r)).collect();
        let combined = match (&config.search, searched) {
            (SearchConfig::Paper(keys), Some(_)) if keys.reading == Reading::Equation => {
                let key = Key { seed: context.seed, round: context.round };
                let threshold = threshold(&combined, upper, config.threshold, &mut key.rng(QUERY_MIXTURE));
                host_f64(&equation_gate(logits, activated, tensor_of(&marks, env.device.burn()), threshold))
            }
            _ => combined,
        };
        let mut scores = vec![0.0; support.len()];
        nominated.iter().zip(combined).for_each(|(&row, score)| scores[row] = score);
        let (mean_weight, share) = summary(&weights, &marks, support.len());
        Ok(Self { scores, support, mean_weight, share })
    }
}

fn dot(a: &ArrayView1<'_, f32>, b: &ArrayView1<'_, f32>) -> f64 {
    a.iter().zip(b.iter()).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

/// Mean weight of each candidate, and its share of `v_κ = (1/|U|) Σ_i S_κ(x_i) W_κ(x_i)`.
pub fn summary(weights: &Array2<f32>, marks: &Array2<f32>, pool: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = weights.nrows().max(1) as f64;
    let mean = weights.columns().into_iter().map(|w| w.iter().map(|x| f64::from(*x)).sum::<f64>() / rows).collect();
    let values: Vec<f64> =
        weights.columns().into_iter().zip(marks.columns()).map(|(w, r)| dot(&w, &r) / pool.max(1) as f64).collect();
    let total: f64 = values.iter().sum();
    let even = 1.0 / values.len().max(1) as f64;
    // Raw weights may cancel; shares then say nothing and are equal.
    (mean, values.iter().map(|v| if total.abs() > f64::MIN_POSITIVE { v / total } else { even }).collect())
}

/// SearchNet's outputs on some of the candidates, `[rows, K]`, in batches.
fn logits(searched: &Searched<'_>, rows: &[usize], env: &AutoAlEnv) -> Result<Array2<f32>, BilevelError> {
    let mut parts = Vec::new();
    for batch in rows.chunks(env.train.eval_batch_size.max(1)) {
        parts.push(searched.net.forward(searched.input.pool(batch)?).logits);
    }
    Ok(host_matrix(&Tensor::cat(parts, 0)))
}
