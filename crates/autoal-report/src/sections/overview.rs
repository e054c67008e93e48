//! How good is each strategy, and what must a reader know first?

use super::{Context, difference_form, difference_suffix, metric_form, unit_suffix};
use crate::audit::count;
use crate::curves::{Pairs, StrategyCurves};
use crate::document::{Block, Form, Section, Table, Value};
use crate::experiment::{Note, Severity, StrategyRuns};
use crate::stats::{Estimate, area, mean};

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let mut notes = vec![verdict(context)];
    notes.extend(context.experiment.all_notes());
    context.section(
        "overview",
        "Overview",
        vec![Block::Text(setting(context)), Block::Notes(notes), Block::Table(table(context))],
    )
}

/// The setting in one sentence.
fn setting(context: &Context<'_>) -> String {
    let e = context.experiment;
    let mut parts = vec![count(e.strategies.len(), "strategy").replace("strategys", "strategies")];
    let mut seeds: Vec<u64> = e.cells().map(|c| c.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    parts.push(count(seeds.len(), "seed"));
    if let Some((first, last)) = context.curves.span {
        let rounds = e.cells().map(|c| c.rounds.len()).max().unwrap_or(0);
        if e.counts_labels {
            parts.push(format!(
                "{} from {} to {} labels",
                count(rounds, "round"),
                Form::Count.write(first as f64),
                Form::Count.write(last as f64)
            ));
        } else {
            parts.push(count(rounds, "round"));
        }
    }
    if e.data.pool_size > 0 {
        let size = |n: usize| Form::Count.write(n as f64);
        parts.push(format!("a pool of {} and a test set of {}", size(e.data.pool_size), size(e.data.test_size)));
    }
    if e.data.classes.len() > 1 {
        parts.push(count(e.data.classes.len(), "class").replace("classs", "classes"));
    }
    format!("{}.", parts.join(", "))
}

/// Whether the data supports a ranking.
fn verdict(context: &Context<'_>) -> Note {
    let min = context.options.min_seeds;
    match context.curves.fewest_seeds() {
        0 => Note::new(Severity::Refused, "No strategy has a complete seed yet: curves only."),
        1 => Note::new(Severity::Refused, "One complete seed: no band, no test, and no ranking is supported."),
        n if n < min => {
            let text = format!(
                "{} a strategy at the least: the curves have bands, but no ranking is supported by fewer than {min}.",
                count(n, "seed")
            );
            Note::new(Severity::Refused, text)
        }
        n => Note::new(
            Severity::Info,
            format!("At least {} a strategy; differences are paired by seed.", count(n, "complete seed")),
        ),
    }
}

fn table(context: &Context<'_>) -> Table {
    let metric = context.options.metric;
    let title = metric.title();
    let suffix = unit_suffix(metric);
    let aubc = format!("AUBC{suffix}");
    let last = format!("Final{suffix}");
    let mut columns = vec![
        ("strategy", "Strategy"),
        ("seeds", "Seeds"),
        ("aubc", aubc.as_str()),
        ("aubc_rounded", "AUBC, rounded"),
        ("final", &last),
    ];
    let baseline = context.baseline();
    let difference = baseline.map(|b| format!("AUBC − {}{}", b.label, difference_suffix(metric)));
    if let Some(difference) = &difference {
        columns.push(("aubc_difference", difference));
    }
    let timed = context.experiment.strategies.iter().chain(&context.experiment.full_data).any(|s| seconds_a_run(s).is_some());
    if timed {
        columns.push(("seconds", "A run takes"));
    }
    let caption = format!(
        "{title}: area under the budget curve (AUBC: trapezoids over {} divided by the span; rounded to three decimals as papers print it), and value \
         at the last round. ± is the 95 % t-interval over seeds (ddof 1); differences are paired by seed, with the interval in brackets.",
        if context.experiment.counts_labels { "labels" } else { "rounds" }
    );
    let mut table = Table::new(context.name("summary"), caption, &columns);
    for (runs, strategy) in context.experiment.strategies.iter().zip(&context.curves.strategies) {
        let area = strategy.area();
        let end = context.curves.span.and_then(|(_, end)| strategy.at(end));
        let mut row = vec![Value::text(&strategy.label), seeds(strategy), estimate(area, metric_form(metric))];
        row.push(Value::number(area.map(|a| area::rounded(a.mean)), Form::Fixed(3)));
        row.push(estimate(end, metric_form(metric)));
        if let Some(baseline) = baseline {
            let test = Pairs::of(strategy, baseline).test_areas().filter(|_| baseline.label != strategy.label);
            row.push(test.map_or(Value::Missing, |t| Value::Interval(t.mean_difference, t.interval, difference_form(metric))));
        }
        if timed {
            row.push(Value::number(seconds_a_run(runs), Form::Duration));
        }
        table.push(row);
    }
    full_data_row(context, &mut table);
    table
}

fn seeds(strategy: &StrategyCurves) -> Value {
    match (strategy.complete.len(), strategy.partial.len()) {
        (n, 0) => Value::count(n),
        (n, partial) => Value::text(format!("{n} of {}", n + partial)),
    }
}

fn full_data_row(context: &Context<'_>, table: &mut Table) {
    let Some(full) = &context.experiment.full_data else { return };
    let metric = context.options.metric;
    let values: Vec<f64> = full.cells.iter().filter_map(|c| metric.of(c.rounds.last()?)).collect();
    let mut row = vec![Value::Missing; table.columns.len()];
    row[0] = Value::text("all labels");
    row[1] = Value::count(values.len());
    row[4] = estimate(Estimate::of(&values), metric_form(metric));
    if let Some(at) = table.columns.iter().position(|c| c.key == "seconds") {
        row[at] = Value::number(seconds_a_run(full), Form::Duration);
    }
    table.push(row);
}

/// A cell with an estimate and its interval.
pub(super) fn estimate(estimate: Option<Estimate>, form: Form) -> Value {
    estimate.map_or(Value::Missing, |e| Value::Interval(e.mean, e.low().zip(e.high()), form))
}

/// Mean over seeds of the wall time of all rounds; none where it was not recorded.
fn seconds_a_run(runs: &StrategyRuns) -> Option<f64> {
    let total = |c: &crate::Cell| c.rounds.iter().map(|r| r.seconds.total).sum::<Option<f64>>().filter(|_| !c.rounds.is_empty());
    mean(&runs.cells.iter().filter_map(total).collect::<Vec<_>>())
}
