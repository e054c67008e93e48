//! The keys as written, and the rules that turn them into a checked configuration.

use autoal_strategies::StrategySpec;
use serde::{Deserialize, Serialize};

use super::{
    Activation, AutoAlConfig, FitNetsKind, ImprovedConfig, MaskKind, Mode, Nominations, ObjectiveKind, PaperConfig, Pick,
    Reading, SearchBackbone, SearchConfig, SearchOptimizer, SearchSchedule, Threshold, Weights,
};
use crate::BilevelError;

/// The paper's candidates.
const CANDIDATES: [&str; 7] = ["entropy", "margin", "least-confidence", "k-means", "bald", "var-ratio", "mean-std"];

/// Every key, each optional: what is absent comes from the preset of `mode`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RawConfig {
    /// The preset; `improved` when absent.
    pub mode: Option<Mode>,
    /// Strategies that are mixed; the paper's seven when absent.
    pub candidates: Option<Vec<StrategySpec>>,
    /// Where weights come from: `searched`.
    pub weights: Option<Weights>,
    /// How candidates nominate: paper `hard`, improved `ranks`.
    pub nominations: Option<Nominations>,
    /// Soft nominations reach this many budgets down a candidate's list: 3.
    pub beta: Option<f64>,
    /// How samples are chosen: paper `top`, improved `coverage`.
    pub pick: Option<Pick>,
    /// Width of a neighbourhood in normalised embeddings, for `pick = "coverage"`: 1.
    pub sigma: Option<f64>,
    /// Power that sharpens ranks of scores into mass, for `pick = "coverage"`: 3.
    pub gamma: Option<f64>,
    /// Most candidates for which gains are exact, for `pick = "coverage"`: 35000.
    pub exact_up_to: Option<usize>,
    /// Random candidates that gains are estimated on above that: 20000.
    pub witnesses: Option<usize>,
    /// Steps of the search: paper 400 (FitNet, SearchNet and loss module in turn), improved 100.
    pub search_steps: Option<usize>,
    /// Learning rate of SearchNet: paper 0.005, improved 0.03.
    pub search_lr: Option<f64>,
    /// Learning rate of FitNet in the search, and in paper mode in its warm-up too: 0.005.
    pub fit_lr: Option<f64>,
    /// Learning rate of the loss module: 0.005.
    pub loss_lr: Option<f64>,
    /// Weight of the loss module's ranking loss in SearchNet's loss: paper 1, improved 0.5.
    pub loss_weight: Option<f64>,
    /// Whether a loss module trains SearchNet along: paper true, improved false.
    pub loss_module: Option<bool>,
    /// Whether SearchNet learns from its own loss; false leaves the loss module alone to train it (the paper's Fig. 3): true.
    pub backbone: Option<bool>,
    /// Samples a step of the search. Paper: the query size when absent; improved: all labeled samples for heads on embeddings, else 128.
    pub batch_size: Option<usize>,
    /// Epochs that FitNet trains before the search. Paper 200. Improved, when absent: as many as the task model on features, 0.15 of
    /// them on images, so that the search stays within a fifth of a round.
    pub warm_up_epochs: Option<usize>,
    /// Where a threshold without gradient comes from, in paper mode and for `mask = "soft-penalty"`: `mixture`.
    pub threshold: Option<Threshold>,
    /// Paper mode: cycles of split, warm-up and search in round 0: 3.
    pub first_cycles: Option<usize>,
    /// Paper mode: cycles in later rounds: 1.
    pub cycles: Option<usize>,
    /// Paper mode: how outputs become weights: `softmax`.
    pub activation: Option<Activation>,
    /// Paper mode: how the equations are read: `figure`.
    pub reading: Option<Reading>,
    /// Paper mode: weight of the count regulariser in FitNet's loss, where it has no gradient: 0.5.
    pub fit_budget_weight: Option<f64>,
    /// Paper mode: weight of the count regulariser in SearchNet's loss, where it has no gradient: 2.
    pub search_budget_weight: Option<f64>,
    /// Improved mode: parts of the labeled samples, each scored by a FitNet trained on the others. When absent: 4 on features, 2 on images.
    pub folds: Option<usize>,
    /// Improved mode: whether FitNets stay as they are during the search or keep learning on what they were trained on: `frozen`.
    pub fit_nets: Option<FitNetsKind>,
    /// Improved mode: the selection that gradients flow through: `exact-budget`.
    pub mask: Option<MaskKind>,
    /// Improved mode: width of the mask's sigmoid: 0.05.
    pub temperature: Option<f64>,
    /// Improved mode: share of the labeled samples that the search selects: 0.2; 0 takes the share of the real query instead,
    /// at least 16 samples and at most a quarter.
    pub simulated_share: Option<f64>,
    /// Improved mode: what SearchNet is rewarded for: `loss`.
    pub objective: Option<ObjectiveKind>,
    /// Improved mode: what SearchNet looks at: `task`.
    pub search_backbone: Option<SearchBackbone>,
    /// Improved mode: hidden units of SearchNet over the task model's embeddings: 32.
    pub search_hidden: Option<usize>,
    /// Improved mode: update rule of SearchNet: `adam`.
    pub search_optimizer: Option<SearchOptimizer>,
    /// Improved mode: learning rate over the steps: `constant`.
    pub search_schedule: Option<SearchSchedule>,
    /// Improved mode: weight of the mean entropy of the weights, which keeps them apart from one candidate: 0.02.
    pub entropy_weight: Option<f64>,
    /// Improved mode: weight of the budget penalty for `mask = "soft-penalty"`: 1.
    pub budget_weight: Option<f64>,
    /// Improved mode: steps without a better held-out reward after which the search ends; 0 never ends early and holds out nothing: 0.
    pub early_stop: Option<usize>,
}

