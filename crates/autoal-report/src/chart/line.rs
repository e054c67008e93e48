//! Learning curves and everything else that is a line over labels or rounds.

use super::place::spread;
use super::scale::{Axis, Scale};
use super::svg::{Anchor, Stroke, Svg, Text, fit, width};
use super::theme::{Ink, Theme};
use super::{Draw, Style};

/// A point of a line, with the ends of its band where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) band: Option<(f64, f64)>,
}

/// A line with its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) style: Style,
    pub(crate) points: Vec<Point>,
    /// Drawn in the background, without a name.
    pub(crate) faint: bool,
}

/// A chart of lines with their names at the right ends.
#[derive(Debug, Clone)]
pub(crate) struct LineChart {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    /// Horizontal lines with a name.
    pub(crate) levels: Vec<(f64, String)>,
    /// Whether bands are drawn.
    pub(crate) bands: bool,
    /// Whether lines are named at their ends; panels of a grid have a common legend instead.
    pub(crate) names: bool,
    pub(crate) size: (f64, f64),
}

/// Where the plot lies in the chart.
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

const TICK: f64 = 12.0;
const NAME: f64 = 12.5;
/// Vertical room of a name.
const LEADING: f64 = 16.0;
const LONGEST_NAME: f64 = 190.0;

impl LineChart {
    pub(crate) fn new(title: impl Into<String>, x: Axis, y: Axis, series: Vec<Series>) -> Self {
        let (title, levels) = (title.into(), Vec::new());
        Self { title, x, y, series, levels, bands: true, names: true, size: (880.0, 470.0) }
    }

