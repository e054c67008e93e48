//! How sure is an order of strategies?

use super::Context;
use crate::audit::count;
use crate::chart::{Axis, Forest, HeatMap, Row, Unit};
use crate::curves::{SeedCurve, StrategyCurves, common_labels, shared_seeds};
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::experiment::{Note, Severity};
use crate::stats::badge::{PenaltyMatrix, penalty_matrix};
use crate::stats::bootstrap::{RESAMPLES, ranking};
use crate::stats::{area, student};

/// Strategies with enough seeds, over the seeds that they share.
struct Comparison<'a> {
    labels: Vec<&'a str>,
    /// `[strategy][seed]`.
    curves: Vec<Vec<&'a SeedCurve>>,
    budgets: Vec<usize>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let min = context.options.min_seeds.max(2);
    let able: Vec<&StrategyCurves> = context.curves.strategies.iter().filter(|s| s.complete.len() >= min).collect();
    let left_out: Vec<&str> =
        context.curves.strategies.iter().filter(|s| s.complete.len() < min).map(|s| s.label.as_str()).collect();
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        let text = format!("No ranking of {}: fewer than {}.", left_out.join(", "), count(min, "complete seed"));
        notes.push(Note::new(Severity::Refused, text));
    }
    let curves = shared_seeds(&able);
    let seeds = curves.first().map_or(0, Vec::len);
    let mut blocks = Vec::new();
    if able.len() >= 2 && seeds < min {
        let text = format!("No ranking: the strategies share {} with the same seed set, fewer than {min}.", count(seeds, "seed"));
        notes.push(Note::new(Severity::Refused, text));
    } else if able.len() >= 2 {
        let all: Vec<&SeedCurve> = curves.iter().flatten().copied().collect();
        let comparison =
            Comparison { labels: able.iter().map(|s| s.label.as_str()).collect(), budgets: common_labels(&all), curves };
        blocks.extend(rank_figure(context, &comparison).map(Block::Figure));
        let (figure, table) = penalties(context, &comparison, seeds);
        blocks.push(Block::Figure(figure));
        blocks.push(Block::Table(table));
    }
    if !notes.is_empty() {
        blocks.insert(0, Block::Notes(notes));
    }
    context.section("ranking", "Ranking and pairwise tests", blocks)
}

fn rank_figure(context: &Context<'_>, comparison: &Comparison<'_>) -> Option<Figure> {
    let sign = context.curves.sign();
    let areas =
        |seeds: &Vec<&SeedCurve>| seeds.iter().map(|c| area::aubc(&c.points).map(|a| sign * a)).collect::<Option<Vec<f64>>>();
    let areas: Vec<Vec<f64>> = comparison.curves.iter().map(areas).collect::<Option<_>>()?;
    let ranks = ranking(&areas, RESAMPLES)?;
    let name = context.name("ranks");
    let columns = [("strategy", "Strategy"), ("rank", "Rank"), ("best", "Best of all, %")];
    let mut data = Table::new(
        &name,
        "Rank by AUBC with its bootstrap interval, and share of resamples in which a strategy is the best",
        &columns,
    );
    let mut rows: Vec<Row> = Vec::new();
    for (label, rank) in comparison.labels.iter().zip(&ranks) {
        let interval = Some((rank.low, rank.high));
        data.push(vec![
            Value::text(*label),
            Value::Interval(rank.rank, interval, Form::Fixed(1)),
            Value::Number(rank.best, Form::Percent(1)),
        ]);
        let text = if rank.best >= 0.001 { format!("best in {} %", Form::Percent(1).write(rank.best)) } else { String::new() };
        rows.push(Row { label: (*label).to_owned(), style: context.style(label), value: rank.rank, interval, text });
    }
    rows.sort_by(|a, b| a.value.total_cmp(&b.value));
    let forest = Forest {
        title: "Rank by AUBC".to_owned(),
        axis: Axis::new("Rank by AUBC; 1 is best", Unit::Count),
        rows,
        reference: None,
    };
    let caption = format!(
        "Rank of the mean AUBC with its 95 % percentile interval over {} resamples of the {}, drawn jointly for all strategies. \
         Overlapping intervals mean that the order is not known.",
        Form::Count.write(RESAMPLES as f64),
        count(comparison.curves.first().map_or(0, Vec::len), "shared seed")
    );
    Some(Figure { name, caption, drawing: Box::new(forest), data })
}

