//! Figures as PNG, with an embedded font so that they look the same on every machine.

use std::sync::{Arc, LazyLock};

use resvg::{tiny_skia, usvg};

use crate::error::ReportError;

/// Pixels per unit: a figure of 880 units prints sharply across a page.
const SCALE: f32 = 2.0;

static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../assets/DejaVuSans.ttf").to_vec());
    fonts.load_font_data(include_bytes!("../../assets/DejaVuSans-Bold.ttf").to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Draws an SVG document; `name` is for the error.
pub(crate) fn png(name: &str, svg: &str) -> Result<Vec<u8>, ReportError> {
    let error = |detail: String| ReportError::Png { figure: name.to_owned(), detail };
    let options = usvg::Options { font_family: "DejaVu Sans".to_owned(), fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|e| error(e.to_string()))?;
    let size = tree.size();
    let (width, height) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
    let mut pixels =
        tiny_skia::Pixmap::new(width, height).ok_or_else(|| error(format!("{width} x {height} pixels are too many")))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| error(e.to_string()))
}
