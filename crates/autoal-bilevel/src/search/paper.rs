//! The paper's search (Algorithm 1, specification 4.2): FitNet, SearchNet and loss module learn in turn on one half of the labels, while
//! FitNet was warmed up on the other half.

use autoal_data::Stream;
use autoal_models::{Input, Network, cross_entropy_per_sample, ranking_loss};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;

use super::{Key, RANKING_MARGIN, Trained, TrainedHead, finite, precision};
use crate::BilevelError;
use crate::config::{Activation, AutoAlConfig, PaperConfig, Reading, SearchConfig};
use crate::gate::{count_regularizer, equation_gate, figure_gate, steepness, threshold};
use crate::record::{Phase, StepRecord};
use crate::search_net::{SearchForward, SearchNet};
use crate::tensors::{host_f64, scalar, tensor_of};

const MIXTURE: Stream = Stream::named("autoal-mixture");
/// The mixture of the query, for reading E.
pub(crate) const QUERY_MIXTURE: Stream = Stream::named("autoal-query-mixture");
/// The order of the steps.
const TURN: [Phase; 3] = [Phase::Fit, Phase::Search, Phase::LossModule];

/// A mini-batch of the search half. Rows, labels and marks belong together by index, for all networks and the whole cycle.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Rows of the labeled samples.
    pub rows: Vec<usize>,
    /// Classes of these rows.
    pub classes: Vec<usize>,
    /// Candidate marks of these rows, `[B, K]`.
    pub marks: Array2<f32>,
    /// `tB`: how many the gate should select.
    pub budget: f64,
}

/// The three networks in training.
pub struct Nets {
    /// Classifier, `C` outputs.
    pub fit: Trained<Network>,
    /// Weighs the candidates, `K` outputs.
    pub search: Trained<SearchNet>,
    /// Predicts losses from SearchNet's stages.
    pub module: Option<TrainedHead>,
}

/// Combined scores and selection of one batch.
pub struct Gated {
    /// `s_j = Σ_κ W_jκ S_κ(x_j)`, `[B]`.
    pub scores: Tensor<1>,
    /// `S̄_j`, `[B]`: in (0, 1) for reading F.
    pub selection: Tensor<1>,
}

/// Weights from SearchNet's outputs, `[B, K] -> [B, K]`.
pub fn weights(logits: Tensor<2>, kind: Activation) -> Tensor<2> {
    match kind {
        Activation::Softmax => activation::softmax(logits, 1),
        Activation::Sigmoid => activation::sigmoid(logits),
        Activation::Raw => logits,
    }
}

/// One cycle's search as configured.
pub struct Search<'a> {
    /// The whole configuration.
    pub config: &'a AutoAlConfig,
    pub(crate) keys: &'a PaperConfig,
    /// Where random numbers come from.
    pub key: Key,
    /// Device without gradients.
    pub device: &'a Device,
    /// The cycle within the round.
    pub cycle: usize,
    /// Network inputs of some rows.
    pub inputs: &'a dyn Fn(&[usize]) -> Result<Input, BilevelError>,
}

impl<'a> Search<'a> {
    /// A search as configured; `None` for a configuration of the other mode.
    pub fn new(
        config: &'a AutoAlConfig,
        key: Key,
        device: &'a Device,
        cycle: usize,
        inputs: &'a dyn Fn(&[usize]) -> Result<Input, BilevelError>,
    ) -> Option<Self> {
        match &config.search {
            SearchConfig::Paper(keys) => Some(Self { config, keys, key, device, cycle, inputs }),
            SearchConfig::Improved(_) => None,
        }
    }

