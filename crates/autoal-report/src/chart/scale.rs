//! Axes: from values to positions, and round numbers to label them with.

use crate::format::{duration, fixed, grouped};

/// How the values of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Shares, shown in percent.
    Percent,
    /// Differences of shares, shown in points with a sign.
    Points,
    /// Whole numbers.
    Count,
    /// Numbers as they are.
    Plain,
    /// Seconds.
    Seconds,
}

/// What an axis shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    /// A logarithmic scale; ignored unless all values are positive.
    pub(crate) log: bool,
}

impl Axis {
    pub(crate) fn new(title: impl Into<String>, unit: Unit) -> Self {
        Self { title: title.into(), unit, log: false }
    }

    pub(crate) fn log(self, log: bool) -> Self {
        Self { log, ..self }
    }
}

/// A range of values on a range of positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
    log: bool,
}

impl Scale {
    /// `values` low to high, on positions; a single value gets some room on both sides.
    pub(crate) fn new(values: (f64, f64), to: (f64, f64), log: bool) -> Self {
        let log = log && values.0 > 0.0;
        let (low, high) = if values.1 > values.0 { values } else { (values.0 - 0.5, values.0 + 0.5) };
        Self { from: (low, high), to, log: log && low > 0.0 }
    }

    pub(crate) fn at(&self, value: f64) -> f64 {
        let f = |v: f64| if self.log { v.ln() } else { v };
        let t = (f(value) - f(self.from.0)) / (f(self.from.1) - f(self.from.0));
        self.to.0 + t * (self.to.1 - self.to.0)
    }

    /// Round values within the range, at most about `most`, with their labels.
    pub(crate) fn ticks(&self, unit: Unit, most: usize) -> Vec<(f64, String)> {
        let ticks = if self.log { self.log_ticks(unit) } else { Vec::new() };
        // Less than a decade may hold no power of ten; round numbers label it as well.
        if ticks.len() < 2 { self.linear_ticks(unit, most) } else { ticks }
    }

    fn linear_ticks(&self, unit: Unit, most: usize) -> Vec<(f64, String)> {
        let factor = if matches!(unit, Unit::Percent | Unit::Points) { 100.0 } else { 1.0 };
        let (low, high) = (self.from.0 * factor, self.from.1 * factor);
        let mut step = nice_step((high - low) / most.max(1) as f64);
        if unit == Unit::Count {
            step = step.max(1.0);
        }
        let digits = (0..6).find(|d| (step * 10_f64.powi(*d) - (step * 10_f64.powi(*d)).round()).abs() < 1e-6).unwrap_or(6);
        let slack = step * 1e-9;
        let (first, last) = (((low - slack) / step).ceil() as i64, ((high + slack) / step).floor() as i64);
        let tick = |i: i64| {
            let v = i as f64 * step;
            (v / factor, label(v, unit, digits as usize))
        };
        (first..=last).map(tick).collect()
    }

    fn log_ticks(&self, unit: Unit) -> Vec<(f64, String)> {
        let (low, high) = self.from;
        let decades = (high / low).log10();
        let steps: &[f64] = if decades < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let exponents = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let values = exponents.flat_map(|e| steps.iter().map(move |s| s * 10_f64.powi(e)));
        let factor = if matches!(unit, Unit::Percent | Unit::Points) { 100.0 } else { 1.0 };
        let digits = |v: f64| if v * factor >= 1.0 { 0 } else { (-(v * factor).log10().floor()) as usize };
        values.filter(|v| (low..=high).contains(v)).map(|v| (v, label(v * factor, unit, digits(v)))).collect()
    }
}

fn label(value: f64, unit: Unit, digits: usize) -> String {
    match unit {
        Unit::Percent | Unit::Plain => fixed(value, digits),
        Unit::Points => crate::format::signed(value, digits),
        Unit::Count if value >= 0.0 => grouped(value.round() as u64),
        Unit::Count => fixed(value, 0),
        Unit::Seconds => duration(value),
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `rough`.
fn nice_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, unit: Unit) -> Vec<String> {
        Scale::new((low, high), (0.0, 100.0), false).ticks(unit, 6).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_round_numbers_without_float_noise() {
        assert_eq!(labels(0.553, 0.871, Unit::Percent), ["60", "70", "80"]);
        assert_eq!(labels(0.1, 0.7, Unit::Plain), ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]);
        assert_eq!(labels(-0.012, 0.021, Unit::Points), ["−1", "0", "+1", "+2"]);
        assert_eq!(labels(3600.0, 36000.0, Unit::Count), ["10\u{202f}000", "20\u{202f}000", "30\u{202f}000"]);
        assert_eq!(labels(0.0, 3.0, Unit::Count), ["0", "1", "2", "3"]);
    }

    #[test]
    fn a_single_value_has_a_scale() {
        let scale = Scale::new((0.5, 0.5), (0.0, 10.0), true);
        assert!((scale.at(0.5) - 5.0).abs() < 1e-12);
        assert!(scale.ticks(Unit::Percent, 4).len() > 1);
    }
}
