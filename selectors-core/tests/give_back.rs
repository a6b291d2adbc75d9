//! What a burst of keys needed is given back when they are gone, and files that come and go
//! steadily reallocate nothing. A process of its own, because it replaces the allocator and holds
//! many files.
#![cfg(unix)]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use selectors_core::os::{AsFd, BorrowedFd};
use selectors_core::{Backend, DefaultSelector, Event, Events, Notifier, Token};

mod counting;
use counting::{ALLOCATIONS, HELD};

type Selector<'a> = DefaultSelector<BorrowedFd<'a>, [usize; 2]>;

/// How many files may be open here.
fn files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(256).min(9000) - 56
}

/// Registers them all, sees them ready, and unregisters them in an order.
fn burst<'a>(selector: &mut Selector<'a>, files: &'a [Notifier], order: fn(&mut [Token])) {
    let mut tokens: Vec<Token> = files
        .iter()
        .map(|file| {
            selector
                .register(file.as_fd(), Events::READ_WRITE, [1, 2])
                .unwrap()
        })
        .collect();
    let mut ready: Vec<Event> = Vec::new();
    assert_eq!(
        selector.select(&mut ready, Some(Duration::ZERO)).unwrap(),
        files.len()
    );
    order(&mut tokens);
    for token in tokens {
        selector.unregister(token).unwrap();
    }
}

/// The tests take turns: the few must have low numbers, beside the many of the other test too.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn a_burst_of_keys_gives_its_memory_back_in_whatever_order_they_go() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let few: Vec<Notifier> = (0..10).map(|_| Notifier::new().unwrap()).collect();
    let many: Vec<Notifier> = (0..files()).map(|_| Notifier::new().unwrap()).collect();
    let forth: fn(&mut [Token]) = |_| {};
    let back: fn(&mut [Token]) = <[Token]>::reverse;
    let mixed: fn(&mut [Token]) = |tokens| tokens.sort_by_key(|token| token.fd() * 7919 % 9001);
    for backend in Backend::available() {
        for order in [forth, back, mixed] {
            let before = HELD.get();
            let mut selector: Selector<'_> = backend.selector().unwrap();
            for file in &few {
                selector
                    .register(file.as_fd(), Events::READ, [0, 0])
                    .unwrap();
            }
            burst(&mut selector, &many, order);
            let kept = HELD.get() - before;
            assert!(kept <= 200 * 1024, "{backend} keeps {kept} bytes");
            assert_eq!(selector.get_map().len(), few.len());
        }
    }
}

/// Half of many come and go, then the ones on top of many others.
#[test]
fn files_that_come_and_go_steadily_reallocate_nothing() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let files: Vec<Notifier> = (0..files()).map(|_| Notifier::new().unwrap()).collect();
    let (lower, upper) = files.split_at(files.len() / 2);
    for backend in Backend::available() {
        let mut selector: Selector<'_> = backend.selector().unwrap();
        burst(&mut selector, &files, |_| {});
        for file in lower {
            selector
                .register(file.as_fd(), Events::READ_WRITE, [1, 2])
                .unwrap();
        }
        let mut tokens = Vec::with_capacity(upper.len());
        let mut round = || {
            for some in [&upper[..1], upper] {
                for file in some {
                    tokens.push(
                        selector
                            .register(file.as_fd(), Events::READ_WRITE, [1, 2])
                            .unwrap(),
                    );
                }
                for token in tokens.drain(..) {
                    selector.unregister(token).unwrap();
                }
            }
        };
        round();
        let before = ALLOCATIONS.get();
        (0..10).for_each(|_| round());
        assert_eq!(ALLOCATIONS.get(), before, "{backend}");
    }
}
