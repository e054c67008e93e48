//! Estimates with their intervals, one line each: differences to the baseline, ranks.

use super::scale::{Axis, Scale};
use super::svg::{Anchor, Stroke, Svg, Text, fit, width};
use super::theme::{Ink, Theme};
use super::{Draw, Style};

/// One estimate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) style: Style,
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
    /// What stands at the right end.
    pub(crate) text: String,
}

/// Estimates under each other on a common axis.
#[derive(Debug, Clone)]
pub(crate) struct Forest {
    pub(crate) title: String,
    pub(crate) axis: Axis,
    pub(crate) rows: Vec<Row>,
    /// A value to compare with, drawn as a vertical line.
    pub(crate) reference: Option<f64>,
}

const WIDTH: f64 = 880.0;
const LINE: f64 = 26.0;
const NAME: f64 = 12.5;

impl Draw for Forest {
    fn draw(&self, theme: Theme) -> String {
        let longest = |f: fn(&Row) -> &str| self.rows.iter().map(|r| width(f(r), NAME)).fold(0.0, f64::max);
        let left = longest(|r| &r.label).min(200.0) + 24.0;
        let right = WIDTH - longest(|r| &r.text) - 24.0;
        let bottom = 10.0 + LINE * self.rows.len() as f64;
        let mut svg = Svg::new(theme, WIDTH, bottom + 46.0, &self.title);
        let ends = self.rows.iter().flat_map(|r| r.interval.map_or([r.value; 2], |(a, b)| [a.min(r.value), b.max(r.value)]));
        let all = ends.chain(self.reference);
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let scale = Scale::new((low, high), (left + 8.0, right - 12.0), false);
        for (value, label) in scale.ticks(self.axis.unit, 7) {
            svg.line((scale.at(value), 10.0), (scale.at(value), bottom), Stroke::new(Ink::Grid, 1.0));
            svg.text((scale.at(value), bottom + 18.0), &label, Text::new(12.0, Ink::Muted, Anchor::Middle));
        }
        if let Some(reference) = self.reference {
            let x = scale.at(reference);
            svg.line((x, 6.0), (x, bottom), Stroke { ink: Ink::Neutral, width: 1.5, dash: "4 3" });
        }
        for (i, row) in self.rows.iter().enumerate() {
            let y = 10.0 + LINE * (i as f64 + 0.5);
            svg.text((left - 10.0, y + 4.2), &fit(&row.label, NAME, 200.0), Text::new(NAME, Ink::Text, Anchor::End));
            if let Some((a, b)) = row.interval {
                svg.line((scale.at(a), y), (scale.at(b), y), Stroke::new(row.style.ink(), 2.2));
                for end in [a, b] {
                    svg.line((scale.at(end), y - 4.0), (scale.at(end), y + 4.0), Stroke::new(row.style.ink(), 1.5));
                }
            }
            row.style.mark(&mut svg, (scale.at(row.value), y), 4.6);
            svg.text((right, y + 4.2), &row.text, Text::new(NAME, Ink::Text, Anchor::Start));
        }
        let middle = f64::midpoint(left, right);
        svg.text((middle, bottom + 38.0), &self.axis.title, Text::new(13.0, Ink::Text, Anchor::Middle));
        svg.finish()
    }
}
