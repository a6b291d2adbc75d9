//! The table of backend differences in `README.md`: every cell is what a test of that column sees
//! on that backend.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use super::support::*;
use crate::sys::fault;
use crate::sys::testing::{Private, dup_from};
use crate::{Backend, EVENT_READ, EVENT_WRITE, Mode};

on_every_backend!(
    difference_calls_per_wait,
    difference_calls_per_change,
    difference_highest_fd,
    difference_timeout,
    difference_order,
    difference_hangup_for_write,
    difference_closed,
    difference_closed_with_dup,
    difference_regular_file,
    difference_empty_set,
    difference_results_per_wait,
    difference_modes,
    difference_conditions,
    difference_own_fd,
);

/// Asserts that the table has this text in the row of the backend.
fn cell<K: TestKernel>(column: &str, text: &str) {
    let readme = include_str!("../../README.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut lines = readme.lines().filter(|line| line.starts_with("| "));
    let header = lines
        .find(|line| line.starts_with("| backend "))
        .map(cells)
        .unwrap();
    let column_index = header.iter().position(|name| name == column).unwrap();
    let backend = K::for_a_test().backend();
    let is_row = |line: &&str| line.starts_with(&format!("| {backend} "));
    let row = lines.find(is_row).map(cells).unwrap();
    assert_eq!(row[column_index], text, "{backend}, {column}");
}

fn difference_calls_per_wait<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    selector.register(&a, EVENT_READ, ()).unwrap();
    selector.select(&mut Vec::new(), NOW).unwrap();
    // The doubles make calls of their own, so theirs are counted by name.
    let name = match selector.backend() {
        Backend::Select => "pselect",
        Backend::Poll => "poll",
        Backend::Epoll => "epoll_wait",
        Backend::Devpoll => "ioctl",
        Backend::Uring => "io_uring_enter",
        _ => "kevent",
    };
    let before = fault::count(name);
    selector.select(&mut Vec::new(), NOW).unwrap();
    let text = match selector.backend() {
        Backend::Select => "1, over all numbers",
        Backend::Poll => "1, over all keys",
        Backend::Devpoll => "1, 2 with changes; over all keys",
        _ => "1, over ready keys",
    };
    assert_eq!(fault::count(name) - before, 1);
    cell::<K>("calls per wait", text);
}

fn difference_calls_per_change<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let name = match selector.backend() {
        Backend::Epoll => "epoll_ctl",
        Backend::Kqueue => "kevent",
        Backend::Devpoll => "write",
        Backend::Uring => "io_uring_enter",
        _ => "",
    };
    let before = fault::count(name);
    selector.modify(token, EVENT_WRITE).unwrap();
    let text = match (fault::count(name) - before, selector.backend()) {
        (1, Backend::Kqueue) => "1, or with the wait",
        (1, _) => "1",
        (0, Backend::Devpoll | Backend::Uring) => "with the wait",
        (0, _) => "0",
        other => panic!("{other:?}"),
    };
    cell::<K>("calls per change", text);
}

fn difference_highest_fd<K: TestKernel>() {
    let (a, _b) = pair();
    if let Ok(high) = dup_from(std::os::fd::AsFd::as_fd(&a), 1500) {
        selector::<K, _, _>()
            .register(high, EVENT_READ, ())
            .unwrap();
    }
    let text = match K::for_a_test().backend() {
        Backend::Select => "none; 1023 on macOS, 65535 on illumos",
        _ => "none",
    };
    cell::<K>("highest fd", text);
}

fn difference_timeout<K: TestKernel>() {
    let fine = K::for_a_test().capabilities().nanosecond_timeouts;
    let text = match K::for_a_test().backend() {
        Backend::Poll if fine => "1 ns; 1 ms on macOS",
        Backend::Epoll if fine => "1 ns; 1 ms before Linux 5.11",
        _ if fine => "1 ns",
        _ => "1 ms",
    };
    cell::<K>("timeout", text);
}

fn difference_order<K: TestKernel>() {
    let sockets: Vec<_> = (0..6).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    let mut registered = Vec::new();
    for (a, _) in sockets.iter().rev() {
        registered.push(selector.register(a, EVENT_WRITE, ()).unwrap());
    }
    let mut ready = Vec::new();
    selector.select(&mut ready, NOW).unwrap();
    let reported: Vec<_> = ready.iter().map(|event| event.token).collect();
    let mut by_number = registered.clone();
    by_number.sort_unstable();
    let text = match selector.backend() {
        Backend::Epoll | Backend::Kqueue | Backend::Devpoll | Backend::Uring => "the kernel's",
        _ if reported == registered => "registration, until a removal",
        _ if reported == by_number => "numbers",
        _ => "unknown",
    };
    cell::<K>("order", text);
}

