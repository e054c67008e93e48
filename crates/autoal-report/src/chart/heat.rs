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
    /// A row apart from the others: a mean of each column.
    pub(crate) footer: Option<(String, Vec<Option<f64>>)>,
    /// The value of the full shade.
    pub(crate) full: f64,
    pub(crate) x_title: String,
}

const WIDTH: f64 = 880.0;
const NAME: f64 = 12.5;

/// Sizes that follow from the names and the number of cells.
struct Layout {
    left: f64,
    head: f64,
    cell: f64,
    row: f64,
    /// Room for turned names beside the last column; 0 where names stand upright.
    lean: f64,
}

impl HeatMap {
    fn layout(&self) -> Layout {
        const LONGEST: f64 = 150.0;
        // Half of the square root of two: a turned name is as high as it is wide.
        const TURNED: f64 = 0.71;
        let widest = |names: &[String]| names.iter().map(|n| width(n, NAME)).fold(0.0, f64::max);
        let left = widest(&self.rows).clamp(60.0, 200.0) + 16.0;
        let longest = widest(&self.columns);
        let cell = |room: f64| ((WIDTH - left - 12.0 - room) / self.columns.len().max(1) as f64).min(84.0);
        let lean = if longest > cell(0.0) - 6.0 { longest.min(LONGEST) * TURNED } else { 0.0 };
        let (cell, head) = (cell(lean), if lean > 0.0 { lean + 22.0 } else { 26.0 });
        Layout { left, head, cell, row: cell.clamp(22.0, 30.0), lean }
    }

    fn draw_columns(&self, svg: &mut Svg, at: &Layout) {
        for (j, name) in self.columns.iter().enumerate() {
            let place = (at.left + at.cell * (j as f64 + 0.5), at.head - 8.0);
            if at.lean > 0.0 {
                svg.turned_text(place, &fit(name, NAME, 150.0), Text::new(NAME, Ink::Text, Anchor::Start), -45.0);
            } else {
                svg.text(place, name, Text::new(NAME, Ink::Text, Anchor::Middle));
            }
        }
    }

    fn draw_row(&self, svg: &mut Svg, at: &Layout, y: f64, name: &str, values: &[Option<f64>]) {
        let size = (at.cell * 0.3).clamp(8.5, 12.0);
        svg.text((at.left - 8.0, y + at.row / 2.0 + 4.2), &fit(name, NAME, 200.0), Text::new(NAME, Ink::Text, Anchor::End));
        for (j, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            let (x, shade) = (at.left + at.cell * j as f64, if self.full > 0.0 { value / self.full } else { 0.0 });
            svg.rect((x, y), (at.cell - 1.0, at.row - 1.0), Ink::Heat(shade));
            let text = percent(value, 0);
            if width(&text, size) <= at.cell - 1.0 {
                let middle = (x + (at.cell - 1.0) / 2.0, y + at.row / 2.0 + size * 0.36);
                svg.text(middle, &text, Text::new(size, Ink::OnHeat(shade), Anchor::Middle));
            }
        }
    }
}

impl Draw for HeatMap {
    fn draw(&self, theme: Theme) -> String {
        let at = self.layout();
        let columns = at.cell * self.columns.len() as f64;
        let bottom = at.head + at.row * self.rows.len() as f64;
        let footer = if self.footer.is_some() { at.row + 8.0 } else { 0.0 };
        let title = if self.x_title.is_empty() { 8.0 } else { 30.0 };
        let mut svg = Svg::new(theme, (at.left + columns + at.lean + 12.0).max(360.0), bottom + footer + title, &self.title);
        self.draw_columns(&mut svg, &at);
        for (i, (name, row)) in self.rows.iter().zip(&self.values).enumerate() {
            self.draw_row(&mut svg, &at, at.head + at.row * i as f64, name, row);
        }
        if let Some((name, row)) = &self.footer {
            self.draw_row(&mut svg, &at, bottom + 8.0, name, row);
        }
        let middle = (at.left + columns / 2.0, bottom + footer + 20.0);
        svg.text(middle, &self.x_title, Text::new(13.0, Ink::Text, Anchor::Middle));
        svg.finish()
    }
}
