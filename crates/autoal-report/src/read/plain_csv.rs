//! Results of other tools: a plain CSV with one value a line.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::ReportError;
use crate::experiment::{Cell, Experiment, StrategyRuns};
use crate::metric::Metric;
use crate::schema::{Data, Round, Strategy};

/// Reads a CSV of results, one [`Experiment`] a data set.
///
/// Columns, in any order: `dataset`, `strategy` (or `method`), `seed`, at least one of `round` (or `n_iter`) and `labels`, `value`,
/// and optionally `metric` (accuracy if there is none). OpenAL's published files (`seed,method,n_iter,dataset,value`) are of this
/// form. Without `labels` the curves count rounds. Strategies keep the order of their first line.
///
/// # Errors
/// When a column is missing, when a line does not parse, when a share is outside 0 to 1, or when a value is given twice.
pub fn import_csv(path: &Path) -> Result<Vec<Experiment>, ReportError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|e| csv_error(path, &e))?;
    let columns = Columns::find(path, reader.headers().map_err(|e| csv_error(path, &e))?)?;
    let mut table = Table::default();
    for record in reader.records() {
        let record = record.map_err(|e| csv_error(path, &e))?;
        let line = record.position().map_or(0, |p| p.line() as usize);
        let row = columns.row(&record).and_then(|row| table.insert(&row));
        row.map_err(|detail| ReportError::line(path, line, detail))?;
    }
    if table.sets.is_empty() {
        return Err(ReportError::empty(path, "holds a header and no values"));
    }
    Ok(table.into_experiments(path, columns.labels.is_some()))
}

fn csv_error(path: &Path, error: &csv::Error) -> ReportError {
    let line = error.position().map_or(1, |p| p.line() as usize);
    ReportError::line(path, line, error.to_string())
}

struct Columns {
    dataset: usize,
    strategy: usize,
    seed: usize,
    round: Option<usize>,
    labels: Option<usize>,
    metric: Option<usize>,
    value: usize,
}

impl Columns {
    fn find(path: &Path, header: &csv::StringRecord) -> Result<Self, ReportError> {
        let at = |names: &[&str]| header.iter().position(|h| names.contains(&h.to_lowercase().as_str()));
        let need = |names: &[&str]| {
            at(names).ok_or_else(|| {
                let found: Vec<&str> = header.iter().collect();
                let detail = format!(
                    "no column `{}` among `{}`; expected `dataset,strategy,seed,round,labels,metric,value` \
                     (one of `round` and `labels` is enough, `metric` may be missing)",
                    names[0],
                    found.join(",")
                );
                ReportError::line(path, 1, detail)
            })
        };
        let round = at(&["round", "n_iter", "iteration"]);
        let labels = at(&["labels", "n_labels", "labeled"]);
        if labels.is_none() {
            need(&["round", "n_iter", "iteration"])?;
        }
        Ok(Self {
            dataset: need(&["dataset", "data"])?,
            strategy: need(&["strategy", "method"])?,
            seed: need(&["seed"])?,
            round,
            labels,
            metric: at(&["metric"]),
            value: need(&["value"])?,
        })
    }

    fn row(&self, record: &csv::StringRecord) -> Result<Row, String> {
        let text = |i: usize| record.get(i).unwrap_or_default().to_owned();
        let number = |i: usize, what: &str| -> Result<u64, String> {
            let text = text(i);
            text.parse().map_err(|_| format!("{what} `{text}` is not a whole number"))
        };
        let optional = |i: Option<usize>, what: &str| i.map(|i| number(i, what)).transpose();
        let (round, labels) = (optional(self.round, "round")?, optional(self.labels, "labels")?);
        let metric = self.metric.map_or(Ok(Metric::Accuracy), |i| text(i).parse())?;
        let value_text = text(self.value);
        let value: f64 = value_text.parse().map_err(|_| format!("value `{value_text}` is not a number"))?;
        if metric.is_share() && !(0.0..=1.0).contains(&value) {
            return Err(format!("{metric} is {value}; expected a share from 0 to 1"));
        }
        Ok(Row {
            dataset: text(self.dataset),
            strategy: text(self.strategy),
            seed: number(self.seed, "seed")?,
            round: round.map(|r| r as usize),
            labels: labels.or(round).unwrap_or_default() as usize,
            metric,
            value,
        })
    }
}

struct Row {
    dataset: String,
    strategy: String,
    seed: u64,
    round: Option<usize>,
    labels: usize,
    metric: Metric,
    value: f64,
}

type Curves = BTreeMap<u64, BTreeMap<usize, Round>>;

/// Data sets and strategies in the order of their first line.
#[derive(Default)]
struct Table {
    sets: Vec<(String, Vec<(String, Curves)>)>,
}

impl Table {
    fn insert(&mut self, row: &Row) -> Result<(), String> {
        let strategies = entry(&mut self.sets, &row.dataset);
        let rounds = entry(strategies, &row.strategy).entry(row.seed).or_default();
        let slot = rounds.entry(row.labels).or_insert_with(|| Round { labels: row.labels, ..Round::default() });
        slot.round = row.round.unwrap_or_default();
        if row.metric.of(slot).is_some() {
            return Err(format!(
                "a second {} of `{}` with seed {} at {}; the first one stands above",
                row.metric, row.strategy, row.seed, row.labels
            ));
        }
        row.metric.set(slot, row.value);
        Ok(())
    }

    fn into_experiments(self, path: &Path, counts_labels: bool) -> Vec<Experiment> {
        let experiment = |(name, strategies): (String, Vec<(String, Curves)>)| Experiment {
            name: name.clone(),
            source: path.to_path_buf(),
            data: Data { name, ..Data::default() },
            counts_labels,
            strategies: strategies.into_iter().map(|(name, curves)| runs(name, curves)).collect(),
            ..Experiment::default()
        };
        self.sets.into_iter().map(experiment).map(set_full_data_apart).collect()
    }
}

fn entry<'a, T: Default>(list: &'a mut Vec<(String, T)>, name: &str) -> &'a mut T {
    let at = list.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
        list.push((name.to_owned(), T::default()));
        list.len() - 1
    });
    &mut list[at].1
}

fn runs(label: String, curves: Curves) -> StrategyRuns {
    let cell = |(seed, rounds): (u64, BTreeMap<usize, Round>)| {
        let mut rounds: Vec<Round> = rounds.into_values().collect();
        // Without a round column the rounds are numbered by their labels.
        if rounds.iter().all(|r| r.round == 0) {
            rounds.iter_mut().enumerate().for_each(|(i, r)| r.round = i);
        }
        Cell { seed, rounds, ..Cell::default() }
    };
    let strategy = Strategy { name: label.to_lowercase(), label, ..Strategy::default() };
    StrategyRuns { strategy, cells: curves.into_iter().map(cell).collect() }
}

fn set_full_data_apart(mut experiment: Experiment) -> Experiment {
    if let Some(at) = experiment.strategies.iter().position(StrategyRuns::is_full_data) {
        experiment.full_data = Some(experiment.strategies.remove(at));
    }
    experiment
}
