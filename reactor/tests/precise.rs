//! Precise timers: what the kernel is asked, and that nothing is early for it.
#![cfg(unix)]
#![cfg(target_os = "linux")]

use std::io;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn precise_lowers_the_slack_of_the_thread_and_of_no_other() -> io::Result<()> {
    let before = rustix::thread::current_timer_slack()?;
    let inside = thread::spawn(|| -> io::Result<u64> {
        let runtime = executor::Runtime::builder()
            .reactor(reactor::Reactor::builder().precise(true))
            .build()?;
        runtime.block_on(async {
            for _ in 0..10 {
                let start = Instant::now();
                reactor::time::sleep(Duration::from_micros(100)).await;
                assert!(start.elapsed() >= Duration::from_micros(100));
            }
        })?;
        Ok(rustix::thread::current_timer_slack()?)
    });
    assert_eq!(inside.join().expect("the thread")?, 1);
    assert_eq!(rustix::thread::current_timer_slack()?, before);
    Ok(())
}
