//! The improved search: all labeled samples train SearchNet with out-of-fold signals and an exact budget (specification 4.3 and 4.5).
//!
//! `L_S = −(1/k) Σ m_j ℓ̃_j + λ_b L_bud + w_p L_pred − λ_H mean H(W)`, with `s_j = Σ_κ W_κj r_κj` and `m` a mask of about `k` samples
//! over `s`. The rewards `ℓ̃` come from a FitNet that has not seen the sample; they stay as they are unless FitNets keep learning.

use autoal_data::Stream;
use autoal_models::config::ScheduleConfig;
use autoal_models::{Input, LossHead, ranking_loss};
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use ndarray::Array2;

use super::fit_nets::FitNets;
use super::{Key, RANKING_MARGIN, Trained, TrainedHead, adam, finite, precision, sgd};
use crate::BilevelError;
use crate::config::{AutoAlConfig, ImprovedConfig, MaskKind, SearchOptimizer, SearchSchedule};
use crate::gate;
use crate::mask::{budget_penalty, exact_budget, soft_mask};
use crate::objective::{OutOfFold, rewards};
use crate::record::{Phase, StepRecord};
use crate::search_net::SearchNet;
use crate::tensors::{host_f64, scalar, tensor_1d, tensor_rows};

const SHUFFLE: Stream = Stream::named("autoal-search-shuffle");
const HOLD_OUT: Stream = Stream::named("autoal-search-hold-out");
const MIXTURE: Stream = Stream::named("autoal-mixture");
/// One in so many labeled samples is held out when the search may end early.
const HOLD_OUT_PART: usize = 10;

/// The labeled samples as the search sees them: `n` rows that belong together by index.
pub struct Problem<'a> {
    /// Network inputs of some rows.
    pub inputs: &'a dyn Fn(&[usize]) -> Result<Input, BilevelError>,
    /// What the candidates say, `[n, K]`.
    pub nominations: &'a Array2<f32>,
    /// Out-of-fold losses, `[n]`: the truth that precision is measured against.
    pub losses: &'a [f64],
    /// Rewards, `[n]`.
    pub rewards: &'a [f64],
    /// Share of the rows that are to be selected.
    pub share: f64,
    /// Rows of one step; all of them when there are fewer.
    pub batch_size: usize,
}

/// What a step leaves behind.
struct Stepped {
    net: Trained<SearchNet>,
    module: Option<TrainedHead>,
    record: StepRecord,
    /// The mask of its rows.
    mask: Vec<f64>,
}

/// What FitNets say of the labeled samples now.
struct Judged {
    losses: Vec<f64>,
    rewards: Vec<f64>,
}

/// Terms of SearchNet's loss for one batch of `B` rows.
pub struct SearchLoss {
    /// `−(1/k) Σ m ℓ̃ + λ_b L_bud − λ_H mean H(W)`, `[1]`.
    pub loss: Tensor<1>,
    /// Combined scores `s`, `[B]`.
    pub scores: Tensor<1>,
    /// The mask `m`, `[B]`.
    pub mask: Tensor<1>,
}

/// SearchNet's loss without the loss module's part.
///
/// `logits` and `nominations` are `[B, K]`, `rewards` `[B]`; `soft_threshold` gives `τ` of [`MaskKind::SoftPenalty`] from the scores.
pub fn search_loss(
    logits: Tensor<2>,
    nominations: Tensor<2>,
    rewards: Tensor<1>,
    budget: f64,
    keys: &SearchLossKeys,
    soft_threshold: impl FnOnce(&[f64]) -> f64,
) -> SearchLoss {
    let weights = activation::softmax(logits.clone(), 1);
    let scores: Tensor<1> = (weights.clone() * nominations).sum_dim(1).squeeze_dim(1);
    let entropy = (weights * activation::log_softmax(logits, 1)).sum_dim(1).mean().neg();
    let (mask, penalty) = match keys.mask {
        MaskKind::ExactBudget => (exact_budget(scores.clone(), budget, keys.temperature), None),
        MaskKind::SoftPenalty => {
            let mask = soft_mask(scores.clone(), soft_threshold(&host_f64(&scores)), keys.temperature);
            let penalty = budget_penalty(mask.clone(), budget) * keys.budget_weight;
            (mask, Some(penalty))
        }
    };
    let reward = (mask.clone() * rewards).sum() / budget;
    let loss = reward.neg() - entropy * keys.entropy_weight;
    let loss = match penalty {
        Some(penalty) => loss + penalty,
        None => loss,
    };
    SearchLoss { loss, scores, mask }
}

/// Numbers of [`search_loss`].
#[derive(Debug, Clone, Copy)]
pub struct SearchLossKeys {
    /// Which mask.
    pub mask: MaskKind,
    /// Width of its sigmoid, `T`.
    pub temperature: f64,
    /// `λ_H`.
    pub entropy_weight: f64,
    /// `λ_b`.
    pub budget_weight: f64,
}