fn fail(key: &str, detail: impl std::fmt::Display) -> BilevelError {
    BilevelError::Config { detail: format!("`{key}` {detail}") }
}

/// A finite number of at least `least` (above it when `open`).
fn number(key: &str, value: f64, least: f64, open: bool) -> Result<f64, BilevelError> {
    let fits = value.is_finite() && if open { value > least } else { value >= least };
    let bound = if open { "above" } else { "of at least" };
    fits.then_some(value).ok_or_else(|| fail(key, format_args!("is {value}, expected a number {bound} {least}")))
}

fn count(key: &str, value: usize) -> Result<usize, BilevelError> {
    (value > 0).then_some(value).ok_or_else(|| fail(key, "is 0, expected at least 1"))
}

impl TryFrom<RawConfig> for AutoAlConfig {
    type Error = BilevelError;

    fn try_from(raw: RawConfig) -> Result<Self, BilevelError> {
        let mode = raw.mode.unwrap_or(Mode::Improved);
        reject_keys_of_the_other_mode(&raw, mode)?;
        let paper = mode == Mode::Paper;
        let search = if paper { SearchConfig::Paper(paper_keys(&raw)?) } else { SearchConfig::Improved(improved_keys(&raw)?) };
        let config = Self {
            candidates: candidates(raw.candidates)?,
            weights: raw.weights.unwrap_or(Weights::Searched),
            nominations: raw.nominations.unwrap_or(if paper { Nominations::Hard } else { Nominations::Ranks }),
            beta: number("beta", raw.beta.unwrap_or(3.0), 1.0, false)?,
            pick: raw.pick.unwrap_or(if paper { Pick::Top } else { Pick::Coverage }),
            sigma: number("sigma", raw.sigma.unwrap_or(1.0), 0.0, true)?,
            gamma: number("gamma", raw.gamma.unwrap_or(3.0), 0.0, false)?,
            exact_up_to: raw.exact_up_to.unwrap_or(35_000),
            witnesses: at_least_two("witnesses", raw.witnesses.unwrap_or(20_000))?,
            search_steps: count("search-steps", raw.search_steps.unwrap_or(if paper { 400 } else { 100 }))?,
            search_lr: number("search-lr", raw.search_lr.unwrap_or(if paper { 0.005 } else { 0.03 }), 0.0, true)?,
            fit_lr: number("fit-lr", raw.fit_lr.unwrap_or(0.005), 0.0, true)?,
            loss_lr: number("loss-lr", raw.loss_lr.unwrap_or(0.005), 0.0, true)?,
            loss_weight: number("loss-weight", raw.loss_weight.unwrap_or(if paper { 1.0 } else { 0.5 }), 0.0, false)?,
            loss_module: raw.loss_module.unwrap_or(paper),
            backbone: raw.backbone.unwrap_or(true),
            batch_size: raw.batch_size.map(|size| at_least_two("batch-size", size)).transpose()?,
            warm_up_epochs: raw.warm_up_epochs.or(paper.then_some(200)).map(|n| count("warm-up-epochs", n)).transpose()?,
            threshold: raw.threshold.unwrap_or(Threshold::Mixture),
            search,
        };
        config.check_combinations()?;
        Ok(config)
    }
}

