//! What does a number of labels buy, and how many labels does a level need?

use super::overview::estimate;
use super::{Context, metric_form, unit_suffix};
use crate::curves::Pairs;
use crate::document::{Block, Form, Section, Table, Value};
use crate::stats::bootstrap::RESAMPLES;
use crate::stats::savings::{Saving, Target, saving};

/// Label counts shown when none are chosen.
const COLUMNS: usize = 5;

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let mut blocks: Vec<Block> = at_labels(context).map(Block::Table).into_iter().collect();
    if context.baseline().is_some() {
        let targets = context.options.all_targets();
        blocks.extend(targets.into_iter().map(|t| Block::Table(to_target(context, t))));
    }
    context.section(
        "effort",
        if context.experiment.counts_labels { "Labels and what they buy" } else { "Rounds and what they buy" },
        blocks,
    )
}

fn at_labels(context: &Context<'_>) -> Option<Table> {
    let metric = context.options.metric;
    let mut grid: Vec<usize> =
        context.curves.strategies.iter().flat_map(|s| s.complete.iter()).flat_map(|c| c.points.iter().map(|p| p.0)).collect();
    grid.sort_unstable();
    grid.dedup();
    let chosen: Vec<usize> = if context.options.at.is_empty() {
        let last = grid.len().checked_sub(1)?;
        (0..COLUMNS).map(|i| grid[i * last / (COLUMNS - 1)]).collect()
    } else {
        context.options.at.clone()
    };
    let missing: Vec<String> = chosen.iter().filter(|l| !grid.contains(l)).map(usize::to_string).collect();
    let mut caption = format!(
        "{}{} at chosen {}, mean over complete seeds with the 95 % t-interval.",
        metric.title(),
        unit_suffix(metric),
        plural(context.unit())
    );
    if !missing.is_empty() {
        caption.push_str(" No round has as many labels as ");
        caption.push_str(&missing.join(", "));
        caption.push('.');
    }
    let mut table = Table::new(context.name("at-labels"), caption, &[("strategy", "Strategy")]);
    let mut shown: Vec<usize> = chosen.into_iter().filter(|l| grid.contains(l)).collect();
    shown.dedup();
    for labels in &shown {
        table.column(format!("at_{labels}"), Form::Count.write(*labels as f64));
    }
    for strategy in &context.curves.strategies {
        let mut row = vec![Value::text(&strategy.label)];
        row.extend(shown.iter().map(|l| estimate(strategy.at(*l), metric_form(metric))));
        table.push(row);
    }
    Some(table)
}

fn plural(unit: &str) -> &str {
    if unit == "round" { "rounds" } else { unit }
}

fn to_target(context: &Context<'_>, target: Target) -> Table {
    let metric = context.options.metric;
    let baseline = context.baseline().map_or("", |b| &b.label);
    let (name, what) = match target {
        Target::BaselineFinal => {
            ("to-baseline-final".to_owned(), format!("{baseline}'s final {}", metric.title().to_lowercase()))
        }
        Target::Value(v) => (format!("to-{v}"), format!("{} of {}", metric.title().to_lowercase(), metric_form(metric).write(v))),
    };
    let unit = plural(context.unit());
    let caption = format!(
        "Where the mean curve reaches {what}, between rounds by a straight line; the saving is the share of {baseline}'s {unit} that is not \
         needed. The interval is the 95 % percentile bootstrap over seeds ({} resamples, drawn jointly for both); an end is open where \
         too many resamples never get there.",
        Form::Count.write(RESAMPLES as f64)
    );
    let needed = format!("{} needed", capital(unit));
    // A crossing lies between rounds, but nobody buys a part of a label.
    let form = if context.experiment.counts_labels { Form::Count } else { Form::Fixed(1) };
    let columns = [("strategy", "Strategy"), ("needed", needed.as_str()), ("saving", "Saving, %"), ("interval", "95 % interval")];
    let mut table = Table::new(context.name(&name), caption, &columns);
    for strategy in &context.curves.strategies {
        let saving = context.baseline().map(|b| for_pair(context, &Pairs::of(strategy, b), target)).unwrap_or_default();
        let is_baseline = strategy.label == baseline;
        let labels = saving.labels.map_or_else(
            || Value::text(if strategy.complete.is_empty() { "–" } else { "not reached" }),
            |l| Value::Number(l, form),
        );
        let interval =
            if is_baseline || saving.saving.is_none() || strategy.complete.len() < 2 { Value::Missing } else { ends(&saving) };
        let share = if is_baseline { None } else { saving.saving };
        table.push(vec![Value::text(&strategy.label), labels, Value::number(share, Form::Points(1)), interval]);
    }
    table
}

fn ends(saving: &Saving) -> Value {
    let end = |v: Option<f64>| v.map_or("open".to_owned(), |v| Form::Points(1).write(v));
    Value::text(format!("[{}, {}]", end(saving.low), end(saving.high)))
}

fn for_pair(context: &Context<'_>, pairs: &Pairs<'_>, target: Target) -> Saving {
    let labels = pairs.labels();
    let sign = context.curves.sign();
    let values = |side: &[&crate::curves::SeedCurve]| -> Vec<Vec<f64>> {
        side.iter().map(|c| labels.iter().filter_map(|l| c.at(*l)).map(|v| sign * v).collect()).collect()
    };
    let target = match target {
        Target::Value(v) => Target::Value(sign * v),
        final_level @ Target::BaselineFinal => final_level,
    };
    let positions: Vec<f64> = labels.iter().map(|l| *l as f64).collect();
    saving(&positions, &values(&pairs.a), &values(&pairs.b), target, RESAMPLES)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