    /// Runs the steps over `batches`, one record each. FitNet takes the batch after the one of SearchNet, as equations (7) and (8) ask.
    pub fn run(&self, batches: &[Batch], mut nets: Nets) -> Result<(Nets, Vec<StepRecord>), BilevelError> {
        let mut records = Vec::with_capacity(self.config.search_steps);
        for step in 0..self.config.search_steps {
            let turn = step / TURN.len();
            let (batch, next) = (&batches[turn % batches.len()], &batches[(turn + 1) % batches.len()]);
            let record;
            (nets, record) = match TURN[step % TURN.len()] {
                Phase::Fit => self.fit_step(step, next, nets)?,
                Phase::Search => self.search_step(step, batch, nets)?,
                // Without a module its turns pass, so that both ablations make as many steps of the other two.
                Phase::LossModule if nets.module.is_none() => continue,
                Phase::LossModule => self.module_step(step, batch, nets)?,
            };
            records.push(record);
        }
        Ok((nets, records))
    }

    /// FitNet by equation (7): cross-entropy weighted by the selection, which has no gradient here.
    pub fn fit_step(&self, step: usize, batch: &Batch, nets: Nets) -> Result<(Nets, StepRecord), BilevelError> {
        let logits = nets.search.net.valid().forward((self.inputs)(&batch.rows)?).logits;
        let gated = self.gate(&logits, batch, step)?;
        let (forward, statistics) = nets.fit.net.forward_train((self.inputs)(&batch.rows)?, None);
        let losses = cross_entropy_per_sample(forward.logits, self.classes(batch));
        let mut record = self.record(step, Phase::Fit, batch, &gated, &host_f64(&losses));
        // Reading E may select negatively; a negative weight would reward wrong answers without bound.
        let loss = (gated.selection.detach().clamp_min(0.0) * losses).mean();
        let regularizer = self.keys.fit_budget_weight * count_regularizer(record.selected, batch.budget);
        record.fit_loss = Some(finite(scalar(&loss) + regularizer, step, "FitNet", "fit-lr")?);
        let (fit, norm) = nets.fit.step(&mut loss.backward(), self.config.fit_lr);
        record.grad_norm = norm;
        Ok((Nets { fit: fit.map(|net| net.absorb(statistics)), ..nets }, record))
    }

    /// SearchNet by equation (8), together with the loss module's ranking loss.
    pub fn search_step(&self, step: usize, batch: &Batch, nets: Nets) -> Result<(Nets, StepRecord), BilevelError> {
        let fit = nets.fit.net.valid().forward((self.inputs)(&batch.rows)?);
        let losses = cross_entropy_per_sample(fit.logits, self.classes(batch));
        let (forward, statistics) = nets.search.net.forward_train((self.inputs)(&batch.rows)?);
        let gated = self.gate(&forward.logits, batch, step)?;
        let mut record = self.record(step, Phase::Search, batch, &gated, &host_f64(&losses));
        let ranking = nets.module.as_ref().map(|module| ranking(module, &forward, losses.clone()));
        let loss = search_loss(gated.selection, losses);
        let regularizer = self.keys.search_budget_weight * count_regularizer(record.selected, batch.budget);
        record.search_loss = Some(finite(scalar(&loss) - regularizer, step, "SearchNet", "search-lr")?);
        record.pred_loss = ranking.as_ref().map(scalar);
        let total = match (self.config.backbone, ranking) {
            (true, None) => loss,
            (true, Some(ranking)) => loss + ranking * self.config.loss_weight,
            (false, Some(ranking)) => ranking,
            (false, None) => unreachable!("the configuration asks for one of the two"),
        };
        let (search, norm) = nets.search.step(&mut total.backward(), self.config.search_lr);
        record.grad_norm = norm;
        Ok((Nets { search: search.map(|net| net.absorb(statistics)), ..nets }, record))
    }

