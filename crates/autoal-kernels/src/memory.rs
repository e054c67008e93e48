//! Memory for kernels: outputs that many threads fill at disjoint places, and scratch buffers that are used again.

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::Mutex,
};

/// An output that several threads write at once, each at its own places.
///
/// Rust's slices can only be split at boundaries known in advance; a convolution's tiles interleave. Whoever asks for a pointer
/// promises that no other thread touches the same elements meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct SharedMut<'a> {
    start: *mut f32,
    len: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer is only dereferenced through `at`, whose callers promise disjoint places.
unsafe impl Send for SharedMut<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedMut<'_> {}

impl<'a> SharedMut<'a> {
    /// Borrows the slice for as long as threads write to it.
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        SharedMut { start: slice.as_mut_ptr(), len: slice.len(), lifetime: PhantomData }
    }

    /// Elements in all.
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// A pointer to `count` elements from `offset` on.
    ///
    /// # Safety
    /// `offset + count` must not exceed the length (checked in debug builds), and while the pointer is used no other thread may
    /// access these elements.
    #[inline(always)]
    pub(crate) unsafe fn at(self, offset: usize, count: usize) -> *mut f32 {
        debug_assert!(offset + count <= self.len, "write of {count} at {offset} beyond {}", self.len);
        // SAFETY: within the borrowed slice by the caller's promise.
        unsafe { self.start.add(offset) }
    }

    /// The part of `count` elements from `offset` on.
    pub(crate) fn part(self, offset: usize, count: usize) -> Self {
        assert!(offset + count <= self.len, "part of {count} at {offset} beyond {}", self.len);
        // SAFETY: just checked to lie within the borrowed slice.
        SharedMut { start: unsafe { self.start.add(offset) }, len: count, lifetime: PhantomData }
    }
}

/// A new vector whose elements are all written by `fill`, without being zeroed first.
///
/// # Safety
/// `fill` must write every element before it returns and read none that it has not written.
pub(crate) unsafe fn filled(len: usize, fill: impl FnOnce(SharedMut<'_>)) -> Vec<f32> {
    let mut out = Vec::<f32>::with_capacity(len);
    fill(SharedMut { start: out.as_mut_ptr(), len, lifetime: PhantomData });
    // SAFETY: the capacity is `len` and the caller promises that all elements are written.
    unsafe { out.set_len(len) };
    out
}

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Buffers kept for reuse; more than this are given back to the system.
const KEPT: usize = 64;

/// A borrowed buffer with arbitrary finite content. It returns to the store when dropped, so that repeated steps of training neither
/// allocate nor fault pages in.
pub(crate) struct Scratch {
    buffer: Vec<f32>,
    len: usize,
}

impl Scratch {
    /// A buffer of `len` elements of unspecified value.
    pub(crate) fn new(len: usize) -> Self {
        let mut free = FREE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The smallest that fits; failing that, the largest grows.
        let best = (0..free.len()).filter(|&i| free[i].len() >= len).min_by_key(|&i| free[i].len());
        let best = best.or_else(|| (0..free.len()).max_by_key(|&i| free[i].len()));
        let mut buffer = best.map(|i| free.swap_remove(i)).unwrap_or_default();
        drop(free);
        if buffer.len() < len {
            buffer = vec![0.0; len];
        }
        Scratch { buffer, len }
    }
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.buffer[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.len]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}
