//! How a strategy looks in every figure: a colour, a dash and a mark, so that fifteen can be told apart, in grey too.

use super::svg::{Svg, n};
use super::theme::{HUES, Ink};

/// The look of one strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// The baseline: neutral and dashed in every figure.
    Baseline,
    /// The n-th of the other strategies.
    Strategy(usize),
}

const DASHES: [&str; 3] = ["", "7 3", "2 3"];

impl Style {
    pub(crate) fn ink(self) -> Ink {
        match self {
            Self::Baseline => Ink::Neutral,
            Self::Strategy(i) => Ink::Hue(i % HUES),
        }
    }

    /// The second seven strategies are dashed, the third dotted.
    pub(crate) fn dash(self) -> &'static str {
        match self {
            Self::Baseline => "5 2 1.5 2",
            Self::Strategy(i) => DASHES[i / HUES % DASHES.len()],
        }
    }

    /// Draws the strategy's mark; shapes and colours repeat with different periods.
    pub(crate) fn mark(self, svg: &mut Svg, at: (f64, f64), r: f64) {
        let shape = match self {
            Self::Baseline => 0,
            Self::Strategy(i) => (i + i / HUES) % 6,
        };
        let corners: &[(f64, f64)] = match shape {
            0 => {
                let (x, y, r) = (n(at.0), n(at.1), n(r));
                let circle = format!(
                    "M{x} {y}m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z",
                    d = n(2.0 * r.parse::<f64>().unwrap_or(3.0))
                );
                return svg.mark(&circle, self.ink());
            }
            1 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            2 => &[(0.0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
            3 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            4 => &[(0.0, 1.2), (1.15, -0.9), (-1.15, -0.9)],
            _ => &[
                (-0.45, -1.2),
                (0.45, -1.2),
                (0.45, -0.45),
                (1.2, -0.45),
                (1.2, 0.45),
                (0.45, 0.45),
                (0.45, 1.2),
                (-0.45, 1.2),
                (-0.45, 0.45),
                (-1.2, 0.45),
                (-1.2, -0.45),
                (-0.45, -0.45),
            ],
        };
        let point = |(dx, dy): &(f64, f64)| format!("{} {}", n(at.0 + dx * r), n(at.1 + dy * r));
        let path: Vec<String> = corners.iter().map(point).collect();
        svg.mark(&format!("M{}z", path.join("L")), self.ink());
    }
}
