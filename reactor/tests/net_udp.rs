//! Datagrams over UDP: connected or not, peeked at, cut, refused, broadcast and multicast.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use futures_lite::future::{poll_once, zip};
use reactor::net::UdpSocket;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    datagrams_tell_where_they_come_from,
    connected_sockets_hear_their_peer_alone,
    peeking_leaves_the_datagram,
    a_cut_datagram_says_so,
    an_empty_datagram_arrives,
    tries_do_not_wait,
    a_refused_datagram_is_one_error_and_no_spin,
    a_waiting_receiver_is_woken_by_each_datagram,
    options_hold,
    multicast_reaches_its_members,
    broadcast_must_be_allowed,
    names_are_looked_up_and_errors_name_the_address,
    sockets_come_from_std_and_go_back,
);

async fn two() -> io::Result<(UdpSocket, UdpSocket)> {
    Ok((
        UdpSocket::bind("127.0.0.1:0").await?,
        UdpSocket::bind("127.0.0.1:0").await?,
    ))
}

fn datagrams_tell_where_they_come_from(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        let mut buffer = [0; 16];
        let (received, sent) = zip(
            far.recv_from(&mut buffer),
            near.send_to(b"hello", far.local_addr()?),
        )
        .await;
        let (received, from) = received?;
        assert_eq!(sent?, 5);
        assert_eq!(&buffer[..received.len()], b"hello");
        assert!(!received.is_truncated() && !received.is_empty());
        assert_eq!(from, near.local_addr()?);
        far.send_to(b"back", from).await?;
        assert_eq!(near.recv(&mut buffer).await?.len(), 4);
        Ok(())
    })
}

fn connected_sockets_hear_their_peer_alone(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        let stranger = UdpSocket::bind("127.0.0.1:0").await?;
        near.connect(far.local_addr()?).await?;
        assert_eq!(near.peer_addr()?, far.local_addr()?);
        stranger.send_to(b"strange", near.local_addr()?).await?;
        near.send(b"ask").await?;
        let mut buffer = [0; 16];
        let (_, from) = far.recv_from(&mut buffer).await?;
        far.send_to(b"answer", from).await?;
        assert_eq!(near.recv(&mut buffer).await?.len(), 6);
        Ok(())
    })
}

fn peeking_leaves_the_datagram(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        let to = far.local_addr()?;
        let mut buffer = [0; 16];
        let (peeked, sent) = zip(far.peek_from(&mut buffer), near.send_to(b"twice", to)).await;
        sent?;
        assert_eq!((peeked?.0.len(), &buffer[..5]), (5, &b"twice"[..]));
        assert_eq!(far.peek(&mut buffer).await?.len(), 5);
        assert_eq!(far.recv_from(&mut buffer).await?.0.len(), 5);
        assert!(poll_once(far.recv_from(&mut buffer)).await.is_none());
        Ok(())
    })
}

fn a_cut_datagram_says_so(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        let mut buffer = [0; 4];
        near.send_to(b"too long", far.local_addr()?).await?;
        let (peeked, _) = far.peek_from(&mut buffer).await?;
        let (received, _) = far.recv_from(&mut buffer).await?;
        assert_eq!(peeked, received);
        assert!(received.is_truncated());
        // Only Linux tells how much was cut.
        let full = if cfg!(target_os = "linux") { 8 } else { 4 };
        assert_eq!((received.len(), received.full_len()), (4, full));
        assert_eq!(&buffer, b"too ");
        // The rest is gone, and the next one is whole.
        near.send_to(b"four", far.local_addr()?).await?;
        let received = far.recv(&mut buffer).await?;
        assert!(!received.is_truncated());
        assert_eq!((received.len(), received.full_len()), (4, 4));
        Ok(())
    })
}

fn an_empty_datagram_arrives(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        let to = far.local_addr()?;
        let mut buffer = [0; 4];
        let (received, sent) = zip(far.recv_from(&mut buffer), near.send_to(b"", to)).await;
        assert_eq!(sent?, 0);
        assert!(received?.0.is_empty());
        Ok(())
    })
}

fn tries_do_not_wait(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        let mut buffer = [0; 4];
        let error = far
            .try_recv_from(&mut buffer)
            .expect_err("nothing is there");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        near.writable().await?;
        near.try_send_to(b"one", far.local_addr()?)?;
        far.readable().await?;
        assert_eq!(far.try_recv_from(&mut buffer)?.0.len(), 3);
        near.connect(far.local_addr()?).await?;
        near.try_send(b"two")?;
        far.readable().await?;
        // On loopback it has come when the send returns, but a hint may be old.
        let received = loop {
            match far.try_recv(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => far.readable().await?,
                received => break received?,
            }
        };
        assert_eq!(received.len(), 3);
        Ok(())
    })
}

fn a_refused_datagram_is_one_error_and_no_spin(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, gone) = two().await?;
        let address = gone.local_addr()?;
        drop(gone);
        near.connect(address).await?;
        let mut buffer = [0; 4];
        let (received, sent) = zip(near.recv(&mut buffer), near.send(b"anybody?")).await;
        assert_eq!(sent?, 8);
        let error = received.expect_err("the answer of the kernel");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        // The error has passed. A socket that still thought itself broken would try for ever: its
        // future would be polled again and again without an event.
        let mut polls = 0;
        let mut receive = Box::pin(near.recv(&mut buffer));
        let counted = futures_lite::future::poll_fn(|cx| {
            polls += 1;
            receive.as_mut().poll(cx)
        });
        let back = near.local_addr()?;
        let late = executor::spawn(async move {
            for _ in 0..100 {
                executor::yield_now().await;
            }
            let socket = UdpSocket::bind(address).await?;
            socket.send_to(b"here", back).await
        });
        assert_eq!(counted.await?.len(), 4);
        late.await.expect("no panic")?;
        assert!(polls < 20, "polled {polls} times for one event");
        Ok(())
    })
}

