//! Spinning: it answers while there is something to answer, and stops burning when there is not.
#![cfg(unix)]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use reactor::Async;
use rustix::time::{ClockId, clock_gettime};

/// What this thread has burnt so far.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn spinning(limit: Duration) -> io::Result<executor::Runtime> {
    executor::Runtime::builder()
        .reactor(reactor::Reactor::builder().spin(limit))
        .build()
}

#[test]
fn an_idle_loop_stops_spinning() -> io::Result<()> {
    let runtime = spinning(Duration::from_millis(1))?;
    let before = cpu_time();
    runtime.block_on(async { reactor::time::sleep(Duration::from_millis(500)).await })?;
    // CPU time, which a busy machine does not inflate: 1 ms of spinning, and then sleep.
    assert!(cpu_time() - before < Duration::from_millis(250));
    Ok(())
}

#[test]
fn a_timer_within_the_limit_is_not_early() -> io::Result<()> {
    let runtime = spinning(Duration::from_millis(50))?;
    runtime.block_on(async {
        for _ in 0..20 {
            let start = Instant::now();
            reactor::time::sleep(Duration::from_micros(300)).await;
            assert!(start.elapsed() >= Duration::from_micros(300));
        }
    })
}

#[test]
fn a_spinning_loop_answers_a_peer_on_another_thread() -> io::Result<()> {
    let (near, mut far) = UnixStream::pair()?;
    let peer = thread::spawn(move || -> io::Result<()> {
        let mut byte = [0];
        for round in 0..1000_u32 {
            far.write_all(&[round as u8])?;
            far.read_exact(&mut byte)?;
            assert_eq!(byte[0], round as u8);
        }
        Ok(())
    });
    let runtime = spinning(Duration::from_micros(100))?;
    runtime.block_on(async {
        let near = Async::nonblocking(near)?;
        let mut byte = [0];
        while near.read_with(|mut near| near.read(&mut byte)).await? != 0 {
            near.write_with(|mut near| near.write_all(&byte)).await?;
        }
        io::Result::Ok(())
    })??;
    peer.join().expect("the peer")
}
