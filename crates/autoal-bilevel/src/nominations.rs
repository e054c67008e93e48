//! What the candidates say of the samples: asked once for a model, never once a step.
//!
//! A candidate either gives a score to every sample or an ordered list of first choices. Both become one number a sample in 0..1.

use autoal_data::SampleId;
use autoal_strategies::{Need, QueryContext, QueryStrategy, StrategySpec, catalog, rank};
use ndarray::Array2;

use crate::BilevelError;
use crate::config::Nominations;

/// The candidates of AutoAL, built.
pub struct Candidates {
    strategies: Vec<Box<dyn QueryStrategy>>,
    names: Vec<String>,
    needs_loss_head: bool,
}

/// What one candidate says of `n` samples.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// A score a sample, to be ranked over all samples.
    Scores(Vec<f64>),
    /// A nomination in 0..1 a sample.
    Nominations(Vec<f32>),
}

/// What all candidates say of `n` samples, in the order of the candidates.
#[derive(Debug, Clone)]
pub struct Signals {
    /// One signal a candidate.
    pub signals: Vec<Signal>,
    /// Rows of each candidate's first choices, as many as the budget.
    pub first_choices: Vec<Vec<usize>>,
    /// Scores that are not a number, over all candidates.
    pub nan_scores: usize,
}

/// How candidates are asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Hard marks, soft ranks or ranks of scores.
    pub kind: Nominations,
    /// Samples that are to be selected.
    pub budget: usize,
    /// Reach of soft ranks in budgets.
    pub beta: f64,
}

impl Candidates {
    /// Builds the candidates; an error for unknown names and parameters.
    pub fn build(specs: &[StrategySpec]) -> Result<Self, BilevelError> {
        let strategies = specs.iter().map(catalog::build).collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<String> = Vec::with_capacity(strategies.len());
        let mut needs_loss_head = false;
        for spec in specs {
            let name = spec.name()?;
            needs_loss_head |= catalog::find(name)?.info.needs.contains(&Need::PredictedLoss);
            // One strategy with other parameters is another candidate and needs a name of its own.
            let same = names.iter().filter(|known| known.split('#').next() == Some(name)).count();
            names.push(if same == 0 { name.into() } else { format!("{name}#{}", same + 1) });
        }
        Ok(Self { strategies, names, needs_loss_head })
    }

    /// Their names, each once.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether one of them ranks by predicted loss, so that networks need a loss-prediction head.
    pub fn needs_loss_head(&self) -> bool {
        self.needs_loss_head
    }

    /// Number of candidates, `K`.
    pub fn len(&self) -> usize {
        self.strategies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.strategies.is_empty()
    }

    /// Asks every candidate about the context's samples.
    pub fn ask(&mut self, context: &QueryContext<'_>, ask: Ask) -> Result<Signals, BilevelError> {
        let mut answer = Signals { signals: Vec::new(), first_choices: Vec::new(), nan_scores: 0 };
        for strategy in &mut self.strategies {
            let scores = if ask.kind == Nominations::Ranks { strategy.scores(context)? } else { None };
            let (signal, choices) = if let Some(scores) = scores {
                let scores = scores.to_vec();
                answer.nan_scores += scores.iter().filter(|score| score.is_nan()).count();
                let choices = rank::top(&scores, context.candidates, ask.budget);
                (Signal::Scores(scores), choices)
            } else {
                let selection = strategy.select(context, ask.depth())?;
                answer.nan_scores += selection.nan_scores;
                let order = rows_of(&selection.ids(), context.candidates);
                (Signal::Nominations(ask.nominate(&order, context.candidates.len())), order)
            };
            answer.signals.push(signal);
            answer.first_choices.push(choices.into_iter().take(ask.budget).collect());
        }
        Ok(answer)
    }
}

impl Ask {
    /// How far down its list a candidate without scores is asked.
    fn depth(&self) -> usize {
        match self.kind {
            Nominations::Hard => self.budget,
            Nominations::Soft | Nominations::Ranks => (self.beta * self.budget as f64).ceil() as usize,
        }
    }

