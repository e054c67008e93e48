//! What did a mixing strategy do: candidate weights (the paper's Fig. 5), selections by candidate, the search's own measures, ablations
//! (Fig. 3 and Fig. 4)?

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Context, learning, metric_axis, metric_form};
use crate::chart::{Axis, HeatMap, LineChart, Point, Series, Style, Unit};
use crate::curves::StrategyCurves;
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::experiment::{Cell, StrategyRuns};
use crate::schema::SearchStep;
use crate::stats::{Estimate, mean};

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let maps = |runs: &StrategyRuns| {
        let weights = shares(context, runs, "weights", "Candidate weights", weights);
        let nominations = shares(context, runs, "nominations", "Selections by candidate", nominations);
        let blocks: Vec<Block> = weights.into_iter().chain(nominations).map(Block::Figure).collect();
        (!blocks.is_empty()).then(|| (runs.label().to_owned(), blocks))
    };
    let mut tabs: Vec<(String, Vec<Block>)> = context.experiment.strategies.iter().filter_map(maps).collect();
    let mut blocks = if tabs.len() > 1 { vec![Block::Tabs(tabs)] } else { tabs.pop().map(|t| t.1).unwrap_or_default() };
    blocks.extend(search_figures(context).into_iter().map(Block::Figure));
    context.section("mixture", "Inside the adaptive strategies", blocks)
}

/// Values by candidate of one round.
type ByCandidate = Vec<(String, f64)>;

fn weights(cell: &Cell) -> Vec<(usize, ByCandidate)> {
    let logged: Vec<(usize, ByCandidate)> = cell
        .rounds
        .iter()
        .filter(|r| !r.weights.is_empty())
        .map(|r| (r.round, r.weights.iter().map(|w| (w.candidate.clone(), w.weight)).collect()))
        .collect();
    if !logged.is_empty() {
        return logged;
    }
    cell.search_rounds
        .iter()
        .map(|r| (r.round, r.candidates.iter().cloned().zip(r.mean_weight.iter().copied()).collect()))
        .collect()
}

fn nominations(cell: &Cell) -> Vec<(usize, ByCandidate)> {
    let named = cell.search_rounds.iter().filter(|r| !r.selections.is_empty());
    named.map(|r| (r.round, r.candidates.iter().cloned().zip(r.selections.iter().copied()).collect())).collect()
}

/// A heat map of each candidate's share by round, mean over seeds.
fn shares(
    context: &Context<'_>,
    runs: &StrategyRuns,
    what: &str,
    title: &str,
    read: fn(&Cell) -> Vec<(usize, ByCandidate)>,
) -> Option<Figure> {
    let mut candidates: Vec<String> = Vec::new();
    let mut by_round: BTreeMap<usize, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for (round, values) in runs.cells.iter().flat_map(read) {
        let sum: f64 = values.iter().map(|v| v.1).sum();
        for (candidate, value) in values.iter().filter(|_| sum > 0.0) {
            if !candidates.contains(candidate) {
                candidates.push(candidate.clone());
            }
            by_round.entry(round).or_default().entry(candidate.clone()).or_default().push(value / sum);
        }
    }
    if candidates.len() < 2 {
        return None;
    }
    let label = runs.label();
    let name = context.name(&format!("{what}-{}", crate::document::slug(label)));
    let mut data =
        Table::new(&name, format!("{title} of {label}: share by round, mean over seeds"), &[("candidate", "Candidate")]);
    for round in by_round.keys() {
        data.column(format!("round_{round}"), round.to_string());
    }
    let mut heat = HeatMap {
        title: format!("{title} of {label}"),
        rows: candidates.clone(),
        columns: by_round.keys().map(ToString::to_string).collect(),
        values: Vec::new(),
        footer: None,
        full: 0.0,
        x_title: "Round".to_owned(),
    };
    for candidate in &candidates {
        let row: Vec<Option<f64>> = by_round.values().map(|v| mean(v.get(candidate).map_or(&[], Vec::as_slice))).collect();
        heat.full = row.iter().flatten().fold(heat.full, |m, v| m.max(*v));
        let cells = row.iter().map(|v| Value::number(*v, Form::Percent(1)));
        data.push(std::iter::once(Value::text(candidate)).chain(cells).collect());
        heat.values.push(row);
    }
    let seeds = runs.cells.iter().filter(|c| !read(c).is_empty()).count();
    let caption = format!(
        "{title} of {label} by round, as a share of the round's sum in percent, mean over {}. An even mixture gives every candidate {} %.",
        crate::audit::count(seeds, "seed"),
        Form::Percent(1).write(1.0 / candidates.len() as f64)
    );
    Some(Figure { name, caption, drawing: Box::new(heat), data })
}

