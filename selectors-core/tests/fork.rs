//! Rows U9, A15 and rule 3 of section 5: what a forked child shares with its parent. A process of
//! its own, with one test, because a fork copies only the thread that calls it.
#![cfg(unix)]

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use selectors_core::{Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, EpollSelector, Error};

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

#[test]
fn u9_a15_gh110395_a_child_that_drops_its_selector_does_not_disturb_the_parent() {
    let (a, mut b) = UnixStream::pair().unwrap();
    let mut selector = EpollSelector::new().unwrap();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    b.write_all(b"x").unwrap();
    let mut ready = Vec::new();

    // Dropping closes the child's copy of the set and deletes nothing from the shared set.
    let mut kept = Some(selector);
    in_a_child(|| {
        drop(kept.take());
        true
    });
    let mut selector = kept.unwrap();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);

    // Close is the same: the keys are the child's, the set is the parent's.
    let mut kept = Some(selector);
    in_a_child(|| kept.take().unwrap().close().len() == 1);
    let mut selector = kept.unwrap();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);

    // Unregistering in the child does reach the shared set. The parent's next modify says so, and
    // its key stays, to be unregistered and registered anew.
    let mut kept = Some(selector);
    in_a_child(|| kept.as_mut().unwrap().unregister(token).is_ok());
    let mut selector = kept.unwrap();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 0);
    let failed = selector.modify(token, EVENT_WRITE).unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(libc::ENOENT));
    let key = selector.unregister(token).unwrap();
    selector.register(key.fileobj, EVENT_READ, ()).unwrap();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);

    // A selector made in the child is the child's own.
    in_a_child(|| {
        let (c, mut d) = UnixStream::pair().unwrap();
        let mut own = DefaultSelector::new().unwrap();
        own.register(c, EVENT_READ, ()).unwrap();
        d.write_all(b"x").unwrap();
        own.select(&mut Vec::new(), None).unwrap() == 1
    });

    // A ring is the parent's alone: its child may only drop it.
    let Ok(mut ring) = Backend::Uring.selector() else {
        return println!("skipped: no ring here");
    };
    let (c, mut d) = UnixStream::pair().unwrap();
    let token = ring.register(c, EVENT_READ, ()).unwrap();
    assert_eq!(ring.select(&mut ready, NOW).unwrap(), 0);
    let mut kept = Some(ring);
    in_a_child(|| {
        let mut ring = kept.take().unwrap();
        let refused = ring.select(&mut Vec::new(), NOW);
        matches!(refused, Err(Error::Forked)) && ring.unregister(token).is_ok()
    });
    let mut ring = kept.unwrap();
    d.write_all(b"x").unwrap();
    assert_eq!(ring.select(&mut ready, NOW).unwrap(), 1);
}