/// One search over a problem.
pub struct Search<'a> {
    /// The whole configuration.
    pub config: &'a AutoAlConfig,
    pub(crate) keys: &'a ImprovedConfig,
    /// Where random numbers come from.
    pub key: Key,
    /// Device without gradients.
    pub device: &'a Device,
}

impl<'a> Search<'a> {
    /// A search as configured; `None` for a configuration of the other mode.
    pub fn new(config: &'a AutoAlConfig, key: Key, device: &'a Device) -> Option<Self> {
        match &config.search {
            crate::config::SearchConfig::Improved(keys) => Some(Self { config, keys, key, device }),
            crate::config::SearchConfig::Paper(_) => None,
        }
    }

    /// Trains `net` (and the loss module along) and hands it back without gradients, with one record a step.
    pub fn run(
        &self,
        problem: &Problem<'_>,
        net: SearchNet,
        module: Option<LossHead>,
    ) -> Result<(SearchNet, Vec<StepRecord>), BilevelError> {
        self.run_with(problem, net, module, None)
    }

    /// [`Search::run`] with FitNets that learn along, if any: after each step the losses and rewards of its rows are theirs.
    pub fn run_with(
        &self,
        problem: &Problem<'_>,
        net: SearchNet,
        module: Option<LossHead>,
        mut fit_nets: Option<FitNets<'_>>,
    ) -> Result<(SearchNet, Vec<StepRecord>), BilevelError> {
        let mut judged = Judged { losses: problem.losses.to_vec(), rewards: problem.rewards.to_vec() };
        let (training, held_out) = self.hold_out(problem.rewards.len());
        let optimizer = match self.keys.search_optimizer {
            SearchOptimizer::Sgd => sgd(),
            SearchOptimizer::Adam => adam(),
        };
        let mut net = Trained::new(net.train(), optimizer);
        let mut module = module.map(|module| TrainedHead::new(module.train(), sgd()));
        let mut batches = Batches::new(training, problem.batch_size, self.key);
        let mut stop = EarlyStop::new(self.keys.early_stop);
        let mut records = Vec::with_capacity(self.config.search_steps);
        for step in 0..self.config.search_steps {
            let rows = batches.next();
            let stepped = self.step(problem, &judged, net, module, step, &rows)?;
            let mut record = stepped.record;
            (net, module) = (stepped.net, stepped.module);
            if let Some(nets) = fit_nets {
                let (nets, loss) = nets.step(&rows, &stepped.mask, step)?;
                rows.iter().zip(nets.losses(&rows)?).for_each(|(&row, loss)| judged.losses[row] = loss);
                judged.rewards = rewards(self.keys.objective, &OutOfFold { losses: judged.losses.clone() });
                record.fit_loss = Some(loss);
                fit_nets = Some(nets);
            }
            records.push(record);
            if !held_out.is_empty() && stop.observe(self.held_out_reward(problem, &judged, &net.net, &held_out)?, &net.net) {
                break;
            }
        }
        Ok((stop.best.unwrap_or_else(|| net.net.valid()), records))
    }

    /// One step on some rows.
    fn step(
        &self,
        problem: &Problem<'_>,
        judged: &Judged,
        net: Trained<SearchNet>,
        module: Option<TrainedHead>,
        step: usize,
        rows: &[usize],
    ) -> Result<Stepped, BilevelError> {
        let budget = (problem.share * rows.len() as f64).clamp(1.0, rows.len() as f64);
        let (forward, statistics) = net.net.forward_train((problem.inputs)(rows)?);
        let terms = search_loss(
            forward.logits,
            tensor_rows(problem.nominations, rows, self.device),
            tensor_1d(&gather(&judged.rewards, rows), self.device),
            budget,
            &self.loss_keys(),
            |scores| gate::threshold(scores, budget / rows.len() as f64, self.config.threshold, &mut self.mixture_rng(step)),
        );
        let ranking = module.as_ref().map(|module| {
            let losses = tensor_1d(&gather(&judged.losses, rows), self.device);
            ranking_loss(module.net.forward(&forward.stages), losses, RANKING_MARGIN)
        });
        let (scores, mask) = (host_f64(&terms.scores), host_f64(&terms.mask));
        let search_loss = finite(scalar(&terms.loss), step, "SearchNet", "search-lr")?;
        let pred_loss = ranking.as_ref().map(|loss| finite(scalar(loss), step, "the loss module", "loss-lr")).transpose()?;
        let total = match (self.config.backbone, ranking) {
            (true, None) => terms.loss,
            (true, Some(ranking)) => terms.loss + ranking * self.config.loss_weight,
            (false, Some(ranking)) => ranking,
            (false, None) => unreachable!("the configuration asks for one of the two"),
        };
        let mut gradients = total.backward();
        let (net, grad_norm) = net.step(&mut gradients, self.rate(step));
        let net = net.map(|net| net.absorb(statistics));
        let module = module.map(|module| module.step(&mut gradients, self.config.loss_lr).0);
        let losses: Vec<f64> = rows.iter().map(|&row| judged.losses[row]).collect();
        let mut record = self.record(step, &losses, budget, &scores, &mask);
        (record.search_loss, record.pred_loss, record.grad_norm) = (Some(search_loss), pred_loss, grad_norm);
        Ok(Stepped { net, module, record, mask })
    }

