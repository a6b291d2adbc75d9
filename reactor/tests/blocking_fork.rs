//! A forked child has threads for blocking work of its own: those of its parent are not there.
//!
//! A test binary with one test, because a fork copies only the thread that calls it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc;

use futures_lite::future::{block_on, poll_once};
use reactor::blocking::unblock;

#[test]
fn a_forked_child_has_threads_of_its_own() -> io::Result<()> {
    // A thread of the parent's that waits for more to do, and one that is busy.
    assert_eq!(block_on(unblock(|| 1))?, 1);
    let (go_on, wait) = mpsc::channel::<()>();
    let mut busy = pin!(unblock(move || wait.recv().is_err()));
    assert!(block_on(poll_once(busy.as_mut())).is_none());
    // SAFETY: the other threads of this process only wait, and hold no lock meanwhile; the child leaves
    // by `_exit`.
    #[expect(unsafe_code, reason = "there is no safe fork")]
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the process if nobody does its work.
        #[expect(unsafe_code, reason = "there is no safe alarm")]
        unsafe {
            libc::alarm(60);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for number in 0..3 {
                assert_eq!(block_on(unblock(move || number)).expect("a thread"), number);
            }
            let error = block_on(busy.as_mut()).expect_err("nobody does it here");
            assert!(error.to_string().contains("forked"), "{error}");
            // Given up in the child, it is the parent's all the same.
            drop(unblock(|| 7));
        }));
        // SAFETY: ends this process.
        #[expect(unsafe_code, reason = "the parent's test harness is not to end twice")]
        unsafe {
            libc::_exit(i32::from(outcome.is_err()))
        }
    }
    let mut status = 0;
    // SAFETY: the status is ours.
    #[expect(unsafe_code, reason = "std waits for its own children alone")]
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0));
    drop(go_on);
    assert!(block_on(busy)?);
    Ok(())
}
