//! ALFA-Mix: samples whose predicted class changes when a little of a class mean is mixed into their embedding.
//!
//! **Formula**: with the anchors `z*_c` (mean labeled embedding of class `c`) and the gradient direction
//! `ĝ = Wᵀ(p - e_ŷ) / |Wᵀ(p - e_ŷ)|`, the authors' closed form moves `h` by `ε |z*_c - h| ĝ`, `ε = ε₀ / √D`: the anchor sets the length of
//! the step only. The region of one class is convex, so some anchor changes the class exactly if
//! `r = ε max_c |z*_c - h|` exceeds `s = min_c (o_ŷ - o_c) / (ĝ · (w_c - w_ŷ))` over the classes with a positive denominator.
//! `ε₀` grows by steps of `alpha-cap` until there are as many candidates as the query asks for or `ε₀` reaches 1. The candidates are
//! clustered and one of each cluster is selected (`cluster_pick`).
//!
//! **Edges**: a class without labels has the mean of all labeled samples as its anchor; without labels the query is random.
//!
//! **Cost**: O(N C D) and the clustering; O(N) memory.
//!
//! **Reference**: Parvaneh, Abbasnejad, Teney, Haffari, van den Hengel, Shi, CVPR 2022, equations 4 and 5 (closed form).

use autoal_data::Stream;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::cluster_pick::cluster_pick;
use super::drop_query::check_head;
use crate::{
    Buildable, LinearHead, Need, OutputsError, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError,
    StrategyInfo, config, distance,
};

const PICK: Stream = Stream::named("alfa-mix");

/// Feature mixing, then diversity.
#[derive(Debug, Clone, Copy)]
pub struct AlfaMix(AlfaMixConfig);

/// Parameters of [`AlfaMix`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AlfaMixConfig {
    /// First value and step of `ε₀`.
    pub alpha_cap: f64,
    /// The closed form; the variant with learned mixing ratios does not exist here.
    pub closed_form: bool,
}

impl Default for AlfaMixConfig {
    fn default() -> Self {
        Self { alpha_cap: 0.2, closed_form: true }
    }
}

/// By how much each sample would have to move, in units of its farthest anchor and of `1 / √D`: a sample is a candidate at `ε₀` exactly
/// if its ratio is below `ε₀`. Infinite for samples whose class never changes.
pub fn mixing_ratios(context: &QueryContext<'_>) -> Result<Vec<f64>, OutputsError> {
    let (embeddings, head) = (context.embeddings()?, context.outputs.head()?);
    check_head(head, embeddings)?;
    let anchors = anchors(context, head.weight.nrows())?;
    let layer = Layer::new(head);
    let root = (embeddings.dim() as f64).sqrt();
    let ratio = |h: &[f32]| {
        let farthest =
            anchors.outer_iter().map(|anchor| length_between(h, anchor.as_slice().unwrap_or_default())).fold(0.0, f64::max);
        if farthest > 0.0 { layer.least_step(h) * root / farthest } else { f64::INFINITY }
    };
    Ok(distance::map_rows(embeddings, ratio))
}