    fn record(&self, step: usize, losses: &[f64], budget: f64, scores: &[f64], mask: &[f64]) -> StepRecord {
        StepRecord {
            round: self.key.round,
            cycle: 0,
            step,
            phase: Phase::Search,
            fit_loss: None,
            search_loss: None,
            pred_loss: None,
            grad_norm: 0.0,
            selected: mask.iter().filter(|m| **m > 0.5).count(),
            budget,
            precision: precision(scores, losses, budget.round() as usize),
        }
    }

    fn loss_keys(&self) -> SearchLossKeys {
        SearchLossKeys {
            mask: self.keys.mask,
            temperature: self.keys.temperature,
            entropy_weight: self.keys.entropy_weight,
            budget_weight: self.keys.budget_weight,
        }
    }

    fn rate(&self, step: usize) -> f64 {
        match self.keys.search_schedule {
            SearchSchedule::Constant => self.config.search_lr,
            SearchSchedule::Cosine => {
                ScheduleConfig::Cosine { minimum: 0.0 }.rate(self.config.search_lr, step, self.config.search_steps)
            }
        }
    }

    fn mixture_rng(&self, step: usize) -> rand_chacha::ChaCha8Rng {
        self.key.rng(MIXTURE.child(step as u64))
    }

    /// Rows that train and rows that are held out for the early stop.
    fn hold_out(&self, n: usize) -> (Vec<usize>, Vec<usize>) {
        let held = if self.keys.early_stop > 0 { n / HOLD_OUT_PART } else { 0 };
        let mut order = self.key.shuffled(n, HOLD_OUT);
        let mut training = order.split_off(held);
        training.sort_unstable();
        (training, order)
    }

    /// Mean reward of the highest scores among the held-out rows.
    fn held_out_reward(
        &self,
        problem: &Problem<'_>,
        judged: &Judged,
        net: &SearchNet,
        rows: &[usize],
    ) -> Result<f64, BilevelError> {
        let logits = net.valid().forward((problem.inputs)(rows)?).logits;
        let nominations = tensor_rows(problem.nominations, rows, self.device);
        let scores = host_f64(&(activation::softmax(logits, 1) * nominations).sum_dim(1).squeeze_dim(1));
        let budget = ((problem.share * rows.len() as f64).round() as usize).max(1);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        Ok(order.iter().take(budget).map(|&i| judged.rewards[rows[i]]).sum::<f64>() / budget as f64)
    }
}

fn gather(values: &[f64], rows: &[usize]) -> Vec<f32> {
    rows.iter().map(|&row| values[row] as f32).collect()
}

/// Rows of the steps: all of them each time, or shuffled epochs in pieces of equal size.
struct Batches {
    rows: Vec<usize>,
    size: usize,
    key: Key,
    epoch: u64,
    next: usize,
}

impl Batches {
    fn new(rows: Vec<usize>, size: usize, key: Key) -> Self {
        Self { size: size.min(rows.len()), rows, key, epoch: 0, next: 0 }
    }

    fn next(&mut self) -> Vec<usize> {
        if self.size == self.rows.len() {
            return self.rows.clone();
        }
        if self.next + self.size > self.rows.len() || self.epoch == 0 {
            let order = self.key.shuffled(self.rows.len(), SHUFFLE.child(self.epoch));
            self.rows.sort_unstable();
            self.rows = order.into_iter().map(|i| self.rows[i]).collect();
            self.epoch += 1;
            self.next = 0;
        }
        self.next += self.size;
        self.rows[self.next - self.size..self.next].to_vec()
    }
}

/// Keeps the network with the best held-out reward and says when there was no better one for `patience` steps.
struct EarlyStop {
    patience: usize,
    best_reward: f64,
    since: usize,
    best: Option<SearchNet>,
}

impl EarlyStop {
    fn new(patience: usize) -> Self {
        Self { patience, best_reward: f64::NEG_INFINITY, since: 0, best: None }
    }

    fn observe(&mut self, reward: f64, net: &SearchNet) -> bool {
        if reward > self.best_reward {
            self.best_reward = reward;
            self.since = 0;
            // `valid` makes a deep copy; a clone would share running statistics with the network that goes on learning.
            self.best = Some(net.valid());
        } else {
            self.since += 1;
        }
        self.since >= self.patience
    }
}
