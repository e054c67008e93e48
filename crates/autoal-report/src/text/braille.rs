//! A canvas of braille characters: two dots by four in each cell of the terminal.

/// Dots on a grid, (0, 0) at the top left.
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
}

/// The bit of each dot of a braille character, by row and column.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// An empty canvas of terminal cells.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, cells: vec![0; columns * rows] }
    }

    /// Dots across and down.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.columns * 2, self.rows * 4)
    }

    fn dot(&mut self, x: i64, y: i64) {
        let (width, height) = self.size();
        if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
            let (x, y) = (x as usize, y as usize);
            self.cells[y / 4 * self.columns + x / 2] |= BITS[y % 4][x % 2];
        }
    }

    /// A straight line between two dots.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0);
        for i in 0..=steps as usize {
            let t = i as f64 / steps;
            self.dot((from.0 + (to.0 - from.0) * t).round() as i64, (from.1 + (to.1 - from.1) * t).round() as i64);
        }
    }

    /// The rows as text, without trailing blanks.
    pub(super) fn rows(&self) -> impl Iterator<Item = String> {
        let character = |bits: &u8| if *bits == 0 { ' ' } else { char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' ') };
        self.cells.chunks(self.columns).map(move |row| row.iter().map(character).collect())
    }
}