/// A measure of the search by round: the last recorded step, or the mean over steps.
struct Measure {
    key: &'static str,
    title: &'static str,
    caption: &'static str,
    unit: Unit,
    form: Form,
    log: bool,
    /// Values that can be: an interval is drawn no further.
    range: (f64, f64),
    over_steps: bool,
    read: fn(&SearchStep) -> Option<f64>,
}

const MEASURES: [Measure; 3] = [
    Measure {
        key: "precision",
        title: "Precision of the search, %",
        caption: "Share of the samples that the search selects among the labeled ones that have the highest losses there, each by a FitNet that has not seen it, at the last step of a round.",
        unit: Unit::Percent,
        form: Form::Percent(1),
        log: false,
        range: (0.0, 1.0),
        over_steps: false,
        read: |s| s.precision,
    },
    Measure {
        key: "budget-met",
        title: "Selected, % of the budget",
        caption: "Samples that the relaxed selection keeps as a share of its budget, at the last step of a round; 100 % meets it exactly.",
        unit: Unit::Percent,
        form: Form::Percent(1),
        log: false,
        range: (0.0, f64::INFINITY),
        over_steps: false,
        read: |s| Some(s.selected? / s.budget.filter(|b| *b > 0.0)?),
    },
    Measure {
        key: "gradient-norm",
        title: "Gradient norm",
        caption: "Norm of the search's gradient, mean over the steps of a round, on a logarithmic scale: a search that learns has one that does not vanish.",
        unit: Unit::Plain,
        form: Form::Fixed(6),
        log: true,
        range: (0.0, f64::INFINITY),
        over_steps: true,
        read: |s| s.grad_norm.filter(|g| *g > 0.0),
    },
];

fn search_figures(context: &Context<'_>) -> Vec<Figure> {
    MEASURES.iter().filter_map(|m| search_figure(context, m)).collect()
}

fn search_figure(context: &Context<'_>, measure: &Measure) -> Option<Figure> {
    let name = context.name(measure.key);
    let columns = [("series", "Strategy"), ("round", "Round"), ("seeds", "Seeds"), ("value", measure.title)];
    let mut data = Table::new(&name, measure.title, &columns);
    let mut series = Vec::new();
    for runs in &context.experiment.strategies {
        for (phase, rounds) in by_phase(runs, measure) {
            let label = if phase.is_empty() { runs.label().to_owned() } else { format!("{}, {phase}", runs.label()) };
            let style = if phase.is_empty() { context.style(runs.label()) } else { Style::Strategy(series.len()) };
            let mut points = Vec::new();
            for (round, values) in rounds {
                let Some(e) = Estimate::of(&values) else { continue };
                let interval = e.low().zip(e.high()).filter(|_| !measure.log);
                let (least, most) = measure.range;
                let band = interval.map(|(low, high)| (low.max(least), high.min(most)));
                points.push(Point { x: round as f64, y: e.mean, band });
                data.push(vec![
                    Value::text(&label),
                    Value::count(round),
                    Value::count(e.n),
                    Value::Interval(e.mean, interval, measure.form),
                ]);
            }
            series.push(Series { label, style, points, faint: false });
        }
    }
    if series.is_empty() {
        return None;
    }
    let y = Axis::new(measure.title, measure.unit).log(measure.log);
    let mut chart = LineChart::new(measure.title, Axis::new("Round", Unit::Count), y, series);
    chart.size.1 = 300.0;
    Some(Figure { name, caption: measure.caption.to_owned(), drawing: Box::new(chart), data })
}