fn a_waiting_receiver_is_woken_by_each_datagram(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = two().await?;
        near.connect(far.local_addr()?).await?;
        far.connect(near.local_addr()?).await?;
        let echo = executor::spawn(async move {
            let mut buffer = [0; 64];
            for _ in 0..200 {
                let length = far.recv(&mut buffer).await?.len();
                far.send(&buffer[..length]).await?;
            }
            io::Result::Ok(())
        });
        let mut buffer = [0; 64];
        for round in 0..200_u32 {
            near.send(&round.to_be_bytes()).await?;
            let received = near.recv(&mut buffer).await?;
            assert_eq!(&buffer[..received.len()], round.to_be_bytes());
        }
        echo.await.expect("no panic")
    })
}

fn options_hold(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let buffered = UdpSocket::bind("127.0.0.1:0").await?;
        buffered.set_recv_buffer_size(1 << 15)?;
        buffered.set_send_buffer_size(1 << 14)?;
        let buffers = (buffered.recv_buffer_size()?, buffered.send_buffer_size()?);
        assert!(buffers.0 >= 1 << 15 && (1 << 14..1 << 16).contains(&buffers.1));
        let (socket, _) = two().await?;
        for on in [true, false] {
            socket.set_broadcast(on)?;
            assert_eq!(socket.broadcast()?, on);
            socket.set_multicast_loop_v4(on)?;
            assert_eq!(socket.multicast_loop_v4()?, on);
        }
        socket.set_multicast_ttl_v4(3)?;
        assert_eq!(socket.multicast_ttl_v4()?, 3);
        socket.set_ttl(9)?;
        assert_eq!(socket.ttl()?, 9);
        assert!(socket.take_error()?.is_none());
        Ok(())
    })
}

fn multicast_reaches_its_members(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        // Nothing leaves the machine: the interface is loopback, and so few hops are allowed.
        let (group, loopback) = (Ipv4Addr::new(239, 255, 77, 66), Ipv4Addr::LOCALHOST);
        let member = UdpSocket::bind("0.0.0.0:0").await?;
        member.join_multicast_v4(group, loopback)?;
        let sender = UdpSocket::bind("127.0.0.1:0").await?;
        sender.set_multicast_if_v4(loopback)?;
        sender.set_multicast_loop_v4(true)?;
        sender.set_multicast_ttl_v4(0)?;
        let to = SocketAddr::from((group, member.local_addr()?.port()));
        let mut buffer = [0; 16];
        let (received, sent) = zip(member.recv_from(&mut buffer), sender.send_to(b"all", to)).await;
        sent?;
        assert_eq!(received?.1, sender.local_addr()?);
        member.leave_multicast_v4(group, loopback)?;
        let error = member
            .leave_multicast_v4(group, loopback)
            .expect_err("no member any more");
        assert!(
            error
                .to_string()
                .starts_with("leave 239.255.77.66 on 127.0.0.1: "),
            "{error}"
        );
        Ok(())
    })
}

fn broadcast_must_be_allowed(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let receiver = UdpSocket::bind("0.0.0.0:0").await?;
        let sender = UdpSocket::bind("127.0.0.1:0").await?;
        // The broadcast address of the loopback network.
        let to = SocketAddr::from(([127, 255, 255, 255], receiver.local_addr()?.port()));
        let error = sender.send_to(b"all", to).await.expect_err("not allowed");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(
            error.to_string().starts_with(&format!("send to {to}: ")),
            "{error}"
        );
        sender.set_broadcast(true)?;
        let mut buffer = [0; 16];
        let (received, sent) =
            zip(receiver.recv_from(&mut buffer), sender.send_to(b"all", to)).await;
        sent?;
        assert_eq!(received?.0.len(), 3);
        Ok(())
    })
}

fn names_are_looked_up_and_errors_name_the_address(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let socket = UdpSocket::bind("localhost:0").await?;
        assert!(socket.local_addr()?.ip().is_loopback());
        let error = UdpSocket::bind("192.0.2.1:0")
            .await
            .expect_err("not our address");
        assert!(
            error.to_string().starts_with("bind 192.0.2.1:0: "),
            "{error}"
        );
        Ok(())
    })
}

fn sockets_come_from_std_and_go_back(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let socket = UdpSocket::from_std(std::net::UdpSocket::bind("127.0.0.1:0")?)?;
        let mut buffer = [0; 4];
        assert!(poll_once(socket.recv(&mut buffer)).await.is_none());
        assert_eq!(runtime.reactor().keys(), 1);
        let socket = socket.into_std()?;
        assert_eq!(runtime.reactor().keys(), 0);
        socket.set_nonblocking(false)?;
        socket.send_to(b"self", socket.local_addr()?)?;
        assert_eq!(socket.recv(&mut buffer)?, 4);
        Ok(())
    })?
}
