//! Signals as events of the loop. In a process of their own, and with signals that no other test
//! uses: a handler hears of every signal, whoever raised it.
#![cfg(unix)]

use std::io::{self, ErrorKind};

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, zip};
use reactor::signal::consts::{SIGINT, SIGKILL, SIGSEGV, SIGURG, SIGUSR1, SIGUSR2, SIGWINCH};
use reactor::signal::{Signals, ctrl_c};
use signal_hook::low_level::raise;

#[allow(unused_macros, reason = "the ways to wait come one after another here")]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, variants};

/// Signals belong to the process, so here one way to wait comes after another.
fn one_after_another(test: fn(Variant) -> io::Result<()>) -> io::Result<()> {
    variants().try_for_each(test)
}

#[test]
fn a_signal_wakes_who_waits_for_it() -> io::Result<()> {
    one_after_another(|variant| {
        variant.block_on(async {
            let mut signals = Signals::new([SIGUSR1, SIGWINCH])?;
            for signal in [SIGUSR1, SIGWINCH, SIGUSR1] {
                assert!(poll_once(signals.next()).await.is_none());
                let (seen, ()) = zip(Signals::next(&mut signals), async {
                    executor::yield_now().await;
                    raise(signal).expect("it is caught");
                })
                .await;
                assert_eq!(seen?, signal);
            }
            Ok(())
        })
    })
}

#[test]
fn signals_that_come_together_are_all_reported() -> io::Result<()> {
    one_after_another(|variant| {
        variant.block_on(async {
            let mut signals = Signals::new([SIGURG, SIGUSR2])?;
            raise(SIGURG)?;
            raise(SIGUSR2)?;
            raise(SIGURG)?;
            let mut seen = Vec::new();
            while let Some(signal) = poll_once(StreamExt::next(&mut signals)).await.flatten() {
                seen.push(signal?);
            }
            seen.sort_unstable();
            let mut both = vec![SIGURG, SIGUSR2];
            both.sort_unstable();
            assert_eq!(seen, both, "several of one number are one");
            Ok(())
        })
    })
}

#[test]
fn numbers_that_are_no_signal_are_refused() {
    executor::block_on(async {
        let never = [i32::MIN, -1, 0, 32, 33, 65, 127, 128, 1000, i32::MAX];
        for signal in never.into_iter().chain([SIGKILL, SIGSEGV]) {
            let error = Signals::new([SIGUSR1, signal]).expect_err("it is none");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().starts_with("catch signal"), "{error}");
            assert!(error.to_string().contains(&signal.to_string()), "{error}");
        }
    })
    .expect("a reactor");
}

#[test]
fn ctrl_c_is_heard_by_everybody_and_can_be_given_up() -> io::Result<()> {
    one_after_another(|variant| {
        let runtime = variant.runtime()?;
        runtime.block_on(async {
            assert!(poll_once(ctrl_c()).await.is_none(), "given up");
            assert_eq!(runtime.reactor().keys(), 0);
            let waiting = [(); 2].map(|()| executor::spawn(ctrl_c()));
            executor::yield_now().await;
            raise(SIGINT)?;
            for waits in waiting {
                waits.await.expect("no panic")?;
            }
            Ok(())
        })?
    })
}

#[test]
fn what_cannot_be_caught_is_refused() -> io::Result<()> {
    one_after_another(|variant| {
        variant.block_on(async {
            for signal in [SIGKILL, SIGSEGV] {
                let error = Signals::new([signal]).expect_err("not to be caught");
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.to_string().contains(&signal.to_string()), "{error}");
            }
            Ok(())
        })
    })
}