/// Values by round and seed, apart by phase where several phases record the measure.
fn by_phase(runs: &StrategyRuns, measure: &Measure) -> Vec<(String, BTreeMap<usize, Vec<f64>>)> {
    let mut phases: Vec<String> = Vec::new();
    let steps = || runs.cells.iter().flat_map(|c| &c.search_steps).filter(|s| (measure.read)(s).is_some());
    for step in steps() {
        if !phases.contains(&step.phase) {
            phases.push(step.phase.clone());
        }
    }
    let alone = phases.len() == 1;
    let rounds = |phase: &String| {
        let mut rounds: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for cell in &runs.cells {
            let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
            for step in cell.search_steps.iter().filter(|s| s.phase == *phase) {
                values.entry(step.round).or_default().extend((measure.read)(step));
            }
            for (round, values) in values {
                let value = if measure.over_steps { mean(&values) } else { values.last().copied() };
                rounds.entry(round).or_default().extend(value);
            }
        }
        rounds
    };
    phases.iter().map(|p| (if alone { String::new() } else { p.clone() }, rounds(p))).collect()
}

/// Variants of the same strategy, side by side.
pub(super) fn ablations(context: &Context<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    let mut names: Vec<&str> = context.experiment.strategies.iter().map(|s| s.strategy.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let variants: Vec<&StrategyRuns> = context.experiment.strategies.iter().filter(|s| s.strategy.name == name).collect();
        if variants.len() > 1 {
            blocks.push(Block::Figure(variant_curves(context, name, &variants)));
            blocks.extend(by_candidate_count(context, name, &variants).map(Block::Figure));
        }
    }
    context.section("ablation", "Ablations", blocks)
}

fn variant_curves(context: &Context<'_>, strategy: &str, variants: &[&StrategyRuns]) -> Figure {
    let metric = context.options.metric;
    let mut shown: Vec<&StrategyCurves> = variants.iter().filter_map(|v| context.curves.strategy(v.label())).collect();
    if let Some(baseline) = context.baseline().filter(|b| variants.iter().all(|v| v.label() != b.label)) {
        shown.push(baseline);
    }
    let name = context.name(&format!("ablation-{}", crate::document::slug(strategy)));
    let mut data = Table::new(&name, format!("Variants of {strategy}"), &[("strategy", "Variant"), ("parameters", "Parameters")]);
    for variant in variants {
        data.push(vec![Value::text(variant.label()), Value::text(Json::Object(variant.strategy.parameters.clone()).to_string())]);
    }
    let chart = learning::chart(context, metric, &shown, &format!("Variants of {strategy}"));
    let caption = format!("{} of the variants of {strategy}, mean over seeds with 95 % t-intervals.", metric.title());
    Figure { name, caption, drawing: Box::new(chart), data }
}

/// Area over the number of candidates, where the variants differ in it.
fn by_candidate_count(context: &Context<'_>, strategy: &str, variants: &[&StrategyRuns]) -> Option<Figure> {
    let metric = context.options.metric;
    let count = |v: &StrategyRuns| v.strategy.parameters.get("candidates").and_then(Json::as_array).map(Vec::len);
    let estimate = |v: &StrategyRuns| Some((count(v)?, v.label().to_owned(), context.curves.strategy(v.label())?.area()?));
    let mut points: Vec<(usize, String, Estimate)> = variants.iter().filter_map(|v| estimate(v)).collect();
    points.sort_by_key(|p| p.0);
    let mut counts: Vec<usize> = points.iter().map(|p| p.0).collect();
    counts.dedup();
    // Two variants with as many candidates are not a line over their number.
    if counts.len() < 2 || counts.len() < points.len() {
        return None;
    }
    let name = context.name(&format!("candidates-{}", crate::document::slug(strategy)));
    let columns = [("candidates", "Candidates"), ("strategy", "Variant"), ("aubc", "AUBC")];
    let mut data = Table::new(&name, "AUBC over the number of candidates", &columns);
    for (count, label, e) in &points {
        data.push(vec![
            Value::count(*count),
            Value::text(label),
            Value::Interval(e.mean, e.low().zip(e.high()), metric_form(metric)),
        ]);
    }
    let points = points.iter().map(|(n, _, e)| Point { x: *n as f64, y: e.mean, band: e.low().zip(e.high()) }).collect();
    let series = vec![Series { label: strategy.to_owned(), style: Style::Strategy(0), points, faint: false }];
    let mut y = metric_axis(metric);
    y.title = format!("AUBC of {}", y.title.to_lowercase());
    let chart = LineChart::new("AUBC over the number of candidates", Axis::new("Candidates", Unit::Count), y, series);
    let caption = format!("Area under the budget curve of {strategy} over the number of its candidates, with 95 % t-intervals.");
    Some(Figure { name, caption, drawing: Box::new(chart), data })
}