fn difference_hangup_for_write<K: TestKernel>() {
    let (reader, writer) = pipe();
    drop(writer);
    let mut selector = selector::<K, _, _>();
    selector.register(reader, EVENT_WRITE, ()).unwrap();
    let seen = !tokens_now(&mut selector).is_empty();
    cell::<K>("hang-up seen by WRITE", if seen { "yes" } else { "no" });
}

/// How often a closed number is reported, of many selects: first, and when its peer has written.
fn reports_of_a_closed_number<K: TestKernel>(keep_duplicate: bool, waited: bool) -> [usize; 2] {
    let (a, b) = pair();
    let number = Private::new(&a);
    let duplicate = keep_duplicate.then_some(a);
    let mut selector = selector::<K, _, _>();
    selector.register(number.source(), EVENT_READ, ()).unwrap();
    if waited {
        assert_eq!(tokens_now(&mut selector), []);
    }
    number.close();
    let mut reports = || (0..5).map(|_| tokens_now(&mut selector).len()).sum();
    let quiet = reports();
    // Refused, if nobody holds the file open.
    let _ = (&b).write(b"x");
    let told = reports();
    drop(duplicate);
    [quiet, told]
}

fn closed<K: TestKernel>(keep_duplicate: bool) -> &'static str {
    let [fresh, waited] =
        [false, true].map(|waited| reports_of_a_closed_number::<K>(keep_duplicate, waited));
    match (fresh, waited) {
        ([0, 0], [0, 0]) => "silent",
        ([1, 0], [1, 0]) => "invalid, once",
        ([1, 0], [0, 1]) => {
            "invalid, once; after a wait held open and silent, until its next event"
        }
        ([0, a], [0, b]) if a > 1 && b > 1 => "as if open, until unregister",
        _ => "unknown",
    }
}

fn difference_closed<K: TestKernel>() {
    cell::<K>("closed, still registered", closed::<K>(false));
}

fn difference_closed_with_dup<K: TestKernel>() {
    cell::<K>("closed, a dup open", closed::<K>(true));
}

fn difference_regular_file<K: TestKernel>() {
    let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let mut selector = selector::<K, _, _>();
    let text = match selector.register(&file, EVENT_READ, ()) {
        // The double cannot tell; kqueue(2) of the systems differ.
        _ if selector.backend() == Backend::Kqueue => "depends on the system",
        Ok(token) => {
            assert_eq!(tokens_now(&mut selector), [token]);
            "always ready"
        }
        Err(failed) => {
            assert_eq!(failed.error.raw_os_error(), Some(libc::EPERM));
            "refused, `NotPollable`"
        }
    };
    cell::<K>("regular file", text);
}

fn difference_empty_set<K: TestKernel>() {
    let mut selector = selector::<K, File, ()>();
    let (start, timeout) = (Instant::now(), Duration::from_millis(5));
    assert_eq!(
        selector
            .select_interruptible(&mut Vec::new(), Some(timeout))
            .unwrap(),
        0
    );
    assert!(start.elapsed() >= timeout);
    cell::<K>("empty set", "waits");
}

fn difference_results_per_wait<K: TestKernel>() {
    let sockets: Vec<_> = (0..80).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for (a, _) in &sockets {
        selector.register(a, EVENT_WRITE, ()).unwrap();
    }
    let mut ready = Vec::new();
    assert_eq!(selector.select_interruptible(&mut ready, NOW).unwrap(), 80);
    let text = match selector.backend() {
        Backend::Devpoll => "4096, the rest next time",
        _ => "all",
    };
    cell::<K>("results per wait", text);
}

fn difference_modes<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let mut works = Vec::new();
    for (mode, name) in [
        (Mode::Level, "level"),
        (Mode::Edge, "edge"),
        (Mode::Oneshot, "oneshot"),
        (Mode::EdgeOneshot, "edge-oneshot"),
    ] {
        if let Ok(token) = selector.register_with(&a, EVENT_READ, mode, ()) {
            works.push(name);
            selector.unregister(token).unwrap();
        }
    }
    cell::<K>("modes", &works.join(", "));
}

fn difference_conditions<K: TestKernel>() {
    let offered = K::for_a_test().capabilities();
    let text = match (
        offered.conditions,
        offered.priority,
        K::for_a_test().backend(),
    ) {
        (false, true, _) => "priority",
        (true, true, Backend::Devpoll) => "hang-up, error, priority",
        (true, true, _) => "hang-up, read-closed, error, priority",
        (true, false, _) => "hang-up, read-closed, error",
        (false, false, _) => "none",
    };
    cell::<K>("told apart", text);
}

fn difference_own_fd<K: TestKernel>() {
    let text = match (
        K::for_a_test().fileno().is_some(),
        K::for_a_test().backend(),
    ) {
        (true, Backend::Devpoll) => "yes, not watchable",
        (true, _) => "yes, watchable",
        (false, _) => "no",
    };
    cell::<K>("own fd", text);
}
