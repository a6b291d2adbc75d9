//! A global allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The system's allocator with a counter in front; make it the `#[global_allocator]`.
///
/// Each allocation costs a load and a store more: plain ones, not a read-modify-write, for that
/// would show up in the count of atomic operations. Two threads that allocate at the same instant
/// can lose a count; a count of zero is never wrong.
pub struct CountingAllocator;

pub fn allocations() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

#[inline]
fn count() {
    COUNT.store(COUNT.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

// SAFETY: each method hands its arguments to `System` unchanged and returns what it returns, so
// the promises of `GlobalAlloc` are the ones that `System` keeps.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, and `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract, and `pointer` came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
