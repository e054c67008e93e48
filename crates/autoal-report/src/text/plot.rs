//! Learning curves in braille dots, each named at its right end.

use super::braille::Canvas;
use super::summary::cut;
use crate::curves::Curves;
use crate::experiment::Experiment;
use crate::format::{grouped, percent};
use crate::metric::Metric;

/// Widest name beside a curve.
const NAME: usize = 18;
/// Columns of the vertical axis: `100.0 ┤`.
const LEFT: usize = 8;

/// Mean accuracy over labels in a box of `width` x `height` characters; names stand at the curves' ends, best first where they crowd.
///
/// Empty without at least two rounds. A height too small to name every strategy names the best.
pub fn curves(experiment: &Experiment, width: usize, height: usize) -> String {
    let curves = Curves::of(experiment, Metric::Accuracy);
    let means = curves.strategies.iter().map(|s| (s.label.as_str(), s.mean()));
    let lines: Vec<(&str, Vec<(f64, f64)>)> = means
        .map(|(l, m)| (l, m.into_iter().map(|(x, e)| (x as f64, e.mean)).collect::<Vec<_>>()))
        .filter(|(_, m)| !m.is_empty())
        .collect();
    let xs = || lines.iter().flat_map(|(_, m)| m.iter().map(|p| p.0));
    let ys = || lines.iter().flat_map(|(_, m)| m.iter().map(|p| p.1));
    let (x0, x1) = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
    let (y0, y1) = (ys().fold(f64::INFINITY, f64::min), ys().fold(f64::NEG_INFINITY, f64::max));
    let names = lines.iter().map(|(l, _)| l.chars().count().min(NAME)).max().unwrap_or(0);
    let (columns, rows) = (width.saturating_sub(LEFT + names + 1), height.saturating_sub(2));
    if x1.partial_cmp(&x0) != Some(std::cmp::Ordering::Greater) || columns < 8 || rows < 2 {
        return String::new();
    }
    // A flat set of curves still needs a scale.
    let pad = ((y1 - y0) * 0.02).max(1e-4);
    let (y0, y1) = (y0 - pad, y1 + pad);
    let mut canvas = Canvas::new(columns, rows);
    let (dots_x, dots_y) = canvas.size();
    let place = |(x, y): (f64, f64)| ((x - x0) / (x1 - x0) * (dots_x - 1) as f64, (y1 - y) / (y1 - y0) * (dots_y - 1) as f64);
    for (_, points) in &lines {
        points.windows(2).for_each(|w| canvas.line(place(w[0]), place(w[1])));
    }
    let mut ends: Vec<(f64, &str)> = lines.iter().filter_map(|(l, m)| m.last().map(|p| (place(*p).1 / 4.0, *l))).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    ends.truncate(rows);
    let at = spread(&ends.iter().map(|e| e.0).collect::<Vec<_>>(), rows);
    let mut text = String::new();
    for (i, dots) in canvas.rows().enumerate() {
        let tick = if i % 4 == 0 && i + 2 < rows || i + 1 == rows {
            format!("{:>6} ┤", percent(y1 - (y1 - y0) * (i as f64 + 0.5) / rows as f64, 1))
        } else {
            format!("{:>6} │", "")
        };
        let name = at.iter().position(|a| *a == i).map_or(String::new(), |n| cut(ends[n].1, NAME));
        text.push_str(format!("{tick}{dots} {name}").trim_end());
        text.push('\n');
    }
    text + &horizontal_axis(experiment, x0, x1, columns)
}

fn horizontal_axis(experiment: &Experiment, x0: f64, x1: f64, columns: usize) -> String {
    let unit = if experiment.counts_labels { "labels" } else { "round" };
    let label = |x: f64| grouped(x.round() as u64);
    let (left, middle, right) = (label(x0), format!("accuracy %, over {unit}"), label(x1));
    let room = columns.saturating_sub(left.chars().count() + middle.chars().count() + right.chars().count());
    let (before, after) = (" ".repeat(room / 2), " ".repeat(room - room / 2));
    format!("{:>6} └{}\n{:LEFT$}{left}{before}{middle}{after}{right}\n", "", "─".repeat(columns), "")
}

/// Rows for names that want to stand at `wanted` (ascending), one a row, as near as they can.
fn spread(wanted: &[f64], rows: usize) -> Vec<usize> {
    let mut at: Vec<usize> = wanted.iter().map(|w| (*w as usize).min(rows - 1)).collect();
    for i in 1..at.len() {
        at[i] = at[i].max(at[i - 1] + 1);
    }
    // What was pushed past the end moves back up.
    let mut limit = rows;
    for a in at.iter_mut().rev() {
        *a = (*a).min(limit - 1);
        limit = *a;
    }
    at
}
