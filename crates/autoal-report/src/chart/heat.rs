//! Heat maps: candidate weights by round, penalties and overlaps by pair.

use super::Draw;
use super::svg::{Anchor, Svg, Text, fit, width};
use super::theme::{Ink, Theme};
use crate::format::percent;

/// A matrix of shaded cells with their values.
#[derive(Debug, Clone)]
pub(crate) struct HeatMap {
    pub(crate) title: String,
    pub(crate) rows: Vec<String>,
    pub(crate) columns: Vec<String>,
    /// Shares by row and column, written in percent; none is left blank.
    pub(crate) values: Vec<Vec<Option<f64>>>,
    /// The value of the full shade.
    pub(crate) full: f64,
    pub(crate) x_title: String,
}

const WIDTH: f64 = 880.0;
const NAME: f64 = 12.5;

impl Draw for HeatMap {
    fn draw(&self, theme: Theme) -> String {
        let left = self.rows.iter().map(|r| width(r, NAME)).fold(60.0, f64::max).min(200.0) + 16.0;
        let cell = ((WIDTH - left - 12.0) / self.columns.len().max(1) as f64).min(84.0);
        let height = cell.clamp(22.0, 30.0);
        let longest = self.columns.iter().map(|c| width(c, NAME)).fold(0.0, f64::max);
        let turned = longest > cell - 6.0;
        let head = if turned { longest.min(150.0) * 0.71 + 22.0 } else { 26.0 };
        // A turned name leans out of the last column.
        let lean = if turned { longest.min(150.0) * 0.71 } else { 0.0 };
        let total = (left + cell * self.columns.len() as f64 + lean + 12.0).max(360.0);
        let foot = if self.x_title.is_empty() { 8.0 } else { 30.0 };
        let mut svg = Svg::new(theme, total, head + height * self.rows.len() as f64 + foot, &self.title);
        for (j, name) in self.columns.iter().enumerate() {
            let x = left + cell * (j as f64 + 0.5);
            if turned {
                let style = Text::new(NAME, Ink::Text, Anchor::Start);
                svg.turned_text((x, head - 8.0), &fit(name, NAME, 150.0), style, -45.0);
            } else {
                svg.text((x, head - 8.0), name, Text::new(NAME, Ink::Text, Anchor::Middle));
            }
        }
        let size = (cell * 0.3).clamp(8.5, 12.0);
        for (i, (name, row)) in self.rows.iter().zip(&self.values).enumerate() {
            let y = head + height * i as f64;
            svg.text((left - 8.0, y + height / 2.0 + 4.2), &fit(name, NAME, 200.0), Text::new(NAME, Ink::Text, Anchor::End));
            for (j, value) in row.iter().enumerate() {
                let Some(value) = value.filter(|v| v.is_finite()) else { continue };
                let (x, shade) = (left + cell * j as f64, if self.full > 0.0 { value / self.full } else { 0.0 });
                svg.rect((x, y), (cell - 1.0, height - 1.0), Ink::Heat(shade));
                let at = (x + (cell - 1.0) / 2.0, y + height / 2.0 + size * 0.36);
                let text = percent(value, 0);
                if width(&text, size) <= cell - 1.0 {
                    svg.text(at, &text, Text::new(size, Ink::OnHeat(shade), Anchor::Middle));
                }
            }
        }
        let bottom = head + height * self.rows.len() as f64 + 20.0;
        let middle = left + cell * self.columns.len() as f64 / 2.0;
        svg.text((middle, bottom), &self.x_title, Text::new(13.0, Ink::Text, Anchor::Middle));
        svg.finish()
    }
}
