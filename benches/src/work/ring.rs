//! Tasks in a ring, each of which waits for the one before it.

use std::cell::Cell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Facts;
use super::channel::Channel;
use crate::runtime::Runtime;

/// A byte goes round a ring of socket pairs, one task between each two, `laps` times. Tells
/// nanoseconds for each hop: one readiness from the kernel to the task, a read and a write.
///
/// # Panics
///
/// When a system call fails.
pub fn ring<R: Runtime>(members: usize, laps: u64) -> Facts {
    let elapsed = Rc::new(Cell::new(Duration::ZERO));
    let result = elapsed.clone();
    R::run(async move {
        let (mut ins, mut outs) = (Vec::new(), Vec::new());
        for _ in 0..members {
            let (receiving, sending) = UnixStream::pair().expect("socketpair");
            ins.push(receiving);
            outs.push(sending);
        }
        // Member i reads from pair i and writes into pair i + 1.
        let mut start = outs[0].try_clone().expect("dup");
        // The last byte comes when the first member has ended and closed its own end.
        let _goal = ins[0].try_clone().expect("dup");
        outs.rotate_left(1);
        let tasks: Vec<_> = ins
            .into_iter()
            .zip(outs)
            .map(|(from, to)| {
                let relay = R::relay(from, to, laps);
                R::spawn(async move { relay.await.expect("relay") })
            })
            .collect();
        let begin = Instant::now();
        start.write_all(&[1]).expect("the first byte");
        for task in tasks {
            task.await;
        }
        elapsed.set(begin.elapsed());
    });
    vec![(
        "nanoseconds",
        result.get().as_nanos() as f64 / (laps * members as u64) as f64,
    )]
}

/// Two tasks answer each other over channels, `count` times each: what one switch from task to
/// task costs. Tells nanoseconds for each message.
pub fn ping_pong<R: Runtime>(count: u64) -> Facts {
    let elapsed = Rc::new(Cell::new(Duration::ZERO));
    let result = elapsed.clone();
    R::run(async move {
        let (ping, pong) = (Rc::new(Channel::default()), Rc::new(Channel::default()));
        let (received, answered) = (ping.clone(), pong.clone());
        let begin = Instant::now();
        let other = R::spawn(async move {
            for _ in 0..count {
                received.receive().await;
                answered.send();
            }
        });
        R::spawn(async move {
            for _ in 0..count {
                ping.send();
                pong.receive().await;
            }
        })
        .await;
        other.await;
        elapsed.set(begin.elapsed());
    });
    vec![(
        "nanoseconds",
        result.get().as_nanos() as f64 / (2 * count) as f64,
    )]
}
