//! Stacked horizontal bars: seconds by phase, classes of the selections.

use super::Draw;
use super::scale::{Axis, Scale};
use super::svg::{Anchor, Stroke, Svg, Text, fit, width};
use super::theme::{Ink, Theme};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) parts: Vec<f64>,
    /// What stands behind it.
    pub(crate) text: String,
}

/// Bars under each other whose parts have a common legend.
#[derive(Debug, Clone)]
pub(crate) struct Bars {
    pub(crate) title: String,
    pub(crate) axis: Axis,
    pub(crate) parts: Vec<String>,
    pub(crate) rows: Vec<Bar>,
}

const WIDTH: f64 = 880.0;
const LINE: f64 = 26.0;
const NAME: f64 = 12.5;

impl Bars {
    fn legend(&self, svg: &mut Svg) -> f64 {
        let (mut x, mut y) = (16.0, 16.0);
        for (i, part) in self.parts.iter().enumerate() {
            let room = width(part, NAME) + 40.0;
            if x + room > WIDTH {
                (x, y) = (16.0, y + 22.0);
            }
            svg.rect((x, y - 9.0), (14.0, 12.0), Ink::Hue(i));
            svg.text((x + 20.0, y + 2.0), part, Text::new(NAME, Ink::Text, Anchor::Start));
            x += room;
        }
        y + 18.0
    }
}

impl Draw for Bars {
    fn draw(&self, theme: Theme) -> String {
        let left = self.rows.iter().map(|b| width(&b.label, NAME)).fold(0.0, f64::max).min(200.0) + 24.0;
        let right = WIDTH - self.rows.iter().map(|b| width(&b.text, NAME)).fold(0.0, f64::max) - 20.0;
        let legend_rows = self.parts.iter().map(|p| width(p, NAME) + 40.0).sum::<f64>() / WIDTH;
        let height = 34.0 + 22.0 * legend_rows.floor() + LINE * self.rows.len() as f64 + 46.0;
        let mut svg = Svg::new(theme, WIDTH, height, &self.title);
        let top = self.legend(&mut svg);
        let bottom = top + LINE * self.rows.len() as f64;
        let most = self.rows.iter().map(|b| b.parts.iter().sum::<f64>()).fold(0.0, f64::max);
        let scale = Scale::new((0.0, most), (left, right), false);
        for (value, label) in scale.ticks(self.axis.unit, 6) {
            svg.line((scale.at(value), top), (scale.at(value), bottom), Stroke::new(Ink::Grid, 1.0));
            svg.text((scale.at(value), bottom + 18.0), &label, Text::new(12.0, Ink::Muted, Anchor::Middle));
        }
        for (i, bar) in self.rows.iter().enumerate() {
            let y = top + LINE * i as f64;
            svg.text((left - 10.0, y + 17.0), &fit(&bar.label, NAME, 200.0), Text::new(NAME, Ink::Text, Anchor::End));
            let mut sum = 0.0;
            for (part, value) in bar.parts.iter().enumerate() {
                let (from, to) = (scale.at(sum), scale.at(sum + value));
                svg.rect((from, y + 5.0), (to - from, LINE - 10.0), Ink::Hue(part));
                sum += value;
            }
            svg.text((scale.at(sum) + 8.0, y + 17.0), &bar.text, Text::new(NAME, Ink::Text, Anchor::Start));
        }
        svg.text((f64::midpoint(left, right), bottom + 38.0), &self.axis.title, Text::new(13.0, Ink::Text, Anchor::Middle));
        svg.finish()
    }
}
