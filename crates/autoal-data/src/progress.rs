//! How long work reports itself to whoever watches.

use std::io::Read;
use std::path::Path;

/// Receives the progress of reading and fetching.
pub trait Progress: Sync {
    /// A piece of work begins; `total` is its size in bytes where that is known.
    fn start(&self, what: &str, total: Option<u64>);
    /// So many further bytes are done.
    fn advance(&self, bytes: u64);
    /// The piece of work that was started last is over, whether it succeeded or not.
    fn finish(&self);
}

/// Reports nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _what: &str, _total: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn finish(&self) {}
}

/// What is said of a file that is being read.
pub(crate) fn reading(path: &Path) -> String {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    format!("reading {name}")
}

/// A reader that reports what is read through it.
pub(crate) struct Counting<'a, R> {
    inner: R,
    progress: &'a dyn Progress,
}

impl<'a, R: Read> Counting<'a, R> {
    pub(crate) fn new(inner: R, progress: &'a dyn Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.progress.advance(bytes as u64);
        Ok(bytes)
    }
}
