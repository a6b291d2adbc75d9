//! No allocation after warm-up, in any form of select on any backend. A process of its own, because
//! it replaces the allocator.
#![cfg(unix)]

use std::os::fd::AsFd;
use std::time::Duration;

use selectors_core::{Backend, DefaultSelector, EVENT_READ, Events, Notifier};

mod counting;
use counting::ALLOCATIONS;

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
