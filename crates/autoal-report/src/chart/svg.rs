//! An SVG element as it is written: shapes, text, and the width that text takes.

use std::fmt::Write;

use super::theme::{Ink, Theme};

/// Fonts of all figures. Widths are measured for the widest of them, `DejaVu Sans`, which PNG files use; the others are narrower.
const FONT: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

/// Where text stands relative to its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) size: f64,
    pub(crate) ink: Ink,
    pub(crate) anchor: Anchor,
    pub(crate) bold: bool,
}

impl Text {
    pub(crate) fn new(size: f64, ink: Ink, anchor: Anchor) -> Self {
        Self { size, ink, anchor, bold: false }
    }

    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// A stroke.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) ink: Ink,
    pub(crate) width: f64,
    pub(crate) dash: &'static str,
}

impl Stroke {
    pub(crate) fn new(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: "" }
    }
}

/// An SVG element of a fixed size in its own units.
pub(crate) struct Svg {
    theme: Theme,
    width: f64,
    height: f64,
    title: String,
    body: String,
}

impl Svg {
    pub(crate) fn new(theme: Theme, width: f64, height: f64, title: &str) -> Self {
        Self { theme, width, height, title: escape(title), body: String::new() }
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.body.write_fmt(arguments).expect("writing to a string cannot fail");
        self.body.push('\n');
    }

    pub(crate) fn open(&mut self, class: &str, title: &str) {
        self.push(format_args!("<g class=\"{class}\"><title>{}</title>", escape(title)));
    }

    pub(crate) fn close(&mut self) {
        self.push(format_args!("</g>"));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        let paint = self.stroke(stroke);
        self.push(format_args!("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{paint}/>", n(from.0), n(from.1), n(to.0), n(to.1)));
    }

    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let paint = self.stroke(stroke);
        let joined = join(points);
        self.push(format_args!(
            "<polyline points=\"{joined}\" fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\"{paint}/>"
        ));
    }

    pub(crate) fn polygon(&mut self, points: &[(f64, f64)], ink: Ink, opacity: f64) {
        let (joined, fill) = (join(points), self.theme.colour(ink));
        self.push(format_args!("<polygon points=\"{joined}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>"));
    }

    pub(crate) fn rect(&mut self, at: (f64, f64), size: (f64, f64), ink: Ink) {
        let fill = self.theme.colour(ink);
        let (x, y, w, h) = (n(at.0), n(at.1), n(size.0.max(0.0)), n(size.1.max(0.0)));
        self.push(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{fill}\"/>"));
    }

    /// A closed outline with a hairline in the background colour, so that overlapping marks stay apart.
    pub(crate) fn mark(&mut self, path: &str, ink: Ink) {
        let (fill, edge) = (self.theme.colour(ink), self.theme.colour(Ink::Surface));
        self.push(format_args!("<path d=\"{path}\" fill=\"{fill}\" stroke=\"{edge}\" stroke-width=\"0.8\"/>"));
    }

    pub(crate) fn text(&mut self, at: (f64, f64), text: &str, style: Text) {
        self.turned_text(at, text, style, 0.0);
    }

    pub(crate) fn turned_text(&mut self, at: (f64, f64), text: &str, style: Text, degrees: f64) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, fill) = (n(at.0), n(at.1), self.theme.colour(style.ink));
        let weight = if style.bold { " font-weight=\"600\"" } else { "" };
        let turn = if degrees == 0.0 { String::new() } else { format!(" transform=\"rotate({} {x} {y})\"", n(degrees)) };
        let (size, text) = (n(style.size), escape(text));
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{fill}\"{weight}{turn}>{text}</text>"
        ));
    }

    fn stroke(&self, stroke: Stroke) -> String {
        let dash = if stroke.dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", stroke.dash) };
        format!(" stroke=\"{}\" stroke-width=\"{}\"{dash}", self.theme.colour(stroke.ink), n(stroke.width))
    }

    /// The whole element.
    pub(crate) fn finish(self) -> String {
        let (w, h) = (n(self.width), n(self.height));
        let background = match self.theme {
            Theme::Page => String::new(),
            Theme::Paper => format!("<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n", self.theme.colour(Ink::Surface)),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
             font-family=\"{FONT}\"><title>{}</title>\n{background}{}</svg>\n",
            self.title, self.body
        )
    }
}

fn join(points: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = points.iter().map(|p| format!("{},{}", n(p.0), n(p.1))).collect();
    pairs.join(" ")
}

/// A coordinate to a tenth of a unit, short.
pub(crate) fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text that is safe in XML and HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML allows no other control characters, not even escaped.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Advance widths of `DejaVu Sans` from the space to the tilde, in thousandths of the size.
const WIDTHS: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636,
    636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787,
    695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278,
    579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

/// The most that `text` takes in any of the fonts.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let advance = |c: char| WIDTHS.get((c as usize).wrapping_sub(32)).map_or(700.0, |w| f64::from(*w));
    text.chars().map(advance).sum::<f64>() * size / 1000.0
}

/// `text` cut to a width, with an ellipsis where something is left out.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if width(&kept, size) + width("M", size) + size > room {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}
