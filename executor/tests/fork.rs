//! Fork: the child drops its copy of the runtime without a trace in the parent, and starts anew.
//!
//! A test binary with one test, because a fork copies only the thread that calls it.
#![cfg(unix)]

use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use reactor::Async;

#[allow(
    unused_macros,
    reason = "one test, which goes through the backends itself"
)]
mod harness;
use harness::{EPOLL_EDGE, EPOLL_LEVEL, POLL, SELECT, URING_EDGE, URING_LEVEL, Variant};

/// Runs `child` in a forked child, which must succeed.
fn in_a_child(child: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: "in a multithreaded process the child may only call async-signal-safe functions": the
    // other threads of this process only wait, and hold no lock meanwhile, and the C library keeps
    // its own locks in order; the child leaves by `process::exit` of this thread alone.
    #[expect(unsafe_code, reason = "there is no safe fork")]
    let forked = unsafe { fork() }?;
    match forked {
        ForkResult::Child => {
            let outcome = catch_unwind(AssertUnwindSafe(child));
            process::exit(i32::from(!matches!(outcome, Ok(Ok(())))))
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None)?, WaitStatus::Exited(child, 0));
            Ok(())
        }
    }
}

#[test]
fn a_child_that_drops_its_runtime_does_not_disturb_the_parent() -> io::Result<()> {
    for variant in [
        URING_EDGE,
        URING_LEVEL,
        EPOLL_EDGE,
        EPOLL_LEVEL,
        POLL,
        SELECT,
    ] {
        harness::run("fork", variant, a_child_leaves_and_starts_anew)?;
    }
    Ok(())
}

fn a_child_leaves_and_starts_anew(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (near, far) = UnixStream::pair()?;
    let task = runtime.spawn(async move {
        let far = Async::nonblocking(far)?;
        let mut byte = [0];
        far.read_exactly_one(&mut byte).await?;
        far.read_exactly_one(&mut byte).await?;
        io::Result::Ok(byte)
    });
    // The task waits, and its key is registered with the kernel.
    runtime.run_until_stalled();
    runtime.turn(Some(std::time::Duration::ZERO))?;
    assert_eq!(runtime.reactor().keys(), 1);

    let (mut runtime, mut task) = (Some(runtime), Some(task));
    in_a_child(|| {
        // First the copy, then a new one.
        drop(runtime.take());
        let cancelled = futures_lite::future::block_on(task.take().expect("still here"));
        assert!(cancelled.is_err_and(|error| error.is_cancelled()));
        let runtime = variant.runtime()?;
        runtime.block_on(async {
            let (one, other) = UnixStream::pair()?;
            let (one, other) = (Async::nonblocking(one)?, Async::nonblocking(other)?);
            let reader = executor::spawn(async move {
                let mut byte = [0];
                other.read_exactly_one(&mut byte).await?;
                io::Result::Ok(byte)
            });
            executor::yield_now().await;
            one.write_all(b"c").await?;
            assert_eq!(reader.await??, *b"c");
            Ok(())
        })?
    })?;

    // The parent's socket is still registered: what comes now is still heard.
    let (runtime, task) = (runtime.take().expect("ours"), task.take().expect("ours"));
    io::Write::write_all(&mut &near, b"1")?;
    runtime.block_on(executor::yield_now())?;
    runtime.turn(None)?;
    assert!(!task.is_finished());
    io::Write::write_all(&mut &near, b"2")?;
    assert_eq!(runtime.block_on(task)???, *b"2");
    Ok(())
}

/// One byte, or an error.
trait ReadOne {
    async fn read_exactly_one(&self, byte: &mut [u8; 1]) -> io::Result<()>;
}

impl ReadOne for Async<UnixStream> {
    async fn read_exactly_one(&self, byte: &mut [u8; 1]) -> io::Result<()> {
        match self.read(byte).await? {
            1 => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
