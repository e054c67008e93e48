//! A round's search from labels to a trained SearchNet, in either mode.

use autoal_data::Stream;
use autoal_models::config::{OptimizerConfig, ScheduleConfig};
use autoal_models::{LossHead, Network, TrainConfig};
use autoal_strategies::QueryContext;
use burn::module::Module;

use super::fit_nets::FitNets;
use super::{Key, Trained, adam, improved, paper, sgd};
use crate::BilevelError;
use crate::config::{AutoAlConfig, FitNetsKind, Nominations, PaperConfig, SearchBackbone, SearchConfig, Weights};
use crate::fit_net::{AutoAlEnv, Labeled};
use crate::nominations::{Ask, Candidates};
use crate::objective::rewards;
use crate::record::StepRecord;
use crate::search_input::SearchInput;
use crate::search_net::SearchNet;

const SEARCH_NET: Stream = Stream::named("autoal-search-net");
const SPLIT: Stream = Stream::named("autoal-split");
/// With fewer labels there is nothing to hold out: weights are equal.
pub(crate) const MIN_LABELED: usize = 4;
/// Share of the task model's epochs that a FitNet on images trains, so that two of them on halves cost 0.15 of a training.
const IMAGE_EPOCHS: f64 = 0.15;
/// Mini-batch of a SearchNet with a backbone of its own.
const OWN_BATCH: usize = 128;
/// The fewest samples that marks and the simulated budget of a batch stand for.
const MIN_BUDGET: usize = 2;

/// A trained SearchNet, what it looks at, and the records of its training.
pub(crate) struct Searched<'a> {
    pub(crate) net: SearchNet,
    pub(crate) input: SearchInput<'a>,
    pub(crate) records: Vec<StepRecord>,
}

/// One round's search.
pub(crate) struct RoundSearch<'a, 'c> {
    pub(crate) config: &'a AutoAlConfig,
    pub(crate) env: &'a AutoAlEnv,
    pub(crate) candidates: &'c mut Candidates,
    pub(crate) context: QueryContext<'a>,
    pub(crate) query_size: usize,
}

