//! One line a strategy: area, final accuracy, difference to the baseline, time.

use crate::audit::count;
use crate::curves::{Curves, Pairs, StrategyCurves};
use crate::experiment::{Experiment, Severity, StrategyRuns};
use crate::format::{duration, percent, signed};
use crate::metric::Metric;
use crate::stats::{Estimate, mean};

/// Fewer seeds than this support no ranking.
const FEW: usize = crate::MIN_SEEDS;
/// Columns of a terminal.
const WIDTH: usize = 80;
/// Columns between two cells.
const GAP: usize = 2;
/// A label is not cut below this.
const SHORTEST_LABEL: usize = 10;

/// The strategies of an experiment as a table of at most 80 columns (longer labels are cut), and what a reader must know below it.
pub fn summary_table(experiment: &Experiment) -> String {
    let curves = Curves::of(experiment, Metric::Accuracy);
    let baseline = experiment.baseline().and_then(|b| curves.strategy(b.label()));
    let difference = baseline.map_or(String::new(), |b| format!("AUBC − {}", cut(&b.label, 12)));
    let mut rows = vec![["strategy".to_owned(), "seeds".into(), "AUBC %".into(), "final %".into(), difference, "a run".into()]];
    for (runs, strategy) in experiment.strategies.iter().zip(&curves.strategies) {
        rows.push(row(&curves, runs, strategy, baseline));
    }
    if let Some(full) = &experiment.full_data {
        let finals: Vec<f64> = full.cells.iter().filter_map(|c| Metric::Accuracy.of(c.rounds.last()?)).collect();
        let name = "all labels".to_owned();
        rows.push([name, finals.len().to_string(), "–".into(), estimate(Estimate::of(&finals)), String::new(), time(full)]);
    }
    let mut text = align(&rows);
    for line in remarks(experiment, &curves) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn row(curves: &Curves, runs: &StrategyRuns, strategy: &StrategyCurves, baseline: Option<&StrategyCurves>) -> [String; 6] {
    let last = curves.span.and_then(|(_, end)| strategy.at(end));
    let difference = match baseline {
        Some(b) if b.label != strategy.label => Pairs::of(strategy, b).test_areas().map_or("–".to_owned(), |t| {
            let points = |v: f64| signed(v * 100.0, 2);
            let interval = t.interval.map_or(String::new(), |(low, high)| format!(" [{}, {}]", points(low), points(high)));
            points(t.mean_difference) + &interval
        }),
        _ => String::new(),
    };
    let seeds = match (strategy.complete.len(), strategy.partial.len()) {
        (n, 0) => n.to_string(),
        (n, partial) => format!("{n} of {}", n + partial),
    };
    [cut(&strategy.label, 20), seeds, estimate(strategy.area()), estimate(last), difference, time(runs)]
}

fn estimate(estimate: Option<Estimate>) -> String {
    let Some(e) = estimate else { return "–".to_owned() };
    let band = e.half_width.map_or(String::new(), |h| format!(" ±{}", percent(h, 2)));
    percent(e.mean, 2) + &band
}

fn time(runs: &StrategyRuns) -> String {
    let total = |c: &crate::Cell| c.rounds.iter().map(|r| r.seconds.total).sum::<Option<f64>>().filter(|_| !c.rounds.is_empty());
    let totals: Vec<f64> = runs.cells.iter().filter_map(total).collect();
    mean(&totals).map_or("–".to_owned(), duration)
}

fn align(rows: &[[String; 6]]) -> String {
    let mut widths = [0; 6];
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(w, cell)| *w = (*w).max(cell.chars().count()));
    }
    // Long labels give way, so that the numbers fit.
    let rest: usize = widths[1..].iter().filter(|w| **w > 0).map(|w| w + GAP).sum();
    widths[0] = widths[0].min(WIDTH.saturating_sub(rest).max(SHORTEST_LABEL));
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).enumerate().filter(|(_, (_, w))| *w > 0);
        let padded = cells.map(|(i, (cell, w))| if i == 0 { format!("{:<w$}", cut(cell, w)) } else { format!("{cell:>w$}") });
        text.push_str(padded.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end());
        text.push('\n');
    }
    text
}

fn remarks(experiment: &Experiment, curves: &Curves) -> Vec<String> {
    let mut lines = vec!["± and [ ]: 95 % t-intervals over seeds; differences are paired by seed, in points.".to_owned()];
    match curves.fewest_seeds() {
        0 => lines.push("No strategy has a complete seed yet.".to_owned()),
        n if n < FEW => lines.push(format!("{} a strategy: no ranking is supported by fewer than {FEW}.", count(n, "seed"))),
        _ => {}
    }
    let serious = experiment.all_notes().into_iter().filter(|n| n.severity >= Severity::Warning);
    lines.extend(serious.map(|n| format!("note: {}", n.text)));
    lines
}

/// At most `width` characters, the last one an ellipsis where something is left out.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