    fn named(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|s| !s.faint && !s.points.is_empty())
    }

    fn ranges(&self) -> Option<((f64, f64), (f64, f64))> {
        let points = || self.series.iter().flat_map(|s| &s.points);
        let fold = |values: &mut dyn Iterator<Item = f64>| {
            values
                .filter(|v| v.is_finite())
                .fold(None, |r: Option<(f64, f64)>, v| Some(r.map_or((v, v), |(a, b)| (a.min(v), b.max(v)))))
        };
        let x = fold(&mut points().map(|p| p.x))?;
        let bands = |p: &Point| p.band.filter(|_| self.bands).map_or([p.y, p.y], |b| [b.0, b.1]);
        let (low, high) = fold(&mut points().flat_map(bands).chain(self.levels.iter().map(|l| l.0)))?;
        let pad = if self.y.log { 0.0 } else { (high - low) * 0.03 };
        Some((x, (low - pad, high + pad)))
    }

    /// Draws the chart at an offset, as a panel of a larger figure does.
    pub(super) fn draw_at(&self, svg: &mut Svg, at: (f64, f64), y_range: Option<(f64, f64)>) {
        let Some((x_range, own)) = self.ranges() else {
            let middle = (at.0 + self.size.0 / 2.0, at.1 + self.size.1 / 2.0);
            return svg.text(middle, "no rounds yet", Text::new(TICK, Ink::Muted, Anchor::Middle));
        };
        let longest = self.named().map(|s| width(&s.label, NAME)).fold(0.0, f64::max).min(LONGEST_NAME);
        let right = if self.names { longest + 34.0 } else { 12.0 };
        let head = if self.names { 14.0 } else { 26.0 };
        let foot = if self.x.title.is_empty() { 24.0 } else { 46.0 };
        let frame = Frame {
            left: at.0 + if self.y.title.is_empty() { 44.0 } else { 70.0 },
            top: at.1 + head,
            right: at.0 + self.size.0 - right,
            bottom: at.1 + self.size.1 - foot,
        };
        let x = Scale::new(x_range, (frame.left + 6.0, frame.right - 6.0), self.x.log);
        let y = Scale::new(y_range.unwrap_or(own), (frame.bottom, frame.top), self.y.log);
        self.axes(svg, &frame, &x, &y);
        self.lines(svg, &frame, &x, &y);
        if self.names {
            self.name_lines(svg, &frame, &x, &y);
        } else {
            let title = fit(&self.title, 13.0, self.size.0 - 16.0);
            svg.text((frame.left, frame.top - 10.0), &title, Text::new(13.0, Ink::Text, Anchor::Start).bold());
        }
    }

    fn axes(&self, svg: &mut Svg, frame: &Frame, x: &Scale, y: &Scale) {
        let muted = |anchor| Text::new(TICK, Ink::Muted, anchor);
        // A panel has less room, and smaller steps keep it readable.
        let (down, across) = if self.names { (60.0, 90.0) } else { (34.0, 58.0) };
        let rows = ((frame.bottom - frame.top) / down).clamp(3.0, 8.0) as usize;
        for (value, label) in y.ticks(self.y.unit, rows) {
            let at = y.at(value);
            svg.line((frame.left, at), (frame.right, at), Stroke::new(Ink::Grid, 1.0));
            svg.text((frame.left - 8.0, at + 4.0), &label, muted(Anchor::End));
        }
        let columns = ((frame.right - frame.left) / across).clamp(2.0, 9.0) as usize;
        for (value, label) in x.ticks(self.x.unit, columns) {
            svg.line((x.at(value), frame.bottom), (x.at(value), frame.bottom + 5.0), Stroke::new(Ink::Muted, 1.0));
            svg.text((x.at(value), frame.bottom + 19.0), &label, muted(Anchor::Middle));
        }
        svg.line((frame.left, frame.bottom), (frame.right, frame.bottom), Stroke::new(Ink::Muted, 1.0));
        let middle = (f64::midpoint(frame.left, frame.right), frame.bottom + 40.0);
        svg.text(middle, &self.x.title, Text::new(13.0, Ink::Text, Anchor::Middle));
        let side = (frame.left - 54.0, f64::midpoint(frame.top, frame.bottom));
        svg.turned_text(side, &self.y.title, Text::new(13.0, Ink::Text, Anchor::Middle), -90.0);
        for (value, label) in &self.levels {
            svg.line(
                (frame.left, y.at(*value)),
                (frame.right, y.at(*value)),
                Stroke { ink: Ink::Text, width: 1.2, dash: "1.5 3" },
            );
            svg.text((frame.left + 8.0, y.at(*value) - 6.0), label, Text::new(TICK, Ink::Text, Anchor::Start));
        }
    }

    fn lines(&self, svg: &mut Svg, frame: &Frame, x: &Scale, y: &Scale) {
        let clamp = |v: f64| v.clamp(frame.top - 2.0, frame.bottom + 2.0);
        let place = |px: f64, py: f64| (x.at(px), clamp(y.at(py)));
        if self.bands {
            for series in self.series.iter().filter(|s| !s.faint) {
                let ends = |p: &Point| p.band.map(|b| (p.x, b));
                let band: Vec<(f64, (f64, f64))> = series.points.iter().filter_map(ends).collect();
                let upper = band.iter().map(|(px, b)| place(*px, b.1));
                let lower = band.iter().rev().map(|(px, b)| place(*px, b.0));
                let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
                if outline.len() > 2 {
                    svg.polygon(&outline, series.style.ink(), 0.14);
                }
            }
        }
        for (index, series) in self.series.iter().enumerate() {
            let points: Vec<(f64, f64)> = series.points.iter().map(|p| place(p.x, p.y)).collect();
            if series.faint {
                svg.polyline(&points, Stroke::new(Ink::Grid, 1.2));
                continue;
            }
            svg.open("series", &series.label);
            svg.polyline(&points, Stroke { ink: series.style.ink(), width: 1.9, dash: series.style.dash() });
            // A handful of marks a line, staggered, tells lines apart without hiding them.
            let every = points.len().div_ceil(8).max(1);
            for point in points.iter().skip(index % every).step_by(every).filter(|_| self.names || points.len() == 1) {
                series.style.mark(svg, *point, 3.2);
            }
            svg.close();
        }
    }

    fn name_lines(&self, svg: &mut Svg, frame: &Frame, x: &Scale, y: &Scale) {
        let ends: Vec<(&Series, f64, f64)> = self
            .named()
            .filter_map(|s| s.points.last().map(|p| (s, x.at(p.x), y.at(p.y).clamp(frame.top, frame.bottom))))
            .collect();
        let wanted: Vec<f64> = ends.iter().map(|e| e.2).collect();
        for ((series, end_x, end_y), at) in ends.iter().zip(spread(&wanted, LEADING, frame.top, frame.bottom)) {
            let ink = series.style.ink();
            let (start, turn) = (frame.right + 2.0, frame.right + 16.0);
            svg.polyline(&[(end_x + 4.0, *end_y), (start, *end_y), (turn, at), (turn + 4.0, at)], Stroke::new(ink, 1.0));
            svg.text((turn + 8.0, at + 4.2), &fit(&series.label, NAME, LONGEST_NAME), Text::new(NAME, ink, Anchor::Start));
        }
    }

    /// The range of the vertical axis, so that panels can share one.
    pub(super) fn y_range(&self) -> Option<(f64, f64)> {
        self.ranges().map(|r| r.1)
    }
}

impl Draw for LineChart {
    fn draw(&self, theme: Theme) -> String {
        let mut svg = Svg::new(theme, self.size.0, self.size.1, &self.title);
        self.draw_at(&mut svg, (0.0, 0.0), None);
        svg.finish()
    }
}
