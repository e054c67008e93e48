//! Several charts in one figure with a common legend: the paper's figure over data sets, and one panel a strategy.

use super::line::LineChart;
use super::svg::{Anchor, Stroke, Svg, Text, width};
use super::theme::{Ink, Theme};
use super::{Draw, Style};

/// A chart of the grid.
pub(crate) type Panel = LineChart;

/// Charts side by side.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) title: String,
    pub(crate) panels: Vec<Panel>,
    pub(crate) columns: usize,
    /// Whether all panels have the same vertical axis.
    pub(crate) same_y: bool,
    pub(crate) legend: Vec<(String, Style)>,
    pub(crate) x_title: String,
    pub(crate) y_title: String,
}

const WIDTH: f64 = 880.0;
const ROW: f64 = 20.0;
const NAME: f64 = 12.5;

impl Grid {
    /// The legend's rows: what fits beside each other.
    fn legend_rows(&self) -> Vec<Vec<(&str, Style)>> {
        let mut rows: Vec<Vec<(&str, Style)>> = vec![Vec::new()];
        let mut used = 0.0;
        for (label, style) in &self.legend {
            let room = width(label, NAME) + 46.0;
            if used + room > WIDTH - 40.0 && used > 0.0 {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += room;
            rows.last_mut().expect("there is a first row").push((label, *style));
        }
        rows
    }

    fn draw_legend(&self, svg: &mut Svg) -> f64 {
        let rows = self.legend_rows();
        for (i, row) in rows.iter().enumerate() {
            let (mut x, y) = (28.0, 14.0 + i as f64 * ROW);
            for (label, style) in row {
                svg.line((x, y), (x + 24.0, y), Stroke { ink: style.ink(), width: 2.0, dash: style.dash() });
                svg.text((x + 30.0, y + 4.0), label, Text::new(NAME, Ink::Text, Anchor::Start));
                x += width(label, NAME) + 46.0;
            }
        }
        if self.legend.is_empty() { 0.0 } else { rows.len() as f64 * ROW + 12.0 }
    }
}

impl Draw for Grid {
    fn draw(&self, theme: Theme) -> String {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let rows = self.panels.len().div_ceil(columns);
        let side = 26.0;
        let panel_width = (WIDTH - side) / columns as f64;
        let panel_height = (panel_width * 0.72).min(340.0);
        let legend = if self.legend.is_empty() { 0.0 } else { self.legend_rows().len() as f64 * ROW + 12.0 };
        let height = legend + rows as f64 * panel_height + 28.0;
        let mut svg = Svg::new(theme, WIDTH, height, &self.title);
        let top = self.draw_legend(&mut svg);
        let join = |a: Option<(f64, f64)>, b: (f64, f64)| Some(a.map_or(b, |a| (a.0.min(b.0), a.1.max(b.1))));
        let shared = self.panels.iter().filter_map(LineChart::y_range).fold(None, join).filter(|_| self.same_y);
        for (i, panel) in self.panels.iter().enumerate() {
            let at = (side + (i % columns) as f64 * panel_width, top + (i / columns) as f64 * panel_height);
            let mut panel = panel.clone();
            panel.size = (panel_width, panel_height);
            panel.names = false;
            (panel.x.title, panel.y.title) = (String::new(), String::new());
            panel.draw_at(&mut svg, at, shared);
        }
        let title = |anchor| Text::new(13.0, Ink::Text, anchor);
        svg.text((f64::midpoint(side, WIDTH), height - 10.0), &self.x_title, title(Anchor::Middle));
        let middle = top + rows as f64 * panel_height / 2.0;
        svg.turned_text((16.0, middle), &self.y_title, title(Anchor::Middle), -90.0);
        svg.finish()
    }
}
