//! DDU: samples in regions of feature space where the labeled samples have little density.
//!
//! **Formula**: `-ln Σ_c π_c N(h | μ_c, Σ_c)`, a Gaussian a class on the embeddings of the labeled samples, `π_c` their fractions.
//! A covariance of its own needs more samples than dimensions; where a class has fewer, all classes share the pooled covariance. Each
//! covariance is shrunk, `(1 - ρ) Σ + ρ (tr Σ / D) I`, and jitter is added until it is positive definite. A class without labels is left
//! out; without any label all scores are equal. The original also trains with spectral normalisation, which is the task model's affair.
//! **Cost**: O(L D²) + O(D³) a covariance + O(N D²) a covariance. **Reference**: Mukhoti et al., CVPR 2023.

use autoal_data::Label;
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::distance::BLOCK;
use crate::{
    Acquisition, Buildable, Need, OutputsError, Parameter, QueryContext, Rows, StrategyError, StrategyInfo, config, linalg,
};

/// First jitter as a share of the mean variance; it grows tenfold until the factorisation succeeds.
const FIRST_JITTER: f64 = 1e-10;

/// Which covariance a class has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    /// Its own where every class has more samples than dimensions, else shared.
    Auto,
    /// Its own.
    Class,
    /// The pooled one of all classes.
    Tied,
}

/// Parameters of [`Ddu`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DduConfig {
    /// Which covariance a class has.
    pub covariance: Covariance,
    /// Shrinkage ρ towards a multiple of the identity, in `0..=1`.
    pub shrinkage: f64,
    /// Degrees of freedom taken from the number of samples: 1 (unbiased) or 0.
    pub ddof: usize,
}

impl Default for DduConfig {
    fn default() -> Self {
        Self { covariance: Covariance::Auto, shrinkage: 0.1, ddof: 1 }
    }
}

/// Negative log-density of the embedding.
#[derive(Debug, Clone, Copy)]
pub struct Ddu(DduConfig);

impl Acquisition for Ddu {
    fn name(&self) -> &'static str {
        Self::INFO.name
    }

    fn score(&self, context: &QueryContext<'_>) -> Result<Array1<f64>, OutputsError> {
        let embeddings = context.embeddings()?;
        let density = Density::fit(context.labeled_embeddings()?, context.labels, context.num_classes, self.0);
        let blocks: Vec<Vec<f64>> = embeddings
            .data()
            .par_chunks(BLOCK * embeddings.dim())
            .map(|block| density.log(Rows::new(block, embeddings.dim()).expect("a block holds whole rows")))
            .collect();
        Ok(blocks.into_iter().flatten().map(|log| if density.groups.is_empty() { 0.0 } else { -log }).collect())
    }
}

impl Buildable for Ddu {
    type Config = DduConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "ddu",
        summary: "samples where the labeled ones have little density",
        paper: "Mukhoti et al., CVPR 2023",
        needs: &[Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLabels],
        parameters: &[
            Parameter {
                key: "covariance",
                default: "\"auto\"",
                doc: "`class`, `tied`, or `auto`: tied unless every class has more samples than dimensions",
            },
            Parameter { key: "shrinkage", default: "0.1", doc: "towards a multiple of the identity, 0 to 1" },
            Parameter { key: "ddof", default: "1", doc: "1 for unbiased covariances, 0 for maximum likelihood" },
        ],
    };

    fn build(config: DduConfig) -> Result<Self, StrategyError> {
        if !(0.0..=1.0).contains(&config.shrinkage) {
            return Err(config::parameter(Self::INFO.name, format!("`shrinkage` is {}, expected 0 to 1", config.shrinkage)));
        }
        if config.ddof > 1 {
            return Err(config::parameter(Self::INFO.name, format!("`ddof` is {}, expected 0 or 1", config.ddof)));
        }
        Ok(Self(config))
    }
}

/// A mixture of Gaussians.
struct Density {
    groups: Vec<Group>,
}

/// Gaussians that share a covariance.
struct Group {
    /// Inverse of the covariance's lower factor, transposed, `[D, D]`.
    whiten: Array2<f64>,
    /// `ln weight - ½ (D ln 2π + ln det Σ)` and the whitened mean of each.
    classes: Vec<(f64, Array1<f64>)>,
}

/// Labeled embeddings of one class.
struct Class {
    fraction: f64,
    mean: Array1<f64>,
    /// Sum of outer products of the deviations, `[D, D]`.
    scatter: Array2<f64>,
    count: usize,
}

impl Density {
    fn fit(rows: Rows<'_>, labels: &[Label], num_classes: usize, config: DduConfig) -> Self {
        let classes: Vec<Class> = (0..num_classes).filter_map(|class| Class::of(rows, labels, class)).collect();
        let own = match config.covariance {
            Covariance::Class => true,
            Covariance::Tied => false,
            Covariance::Auto => classes.iter().all(|class| class.count > rows.dim()),
        };
        if classes.is_empty() {
            return Self { groups: Vec::new() };
        }
        let parts: Vec<&[Class]> = if own { classes.chunks(1).collect() } else { vec![&classes] };
        Self { groups: parts.into_par_iter().map(|part| Group::of(part, config)).collect() }
    }

