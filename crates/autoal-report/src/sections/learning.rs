//! How does the metric grow with labels?

use super::{Context, metric_axis, metric_form};
use crate::chart::{Grid, LineChart, Point, Series};
use crate::curves::{Curves, StrategyCurves};
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::metric::Metric;
use crate::stats::mean;

/// More bands than this in one chart hide each other; each strategy then gets a panel of its own.
const MOST_BANDS: usize = 6;

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let mut metrics = context.experiment.metrics();
    // The metric of the report comes first.
    metrics.sort_by_key(|m| *m != context.options.metric);
    let mut tabs: Vec<(String, Vec<Block>)> = metrics.iter().map(|m| (m.title().to_owned(), figures(context, *m))).collect();
    let blocks = if tabs.len() == 1 { tabs.remove(0).1 } else { vec![Block::Tabs(tabs)] };
    context.section("curves", "Learning curves", blocks)
}

fn figures(context: &Context<'_>, metric: Metric) -> Vec<Block> {
    let curves = Curves::of(context.experiment, metric);
    let all: Vec<&StrategyCurves> = curves.strategies.iter().collect();
    let few = all.len() <= MOST_BANDS;
    let name = context.name(&format!("curves-{metric}"));
    let caption =
        format!("{} after each round, mean over seeds.{}", metric.title(), if few { band_note(&all) } else { String::new() });
    let mut chart = chart(context, metric, &all, metric.title());
    chart.bands = few;
    let mut blocks =
        vec![Block::Figure(Figure { data: data(context, metric, &name, &all), name, caption, drawing: Box::new(chart) })];
    if !few {
        blocks.push(Block::Figure(panels(context, metric, &all)));
    }
    blocks
}

fn band_note(strategies: &[&StrategyCurves]) -> String {
    if strategies.iter().all(|s| s.shown().len() < 2) {
        " No band: fewer than two seeds.".to_owned()
    } else {
        " Bands are 95 % t-intervals of the mean over seeds (ddof 1); a strategy with one seed has none.".to_owned()
    }
}

/// A chart of some strategies' curves.
pub(super) fn chart(context: &Context<'_>, metric: Metric, strategies: &[&StrategyCurves], title: &str) -> LineChart {
    let (axis, scale) = context.x_axis();
    let (least, most) = metric.range();
    let within = |(low, high): (f64, f64)| (low.max(least), high.min(most));
    let series = strategies.iter().map(|s| Series {
        label: s.label.clone(),
        style: context.style(&s.label),
        points: s
            .mean()
            .iter()
            .map(|(l, e)| Point { x: *l as f64 / scale, y: e.mean, band: e.low().zip(e.high()).map(within) })
            .collect(),
        faint: false,
    });
    let mut chart = LineChart::new(title, axis, metric_axis(metric), series.collect());
    if let Some(level) = full_data_level(context, metric) {
        chart.levels.push((level, format!("all labels: {}", metric_form(metric).write(level))));
    }
    chart
}

fn full_data_level(context: &Context<'_>, metric: Metric) -> Option<f64> {
    let full = context.experiment.full_data.as_ref()?;
    mean(&full.cells.iter().filter_map(|c| metric.of(c.rounds.last()?)).collect::<Vec<_>>())
}

/// One panel a strategy, with its band, beside the baseline's line.
fn panels(context: &Context<'_>, metric: Metric, strategies: &[&StrategyCurves]) -> Figure {
    let whole = chart(context, metric, strategies, "");
    let baseline = context.baseline().map(|b| b.label.as_str());
    let panel = |own: &Series| {
        let mut panel = whole.clone();
        panel.title.clone_from(&own.label);
        panel.levels.clear();
        panel.series.retain(|s| s.label == own.label || Some(s.label.as_str()) == baseline);
        // The baseline's band would hide the own one.
        panel.series.iter_mut().filter(|s| s.label != own.label).for_each(|s| s.points.iter_mut().for_each(|p| p.band = None));
        panel
    };
    let shown = |s: &&Series| strategies.len() == 1 || Some(s.label.as_str()) != baseline;
    let grid = Grid {
        title: format!("{} by strategy", metric.title()),
        panels: whole.series.iter().filter(shown).map(panel).collect(),
        columns: if strategies.len() > 9 { 4 } else { 3 },
        same_y: true,
        legend: Vec::new(),
        x_title: whole.x.title.clone(),
        y_title: whole.y.title.clone(),
    };
    let name = context.name(&format!("panels-{metric}"));
    let beside = baseline.map_or(String::new(), |b| format!(" beside {b} (grey, dashed)"));
    let caption = format!("Each strategy{beside}.{}", band_note(strategies));
    Figure { data: data(context, metric, &name, strategies), name, caption, drawing: Box::new(grid) }
}

/// The numbers of the curves, one line a point.
fn data(context: &Context<'_>, metric: Metric, name: &str, strategies: &[&StrategyCurves]) -> Table {
    let columns = [
        ("strategy", "Strategy"),
        (context.unit(), "Labels"),
        ("seeds", "Seeds"),
        ("mean", metric.title()),
        ("sd", "Standard deviation"),
    ];
    let mut table = Table::new(name, format!("{} by strategy and round", metric.title()), &columns);
    let form = metric_form(metric);
    for strategy in strategies {
        for (labels, e) in strategy.mean() {
            let mean = Value::Interval(e.mean, e.low().zip(e.high()), form);
            table.push(vec![
                Value::text(&strategy.label),
                Value::count(labels),
                Value::count(e.n),
                mean,
                Value::number(e.sd, Form::Fixed(4)),
            ]);
        }
    }
    table
}
