//! Traps of sockets that have hurt others: urgent data, writes that are given up in the middle,
//! numbers that are used again, directions that disturb each other, wakers that replace each other.
#![cfg(unix)]

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_lite::future::{or, poll_once, zip};
use reactor::net::{TcpListener, TcpStream, UnixStream};
use socket2::SockRef;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair, pattern};

on_every_backend!(
    an_urgent_byte_does_not_hide_what_is_behind_it,
    an_urgent_byte_alone_keeps_a_reader_waiting,
    inline_urgent_bytes_arrive_in_their_place,
    a_write_given_up_in_the_middle_writes_what_it_reported,
    a_connection_on_a_number_used_again_starts_fresh,
    a_full_writer_is_not_woken_by_what_can_be_read,
    an_event_in_one_direction_does_not_clear_the_other,
    poll_style_calls_share_one_waiter,
    poll_style_calls_leave_others_waiting,
    a_stream_of_a_dead_runtime_can_be_tried_and_dropped,
);

fn an_urgent_byte_does_not_hide_what_is_behind_it(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let mut buffer = [0; 64];
        for round in 0..3 {
            // Registered, and waiting for an event.
            assert!(poll_once(far.read(&mut buffer)).await.is_none());
            let near = SockRef::from(&near);
            near.send(b"before")?;
            near.send_out_of_band(b"!")?;
            near.send(b"behind")?;
            // The event arrives before the read does.
            far.readable().await?;
            // The kernel stops at the urgent byte, far from the end of the buffer.
            assert_eq!(far.read(&mut buffer).await?, 6, "round {round}");
            assert_eq!(&buffer[..6], b"before");
            assert_eq!(far.read(&mut buffer).await?, 6, "round {round}");
            assert_eq!(&buffer[..6], b"behind");
        }
        Ok(())
    })
}

fn an_urgent_byte_alone_keeps_a_reader_waiting(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let mut buffer = [0; 64];
        let polls = Cell::new(0);
        let mut read = pin!(far.read(&mut buffer));
        let counted = poll_fn(|cx| {
            polls.set(polls.get() + 1);
            read.as_mut().poll(cx)
        });
        let sender = executor::spawn(async move {
            executor::yield_now().await;
            SockRef::from(&near).send_out_of_band(b"!")?;
            for _ in 0..100 {
                executor::yield_now().await;
            }
            near.write_all(b"data").await?;
            io::Result::Ok(near)
        });
        assert_eq!(counted.await?, 4);
        assert!(polls.get() < 20, "{} polls: it spins", polls.get());
        sender.await.expect("no panic").map(drop)
    })
}

fn inline_urgent_bytes_arrive_in_their_place(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        SockRef::from(&far).set_out_of_band_inline(true)?;
        let mut buffer = [0; 11];
        assert!(poll_once(far.read(&mut buffer)).await.is_none());
        SockRef::from(&near).send(b"first")?;
        SockRef::from(&near).send_out_of_band(b"!")?;
        SockRef::from(&near).send(b"after")?;
        far.readable().await?;
        far.read_exact(&mut buffer).await?;
        assert_eq!(&buffer, b"first!after");
        Ok(())
    })
}

fn a_write_given_up_in_the_middle_writes_what_it_reported(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        near.set_send_buffer_size(10_000)?;
        let message = pattern(4, 2_000_000);
        let length = message.len();
        let reader = executor::spawn(async move {
            let mut copy = vec![0; length];
            far.read_exact(&mut copy).await?;
            assert_eq!(far.read(&mut [0; 1]).await?, 0, "no byte too many");
            io::Result::Ok(copy)
        });
        let (mut sent, mut given_up) = (0, 0);
        while sent < message.len() {
            // As a select! does it: whoever is first, the other one is dropped.
            let write = async { near.write(&message[sent..]).await.map(Some) };
            let other = async {
                executor::yield_now().await;
                Ok(None)
            };
            match or(write, other).await? {
                Some(written) => sent += written,
                None => given_up += 1,
            }
        }
        drop(near);
        let copy = reader.await.expect("no panic")?;
        assert!(copy == message);
        assert!(given_up > 0, "no write had to wait");
        Ok(())
    })
}