    /// Log-density of the rows of a block.
    fn log(&self, block: Rows<'_>) -> Vec<f64> {
        let wide = block.view().mapv(f64::from);
        let mut terms = vec![Vec::new(); block.len()];
        for group in &self.groups {
            let white = wide.dot(&group.whiten);
            for (terms, white) in terms.iter_mut().zip(white.outer_iter()) {
                terms.extend(
                    group.classes.iter().map(|(constant, mean)| {
                        constant - 0.5 * white.iter().zip(mean).map(|(x, m)| (x - m).powi(2)).sum::<f64>()
                    }),
                );
            }
        }
        terms.iter().map(|terms| log_sum_exp(terms)).collect()
    }
}

impl Class {
    fn of(rows: Rows<'_>, labels: &[Label], class: usize) -> Option<Self> {
        let members: Vec<usize> = (0..labels.len()).filter(|&row| labels[row].class() == class).collect();
        let mut own = Array2::zeros((members.len(), rows.dim()));
        for (mut to, &row) in own.outer_iter_mut().zip(&members) {
            to.iter_mut().zip(rows.row(row)).for_each(|(to, x)| *to = f64::from(*x));
        }
        let mean = own.mean_axis(Axis(0))?;
        own -= &mean;
        let scatter = own.t().dot(&own);
        Some(Self { fraction: members.len() as f64 / labels.len() as f64, mean, scatter, count: members.len() })
    }
}

impl Group {
    fn of(classes: &[Class], config: DduConfig) -> Self {
        let dim = classes[0].mean.len();
        let mut scatter = Array2::<f64>::zeros((dim, dim));
        for class in classes {
            scatter += &class.scatter;
        }
        let freedom: usize = classes.iter().map(|class| class.count.saturating_sub(config.ddof)).sum();
        let mut covariance = scatter / freedom.max(1) as f64;
        let variance = covariance.diag().sum() / dim as f64;
        covariance *= 1.0 - config.shrinkage;
        covariance.diag_mut().mapv_inplace(|d| d + config.shrinkage * variance);
        let lower = factor(covariance, variance);
        let whiten = linalg::invert_lower(&lower).reversed_axes();
        let constant = -0.5 * (dim as f64 * std::f64::consts::TAU.ln() + linalg::log_determinant(&lower));
        let classes = classes.iter().map(|class| (constant + class.fraction.ln(), class.mean.dot(&whiten))).collect();
        Self { whiten, classes }
    }
}

/// The lower factor of a covariance, with as little jitter as it needs.
fn factor(mut covariance: Array2<f64>, variance: f64) -> Array2<f64> {
    let scale = if variance > 0.0 && variance.is_finite() { variance } else { 1.0 };
    let mut jitter = FIRST_JITTER * scale;
    loop {
        if let Some(lower) = linalg::cholesky(&covariance) {
            return lower;
        }
        if jitter > scale || !covariance.iter().all(|x| x.is_finite()) {
            return Array2::eye(covariance.nrows()) * scale.sqrt();
        }
        covariance.diag_mut().mapv_inplace(|d| d + jitter);
        jitter *= 10.0;
    }
}

fn log_sum_exp(terms: &[f64]) -> f64 {
    let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY { top } else { top + terms.iter().map(|t| (t - top).exp()).sum::<f64>().ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example_of_two_classes() {
        let labeled = [0.0, 0.0, 2.0, 0.0, 0.0, 2.0, 5.0, 5.0, 7.0, 5.0, 5.0, 7.0];
        let labels: Vec<Label> = [0, 0, 0, 1, 1, 1].map(Label).to_vec();
        let config = DduConfig { shrinkage: 0.0, ..DduConfig::default() };
        let density = Density::fit(Rows::new(&labeled, 2).expect("six rows"), &labels, 3, config);
        let log = density.log(Rows::new(&[0.6667, 0.6667, 3.0, 3.0, 10.0, 10.0], 2).expect("three rows"));
        for (log, expected) in log.iter().zip([2.674_865_3, 10.762_642_2, 30.841_531_9]) {
            assert!((-log - expected).abs() < 1e-4, "{log} against {expected}");
        }
    }

    #[test]
    fn one_sample_a_class_and_identical_samples_have_a_finite_density() {
        for labeled in [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]] {
            let density = Density::fit(Rows::new(&labeled, 2).expect("two rows"), &[Label(0), Label(1)], 2, DduConfig::default());
            assert!(density.log(Rows::new(&[0.5, 0.5], 2).expect("a row"))[0].is_finite());
        }
    }
}
