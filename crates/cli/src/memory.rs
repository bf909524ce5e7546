//! The allocator, and when it gives memory back.

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds after which freed memory goes back to the system. The default of 10 suits programs that are idle at times; a
/// batch of reads takes longer, and the system would clear the same pages for each.
const GIVE_BACK_AFTER: c_long = 10_000;
/// `mi_option_purge_delay` of mimalloc 2 and 3.
const PURGE_DELAY: c_int = 15;

unsafe extern "C" {
    fn mi_option_set(option: c_int, value: c_long);
}

/// Keeps freed memory for the batches that follow, unless the environment says otherwise (`MIMALLOC_PURGE_DELAY`).
pub fn keep_freed() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: the allocator's own function, with one of its options; it may be called at any time.
        unsafe { mi_option_set(PURGE_DELAY, GIVE_BACK_AFTER) }
    }
}
