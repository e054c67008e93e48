//! How long work reports itself to whoever watches.

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
