//! What can be ready again and again lets other tasks run.
#![cfg(unix)]

use std::future::Future;
use std::io;

use futures_lite::future::or;
use reactor::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    unix_connect_lets_others_run,
    bind_and_failing_connect_let_others_run,
    datagrams_let_others_run,
);

/// Does `again` until another task has run.
async fn beside<F>(again: impl Fn() -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<()>>,
{
    let other = executor::spawn(async {
        for _ in 0..3 {
            executor::yield_now().await;
        }
    });
    let busy = async {
        loop {
            again().await?;
        }
    };
    or(
        async { other.await.map_err(|_| io::ErrorKind::Other.into()) },
        busy,
    )
    .await
}

fn unix_connect_lets_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = std::env::temp_dir().join(format!(
            "net-budget-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let listener = UnixListener::bind(&path)?;
        beside(|| async {
            let near = UnixStream::connect(&path).await?;
            listener.try_accept().map(drop)?;
            drop(near);
            Ok(())
        })
        .await
    })
}

fn bind_and_failing_connect_let_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        beside(|| async { TcpListener::bind("127.0.0.1:0").await.map(drop) }).await?;
        beside(|| async { UdpSocket::bind("127.0.0.1:0").await.map(drop) }).await?;
        beside(|| async {
            // Refused without a question on the way: no such network.
            let _ = TcpStream::connect("255.255.255.255:1").await;
            Ok(())
        })
        .await
    })
}

fn datagrams_let_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = (
            UdpSocket::bind("127.0.0.1:0").await?,
            UdpSocket::bind("127.0.0.1:0").await?,
        );
        let address = far.local_addr()?;
        beside(|| near.connect(address)).await?;
        beside(|| async { near.send_to(b"x", address).await.map(drop) }).await?;
        let path = std::env::temp_dir().join(format!(
            "net-budget-datagram-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let (unix, other) = (UnixDatagram::unbound()?, UnixDatagram::bind(&path)?);
        beside(|| async {
            unix.send_to(b"x", &path).await?;
            other.try_recv(&mut [0; 8]).map(drop)
        })
        .await
    })
}