    /// The loss module by its ranking loss.
    pub fn module_step(&self, step: usize, batch: &Batch, nets: Nets) -> Result<(Nets, StepRecord), BilevelError> {
        let fit = nets.fit.net.valid().forward((self.inputs)(&batch.rows)?);
        let losses = cross_entropy_per_sample(fit.logits, self.classes(batch));
        let forward = nets.search.net.valid().forward((self.inputs)(&batch.rows)?);
        let gated = self.gate(&forward.logits, batch, step)?;
        let mut record = self.record(step, Phase::LossModule, batch, &gated, &host_f64(&losses));
        let Some(module) = nets.module else { return Ok((nets, record)) };
        let ranking = ranking(&module, &forward, losses);
        record.pred_loss = Some(finite(scalar(&ranking), step, "the loss module", "loss-lr")?);
        let (module, norm) = module.step(&mut ranking.backward(), self.config.loss_lr);
        record.grad_norm = norm;
        Ok((Nets { module: Some(module), ..nets }, record))
    }

    /// Combined scores, threshold and selection of a batch; the threshold has no gradient. Fails when a score is not finite.
    pub fn gate(&self, logits: &Tensor<2>, batch: &Batch, step: usize) -> Result<Gated, BilevelError> {
        let mut rng = self.key.rng(MIXTURE.child(self.cycle as u64).child(step as u64));
        let marks = tensor_of(&batch.marks, self.device);
        let upper = batch.budget / batch.rows.len() as f64;
        let gated = gate(logits, marks, upper, self.config, self.keys, &mut rng);
        // Checked here, so that a FitNet that is fed by a diverged SearchNet does not take the blame.
        finite(host_f64(&gated.scores).iter().sum(), step, "SearchNet", "search-lr")?;
        Ok(gated)
    }

    fn classes(&self, batch: &Batch) -> Tensor<1, Int> {
        let classes: Vec<i32> = batch.classes.iter().map(|class| *class as i32).collect();
        Tensor::from_data(TensorData::new(classes, [batch.classes.len()]), self.device)
    }

    fn record(&self, step: usize, phase: Phase, batch: &Batch, gated: &Gated, losses: &[f64]) -> StepRecord {
        // Reading E's selection is centred on 0, not on ½.
        let bound = if self.keys.reading == Reading::Equation { 0.0 } else { 0.5 };
        StepRecord {
            round: self.key.round,
            cycle: self.cycle,
            step,
            phase,
            fit_loss: None,
            search_loss: None,
            pred_loss: None,
            grad_norm: 0.0,
            selected: host_f64(&gated.selection).iter().filter(|s| **s > bound).count(),
            budget: batch.budget,
            precision: precision(&host_f64(&gated.scores), losses, batch.budget.round() as usize),
        }
    }
}

/// Ranking loss of the loss module on SearchNet's stages, `[1]`.
fn ranking(module: &TrainedHead, forward: &SearchForward, losses: Tensor<1>) -> Tensor<1> {
    ranking_loss(module.net.forward(&forward.stages), losses, RANKING_MARGIN)
}

/// `−mean(S̄ · sg(CE))`: equation (8) without the count regulariser, which has no gradient, `[B], [B] -> [1]`.
pub fn search_loss(selection: Tensor<1>, losses: Tensor<1>) -> Tensor<1> {
    (selection * losses.detach()).mean().neg()
}

/// Combined scores and selection; `upper` is the share that should be selected.
pub(crate) fn gate(
    logits: &Tensor<2>,
    marks: Tensor<2>,
    upper: f64,
    config: &AutoAlConfig,
    keys: &PaperConfig,
    rng: &mut ChaCha8Rng,
) -> Gated {
    let weights = weights(logits.clone(), keys.activation);
    let scores: Tensor<1> = (weights.clone() * marks.clone()).sum_dim(1).squeeze_dim(1);
    let values = host_f64(&scores);
    let threshold = threshold(&values, upper, config.threshold, rng);
    let selection = match keys.reading {
        Reading::Figure => figure_gate(scores.clone(), threshold, steepness(&values)),
        Reading::Equation => equation_gate(logits.clone(), weights, marks, threshold),
    };
    Gated { scores, selection }
}
