//! The poll-style forms of listeners and datagram sockets: they wait, they are woken, and they say what
//! the `async` forms say.
#![cfg(unix)]

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use futures_lite::future::{or, poll_once, zip};
use reactor::net::{
    DatagramSocket, Datagrams, Listener, ListeningSocket, TcpListener, TcpStream, UdpSocket,
    UnixDatagram, UnixListener, UnixStream,
};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    both_listeners_accept_poll_style,
    both_datagram_sockets_are_polled,
    udp_is_sent_to_an_address_poll_style,
    a_full_queue_of_any_peer_is_waited_for_poll_style,
    tries_of_both_say_where_a_datagram_comes_from,
    what_is_always_ready_lets_others_run_poll_style,
);

fn private() -> std::path::PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("net-poll-style-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

fn both_listeners_accept_poll_style(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let address = tcp.local_addr()?;
        accepts(&tcp, || TcpStream::connect(address)).await?;
        let path = private();
        accepts(&UnixListener::bind(&path)?, || UnixStream::connect(&path)).await
    })
}

async fn accepts<S, C, F>(listener: &Listener<S>, connect: impl Fn() -> F) -> io::Result<()>
where
    S: ListeningSocket,
    F: Future<Output = io::Result<C>>,
{
    for _ in 0..3 {
        let accepted = poll_once(poll_fn(|cx| listener.poll_accept(cx))).await;
        assert!(accepted.is_none(), "nobody has connected");
        let accept = poll_fn(|cx| listener.poll_accept(cx));
        let (accepted, client) = zip(accept, connect()).await;
        let (server, _) = accepted?;
        drop(client?);
        assert_eq!(server.read(&mut [0; 8]).await?, 0);
    }
    Ok(())
}

fn both_datagram_sockets_are_polled(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = (
            UdpSocket::bind("127.0.0.1:0").await?,
            UdpSocket::bind("127.0.0.1:0").await?,
        );
        near.connect(far.local_addr()?).await?;
        converse(&near, &far).await?;
        let (near, far) = UnixDatagram::pair()?;
        converse(&near, &far).await
    })
}

async fn converse<S: DatagramSocket>(near: &Datagrams<S>, far: &Datagrams<S>) -> io::Result<()> {
    let mut buffer = [0; 16];
    let nothing = poll_once(poll_fn(|cx| far.poll_recv(cx, &mut buffer))).await;
    assert!(nothing.is_none(), "nothing was sent");
    let peek = poll_fn(|cx| far.poll_peek_from(cx, &mut buffer));
    let (peeked, sent) = zip(peek, poll_fn(|cx| near.poll_send(cx, b"one"))).await;
    assert_eq!((peeked?.0.len(), sent?), (3, 3));
    assert_eq!(&buffer[..3], b"one");
    let (received, from) = poll_fn(|cx| far.poll_recv_from(cx, &mut buffer)).await?;
    assert_eq!(received.len(), 3);
    same(&from, &near.local_addr()?);
    near.send(b"longer than that").await?;
    let received = poll_fn(|cx| far.poll_recv(cx, &mut buffer[..4])).await?;
    assert_eq!((received.len(), received.is_truncated()), (4, true));
    let nothing = poll_once(poll_fn(|cx| far.poll_recv_from(cx, &mut buffer))).await;
    assert!(nothing.is_none(), "all was taken");
    Ok(())
}

/// Addresses of Unix sockets cannot be compared.
fn same(one: &impl Debug, other: &impl Debug) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

fn udp_is_sent_to_an_address_poll_style(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = (
            UdpSocket::bind("127.0.0.1:0").await?,
            UdpSocket::bind("127.0.0.1:0").await?,
        );
        let to = far.local_addr()?;
        assert_eq!(poll_fn(|cx| near.poll_send_to(cx, b"hello", to)).await?, 5);
        assert_eq!(far.recv(&mut [0; 8]).await?.len(), 5);
        let much = vec![0; 70_000];
        let error = poll_fn(|cx| near.poll_send_to(cx, &much, to)).await;
        let error = error.expect_err("no datagram is so long").to_string();
        assert!(error.starts_with(&format!("send to {to}: ")), "{error}");
        Ok(())
    })
}

fn a_full_queue_of_any_peer_is_waited_for_poll_style(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = private();
        let (near, far) = (UnixDatagram::unbound()?, UnixDatagram::bind(&path)?);
        let mut sent = 0;
        let full = loop {
            match near.try_send_to(b"x", &path) {
                Ok(_) => sent += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        let mut buffer = [0; 8];
        let send = poll_fn(|cx| near.poll_send_to(cx, b"late", &path));
        let (late, ()) = zip(send, async {
            for _ in 0..sent {
                far.recv(&mut buffer).await.expect("they are there");
            }
        })
        .await;
        assert_eq!((late?, far.recv(&mut buffer).await?.len()), (4, 4));
        Ok(())
    })
}

fn tries_of_both_say_where_a_datagram_comes_from(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        let to = udp.local_addr()?;
        tries(&udp, || udp.try_send_to(b"self", to)).await?;
        let path = private();
        let unix = UnixDatagram::bind(&path)?;
        tries(&unix, || unix.try_send_to(b"self", &path)).await
    })
}

async fn tries<S: DatagramSocket>(
    socket: &Datagrams<S>,
    send: impl Fn() -> io::Result<usize>,
) -> io::Result<()> {
    let mut buffer = [0; 8];
    let nothing = socket.try_recv_from(&mut buffer);
    let nothing = nothing.expect_err("nothing was sent");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    assert_eq!(send()?, 4);
    socket.readable().await?;
    let (received, from) = socket.try_recv_from(&mut buffer)?;
    assert_eq!(received.len(), 4);
    same(&from, &socket.local_addr()?);
    Ok(())
}

fn what_is_always_ready_lets_others_run_poll_style(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixDatagram::pair()?;
        near.send(b"x").await?;
        let mut buffer = [0; 8];
        beside(poll_fn(|cx| {
            loop {
                let peeked = std::task::ready!(far.poll_peek_from(cx, &mut buffer));
                if peeked.is_err() {
                    return Poll::Ready(());
                }
            }
        }))
        .await;
        let path = private();
        let (near, far) = (UnixDatagram::unbound()?, UnixDatagram::bind(&path)?);
        beside(poll_fn(|cx| {
            loop {
                let sent = std::task::ready!(near.poll_send_to(cx, b"x", &path));
                if sent.and_then(|_| far.try_recv(&mut buffer)).is_err() {
                    return Poll::Ready(());
                }
            }
        }))
        .await;
        Ok(())
    })
}

/// `busy` never ends by itself; another task comes to its end nevertheless.
async fn beside(busy: impl Future<Output = ()>) {
    let other = executor::spawn(async {
        for _ in 0..3 {
            executor::yield_now().await;
        }
        true
    });
    let ended = or(async { other.await.unwrap_or(false) }, async {
        busy.await;
        false
    });
    assert!(ended.await, "it failed");
}
