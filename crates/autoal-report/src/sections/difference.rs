//! How much better than Random, on the same seeds?

use super::{Context, difference_form, difference_suffix};
use crate::chart::{Axis, Forest, Grid, LineChart, Point, Row, Series, Style, Unit};
use crate::curves::{Pairs, StrategyCurves};
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::format::p_with_sign;
use crate::stats::holm;
use crate::stats::paired::PairedT;
use crate::stats::wilcoxon::{Zeros, signed_ranks};

/// More bands than this in one chart hide each other.
const MOST_BANDS: usize = 4;

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let baseline = context.baseline()?;
    let others: Vec<(&StrategyCurves, Pairs<'_>)> =
        context.others().map(|s| (s, Pairs::of(s, baseline))).filter(|(_, p)| !p.a.is_empty()).collect();
    if others.is_empty() {
        return None;
    }
    let (curves, panels) = curves(context, baseline, &others);
    let mut blocks = vec![Block::Figure(curves)];
    blocks.extend(panels.map(Block::Figure));
    blocks.push(Block::Figure(areas(context, baseline, &others)));
    context.section("difference", &format!("Difference to {}", baseline.label), blocks)
}

fn unit(context: &Context<'_>) -> Unit {
    if context.options.metric.is_share() { Unit::Points } else { Unit::Plain }
}

fn curves(context: &Context<'_>, baseline: &StrategyCurves, others: &[(&StrategyCurves, Pairs<'_>)]) -> (Figure, Option<Figure>) {
    let metric = context.options.metric;
    let (axis, scale) = context.x_axis();
    let name = context.name("difference");
    let title = format!("{} − {}", metric.title(), baseline.label);
    let columns = [
        ("strategy", "Strategy"),
        (context.unit(), "Labels"),
        ("seeds", "Seeds"),
        ("difference", "Difference"),
        ("t", "t"),
        ("p", "p"),
        ("p_holm", "p, Holm"),
    ];
    let mut data = Table::new(&name, format!("{title}, by round"), &columns);
    let mut series = Vec::new();
    for (strategy, pairs) in others {
        let tests: Vec<(usize, PairedT)> = pairs.labels().into_iter().filter_map(|l| Some((l, pairs.test_at(l)?))).collect();
        let adjusted = holm::adjust_known(&tests.iter().map(|(_, t)| t.p).collect::<Vec<_>>());
        for ((labels, test), adjusted) in tests.iter().zip(adjusted) {
            let difference = Value::Interval(test.mean_difference, test.interval, difference_form(metric));
            data.push(vec![
                Value::text(&strategy.label),
                Value::count(*labels),
                Value::count(test.n),
                difference,
                Value::number(test.t, Form::Signed(2)),
                Value::number(test.p, Form::P),
                Value::number(adjusted, Form::P),
            ]);
        }
        let point = |(l, t): &(usize, PairedT)| Point { x: *l as f64 / scale, y: t.mean_difference, band: t.interval };
        series.push(Series {
            label: strategy.label.clone(),
            style: context.style(&strategy.label),
            points: tests.iter().map(point).collect(),
            faint: false,
        });
    }
    let zero = |s: &Series| s.points.iter().map(|p| Point { x: p.x, y: 0.0, band: None }).collect();
    if let Some(longest) = series.iter().max_by_key(|s| s.points.len()) {
        series.push(Series { label: baseline.label.clone(), style: Style::Baseline, points: zero(longest), faint: false });
    }
    let y = Axis::new(format!("Difference to {}{}", baseline.label, difference_suffix(metric)), unit(context));
    let mut chart = LineChart::new(title, axis, y, series);
    chart.bands = others.len() <= MOST_BANDS;
    let panels = (!chart.bands).then(|| panels(context, baseline, &chart, &data));
    let bands = if chart.bands { " Bands are 95 % t-intervals." } else { "" };
    let caption = format!(
        "{} minus that of {} with the same seed, mean over seeds.{bands} The table behind the figure has the paired t-test of every round, \
         with Holm's correction over a strategy's rounds.",
        metric.title(),
        baseline.label
    );
    (Figure { name, caption, drawing: Box::new(chart), data }, panels)
}

