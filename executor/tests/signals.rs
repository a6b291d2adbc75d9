//! Signals in the middle of a wait: no future ends early, fails or is forgotten.
//!
//! A binary of its own, because signal handlers belong to the whole process.
#![cfg(unix)]

use std::io;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use reactor::Turn;
use reactor::time::sleep;
use signal_hook::consts::SIGUSR1;

#[macro_use]
mod harness;
use harness::{Variant, pair};

on_every_backend!(
    a_turn_that_is_interrupted_ends_with_nothing_ready,
    a_sleep_that_is_interrupted_is_not_early,
    a_read_that_is_interrupted_gets_its_bytes,
);

/// Sends signals to one thread, one a millisecond, until it is dropped.
struct Storm {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    sender: Option<JoinHandle<()>>,
}

impl Storm {
    /// On the calling thread.
    fn new() -> Self {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(|| {
            signal_hook::flag::register(SIGUSR1, Arc::new(AtomicBool::new(false)))
                .expect("a handler that does nothing");
        });
        let (over, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (stop, count, target): (_, _, Pthread) =
            (Arc::clone(&over), Arc::clone(&sent), pthread_self());
        let sender = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
                pthread_kill(target, Signal::SIGUSR1).expect("a signal to a living thread");
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Storm {
            over,
            sent,
            sender: Some(sender),
        }
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            sender.join().expect("the sender of signals");
        }
    }
}

fn a_turn_that_is_interrupted_ends_with_nothing_ready(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _storm = Storm::new();
    for _ in 0..20 {
        assert_eq!(reactor.turn(None)?, Turn::default());
    }
    Ok(())
}

fn a_sleep_that_is_interrupted_is_not_early(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let storm = Storm::new();
        let enough = || storm.sent.load(Ordering::Relaxed) >= 100;
        for millis in [3, 50, 110].into_iter().cycle().take_while(|_| !enough()) {
            let (start, asked) = (Instant::now(), Duration::from_millis(millis));
            sleep(asked).await;
            assert!(
                start.elapsed() >= asked,
                "{asked:?} took {:?}",
                start.elapsed()
            );
        }
        Ok(())
    })
}

fn a_read_that_is_interrupted_gets_its_bytes(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let storm = Storm::new();
        let reading = executor::spawn(async move {
            let mut buffer = [0; 5];
            far.read_exact(&mut buffer).await.map(|()| buffer)
        });
        // Nothing but signals for a while: the loop waits again after each of them.
        let enough = storm.sent.load(Ordering::Relaxed) + 20;
        while storm.sent.load(Ordering::Relaxed) < enough {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(!reading.is_finished());
        near.write_all(b"hello").await?;
        assert_eq!(&reading.await??, b"hello");
        Ok(())
    })
}
