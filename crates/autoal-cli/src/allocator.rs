//! The program's allocator, set up for training.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay`, whose place among the options of mimalloc 3 the bindings do not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Makes the allocator keep what is freed. Every training step frees and allocates the same gigabytes; by default much of that goes back
/// to the system in between, which clears each page anew: a tenth of the time of a step.
#[expect(unsafe_code, reason = "the option has no safe binding")]
pub(crate) fn keep_freed_memory() {
    // SAFETY: the function stores one integer in a table of options that has this index; no memory of ours is involved.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) }
}