/// One panel a strategy with its band.
fn panels(context: &Context<'_>, baseline: &StrategyCurves, whole: &LineChart, data: &Table) -> Figure {
    let panel = |own: &Series| {
        let mut panel = whole.clone();
        panel.title.clone_from(&own.label);
        panel.bands = true;
        panel.series.retain(|s| s.label == own.label || s.style == Style::Baseline);
        panel
    };
    let panels: Vec<LineChart> = whole.series.iter().filter(|s| s.style != Style::Baseline).map(panel).collect();
    let grid = Grid {
        title: format!("{} by strategy", whole.title),
        columns: if panels.len() > 9 { 4 } else { 3 },
        panels,
        same_y: true,
        legend: Vec::new(),
        x_title: whole.x.title.clone(),
        y_title: whole.y.title.clone(),
    };
    let name = context.name("difference-panels");
    let caption = format!(
        "The same differences to {} with their 95 % t-intervals: where a band leaves 0 out, that round's test says p < 0.05.",
        baseline.label
    );
    Figure { data: Table { name: name.clone(), ..data.clone() }, name, caption, drawing: Box::new(grid) }
}

fn areas(context: &Context<'_>, baseline: &StrategyCurves, others: &[(&StrategyCurves, Pairs<'_>)]) -> Figure {
    let metric = context.options.metric;
    let form = difference_form(metric);
    let tests: Vec<Option<PairedT>> = others.iter().map(|(_, p)| p.test_areas()).collect();
    let adjusted = holm::adjust_known(&tests.iter().map(|t| t.and_then(|t| t.p)).collect::<Vec<_>>());
    let name = context.name("aubc-difference");
    let columns = [
        ("strategy", "Strategy"),
        ("seeds", "Seeds"),
        ("difference", "AUBC difference"),
        ("t", "t"),
        ("p", "p"),
        ("p_holm", "p, Holm"),
        ("p_wilcoxon", "p, Wilcoxon"),
    ];
    let mut data = Table::new(&name, "Paired tests of AUBC", &columns);
    let mut rows = Vec::new();
    for (((strategy, pairs), test), adjusted) in others.iter().zip(tests).zip(adjusted) {
        let Some(test) = test else { continue };
        let difference = Value::Interval(test.mean_difference, test.interval, form);
        let p = adjusted.map_or(String::new(), |p| format!("  {}", p_with_sign(p)));
        rows.push(Row {
            label: strategy.label.clone(),
            style: context.style(&strategy.label),
            value: test.mean_difference,
            interval: test.interval,
            text: format!("{}{p}", form.write(test.mean_difference)),
        });
        data.push(vec![
            Value::text(&strategy.label),
            Value::count(test.n),
            difference,
            Value::number(test.t, Form::Signed(2)),
            Value::number(test.p, Form::P),
            Value::number(adjusted, Form::P),
            Value::number(wilcoxon(pairs), Form::P),
        ]);
    }
    let axis = Axis::new(format!("AUBC − AUBC of {}{}", baseline.label, difference_suffix(metric)), unit(context));
    let forest = Forest { title: format!("AUBC, difference to {}", baseline.label), axis, rows, reference: Some(0.0) };
    let caption = format!(
        "Area under the budget curve minus that of {}, paired by seed: mean, 95 % t-interval, and p of the paired t-test after Holm's correction \
         over the {} strategies.",
        baseline.label,
        others.len()
    );
    Figure { name, caption, drawing: Box::new(forest), data }
}

/// Exact where it applies, else the normal approximation.
fn wilcoxon(pairs: &Pairs<'_>) -> Option<f64> {
    let area = |c: &crate::curves::SeedCurve| crate::stats::area::aubc(&c.points);
    let difference = |(a, b): (&&crate::curves::SeedCurve, &&crate::curves::SeedCurve)| Some(area(a)? - area(b)?);
    let differences: Vec<f64> = pairs.a.iter().zip(&pairs.b).map(difference).collect::<Option<_>>()?;
    let ranks = signed_ranks(&differences, Zeros::Drop);
    ranks.exact_p().or_else(|| ranks.normal_p(true)).filter(|_| differences.len() > 1)
}