    /// Nominations of `n` samples from a list of rows, first choice first.
    pub fn nominate(&self, order: &[usize], n: usize) -> Vec<f32> {
        let mut nominations = vec![0.0; n];
        for (rank, &row) in order.iter().enumerate() {
            nominations[row] = match self.kind {
                Nominations::Hard => f32::from(u8::from(rank < self.budget)),
                Nominations::Soft | Nominations::Ranks => soft_rank(rank, self.budget, self.beta),
            };
        }
        nominations
    }
}

/// `max(0, 1 − rank/(β budget))`, rank counted from 0.
pub fn soft_rank(rank: usize, budget: usize, beta: f64) -> f32 {
    (1.0 - rank as f64 / (beta * budget as f64)).max(0.0) as f32
}

/// `(rank from below + ½)/n` of each value, in (0, 1); equal values share their mean rank, values that are not numbers are lowest.
pub fn rank_levels(values: &[f64]) -> Vec<f64> {
    let key = |row: usize| if values[row].is_nan() { f64::NEG_INFINITY } else { values[row] };
    let is_lower = |a: usize, b: usize| key(a).total_cmp(&key(b)).then_with(|| values[b].is_nan().cmp(&values[a].is_nan()));
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| is_lower(a, b));
    let mut levels = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && is_lower(order[start], order[end]).is_eq() {
            end += 1;
        }
        let level = (start + end) as f64 / 2.0 / values.len() as f64;
        order[start..end].iter().for_each(|&row| levels[row] = level);
        start = end;
    }
    levels
}

impl Signals {
    /// Nominations, `[n, K]`, in 0..1: scores become the levels of their ranks over all rows.
    pub fn matrix(&self) -> Array2<f32> {
        let n = self.signals.first().map_or(0, Signal::len);
        let mut matrix = Array2::zeros((n, self.signals.len()));
        for (signal, mut column) in self.signals.iter().zip(matrix.columns_mut()) {
            match signal {
                Signal::Scores(scores) => column.iter_mut().zip(rank_levels(scores)).for_each(|(to, level)| *to = level as f32),
                Signal::Nominations(values) => column.iter_mut().zip(values).for_each(|(to, value)| *to = *value),
            }
        }
        matrix
    }

    /// Puts together what was asked of disjoint parts of `n` samples; each part says which rows it holds.
    pub fn join(parts: &[(Vec<usize>, Self)], n: usize) -> Self {
        let candidates = parts.first().map_or(0, |(_, part)| part.signals.len());
        let signals = (0..candidates).map(|k| Signal::scatter(parts, k, n)).collect();
        let first = |k: usize| parts.iter().flat_map(move |(rows, part)| part.first_choices[k].iter().map(|&row| rows[row]));
        let nan_scores = parts.iter().map(|(_, part)| part.nan_scores).sum();
        Self { signals, first_choices: (0..candidates).map(|k| first(k).collect()).collect(), nan_scores }
    }
}

impl Signal {
    fn len(&self) -> usize {
        match self {
            Self::Scores(scores) => scores.len(),
            Self::Nominations(nominations) => nominations.len(),
        }
    }

    fn scatter(parts: &[(Vec<usize>, Signals)], candidate: usize, n: usize) -> Self {
        let mut scores = vec![f64::NAN; n];
        let mut nominations = vec![0.0; n];
        let mut scored = false;
        for (rows, part) in parts {
            match &part.signals[candidate] {
                Self::Scores(values) => {
                    scored = true;
                    rows.iter().zip(values).for_each(|(&row, value)| scores[row] = *value);
                }
                Self::Nominations(values) => rows.iter().zip(values).for_each(|(&row, value)| nominations[row] = *value),
            }
        }
        if scored { Self::Scores(scores) } else { Self::Nominations(nominations) }
    }
}

/// Rows of `ids` among `candidates`.
fn rows_of(ids: &[SampleId], candidates: &[SampleId]) -> Vec<usize> {
    let mut sorted: Vec<(SampleId, usize)> = candidates.iter().enumerate().map(|(row, id)| (*id, row)).collect();
    sorted.sort_unstable();
    ids.iter().filter_map(|id| sorted.binary_search_by_key(id, |(known, _)| *known).ok().map(|at| sorted[at].1)).collect()
}