impl<'a> RoundSearch<'a, '_> {
    /// Trains SearchNet as configured; `None` when weights are uniform or there are too few labels to hold any out.
    pub(crate) fn run(mut self) -> Result<Option<Searched<'a>>, BilevelError> {
        if self.config.weights == Weights::Uniform || self.context.labeled.len() < MIN_LABELED {
            return Ok(None);
        }
        match &self.config.search {
            SearchConfig::Paper(keys) => self.paper(keys).map(Some),
            SearchConfig::Improved(_) => self.improved().map(Some),
        }
    }

    fn key(&self) -> Key {
        Key { seed: self.context.seed, round: self.context.round }
    }

    fn labeled(&self) -> Labeled<'a> {
        Labeled { ids: self.context.labeled, labels: self.context.labels, num_classes: self.context.num_classes }
    }

    fn improved(&mut self) -> Result<Searched<'a>, BilevelError> {
        let search = improved::Search::new(self.config, self.key(), self.env.device.burn()).expect("the mode was matched");
        let n = self.context.labeled.len();
        let folds = search.keys.folds.unwrap_or(if self.env.has_features() { 4 } else { 2 }).min(n);
        let share = search.keys.simulated_share.unwrap_or_else(|| self.scaled_share());
        let (kind, beta) = (self.config.nominations, self.config.beta);
        let ask = |size: usize| Ask { kind, budget: ((share * size as f64).round() as usize).max(1), beta };
        let train = self.fold_training();
        let fitted = self.env.cross_fit(self.labeled(), folds, &train, self.candidates, ask, self.key())?;
        let input = match search.keys.search_backbone {
            SearchBackbone::Own => SearchInput::samples(self.env, &self.context)?,
            SearchBackbone::Task => SearchInput::embeddings(self.env, &self.context)?,
        };
        let (net, module) = self.nets(&input)?;
        let problem = improved::Problem {
            inputs: &|rows| input.labeled(rows),
            nominations: &fitted.signals.matrix(),
            losses: &fitted.out_of_fold.losses,
            rewards: &rewards(search.keys.objective, &fitted.out_of_fold),
            share,
            batch_size: self.config.batch_size.unwrap_or(if matches!(input, SearchInput::Samples { .. }) {
                OWN_BATCH
            } else {
                n
            }),
        };
        let samples = SearchInput::samples(self.env, &self.context)?;
        let inputs = |rows: &[usize]| samples.labeled(rows);
        let fit_nets = (search.keys.fit_nets == FitNetsKind::Learning).then(|| {
            let classes = self.context.labels.iter().map(|label| label.class()).collect();
            FitNets::new(fitted.nets, fitted.fold_of, classes, &inputs, self.config.fit_lr, self.env.device.burn())
        });
        let (net, records) = search.run_with(&problem, net, module, fit_nets)?;
        Ok(Searched { net, input, records })
    }

    /// The share of the real query, at least 16 samples and at most a quarter (specification 4.3, point 2).
    fn scaled_share(&self) -> f64 {
        let real = self.query_size as f64 / self.context.candidates.len() as f64;
        real.max(16.0 / self.context.labeled.len() as f64).min(0.25)
    }

    /// How FitNet is trained in improved mode: as the task model, on images for fewer epochs.
    fn fold_training(&self) -> TrainConfig {
        let task = &self.env.train;
        let short = if self.env.has_features() { task.epochs } else { (IMAGE_EPOCHS * task.epochs as f64).round() as usize };
        TrainConfig { epochs: self.config.warm_up_epochs.unwrap_or(short).max(1), ..task.clone() }
    }

    /// A SearchNet and a loss module with first weights.
    fn nets(&self, input: &SearchInput<'_>) -> Result<(SearchNet, Option<LossHead>), BilevelError> {
        let mut rng = self.key().rng(SEARCH_NET);
        let (candidates, device) = (self.candidates.len(), self.env.device.burn());
        let net = match (&self.config.search, self.config.weights, input) {
            (_, Weights::SearchedGlobal, _) => SearchNet::global(candidates, device),
            (SearchConfig::Improved(keys), _, SearchInput::Embeddings { pool, .. }) => {
                SearchNet::head(pool.dim(), keys.search_hidden, candidates, &mut rng, device)
            }
            _ => {
                let shape = self.env.dataset.train.samples.shape();
                let network = Network::init(&self.env.model, shape, candidates, &mut rng, device)?;
                SearchNet::own(network.with_backbone(&self.env.model.weights, self.env.pretrained.as_deref())?)
            }
        };
        let module = self.config.loss_module.then(|| LossHead::init(&net.stage_widths(), &mut rng, device));
        Ok((net, module))
    }

    fn paper(&mut self, keys: &PaperConfig) -> Result<Searched<'a>, BilevelError> {
        let input = SearchInput::samples(self.env, &self.context)?;
        let inputs = |rows: &[usize]| input.labeled(rows);
        let (mut net, mut module) = self.nets(&input)?;
        let mut records = Vec::new();
        let cycles = if self.context.round == 0 { keys.first_cycles } else { keys.cycles };
        for cycle in 0..cycles {
            let (fit_net, batches) = self.warm_up(cycle)?;
            let search = paper::Search::new(self.config, self.key(), self.env.device.burn(), cycle, &inputs)
                .expect("the mode was matched");
            let nets = paper::Nets {
                fit: Trained::new(fit_net.train(), adam()),
                search: Trained::new(net.train(), sgd()),
                module: module.map(|module| Trained::new(module.train(), sgd())),
            };
            let (nets, steps) = search.run(&batches, nets)?;
            net = nets.search.net.valid();
            module = nets.module.map(|module| module.net.valid());
            records.extend(steps);
        }
        Ok(Searched { net, input, records })
    }

    /// A FitNet trained on one random half, and the other half in batches with the candidates' marks by that FitNet.
    fn warm_up(&mut self, cycle: usize) -> Result<(Network, Vec<paper::Batch>), BilevelError> {
        let (labeled, key) = (self.labeled(), self.key());
        let mut first = key.shuffled(labeled.ids.len(), SPLIT.child(cycle as u64));
        let second = first.split_off(labeled.ids.len() / 2);
        let (training, loss_head) = (self.warm_up_training(), self.candidates.needs_loss_head());
        let fit_net = self.env.train_fit_net(labeled, &first, &training, cycle as u64, loss_head, key)?;
        let size = self.config.batch_size.unwrap_or(self.query_size).clamp(2, second.len());
        let pool = labeled.ids.len() + self.context.candidates.len();
        let share = self.query_size as f64 / pool as f64;
        let mut batches = Vec::new();
        for rows in balanced_parts(&second, size) {
            let budget = ((share * rows.len() as f64).round() as usize).max(MIN_BUDGET).min(rows.len());
            let ask = Ask { kind: Nominations::Hard, budget, beta: self.config.beta };
            let (signals, _) = self.env.judge(&fit_net, labeled, rows, &first, self.candidates, ask, key)?;
            let classes = rows.iter().map(|&row| labeled.labels[row].class()).collect();
            batches.push(paper::Batch { rows: rows.to_vec(), classes, marks: signals.matrix(), budget: budget as f64 });
        }
        Ok((fit_net.network, batches))
    }

    fn warm_up_training(&self) -> TrainConfig {
        TrainConfig {
            epochs: self.config.warm_up_epochs.unwrap_or(200),
            optimizer: OptimizerConfig::Adam { lr: self.config.fit_lr, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 0.0 },
            schedule: ScheduleConfig::MultiStep { milestones: vec![0.6, 0.9], gamma: 0.1 },
            ..self.env.train.clone()
        }
    }
}

/// Consecutive parts of about `size` items whose sizes differ by at most one.
pub(crate) fn balanced_parts(items: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let parts = ((items.len() as f64 / size as f64).round() as usize).clamp(1, items.len().max(1));
    (0..parts).map(move |part| &items[part * items.len() / parts..(part + 1) * items.len() / parts])
}