/// Mean labeled embedding of every class, `[C, D]`; no row when nothing is labeled.
fn anchors(context: &QueryContext<'_>, classes: usize) -> Result<Array2<f64>, OutputsError> {
    let labeled = context.labeled_embeddings()?;
    if labeled.is_empty() {
        return Ok(Array2::zeros((0, labeled.dim())));
    }
    let mut sums = Array2::<f64>::zeros((classes, labeled.dim()));
    let mut counts = vec![0_usize; classes];
    for (row, label) in labeled.iter().zip(context.labels) {
        let Some(count) = counts.get_mut(label.class()) else {
            return Err(OutputsError::Failed(format!("`head_weight` has {classes} rows, but there is a label {label}")));
        };
        *count += 1;
        sums.row_mut(label.class()).iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let all = sums.sum_axis(ndarray::Axis(0)) / labeled.len() as f64;
    for (mut sum, count) in sums.outer_iter_mut().zip(counts) {
        if count == 0 { sum.assign(&all) } else { sum /= count as f64 }
    }
    Ok(sums)
}

fn length_between(h: &[f32], anchor: &[f64]) -> f64 {
    h.iter().zip(anchor).map(|(h, a)| (f64::from(*h) - a).powi(2)).sum::<f64>().sqrt()
}

/// The last layer in `f64`.
struct Layer {
    /// `[C, D]`.
    weight: Array2<f64>,
    bias: Vec<f64>,
}

impl Layer {
    fn new(head: &LinearHead) -> Self {
        Self { weight: head.weight.mapv(f64::from), bias: head.bias.iter().map(|b| f64::from(*b)).collect() }
    }

    fn logits(&self, h: &[f32]) -> Vec<f64> {
        let product = |row: ndarray::ArrayView1<'_, f64>| row.iter().zip(h).map(|(w, h)| w * f64::from(*h)).sum::<f64>();
        self.weight.outer_iter().zip(&self.bias).map(|(row, bias)| product(row) + bias).collect()
    }

    /// Distance along the gradient direction at which the class changes; infinite when it never does.
    fn least_step(&self, h: &[f32]) -> f64 {
        let logits = self.logits(h);
        let own = (0..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best });
        let mut gradient = vec![0.0; h.len()];
        for (class, residual) in residuals(&logits, own).into_iter().enumerate() {
            gradient.iter_mut().zip(self.weight.row(class)).for_each(|(g, w)| *g += residual * w);
        }
        let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let along = |class: usize| self.weight.row(class).iter().zip(&gradient).map(|(w, g)| w * g).sum::<f64>() / length;
        let own_along = along(own);
        let steps = (0..logits.len()).filter(|class| *class != own).filter_map(|class| {
            let rise = along(class) - own_along;
            (rise > 0.0).then(|| (logits[own] - logits[class]) / rise)
        });
        steps.fold(f64::INFINITY, f64::min)
    }
}

/// `p - e_own`, the entry of `own` summed from the others so that nothing cancels.
fn residuals(logits: &[f64], own: usize) -> Vec<f64> {
    let top = logits[own];
    let mut p: Vec<f64> = logits.iter().map(|z| (z - top).exp()).collect();
    let sum: f64 = p.iter().sum();
    for p in &mut p {
        *p /= sum;
    }
    p[own] = 0.0;
    p[own] = -p.iter().sum::<f64>();
    p
}

impl AlfaMix {
    /// Rows whose class changes at the first `ε₀` that gives at least `query_size` of them.
    fn candidates(&self, ratios: &[f64], query_size: usize) -> Vec<usize> {
        let mut epsilon = self.0.alpha_cap;
        loop {
            let rows: Vec<usize> = (0..ratios.len()).filter(|&row| ratios[row] < epsilon).collect();
            if rows.len() >= query_size || epsilon >= 1.0 {
                return rows;
            }
            epsilon += self.0.alpha_cap;
        }
    }
}

impl QueryStrategy for AlfaMix {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let error = QueryError::outputs(Self::INFO.name);
        let ratios = mixing_ratios(context).map_err(&error)?;
        let candidates = self.candidates(&ratios, query_size);
        let embeddings = context.embeddings().map_err(&error)?;
        Ok(context.selection(&cluster_pick(context, embeddings, &candidates, query_size, PICK)))
    }
}