impl AutoAlConfig {
    fn check_combinations(&self) -> Result<(), BilevelError> {
        if !self.backbone && !self.loss_module {
            return Err(fail("backbone", "and `loss-module` are both false: nothing would train SearchNet"));
        }
        match &self.search {
            SearchConfig::Paper(_) if self.nominations != Nominations::Hard => {
                Err(fail("nominations", "must be `hard` in paper mode, whose gate is defined on marks"))
            }
            SearchConfig::Paper(_) if self.weights == Weights::SearchedGlobal => {
                Err(fail("weights", "is `searched-global`, which only `mode = \"improved\"` has"))
            }
            SearchConfig::Improved(_) => {
                if self.weights == Weights::SearchedGlobal && self.loss_module {
                    return Err(fail("loss-module", "needs a SearchNet that looks at samples: `weights = \"searched\"`"));
                }
                Ok(())
            }
            SearchConfig::Paper(_) => Ok(()),
        }
    }
}

fn at_least_two(key: &str, value: usize) -> Result<usize, BilevelError> {
    (value > 1).then_some(value).ok_or_else(|| fail(key, format_args!("is {value}, expected at least 2")))
}

fn candidates(given: Option<Vec<StrategySpec>>) -> Result<Vec<StrategySpec>, BilevelError> {
    let candidates = given.unwrap_or_else(|| CANDIDATES.map(|name| StrategySpec::Name(name.into())).into());
    if candidates.is_empty() {
        return Err(fail("candidates", "is empty, expected at least one strategy"));
    }
    if let Some(twice) = (1..candidates.len()).find(|i| candidates[..*i].contains(&candidates[*i])) {
        return Err(fail("candidates", format_args!("names number {} twice, expected different strategies", twice + 1)));
    }
    Ok(candidates)
}

fn paper_keys(raw: &RawConfig) -> Result<PaperConfig, BilevelError> {
    Ok(PaperConfig {
        first_cycles: count("first-cycles", raw.first_cycles.unwrap_or(3))?,
        cycles: count("cycles", raw.cycles.unwrap_or(1))?,
        activation: raw.activation.unwrap_or(Activation::Softmax),
        reading: raw.reading.unwrap_or(Reading::Figure),
        fit_budget_weight: number("fit-budget-weight", raw.fit_budget_weight.unwrap_or(0.5), 0.0, false)?,
        search_budget_weight: number("search-budget-weight", raw.search_budget_weight.unwrap_or(2.0), 0.0, false)?,
    })
}

fn improved_keys(raw: &RawConfig) -> Result<ImprovedConfig, BilevelError> {
    let share = number("simulated-share", raw.simulated_share.unwrap_or(0.2), 0.0, false)?;
    if share >= 1.0 {
        return Err(fail("simulated-share", format_args!("is {share}, expected below 1")));
    }
    Ok(ImprovedConfig {
        folds: raw.folds.map(|folds| at_least_two("folds", folds)).transpose()?,
        fit_nets: raw.fit_nets.unwrap_or(FitNetsKind::Frozen),
        mask: raw.mask.unwrap_or(MaskKind::ExactBudget),
        temperature: number("temperature", raw.temperature.unwrap_or(0.05), 0.0, true)?,
        simulated_share: (share > 0.0).then_some(share),
        objective: raw.objective.unwrap_or(ObjectiveKind::Loss),
        search_backbone: raw.search_backbone.unwrap_or(SearchBackbone::Task),
        search_hidden: count("search-hidden", raw.search_hidden.unwrap_or(32))?,
        search_optimizer: raw.search_optimizer.unwrap_or(SearchOptimizer::Adam),
        search_schedule: raw.search_schedule.unwrap_or(SearchSchedule::Constant),
        entropy_weight: number("entropy-weight", raw.entropy_weight.unwrap_or(0.02), 0.0, false)?,
        budget_weight: number("budget-weight", raw.budget_weight.unwrap_or(1.0), 0.0, false)?,
        early_stop: raw.early_stop.unwrap_or(0),
    })
}

