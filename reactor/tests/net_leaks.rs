//! Ten thousand connections that come and go leave neither fds nor keys nor memory behind. In a
//! process of its own, one way to wait after another, because it counts what the process has.
#![cfg(unix)]

use std::fs;
use std::io;
use std::time::Duration;

use reactor::net::{TcpListener, TcpStream};

#[allow(unused_macros, reason = "the ways to wait come one after another here")]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, variants};

/// In KiB. One slot that stays behind for each connection would be more than twice as much.
const NOISE: u64 = 512;

fn open_files() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

fn memory() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("no VmRSS"))
}

async fn connections(listener: &TcpListener, number: usize) -> io::Result<()> {
    let address = listener.local_addr()?;
    for _ in 0..number {
        let near = TcpStream::connect(address).await?;
        let (far, _) = listener.accept().await?;
        // Both wait once, so that both get a key.
        let mut buffer = [0; 8];
        let read = futures_lite::future::zip(far.read(&mut buffer), near.write_all(b"hello"));
        let (read, written) = read.await;
        written?;
        assert_eq!(read?, 5);
        // A reset: ports in TIME_WAIT would run out long before the test is over.
        near.set_linger(Some(Duration::ZERO))?;
        drop(near);
        far.read(&mut buffer).await.expect_err("the reset");
    }
    Ok(())
}

fn leaves_nothing(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        connections(&listener, 1000).await?;
        let (files, before, keys) = (open_files()?, memory()?, runtime.reactor().keys());
        connections(&listener, 9000).await?;
        assert_eq!(open_files()?, files, "{variant:?}");
        assert_eq!(runtime.reactor().keys(), keys, "{variant:?}");
        let grown = memory()?.saturating_sub(before);
        assert!(grown < NOISE, "{variant:?}: {grown} KiB more");
        Ok(())
    })?
}

#[test]
fn ten_thousand_connections_leave_nothing() -> io::Result<()> {
    for variant in variants() {
        leaves_nothing(variant)?;
    }
    Ok(())
}
