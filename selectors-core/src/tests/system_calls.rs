//! The table of system calls in `sys/CALLS.md`: each call is made to say each errno, and does what
//! the table says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::support::*;
use crate::kernel::{Devpoll, Epoll, Kqueue, Open, Poll, Select};
use crate::notifier::tests::{pipe_notifier, user_notifier};
use crate::sys::fault;
use crate::sys::testing::{Private, errno_named};
use crate::{
    Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, EpollSelector, Error, Notifier, Selector,
};

const TABLE: &str = include_str!("../sys/CALLS.md");

/// One row of the table: the call, what for, errnos, and what we do.
fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| call ");
    TABLE.lines().filter(is_row).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        [(); 4].map(|()| cells.next().unwrap_or_else(|| panic!("four cells: {line}")))
    })
}

/// What came of a call that said this errno, in the words of the table.
fn verdict<T>(call: &str, errno: i32, before: usize, outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Refused { why, source, .. }) => {
            assert_eq!(source.raw_os_error(), Some(errno));
            format!("refused {why:?}")
        }
        Err(error @ Error::Os { .. }) => {
            assert_eq!(error.raw_os_error(), Some(errno));
            "reported".to_owned()
        }
        Err(error) => panic!("{call}: {error}"),
        Ok(_) if fault::count(call) - before > 1 => "retried".to_owned(),
        Ok(_) => "passes".to_owned(),
    }
}

/// Makes the next such call say the errno, during `action`.
fn injected<T>(
    call: &'static str,
    errno: i32,
    action: impl FnOnce() -> Result<T, Error>,
) -> String {
    let before = fault::count(call);
    fault::inject(call, errno);
    let outcome = action();
    assert!(fault::count(call) > before, "{call} is not made");
    verdict(call, errno, before, outcome)
}

/// The same for a select: an errno that ends the interruptible form ends no other one.
fn selects<K: TestKernel>(call: &'static str, errno: i32, older: Option<&str>) -> String {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(&a, EVENT_READ, ()).unwrap();
    let fine = ["epoll_pwait2", "ppoll", "pselect"].contains(&call);
    let timeout = Some(Duration::from_nanos(if fine { 1500 } else { 0 }));
    let ready = &mut Vec::new();
    let inject = || {
        if call == "select" {
            fault::inject("pselect", libc::ENOSYS);
        }
        fault::inject(call, errno);
    };
    let (before, older_before) = (fault::count(call), older.map(fault::count));
    inject();
    let outcome = selector.select_interruptible(ready, timeout);
    fault::clear();
    assert!(fault::count(call) > before, "{call} is not made");
    if matches!(outcome, Err(Error::Interrupted)) {
        inject();
        assert_eq!(selector.select(ready, timeout).unwrap(), 0);
        fault::clear();
        return "waits on".to_owned();
    }
    if outcome.is_ok() && older.map(fault::count) > older_before {
        return "falls back".to_owned();
    }
    verdict(call, errno, before, outcome)
}

