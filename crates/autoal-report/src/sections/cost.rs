//! What does it cost: seconds by phase, and memory?

use super::Context;
use crate::chart::{Axis, Bar, Bars, Unit};
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::experiment::StrategyRuns;
use crate::schema::Seconds;
use crate::stats::mean;

/// Key, words and value of a phase.
type Phase = (&'static str, &'static str, fn(&Seconds) -> Option<f64>);

const PHASES: [Phase; 6] = [
    ("train", "training", |s| s.train),
    ("evaluate", "evaluation", |s| s.evaluate),
    ("outputs", "pool outputs", |s| s.outputs),
    ("candidates", "candidates", |s| s.candidates),
    ("search", "search", |s| s.search),
    ("query", "query", |s| s.query),
];

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let timed: Vec<&StrategyRuns> =
        context.experiment.strategies.iter().filter(|s| a_round(s, |s| s.total.or(s.train)).is_some()).collect();
    if timed.is_empty() {
        return None;
    }
    context.section("cost", "Time and memory", vec![Block::Figure(figure(context, &timed))])
}

/// Mean over rounds and seeds.
fn a_round(runs: &StrategyRuns, read: impl Fn(&Seconds) -> Option<f64>) -> Option<f64> {
    mean(&runs.cells.iter().flat_map(|c| &c.rounds).filter_map(|r| read(&r.seconds)).collect::<Vec<_>>())
}

fn figure(context: &Context<'_>, timed: &[&StrategyRuns]) -> Figure {
    let name = context.name("seconds");
    let mut data = Table::new(&name, "Wall time of a round by phase, mean over rounds and seeds", &[("strategy", "Strategy")]);
    for (key, title, _) in &PHASES {
        data.column(format!("{key}_seconds"), format!("{title}, s"));
    }
    data.column("total_seconds", "total, s");
    data.column("relative", "against the baseline");
    data.column("peak_memory_bytes", "peak memory");
    let baseline = context.experiment.baseline().and_then(|b| a_round(b, total));
    let mut bars = Vec::new();
    for runs in timed {
        let parts: Vec<Option<f64>> = PHASES.iter().map(|(_, _, read)| a_round(runs, read)).collect();
        let all = a_round(runs, total);
        let memory = runs.cells.iter().flat_map(|c| &c.rounds).filter_map(|r| r.peak_memory_bytes).filter(|b| *b > 0).max();
        let relative = all.zip(baseline).filter(|(_, b)| *b > 0.0).map(|(a, b)| a / b);
        let mut row = vec![Value::text(runs.label())];
        row.extend(parts.iter().map(|p| Value::number(*p, Form::Fixed(2))));
        row.push(Value::number(all, Form::Fixed(2)));
        row.push(Value::number(relative, Form::Fixed(2)));
        row.push(Value::number(memory.map(|m| m as f64), Form::Bytes));
        data.push(row);
        let text = all.map_or(String::new(), |s| Form::Duration.write(s));
        bars.push(Bar { label: runs.label().to_owned(), parts: parts.into_iter().map(|p| p.unwrap_or(0.0)).collect(), text });
    }
    let chart = Bars {
        title: "Wall time of a round".to_owned(),
        axis: Axis::new("Wall time of a round", Unit::Seconds),
        parts: PHASES.iter().map(|(_, title, _)| (*title).to_owned()).collect(),
        rows: bars,
    };
    let device = if context.experiment.device.is_empty() { String::new() } else { format!(" on {}", context.experiment.device) };
    let caption = format!(
        "Wall time of a round{device}, mean over rounds and seeds: training and evaluating the task model, its outputs over the unlabeled pool, a \
         mixing strategy's candidates and search, and the rest of the query."
    );
    Figure { name, caption, drawing: Box::new(chart), data }
}

fn total(seconds: &Seconds) -> Option<f64> {
    seconds.total.or_else(|| {
        let parts: Vec<f64> = PHASES.iter().filter_map(|(_, _, read)| read(seconds)).collect();
        (!parts.is_empty()).then(|| parts.iter().sum())
    })
}