impl Buildable for AlfaMix {
    type Config = AlfaMixConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "alfa-mix",
        summary: "samples whose prediction changes when class means are mixed in, one of each cluster",
        paper: "Parvaneh et al., CVPR 2022",
        needs: &[Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLabels, Need::Head],
        parameters: &[
            Parameter { key: "alpha-cap", default: "0.2", doc: "first value and step of the mixing strength" },
            Parameter { key: "closed-form", default: "true", doc: "mixing ratios in closed form, the only form here" },
        ],
    };

    fn build(config: AlfaMixConfig) -> Result<Self, StrategyError> {
        if !config.closed_form {
            return Err(config::parameter(
                Self::INFO.name,
                "`closed-form` is false, but learned mixing ratios do not exist here",
            ));
        }
        // A step this small would take minutes to reach 1.
        if !(1e-4..=1.0).contains(&config.alpha_cap) {
            return Err(config::parameter(Self::INFO.name, format!("`alpha-cap` is {}, expected 1e-4 to 1", config.alpha_cap)));
        }
        Ok(Self(config))
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::{Label, SampleId, Seed};
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;
    use crate::ArrayOutputs;

    fn ratios(head: &LinearHead, embeddings: &Array2<f32>, labeled: &Array2<f32>, labels: &[u16]) -> Vec<f64> {
        let outputs = ArrayOutputs::new()
            .with_embeddings(embeddings.view())
            .with_labeled_embeddings(labeled.view())
            .with_head(head.clone());
        let candidates: Vec<SampleId> = (0..embeddings.nrows() as u32).map(SampleId).collect();
        let ids: Vec<SampleId> = (100..100 + labels.len() as u32).map(SampleId).collect();
        let labels: Vec<Label> = labels.iter().map(|l| Label(*l)).collect();
        let context = QueryContext {
            candidates: &candidates,
            labeled: &ids,
            labels: &labels,
            num_classes: head.bias.len(),
            seed: Seed(0),
            round: 0,
            outputs: &outputs,
        };
        mixing_ratios(&context).expect("arrays are given")
    }

    /// Expected values have seven digits, inputs are `f32`.
    const DIGITS: f64 = 1e-6;

    #[test]
    fn steps_of_the_worked_example() {
        let head = LinearHead { weight: array![[1.0, 0.0], [0.0, 1.0]], bias: array![0.0, 0.0] };
        let embeddings = array![[1.0, 0.8], [2.0, 0.0], [0.5, 0.45]];
        let layer = Layer::new(&head);
        let steps: Vec<f64> = embeddings.outer_iter().map(|h| layer.least_step(h.as_slice().expect("row-major"))).collect();
        for (step, expected) in steps.iter().zip([0.2 * 0.5_f64.sqrt(), 2.0_f64.sqrt(), 0.05 * 0.5_f64.sqrt()]) {
            assert!((step - expected).abs() < DIGITS, "{steps:?}");
        }
        let ratios = ratios(&head, &embeddings, &array![[2.0, 0.0], [0.0, 2.0]], &[0, 1]);
        for ((ratio, step), reach) in ratios.iter().zip(&steps).zip([0.220_907_2, 0.4, 0.230_325_9]) {
            assert!((ratio - 0.2 * step / reach).abs() < DIGITS, "{ratios:?}");
        }
        assert_eq!(AlfaMix(AlfaMixConfig::default()).candidates(&ratios, 2), [0, 2]);
    }

    /// The authors' form: mixing elementwise with every anchor.
    fn changes(head: &LinearHead, h: &[f32], anchor: &[f32], epsilon: f64) -> bool {
        let layer = Layer::new(head);
        let logits = layer.logits(h);
        let class = |z: &[f64]| (0..z.len()).fold(0, |best, c| if z[c] > z[best] { c } else { best });
        let own = class(&logits);
        let p = residuals(&logits, own);
        let gradient: Vec<f64> = (0..h.len()).map(|d| (0..p.len()).map(|c| p[c] * layer.weight[[c, d]]).sum()).collect();
        let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let difference: Vec<f64> = h.iter().zip(anchor).map(|(h, a)| f64::from(*a) - f64::from(*h)).collect();
        let far = difference.iter().map(|d| d * d).sum::<f64>().sqrt();
        let mixed: Vec<f32> = (0..h.len())
            .map(|d| {
                let alpha = epsilon / (h.len() as f64).sqrt() * far / length * gradient[d] / difference[d];
                (alpha * f64::from(anchor[d]) + (1.0 - alpha) * f64::from(h[d])) as f32
            })
            .collect();
        class(&layer.logits(&mixed)) != own
    }

    proptest! {
        #[test]
        fn the_reduction_equals_elementwise_mixing(values in prop::collection::vec(-1.0_f32..1.0, 3 * 4 + 3 * 4 + 4), cap in 1_u32..5) {
            let head = LinearHead { weight: Array2::from_shape_vec((3, 4), values[..12].to_vec()).expect("12 values"), bias: array![0.0, 0.1, -0.1] };
            let labeled = Array2::from_shape_vec((3, 4), values[12..24].to_vec()).expect("12 values");
            let h = &values[24..];
            let ratio = ratios(&head, &Array2::from_shape_vec((1, 4), h.to_vec()).expect("4 values"), &labeled, &[0, 1, 2])[0];
            let epsilon = 0.2 * f64::from(cap);
            // At the boundary itself, `f32` mixing decides by rounding.
            prop_assume!((ratio - epsilon).abs() > 1e-4);
            prop_assume!(labeled.outer_iter().all(|a| a.iter().zip(h).all(|(a, h)| (a - h).abs() > 1e-3)));
            let brute = labeled.outer_iter().any(|anchor| changes(&head, h, anchor.as_slice().expect("row-major"), epsilon));
            prop_assert_eq!(ratio < epsilon, brute);
        }
    }
}
