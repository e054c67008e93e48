//! Figures, drawn as SVG by hand: no dependency decides how a learning curve looks.
//!
//! A chart is data until it is drawn with an [`Ink`] of a [`Theme`]: on the page its colours are CSS variables that follow the reader's
//! light or dark setting, in files they are fixed.

mod bars;
mod critical;
mod forest;
mod grid;
mod heat;
mod line;
mod place;
mod png;
mod scale;
mod series;
mod svg;
mod theme;

pub(crate) use bars::{Bar, Bars};
pub(crate) use critical::CriticalDifference;
pub(crate) use forest::{Forest, Row};
pub(crate) use grid::Grid;
pub(crate) use heat::HeatMap;
pub(crate) use line::{LineChart, Point, Series};
pub(crate) use png::png;
pub(crate) use scale::{Axis, Unit};
pub(crate) use series::Style;
pub(crate) use svg::escape;
pub(crate) use theme::{Theme, css};

/// Something that can be drawn.
pub(crate) trait Draw: Send + Sync {
    /// The figure as an `<svg>` element.
    fn draw(&self, theme: Theme) -> String;
}
