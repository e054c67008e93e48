//! The critical-difference diagram (Demšar 2006): average ranks on a line, and bars under groups that the test cannot tell apart.

use super::svg::{Anchor, Stroke, Svg, Text, fit, width};
use super::theme::{Ink, Theme};
use super::{Draw, Style};
use crate::format::fixed;

/// Average ranks over data sets with the critical difference.
#[derive(Debug, Clone)]
pub(crate) struct CriticalDifference {
    pub(crate) title: String,
    /// Name, look and average rank; 1 is best.
    pub(crate) ranks: Vec<(String, Style, f64)>,
    pub(crate) critical: f64,
}

const WIDTH: f64 = 880.0;
const NAME: f64 = 12.5;
const ROW: f64 = 20.0;

impl CriticalDifference {
    /// Groups of neighbours in rank, best to worst, none of which differs by the critical difference; only the largest of nested ones.
    fn groups(sorted: &[f64], critical: f64) -> Vec<(usize, usize)> {
        let mut groups: Vec<(usize, usize)> = Vec::new();
        for start in 0..sorted.len() {
            let end = (start..sorted.len()).rev().find(|e| sorted[*e] - sorted[start] < critical).unwrap_or(start);
            if end > start && groups.last().is_none_or(|g| end > g.1) {
                groups.push((start, end));
            }
        }
        groups
    }
}

impl Draw for CriticalDifference {
    fn draw(&self, theme: Theme) -> String {
        let mut sorted: Vec<&(String, Style, f64)> = self.ranks.iter().collect();
        sorted.sort_by(|a, b| a.2.total_cmp(&b.2));
        let k = sorted.len();
        let values: Vec<f64> = sorted.iter().map(|s| s.2).collect();
        let groups = Self::groups(&values, self.critical);
        let half = k.div_ceil(2);
        let (axis, bars) = (66.0, 12.0 * groups.len() as f64);
        let first = axis + bars + 26.0;
        let name = sorted.iter().map(|s| width(&s.0, NAME)).fold(0.0, f64::max).min(180.0) + 58.0;
        let (left, right) = (name, WIDTH - name);
        let x = |rank: f64| left + (rank - 1.0) / (k.max(2) - 1) as f64 * (right - left);
        let mut svg = Svg::new(theme, WIDTH, first + ROW * half as f64, &self.title);
        svg.line((left, axis), (right, axis), Stroke::new(Ink::Text, 1.2));
        for rank in 1..=k {
            svg.line((x(rank as f64), axis - 6.0), (x(rank as f64), axis), Stroke::new(Ink::Text, 1.2));
            svg.text((x(rank as f64), axis - 11.0), &rank.to_string(), Text::new(12.0, Ink::Muted, Anchor::Middle));
        }
        let end = x(1.0 + self.critical.min(k as f64 - 1.0));
        for (from, to) in [((left, 20.0), (end, 20.0)), ((left, 15.0), (left, 25.0)), ((end, 15.0), (end, 25.0))] {
            svg.line(from, to, Stroke::new(Ink::Text, 1.5));
        }
        let label = format!("critical difference {}", fixed(self.critical, 2));
        svg.text((end + 8.0, 24.0), &label, Text::new(12.0, Ink::Text, Anchor::Start));
        for (i, (label, style, rank)) in sorted.iter().enumerate() {
            let is_left = i < half;
            let row = if is_left { i } else { k - 1 - i };
            let y = first + ROW * row as f64;
            let (edge, anchor) = if is_left { (left - 16.0, Anchor::End) } else { (right + 16.0, Anchor::Start) };
            svg.polyline(&[(x(*rank), axis), (x(*rank), y), (edge, y)], Stroke::new(style.ink(), 1.2));
            let text = if is_left {
                format!("{}  {}", fit(label, NAME, 180.0), fixed(*rank, 2))
            } else {
                format!("{}  {}", fixed(*rank, 2), fit(label, NAME, 180.0))
            };
            let shift = if is_left { -6.0 } else { 6.0 };
            svg.text((edge + shift, y + 4.2), &text, Text::new(NAME, Ink::Text, anchor));
        }
        for (i, (start, end)) in groups.iter().enumerate() {
            let y = axis + 12.0 + 12.0 * i as f64;
            svg.line((x(values[*start]) - 4.0, y), (x(values[*end]) + 4.0, y), Stroke::new(Ink::Text, 4.0));
        }
        svg.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_join_only_what_the_test_cannot_tell_apart() {
        assert_eq!(CriticalDifference::groups(&[1.0, 1.5, 2.4, 4.0], 1.0), [(0, 1), (1, 2)]);
        assert_eq!(CriticalDifference::groups(&[1.0, 1.2, 1.4], 1.0), [(0, 2)]);
        assert!(CriticalDifference::groups(&[1.0, 3.0], 1.0).is_empty());
    }
}
