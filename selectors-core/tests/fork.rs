//! Rows U9, A15 and rule 3 of section 5: what a forked child shares with its parent. A process of
//! its own, with one test, because a fork copies only the thread that calls it.
#![cfg(unix)]

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use selectors_core::{Backend, EVENT_READ, EVENT_WRITE, Error, Mode};

/// Runs `child` in a forked child, which must answer true.
fn in_a_child(child: impl FnOnce() -> bool) {
    // SAFETY: this process runs one test; the child only uses what it was given and then leaves
    // without running destructors of the test harness.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let fine = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(false);
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(!fine)) };
    }
    let mut status = 0;
    // SAFETY: the kernel writes one int.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!((waited, status), (pid, 0), "the child failed");
}

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Whether the kernel keeps the set, which a child would share.
fn is_shared(backend: Backend) -> bool {
    !matches!(backend, Backend::Select | Backend::Poll)
}

#[test]
fn u9_a15_gh110395_whatever_a_child_does_with_its_copy_does_not_disturb_the_parent() {
    for backend in Backend::available() {
        whatever_a_child_does(*backend);
    }
}

fn whatever_a_child_does(backend: Backend) {
    let (a, mut b) = UnixStream::pair().unwrap();
    let (c, mut d) = UnixStream::pair().unwrap();
    let mut selector = backend.selector().unwrap();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    let mode = match selector.capabilities().edge {
        true => Mode::Edge,
        false => Mode::Level,
    };
    selector.register_with(c, EVENT_READ, mode, ()).unwrap();
    // Whoever asks the kernel only in a wait has asked.
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 0);
    b.write_all(b"x").unwrap();
    d.write_all(b"x").unwrap();

    // Dropping and closing delete nothing from a set that is shared, and neither does whatever asks
    // or changes, which is refused; keys come back.
    let mut kept = Some(selector);
    in_a_child(|| {
        drop(kept.take());
        true
    });
    in_a_child(|| kept.take().unwrap().close().len() == 2);
    in_a_child(|| {
        let mut selector = kept.take().unwrap();
        let (e, _f) = UnixStream::pair().unwrap();
        let answers = [
            selector.modify(token, EVENT_WRITE).err(),
            selector.select(&mut Vec::new(), NOW).err(),
            selector
                .register(e, EVENT_READ, ())
                .err()
                .map(|failed| failed.error),
        ];
        let refused = |answer: &Option<_>| match is_shared(backend) {
            true => matches!(answer, Some(Error::Forked)),
            false => answer.is_none(),
        };
        let gone = selector.unregister(token).is_ok();
        gone && selector.get_key(token).is_none() && answers.iter().all(refused)
    });
    let mut selector = kept.unwrap();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 2, "{backend}");
    selector.modify(token, EVENT_WRITE).unwrap();
    assert_eq!(
        selector.select(&mut ready, NOW).unwrap(),
        if mode == Mode::Edge { 1 } else { 2 }
    );
    selector.unregister(token).unwrap();

    // A selector made in the child is the child's own, and a child of the child is another.
    in_a_child(|| {
        let (g, mut h) = UnixStream::pair().unwrap();
        let mut own = backend.selector().unwrap();
        own.register(g, EVENT_READ, ()).unwrap();
        h.write_all(b"x").unwrap();
        in_a_child(|| own.select(&mut Vec::new(), NOW).is_err() == is_shared(backend));
        own.select(&mut Vec::new(), None).unwrap() == 1
    });
}
