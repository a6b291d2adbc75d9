//! The table of counters in the crate's docs: each is started near its end.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use super::support::*;
use crate::kernel::{Devpoll, Epoll};
use crate::{EVENT_READ, Notifier, Script, ScriptedSelector, Token, monotonic_nanos, sys};

on_every_backend!(
    names_are_never_given_twice,
    a_namesake_in_the_kernels_word_finds_only_the_living_key,
    keys_are_counted_down_as_they_go,
);

/// Over the end of each half of a generation: no name comes twice, and each key hears its events.
fn names_are_never_given_twice<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    for start in [0, u64::from(u32::MAX) - 2, u64::MAX - 6] {
        let mut selector = selector::<K, _, _>();
        selector.generation = start;
        let mut names: Vec<Token> = Vec::new();
        for _ in 0..6 {
            let token = selector.register(&a, EVENT_READ, ()).unwrap();
            assert_eq!(tokens_now(&mut selector), [token]);
            assert!(names.iter().all(|name| selector.get_key(*name).is_none()));
            selector.unregister(token).unwrap();
            names.push(token);
        }
        let distinct: HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.is_sorted(), "{names:?}");
    }
}

/// 2^32 registrations later the kernel's word is the same: the old name still finds nothing.
fn a_namesake_in_the_kernels_word_finds_only_the_living_key<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let old = selector.register(&a, EVENT_READ, "old").unwrap();
    selector.unregister(old).unwrap();
    selector.generation = old.generation() + u64::from(u32::MAX);
    let new = selector.register(&a, EVENT_READ, "new").unwrap();
    assert_eq!(new.tag(), old.tag());
    assert_ne!(new, old);
    assert_eq!(tokens_now(&mut selector), [new]);
    assert!(selector.get_key(old).is_none() && selector.data_mut(old).is_none());
    assert!(selector.modify(old, EVENT_READ).is_err());
    assert!(selector.park(old).is_err());
    assert!(selector.unregister(old).is_err());
    assert_eq!(selector.unregister(new).unwrap().data, "new");
}

fn keys_are_counted_down_as_they_go<K: TestKernel>() {
    let sockets: Vec<_> = (0..20).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for _ in 0..20 {
        let tokens: Vec<_> = sockets
            .iter()
            .map(|(a, _)| selector.register(a, EVENT_READ, ()).unwrap())
            .collect();
        assert_eq!(tokens_now(&mut selector), []);
        assert_eq!(selector.get_map().len(), tokens.len());
        for token in tokens {
            selector.park(token).unwrap();
            selector.unregister(token).unwrap();
        }
        assert!(selector.get_map().is_empty());
    }
}

#[test]
fn keys_of_a_set_are_counted_down_as_they_go() {
    let (a, _b) = pair();
    let (mut epoll, mut devpoll) = (selector::<Epoll, _, _>(), selector::<Devpoll, _, _>());
    for _ in 0..20 {
        let token = epoll.register(&a, EVENT_READ, ()).unwrap();
        epoll.unregister(token).unwrap();
        let token = devpoll.register(&a, EVENT_READ, ()).unwrap();
        devpoll.unregister(token).unwrap();
    }
    assert_eq!((epoll.kernel.len, devpoll.kernel.len), (0, 0));
}

#[test]
fn a_notifier_at_the_end_of_its_counter_is_notified() {
    let notifier = Notifier::new().unwrap();
    sys::fd::write(notifier.as_fd(), &(u64::MAX - 1).to_ne_bytes()).unwrap();
    for _ in 0..3 {
        notifier.notify().unwrap();
    }
    assert!(notifier.clear().unwrap());
    assert!(!notifier.clear().unwrap());
}

#[test]
fn the_clock_has_centuries_left() {
    assert!(monotonic_nanos() < u64::MAX / 2);
}

#[test]
fn the_clock_of_a_script_stays_at_its_end() {
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let (a, _b) = pair();
    selector.register(&a, EVENT_READ, ()).unwrap();
    let mut last = selector.now();
    for _ in 0..3 {
        script.advance(Duration::MAX);
        assert_eq!(script.elapsed(), Duration::MAX);
        let timeout = Some(Duration::MAX);
        assert_eq!(
            selector
                .select_interruptible(&mut Vec::new(), timeout)
                .unwrap(),
            0
        );
        assert!(selector.now() >= last, "it never goes back");
        last = selector.now();
    }
}

/// The cells of a row of a table of the docs, below this heading.
fn rows_below(heading: &str) -> Vec<Vec<&'static str>> {
    let docs = include_str!("../../DOCS.md");
    let (_, below) = docs.split_once(heading).unwrap();
    let below = below.split("\n# ").next().unwrap_or_default();
    let rows = below.lines().filter(|line| line.starts_with("| "));
    rows.skip(1)
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn every_row_of_the_tables_has_its_test() {
    let tests = [
        include_str!("better.rs"),
        include_str!("counters.rs"),
        include_str!("panics.rs"),
        include_str!("shared.rs"),
        include_str!("uring.rs"),
    ]
    .concat();
    let tables = ["# Code that is not ours", "# Counters"].map(rows_below);
    for row in tables.iter().flatten() {
        for name in row.last().unwrap().split(", ") {
            let test = format!("fn {}", name.trim_matches('`'));
            assert!(tests.contains(&test), "{row:?}");
        }
    }
}

/// Whoever counts is in the table.
#[test]
fn every_file_that_counts_is_in_the_table() {
    let table: String = rows_below("# Counters").concat().concat();
    let mut counting = BTreeSet::new();
    for folder in ["", "kernel", "notifier", "sys"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(folder);
        for file in fs::read_dir(path).unwrap().map(Result::unwrap) {
            let Ok(text) = fs::read_to_string(file.path()) else {
                continue;
            };
            let name = file.file_name().into_string().unwrap();
            let code = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
            let counts = ["+= 1;", "fetch_add(", "wrapping_add(", "+= 1 "]
                .iter()
                .any(|sign| code.contains(sign));
            if counts && !["fault.rs", "testing.rs"].contains(&&*name) {
                counting.insert(Path::new(folder).join(name).display().to_string());
            }
        }
    }
    for file in counting {
        assert!(
            table.contains(&format!("`{file}`")),
            "{file} counts something"
        );
    }
}