fn penalties(context: &Context<'_>, comparison: &Comparison<'_>, seeds: usize) -> (Figure, Table) {
    let sign = context.curves.sign();
    let curve = |c: &&SeedCurve| comparison.budgets.iter().filter_map(|l| c.at(*l)).map(|v| sign * v).collect::<Vec<f64>>();
    let values: Vec<Vec<Vec<f64>>> = comparison.curves.iter().map(|s| s.iter().map(curve).collect()).collect();
    let threshold = student::quantile(1.0 - context.options.alpha / 2.0, (seeds - 1) as f64);
    let matrix = penalty_matrix(&values, threshold);
    let name = context.name("penalties");
    let mut data = Table::new(
        &name,
        "Penalty matrix: share of the rounds at which the row beats the column",
        &[("strategy", "Row beats column")],
    );
    comparison.labels.iter().for_each(|l| data.column(*l, *l));
    for (label, row) in comparison.labels.iter().zip(&matrix.penalty) {
        let mut cells = vec![Value::text(*label)];
        cells.extend(row.iter().map(|p| Value::Number(*p, Form::Percent(0))));
        data.push(cells);
    }
    let mut mean = vec![Value::text("column mean")];
    mean.extend(matrix.column_mean.iter().map(|p| Value::Number(*p, Form::Percent(1))));
    data.push(mean);
    let names: Vec<String> = comparison.labels.iter().map(|l| (*l).to_owned()).collect();
    let off_diagonal = |(i, row): (usize, &Vec<f64>)| row.iter().enumerate().map(|(j, v)| (i != j).then_some(*v)).collect();
    let heat = HeatMap {
        title: "Penalty matrix".to_owned(),
        rows: names.clone(),
        columns: names,
        values: matrix.penalty.iter().enumerate().map(off_diagonal).collect(),
        footer: Some(("column mean".to_owned(), matrix.column_mean.iter().map(|v| Some(*v)).collect())),
        full: 1.0,
        x_title: String::new(),
    };
    let caption = format!(
        "Pairwise penalties in percent (Ash et al. 2020): the share of the {} at which the row beats the column in a paired t-test over {} \
         (t > {:.3}). The last row is the mean of each column; lower is better.",
        count(matrix.budgets, "round"),
        count(seeds, "seed"),
        threshold
    );
    let table = record(context, comparison, &matrix);
    (Figure { name, caption, drawing: Box::new(heat), data }, table)
}

/// Wins, ties and losses of each strategy over all opponents and rounds.
fn record(context: &Context<'_>, comparison: &Comparison<'_>, matrix: &PenaltyMatrix) -> Table {
    let k = comparison.labels.len();
    let columns =
        [("strategy", "Strategy"), ("wins", "Wins"), ("ties", "Ties"), ("losses", "Losses"), ("mean_penalty", "Mean penalty, %")];
    let caption = "Wins, ties and losses by these tests, over all opponents and rounds.";
    let mut table = Table::new(context.name("wins"), caption, &columns);
    for (i, label) in comparison.labels.iter().enumerate() {
        let wins: usize = matrix.wins[i].iter().sum();
        let losses: usize = (0..k).map(|j| matrix.wins[j][i]).sum();
        let ties = matrix.budgets * (k - 1) - wins - losses;
        let mean = Value::Number(matrix.column_mean[i], Form::Percent(1));
        table.push(vec![Value::text(*label), Value::count(wins), Value::count(ties), Value::count(losses), mean]);
    }
    table
}
