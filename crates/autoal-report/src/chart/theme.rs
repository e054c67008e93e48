//! Colours by their role, on the page and on paper.

use std::fmt::Write;

/// Where a figure is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Inside the page: CSS variables, light or dark.
    Page,
    /// In a file of its own: fixed colours on white.
    Paper,
}

/// A colour by what it is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ink {
    /// Titles and values.
    Text,
    /// Ticks and names of axes.
    Muted,
    /// Grid lines.
    Grid,
    /// The background.
    Surface,
    /// The baseline strategy, and strategies in the background of a panel.
    Neutral,
    /// One of the strategy colours.
    Hue(usize),
    /// A cell of a heat map, 0 to 1.
    Heat(f64),
    /// Text on such a cell.
    OnHeat(f64),
}

/// Strategy colours on white. Any two, and each against the neutral grey, stay apart under protanopia and deuteranopia, and each has
/// a contrast of at least 3 : 1 to the background; `tests` holds both.
const LIGHT: [&str; HUES] = ["#1437a8", "#d9730d", "#00563a", "#6a0758", "#299fcd", "#6a5105", "#8264e7"];
/// Strategy colours on the dark background.
const DARK: [&str; HUES] = ["#4470e8", "#d97434", "#a9fcba", "#b8409f", "#67f0ff", "#f8d048", "#be97ff"];
/// Number of strategy colours.
pub(crate) const HUES: usize = 7;

/// Text, muted, grid, surface, neutral.
const LIGHT_ROLES: [&str; 5] = ["#1b1f24", "#59636e", "#e4e7eb", "#ffffff", "#6b7280"];
const DARK_ROLES: [&str; 5] = ["#e8eaed", "#a3acb7", "#2b3038", "#14171c", "#9aa3af"];
/// From this shade on, text in the other colour has more contrast, on both backgrounds.
const ON_HOT: f64 = 0.6;
/// Ends of the heat scale: nothing and everything.
const LIGHT_HEAT: [[f64; 3]; 2] = [[244.0, 246.0, 250.0], [20.0, 55.0, 168.0]];

impl Theme {
    /// The value of a `fill` or `stroke` attribute.
    pub(crate) fn colour(self, ink: Ink) -> String {
        let role = |i: usize| match self {
            Self::Page => format!("var(--{})", ["text", "muted", "grid", "surface", "neutral"][i]),
            Self::Paper => LIGHT_ROLES[i].to_owned(),
        };
        match ink {
            Ink::Text => role(0),
            Ink::Muted => role(1),
            Ink::Grid => role(2),
            Ink::Surface => role(3),
            Ink::Neutral => role(4),
            Ink::Hue(i) => match self {
                Self::Page => format!("var(--hue-{})", i % HUES),
                Self::Paper => LIGHT[i % HUES].to_owned(),
            },
            Ink::Heat(v) => match self {
                Self::Page => format!("color-mix(in srgb, var(--hot) {:.0}%, var(--cold))", v.clamp(0.0, 1.0) * 100.0),
                Self::Paper => mix(v),
            },
            Ink::OnHeat(v) => match self {
                Self::Page => format!("var(--on-{})", if v > ON_HOT { "hot" } else { "cold" }),
                Self::Paper => if v > ON_HOT { LIGHT_ROLES[3] } else { LIGHT_ROLES[0] }.to_owned(),
            },
        }
    }
}

fn mix(v: f64) -> String {
    let v = v.clamp(0.0, 1.0);
    let channel = |i: usize| (LIGHT_HEAT[0][i] + (LIGHT_HEAT[1][i] - LIGHT_HEAT[0][i]) * v).round() as u8;
    format!("#{:02x}{:02x}{:02x}", channel(0), channel(1), channel(2))
}

/// The page's CSS variables, for both settings.
pub(crate) fn css() -> String {
    let variables = |roles: &[&str; 5], hues: &[&str; HUES], heat: [&str; 4]| {
        let mut text = String::new();
        for (name, value) in ["text", "muted", "grid", "surface", "neutral"].iter().zip(roles) {
            let _ = write!(text, "--{name}:{value};");
        }
        for (i, hue) in hues.iter().enumerate() {
            let _ = write!(text, "--hue-{i}:{hue};");
        }
        for (name, value) in ["cold", "hot", "on-cold", "on-hot"].iter().zip(heat) {
            let _ = write!(text, "--{name}:{value};");
        }
        text
    };
    let light = variables(&LIGHT_ROLES, &LIGHT, ["#f4f6fa", LIGHT[0], LIGHT_ROLES[0], "#ffffff"]);
    let dark = variables(&DARK_ROLES, &DARK, ["#1c2129", "#8fb0ff", DARK_ROLES[0], "#10131a"]);
    // Paper is white whatever the reader's setting is.
    format!(":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Machado, Oliveira and Fernandes 2009, severity 1.
    const VISIONS: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ];
    /// CIE76 distance of two colours that are told apart at the width of a line; six of Okabe and Ito's colours have 18 at the least.
    const APART: f64 = 20.0;
    const CONTRAST: f64 = 3.0;

    fn linear(hex: &str) -> [f64; 3] {
        let channel = |i: usize| f64::from(u8::from_str_radix(&hex[i..i + 2], 16).expect("a colour is hexadecimal")) / 255.0;
        [1, 3, 5].map(|i| {
            let c = channel(i);
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance(hex: &str) -> f64 {
        let [r, g, b] = linear(hex);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn lab(rgb: [f64; 3], vision: &[[f64; 3]; 3]) -> [f64; 3] {
        let dot = |row: &[f64; 3], v: &[f64; 3]| row.iter().zip(v).map(|(a, b)| a * b).sum::<f64>();
        let seen: [f64; 3] = std::array::from_fn(|i| dot(&vision[i], &rgb).clamp(0.0, 1.0));
        let rows = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];
        let white = [0.9505, 1.0, 1.089];
        let f: [f64; 3] = std::array::from_fn(|i| {
            let v = dot(&rows[i], &seen) / white[i];
            if v > 0.008_856 { v.cbrt() } else { 7.787 * v + 16.0 / 116.0 }
        });
        [116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])]
    }

    #[test]
    fn strategy_colours_stay_apart_for_colour_blind_readers() {
        for (hues, roles) in [(LIGHT, LIGHT_ROLES), (DARK, DARK_ROLES)] {
            let mut all = hues.to_vec();
            all.push(roles[4]);
            for (i, a) in all.iter().enumerate() {
                for b in &all[i + 1..] {
                    for vision in &VISIONS {
                        let (x, y) = (lab(linear(a), vision), lab(linear(b), vision));
                        let distance = x.iter().zip(y).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt();
                        assert!(distance >= APART, "{a} and {b} are {distance:.1} apart");
                    }
                }
            }
        }
    }

    #[test]
    fn strategy_colours_stand_out_from_the_background() {
        for (hues, roles) in [(LIGHT, LIGHT_ROLES), (DARK, DARK_ROLES)] {
            for colour in hues.iter().chain([&roles[0], &roles[1], &roles[4]]) {
                let (a, b) = (luminance(colour), luminance(roles[3]));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= CONTRAST, "{colour} has contrast {contrast:.2}");
            }
        }
    }
}
