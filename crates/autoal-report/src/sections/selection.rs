//! Which images were selected: by whom in common, from which classes, and how they look?

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, sheets};
use crate::chart::HeatMap;
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::experiment::{Cell, StrategyRuns};
use crate::metric::Metric;
use crate::stats::mean;

/// More classes than this do not fit a heat map; the evenness table still counts them.
const MOST_CLASSES: usize = 25;

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    let with_queries: Vec<&StrategyRuns> =
        context.experiment.strategies.iter().filter(|s| s.cells.iter().any(|c| !c.queries.is_empty())).collect();
    if with_queries.len() > 1 {
        let first = overlap(context, &with_queries, "overlap-first", true);
        let all = overlap(context, &with_queries, "overlap-all", false);
        blocks.push(Block::Tabs(vec![
            ("First query".to_owned(), vec![Block::Figure(first)]),
            ("Whole run".to_owned(), vec![Block::Figure(all)]),
        ]));
    }
    if !with_queries.is_empty() {
        blocks.extend(classes(context, &with_queries));
    }
    blocks.extend(calibration(context).map(Block::Table));
    blocks.extend(sheets::blocks(context));
    context.section("selection", "The selected images", blocks)
}

fn selected(cell: &Cell, first_only: bool) -> BTreeSet<u64> {
    let first = cell.queries.iter().map(|q| q.round).min();
    cell.queries.iter().filter(|q| !first_only || Some(q.round) == first).map(|q| q.sample).collect()
}

/// |A ∩ B| / |A ∪ B| of two strategies' selections, mean over the seeds of both.
fn overlap(context: &Context<'_>, strategies: &[&StrategyRuns], name: &str, first_only: bool) -> Figure {
    let jaccard = |a: &BTreeSet<u64>, b: &BTreeSet<u64>| {
        let union = a.union(b).count();
        (union > 0).then(|| a.intersection(b).count() as f64 / union as f64)
    };
    let pair = |a: &StrategyRuns, b: &StrategyRuns| {
        let seeds = a.cells.iter().filter_map(|c| Some((selected(c, first_only), selected(b.cell(c.seed)?, first_only))));
        mean(&seeds.filter_map(|(x, y)| jaccard(&x, &y)).collect::<Vec<_>>())
    };
    let labels: Vec<String> = strategies.iter().map(|s| s.label().to_owned()).collect();
    let name = context.name(name);
    let (what, note) = if first_only {
        ("the first query", "all of them chose with the same model, so the difference is the strategies'")
    } else {
        ("the whole run", "models differ after the first query, so the overlap falls with every round")
    };
    let mut data = Table::new(&name, format!("Overlap of selections over {what}"), &[("strategy", "Strategy")]);
    for label in &labels {
        data.column(label, label);
    }
    let mut values = Vec::new();
    for (i, a) in strategies.iter().enumerate() {
        let row: Vec<Option<f64>> = strategies.iter().enumerate().map(|(j, b)| if i == j { None } else { pair(a, b) }).collect();
        let cells = row.iter().map(|v| Value::number(*v, Form::Percent(1)));
        data.push(std::iter::once(Value::text(a.label())).chain(cells).collect());
        values.push(row);
    }
    let full = values.iter().flatten().flatten().fold(0.0_f64, |m, v| m.max(*v));
    let title = format!("Overlap of selections, {what}");
    let heat = HeatMap { title, rows: labels.clone(), columns: labels, values, footer: None, full, x_title: String::new() };
    let caption = format!(
        "Samples that both select as a share of those that either does, in percent, over {what}, mean over seeds; {note}."
    );
    Figure { name, caption, drawing: Box::new(heat), data }
}

/// A label of `queries.csv` as a class name.
pub(super) fn class_name(context: &Context<'_>, label: &str) -> String {
    let class = label.parse::<usize>().ok().and_then(|i| context.experiment.data.classes.get(i));
    class.cloned().unwrap_or_else(|| label.to_owned())
}