fn a_connection_on_a_number_used_again_starts_fresh(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut reused = 0;
        for round in 0..50 {
            let near = TcpStream::connect(address).await?;
            let (far, _) = listener.accept().await?;
            let mut buffer = [0; 8];
            assert!(poll_once(far.read(&mut buffer)).await.is_none());
            // Bytes and the end are on their way to this number while it changes its meaning.
            near.write_all(b"old").await?;
            drop(near);
            let number = far.as_fd().as_raw_fd();
            drop(far);
            let (near, far) = UnixStream::pair()?;
            let far = match [near, far].map(|end| (end.as_fd().as_raw_fd() == number, end)) {
                [(true, new), (_, other)] | [(_, other), (_, new)] => (new, other),
            };
            reused += usize::from(far.0.as_fd().as_raw_fd() == number);
            executor::yield_now().await;
            let error = far
                .0
                .try_read(&mut buffer)
                .expect_err("nothing was sent yet");
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "round {round}");
            let (read, sent) = zip(far.0.read(&mut buffer), far.1.write_all(b"fresh")).await;
            sent?;
            assert_eq!(read?, 5);
        }
        assert!(reused > 0, "no number was used again");
        Ok(())
    })
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

async fn full() -> io::Result<(TcpStream, TcpStream)> {
    let (near, far) = pair().await?;
    while near.try_write(&[0; 4096]).is_ok() {}
    Ok((near, far))
}

fn a_full_writer_is_not_woken_by_what_can_be_read(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = full().await?;
        let (count, waker) = Count::new();
        let mut write = Box::pin(near.write(b"x"));
        assert!(
            write
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let mut buffer = [0; 8];
        for _ in 0..10 {
            far.write_all(b"in").await?;
            assert_eq!(near.read(&mut buffer).await?, 2);
        }
        assert_eq!(count.get(), 0, "woken by the other direction");
        Ok(())
    })
}

fn an_event_in_one_direction_does_not_clear_the_other(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = full().await?;
        let (mut buffer, mut room) = ([0; 8], vec![0; 1 << 16]);
        // A read meets WouldBlock while a writer waits; then room comes, and the writer goes on.
        let mut write = Box::pin(near.write(b"x"));
        assert!(poll_once(&mut write).await.is_none());
        assert!(poll_once(near.read(&mut buffer)).await.is_none());
        let drained = async {
            loop {
                far.read(&mut room).await?;
            }
        };
        assert_eq!(or(&mut write, drained).await?, 1);
        drop(write);
        // And the reader hears of its bytes, though a write has filled the way out again.
        let mut read = Box::pin(near.read(&mut buffer));
        assert!(poll_once(&mut read).await.is_none());
        while near.try_write(&[0; 4096]).is_ok() {}
        far.write_all(b"back").await?;
        assert_eq!(read.await?, 4);
        Ok(())
    })
}

fn poll_style_calls_share_one_waiter(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let ((one, first), (other, second)) = (Count::new(), Count::new());
        let mut buffer = [0; 8];
        for waker in [&first, &second] {
            let cx = &mut Context::from_waker(waker);
            assert!(far.poll_read(cx, &mut buffer).is_pending());
        }
        near.write_all(b"x").await?;
        while other.get() == 0 {
            assert_eq!(one.get(), 0);
            executor::yield_now().await;
        }
        assert_eq!(
            (one.get(), other.get()),
            (0, 1),
            "the later waker replaced the earlier one"
        );
        let cx = &mut Context::from_waker(&first);
        assert!(matches!(far.poll_read(cx, &mut buffer), Poll::Ready(Ok(1))));
        // Nobody is left behind: what comes now wakes neither of them.
        near.write_all(b"y").await?;
        assert_eq!(far.read(&mut buffer).await?, 1);
        assert_eq!((one.get(), other.get()), (0, 1));
        // The other direction has a waiter of its own.
        assert!(matches!(far.poll_write(cx, b"z"), Poll::Ready(Ok(1))));
        Ok(())
    })
}

fn poll_style_calls_leave_others_waiting(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let far = Rc::new(far);
        let peeker = executor::spawn({
            let far = Rc::clone(&far);
            async move { far.peek(&mut [0; 8]).await }
        });
        executor::yield_now().await;
        let mut buffer = [0; 8];
        let read = poll_fn(|cx| far.poll_read(cx, &mut buffer));
        let (read, sent) = zip(
            async {
                // The peeker first, so that there is something to peek at.
                assert_eq!(peeker.await.expect("no panic")?, 3);
                read.await
            },
            near.write_all(b"two"),
        )
        .await;
        sent?;
        assert_eq!(read?, 3);
        Ok(())
    })
}

fn a_stream_of_a_dead_runtime_can_be_tried_and_dropped(variant: Variant) -> io::Result<()> {
    let (near, far) = variant.block_on(async {
        let (near, far) = pair().await?;
        assert!(poll_once(far.read(&mut [0; 8])).await.is_none());
        Ok((near, far))
    })?;
    near.try_write(b"still a socket")?;
    let mut far = far.into_std()?;
    far.set_nonblocking(false)?;
    assert_eq!(far.read(&mut [0; 64])?, 14);
    Ok(())
}
