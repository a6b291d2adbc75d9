//! No allocation after warm-up, in any form of select on any backend. A process of its own, because
//! it replaces the allocator.
#![cfg(unix)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::os::fd::AsFd;
use std::time::Duration;

use selectors_core::{Backend, DefaultSelector, EVENT_READ, Events, Notifier};

struct Counting;

thread_local! {
    /// By thread, because the test harness allocates on its own.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator and only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn s26_no_form_of_select_allocates_after_warm_up() {
    for backend in Backend::available() {
        let notifiers: Vec<Notifier> = (0..100).map(|_| Notifier::new().unwrap()).collect();
        let mut selector: DefaultSelector<_, u64> = backend.selector().unwrap();
        let mut ready = Vec::new();
        let mut tokens = Vec::with_capacity(notifiers.len());
        for notifier in &notifiers {
            notifier.notify().unwrap();
            tokens.push(
                selector
                    .register(notifier.as_fd(), Events::READ_WRITE, 1)
                    .unwrap(),
            );
        }
        let mut round = || {
            for timeout in [
                Duration::ZERO,
                Duration::from_nanos(1),
                Duration::from_secs(1),
            ] {
                assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 100);
                assert_eq!(
                    selector
                        .select_interruptible(&mut ready, Some(timeout))
                        .unwrap(),
                    100
                );
                assert_eq!(
                    selector.select_with(Some(timeout), |_, _, _| {}).unwrap(),
                    100
                );
            }
            for token in &tokens {
                selector.modify(*token, EVENT_READ).unwrap();
            }
            assert_eq!(selector.select(&mut ready, None).unwrap(), 100);
            for token in &tokens {
                selector.park(*token).unwrap();
                selector.modify(*token, Events::READ_WRITE).unwrap();
            }
        };
        round();
        let before = ALLOCATIONS.get();
        for _ in 0..10 {
            round();
        }
        assert_eq!(ALLOCATIONS.get(), before, "{backend}");
    }
}