/// What comes of this call, made for this purpose, when it says this errno.
fn play(call: &'static str, purpose: &str, errno: i32) -> String {
    let ((a, b), (c, _d)) = (pair(), pair());
    match (call, purpose) {
        ("epoll_create1", "EpollSelector::new") => {
            injected(call, errno, EpollSelector::<(), ()>::new)
        }
        ("epoll_create1", "DefaultSelector::new") => {
            let told = injected(call, errno, || {
                DefaultSelector::<(), ()>::new()
                    .inspect(|made| assert_ne!(made.backend(), crate::Backend::Epoll))
            });
            told.replace("passes", "falls back")
        }
        ("epoll_create1", "fileno") => {
            let selector = selector::<Epoll, (), ()>();
            injected(call, errno, || Ok(selector.fileno().unwrap()))
        }
        (_, "rebuild") => {
            let number = Private::new(&a);
            let mut selector = selector::<Epoll, _, _>();
            let token = selector.register(number.source(), EVENT_READ, ()).unwrap();
            number.close();
            selector.unregister(token).unwrap();
            send(&b);
            fault::inject(call, errno);
            let outcome = selector.select_interruptible(&mut Vec::new(), NOW);
            // Whatever it was, the next select builds the set anew.
            assert_eq!(tokens_now(&mut selector), []);
            match outcome {
                Err(Error::Interrupted) => "waits on".to_owned(),
                outcome => verdict(call, errno, 0, outcome),
            }
        }
        ("epoll_ctl", "register") => {
            let mut selector = selector::<Epoll, _, _>();
            injected(call, errno, || Ok(selector.register(&a, EVENT_READ, ())?))
        }
        ("epoll_ctl", "modify") => {
            let mut selector = selector::<Epoll, _, _>();
            let token = selector.register(&a, EVENT_READ, ()).unwrap();
            injected(call, errno, || selector.modify(token, EVENT_WRITE))
        }
        ("epoll_ctl", "unregister") => {
            let mut selector = selector::<Epoll, _, _>();
            let token = selector.register(&a, EVENT_READ, ()).unwrap();
            injected(call, errno, || selector.unregister(token))
        }
        ("epoll_wait", "select") => selects::<Epoll>(call, errno, None),
        ("epoll_pwait2", "select") => selects::<Epoll>(call, errno, Some("epoll_wait")),
        ("poll", "select") => selects::<Poll>(call, errno, None),
        ("ppoll", "select") => selects::<Poll>(call, errno, Some("poll")),
        ("pselect" | "select", "select") if errno == libc::EBADF => {
            let mut selector = selector::<Select, _, _>();
            selector.register(&a, EVENT_READ, ()).unwrap();
            if call == "select" {
                fault::inject("pselect", libc::ENOSYS);
            }
            injected(call, errno, || selector.select(&mut Vec::new(), NOW))
        }
        ("pselect", "select") => selects::<Select>(call, errno, Some("select")),
        ("select", "select") => selects::<Select>(call, errno, None),
        ("kevent", "select") => selects::<Kqueue>(call, errno, None),
        ("ioctl", "DevpollSelector::select") => selects::<Devpoll>(call, errno, None),
        ("eventfd", "Notifier::new") => {
            injected(call, errno, Notifier::new).replace("passes", "falls back")
        }
        ("pipe2", "Notifier::new") => {
            fault::inject("eventfd", libc::ENOSYS);
            injected(call, errno, Notifier::new)
        }
        ("write", "notify") => {
            let notifier = Notifier::new().unwrap();
            let pipe = pipe_notifier();
            let told = injected(call, errno, || notifier.notify());
            assert_eq!(injected(call, errno, || pipe.notify()), told);
            told
        }
        ("read", "clear") => {
            let (notifier, pipe) = (Notifier::new().unwrap(), pipe_notifier());
            let told = injected(call, errno, || notifier.clear());
            assert_eq!(injected(call, errno, || pipe.clear()), told);
            told
        }
        ("fcntl", "register") => {
            fn register<K: TestKernel>(a: &std::os::unix::net::UnixStream, errno: i32) -> String {
                let mut selector: Selector<K, _, _> = selector();
                injected("fcntl", errno, || {
                    Ok(selector.register(a, EVENT_READ, ())?)
                })
            }
            let told = register::<Select>(&a, errno);
            assert_eq!(register::<Poll>(&a, errno), told);
            assert_eq!(register::<Devpoll>(&a, errno), told);
            #[cfg(uring)]
            if has_ring() {
                assert_eq!(register::<crate::kernel::Uring>(&a, errno), told);
            }
            told
        }
        ("kqueue" | "fcntl", "KqueueSelector::new") => injected(call, errno, Kqueue::open),
        ("kevent", "register") => {
            let mut selector = selector::<Kqueue, _, _>();
            let told = injected(call, errno, || Ok(selector.register(&a, EVENT_READ, ())?));
            selector.register(&c, EVENT_READ, ()).unwrap();
            told
        }
        ("kevent", "UserOrPipe::new") => {
            injected(call, errno, user_notifier).replace("passes", "falls back")
        }
        ("open", "DevpollSelector::new") => injected(call, errno, Devpoll::open),
        ("write", "DevpollSelector::select") => {
            let mut selector = selector::<Devpoll, _, _>();
            selector.register(&a, EVENT_READ, ()).unwrap();
            injected(call, errno, || selector.select(&mut Vec::new(), NOW))
        }
        #[cfg(uring)]
        (_, "UringSelector::new") => injected(call, errno, crate::kernel::Uring::open),
        #[cfg(uring)]
        ("io_uring_enter", "UringSelector::select") => {
            selects::<crate::kernel::Uring>(call, errno, None)
        }
        #[cfg(uring)]
        ("io_uring_enter", "UringSelector::unregister") => {
            let mut selector = selector::<crate::kernel::Uring, _, _>();
            let token = selector.register(&a, EVENT_READ, ()).unwrap();
            assert_eq!(tokens_now(&mut selector), []);
            injected(call, errno, || selector.unregister(token))
        }
        other => panic!("no test makes {other:?}: add one to `play`"),
    }
}

#[test]
fn every_call_does_what_the_table_says_of_every_errno() {
    let mut wrong = Vec::new();
    for [call, purpose, errnos, expected] in rows() {
        if purpose.starts_with("UringSelector") && !Backend::available().contains(&Backend::Uring) {
            println!("skipped: {purpose}, because there is no ring here");
            continue;
        }
        for errno in errnos.split(' ') {
            let told = play(call, purpose, errno_named(errno));
            if told != expected {
                wrong.push(format!(
                    "{call} for {purpose}: {errno}: {told}, not {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_call_that_is_made_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sys");
    let mut made = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let is_theirs = ["fault.rs", "testing.rs", "mod.rs"]
            .iter()
            .any(|name| path.ends_with(name));
        if is_theirs || path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text: String = fs::read_to_string(&path).unwrap();
        let text: String = text.split_whitespace().collect();
        for start in ["syscall!(", "unsafe{libc::", "enter(\""] {
            for (at, _) in text.match_indices(start) {
                let name = text[at + start.len()..].chars();
                let name: String = name
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                made.insert(name);
            }
        }
    }
    // Made only where there is no pipe2(2), with the same errnos.
    let elsewhere = Some("pipe".to_owned());
    let told: BTreeSet<String> = rows()
        .map(|[call, ..]| call.to_owned())
        .chain(below())
        .chain(elsewhere)
        .collect();
    let missing: Vec<_> = made.difference(&told).collect();
    assert!(missing.is_empty(), "not in sys/CALLS.md: {missing:?}");
    let idle: Vec<_> = told.difference(&made).collect();
    assert!(
        idle.is_empty(),
        "in sys/CALLS.md, and nobody makes it: {idle:?}"
    );
}

/// The calls that are told below the table.
fn below() -> impl Iterator<Item = String> {
    let list = |after| {
        let (_, names) = TABLE.split_once(after).unwrap();
        let names = names.split('.').next().unwrap_or_default();
        names.split(',').map(|name| name.trim().to_owned())
    };
    list("is no errno: ").chain(list("table of its own for them: "))
}