fn reject_keys_of_the_other_mode(raw: &RawConfig, mode: Mode) -> Result<(), BilevelError> {
    let paper = [
        ("first-cycles", raw.first_cycles.is_some()),
        ("cycles", raw.cycles.is_some()),
        ("activation", raw.activation.is_some()),
        ("reading", raw.reading.is_some()),
        ("fit-budget-weight", raw.fit_budget_weight.is_some()),
        ("search-budget-weight", raw.search_budget_weight.is_some()),
    ];
    let improved = [
        ("folds", raw.folds.is_some()),
        ("fit-nets", raw.fit_nets.is_some()),
        ("mask", raw.mask.is_some()),
        ("temperature", raw.temperature.is_some()),
        ("simulated-share", raw.simulated_share.is_some()),
        ("objective", raw.objective.is_some()),
        ("search-backbone", raw.search_backbone.is_some()),
        ("search-hidden", raw.search_hidden.is_some()),
        ("search-optimizer", raw.search_optimizer.is_some()),
        ("search-schedule", raw.search_schedule.is_some()),
        ("entropy-weight", raw.entropy_weight.is_some()),
        ("budget-weight", raw.budget_weight.is_some()),
        ("early-stop", raw.early_stop.is_some()),
    ];
    let (foreign, other) = match mode {
        Mode::Paper => (&improved[..], "improved"),
        Mode::Improved => (&paper[..], "paper"),
    };
    match foreign.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(fail(key, format_args!("is a key of `mode = \"{other}\"`: drop it or change the mode"))),
        None => Ok(()),
    }
}

impl From<AutoAlConfig> for RawConfig {
    fn from(config: AutoAlConfig) -> Self {
        let mut raw = Self {
            mode: Some(config.mode()),
            candidates: Some(config.candidates),
            weights: Some(config.weights),
            nominations: Some(config.nominations),
            beta: Some(config.beta),
            pick: Some(config.pick),
            sigma: Some(config.sigma),
            gamma: Some(config.gamma),
            exact_up_to: Some(config.exact_up_to),
            witnesses: Some(config.witnesses),
            search_steps: Some(config.search_steps),
            search_lr: Some(config.search_lr),
            fit_lr: Some(config.fit_lr),
            loss_lr: Some(config.loss_lr),
            loss_weight: Some(config.loss_weight),
            loss_module: Some(config.loss_module),
            backbone: Some(config.backbone),
            batch_size: config.batch_size,
            warm_up_epochs: config.warm_up_epochs,
            threshold: Some(config.threshold),
            ..Self::default()
        };
        match config.search {
            SearchConfig::Paper(keys) => raw.set_paper(&keys),
            SearchConfig::Improved(keys) => raw.set_improved(&keys),
        }
        raw
    }
}

impl RawConfig {
    fn set_paper(&mut self, keys: &PaperConfig) {
        self.first_cycles = Some(keys.first_cycles);
        self.cycles = Some(keys.cycles);
        self.activation = Some(keys.activation);
        self.reading = Some(keys.reading);
        self.fit_budget_weight = Some(keys.fit_budget_weight);
        self.search_budget_weight = Some(keys.search_budget_weight);
    }

    fn set_improved(&mut self, keys: &ImprovedConfig) {
        self.folds = keys.folds;
        self.fit_nets = Some(keys.fit_nets);
        self.mask = Some(keys.mask);
        self.temperature = Some(keys.temperature);
        self.simulated_share = Some(keys.simulated_share.unwrap_or(0.0));
        self.objective = Some(keys.objective);
        self.search_backbone = Some(keys.search_backbone);
        self.search_hidden = Some(keys.search_hidden);
        self.search_optimizer = Some(keys.search_optimizer);
        self.search_schedule = Some(keys.search_schedule);
        self.entropy_weight = Some(keys.entropy_weight);
        self.budget_weight = Some(keys.budget_weight);
        self.early_stop = Some(keys.early_stop);
    }
}