fn classes(context: &Context<'_>, strategies: &[&StrategyRuns]) -> Vec<Block> {
    let mut names: BTreeSet<String> =
        strategies.iter().flat_map(|s| &s.cells).flat_map(|c| &c.queries).map(|q| class_name(context, &q.label)).collect();
    let declared = &context.experiment.data.classes;
    let mut order: Vec<String> = declared.iter().filter(|c| names.remove(*c) || !c.is_empty()).cloned().collect();
    order.extend(names);
    let name = context.name("classes");
    let columns = [("strategy", "Strategy"), ("evenness", "Evenness, %"), ("rarest", "Rarest class, %")];
    let caption = "Classes of all selections, mean over seeds. Evenness is the entropy of the class shares divided by its maximum: 100 % takes every \
                   class equally often.";
    let mut data = Table::new(&name, caption, &columns);
    for class in &order {
        data.column(class, class);
    }
    let mut values = Vec::new();
    for runs in strategies {
        let shares: Vec<Vec<f64>> =
            runs.cells.iter().filter(|c| !c.queries.is_empty()).map(|c| class_shares(context, c, &order)).collect();
        let average: Vec<Option<f64>> =
            (0..order.len()).map(|i| mean(&shares.iter().map(|s| s[i]).collect::<Vec<_>>())).collect();
        let evenness = mean(&shares.iter().map(|s| entropy_share(s)).collect::<Vec<_>>());
        let rarest = average.iter().flatten().copied().reduce(f64::min);
        let mut row =
            vec![Value::text(runs.label()), Value::number(evenness, Form::Percent(1)), Value::number(rarest, Form::Percent(1))];
        row.extend(average.iter().map(|v| Value::number(*v, Form::Percent(1))));
        data.push(row);
        values.push(average);
    }
    if order.len() > MOST_CLASSES || order.len() < 2 {
        data.columns.truncate(3);
        data.rows.iter_mut().for_each(|r| r.truncate(3));
        return vec![Block::Table(data)];
    }
    let full = values.iter().flatten().flatten().fold(0.0_f64, |m, v| m.max(*v));
    let rows = strategies.iter().map(|s| s.label().to_owned()).collect();
    let heat = HeatMap {
        title: "Classes of the selections".to_owned(),
        rows,
        columns: order.clone(),
        values,
        footer: None,
        full,
        x_title: String::new(),
    };
    let caption = format!(
        "Classes of all selections in percent, mean over seeds. An even choice takes {} % of each.",
        Form::Percent(1).write(1.0 / order.len() as f64)
    );
    let evenness = evenness_table(context, &data);
    vec![Block::Figure(Figure { name, caption, drawing: Box::new(heat), data }), Block::Table(evenness)]
}

fn evenness_table(context: &Context<'_>, data: &Table) -> Table {
    let mut table = data.clone();
    table.name = context.name("evenness");
    table.columns.truncate(3);
    table.rows.iter_mut().for_each(|r| r.truncate(3));
    table
}

fn class_shares(context: &Context<'_>, cell: &Cell, order: &[String]) -> Vec<f64> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    cell.queries.iter().for_each(|q| *counts.entry(class_name(context, &q.label)).or_default() += 1);
    order.iter().map(|c| counts.get(c).copied().unwrap_or(0) as f64 / cell.queries.len() as f64).collect()
}

fn entropy_share(shares: &[f64]) -> f64 {
    let entropy: f64 = shares.iter().filter(|s| **s > 0.0).map(|s| -s * s.ln()).sum();
    entropy / (shares.len().max(2) as f64).ln()
}

/// Calibration of the model of the seed set and of the last model.
fn calibration(context: &Context<'_>) -> Option<Table> {
    let curves = crate::curves::Curves::of(context.experiment, Metric::Ece);
    let (first, last) = curves.span?;
    let columns = [("strategy", "Strategy"), ("before", "ECE before, %"), ("after", "ECE after, %")];
    let caption = "Expected calibration error (15 bins) on the test set: of the model of the seed set, before any query, and of the last model.";
    let mut table = Table::new(context.name("calibration"), caption, &columns);
    for strategy in &curves.strategies {
        let at = |labels| super::overview::estimate(strategy.at(labels), Form::Percent(2));
        if strategy.at(first).is_some() {
            table.push(vec![Value::text(&strategy.label), at(first), at(last)]);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}
