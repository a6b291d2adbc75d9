//! A lent buffer: what it shows, and that nobody who waits holds one.
#![cfg(unix)]

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::Shutdown;

use futures_lite::future::{poll_once, zip};
use reactor::net::{UnixStream, copy, copy_bidirectional};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair, pattern};

on_every_backend!(
    it_shows_what_is_there_and_then_the_end,
    one_who_is_given_up_takes_no_byte,
    who_reads_on_while_looking_gets_the_next_bytes,
    who_panics_while_looking_takes_nothing_from_the_others,
    an_error_is_told_and_nothing_is_shown,
    copying_is_as_slow_as_the_receiver_and_loses_nothing,
    both_ways_the_end_of_one_leaves_the_other_open,
    both_ways_an_error_ends_both,
);

fn it_shows_what_is_there_and_then_the_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let all = pattern(1, 100_000);
        let send = async {
            near.write_all(&all).await?;
            near.shutdown(Shutdown::Write)
        };
        let receive = async {
            let mut received = Vec::new();
            loop {
                let length = far
                    .read_lent(|bytes| {
                        received.extend_from_slice(bytes);
                        bytes.len()
                    })
                    .await?;
                if length == 0 {
                    return io::Result::Ok(received);
                }
            }
        };
        let (sent, received) = zip(send, receive).await;
        sent?;
        assert!(received? == all);
        Ok(())
    })
}

fn one_who_is_given_up_takes_no_byte(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let looked = Cell::new(0);
        for round in 0..3 {
            let given_up = poll_once(far.read_lent(|_| looked.set(looked.get() + 1))).await;
            assert!(given_up.is_none());
            near.write_all(&[round]).await?;
            assert_eq!(far.read_lent(<[u8]>::to_vec).await?, [round]);
        }
        assert_eq!(looked.get(), 0);
        Ok(())
    })
}

fn who_reads_on_while_looking_gets_the_next_bytes(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let (other, another) = UnixStream::pair()?;
        near.write_all(b"hello").await?;
        other.write_all(b"world").await?;
        another.readable().await?;
        // Both hold a buffer at once.
        let both = far
            .read_lent(|first| {
                let second = futures_lite::future::block_on(another.read_lent(<[u8]>::to_vec));
                (first.to_vec(), second)
            })
            .await?;
        assert_eq!((&*both.0, &*both.1?), (&b"hello"[..], &b"world"[..]));
        Ok(())
    })
}

fn who_panics_while_looking_takes_nothing_from_the_others(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let far = std::rc::Rc::new(far);
        near.write_all(b"hello").await?;
        let theirs = std::rc::Rc::clone(&far);
        let panics =
            executor::spawn(async move { theirs.read_lent(|_| panic!("while looking")).await });
        assert!(panics.await.expect_err("it panicked").is_panic());
        near.write_all(b"again").await?;
        assert_eq!(far.read_lent(<[u8]>::to_vec).await?, b"again");
        Ok(())
    })
}

fn an_error_is_told_and_nothing_is_shown(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        assert!(poll_once(far.read_lent(|_| ())).await.is_none());
        near.set_linger(Some(std::time::Duration::ZERO))?;
        drop(near);
        let shown = far.read_lent(|bytes| panic!("{bytes:?} came")).await;
        let error: io::Error = shown.expect_err("it was reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        Ok(())
    })
}

fn copying_is_as_slow_as_the_receiver_and_loses_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, inlet) = UnixStream::pair()?;
        let (outlet, far) = pair().await?;
        let all = pattern(2, 8 << 20);
        let mut written = 0;
        let copying = executor::spawn(async move {
            let copied = copy(&inlet, &outlet).await?;
            // It was left open.
            outlet.write_all(b".").await?;
            io::Result::Ok(copied)
        });
        // As long as anything moves.
        let mut still = 0;
        while still < 100 {
            match near.try_write(&all[written..]) {
                Ok(more) => (written, still) = (written + more, 0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => still += 1,
                Err(error) => return Err(error),
            }
            executor::yield_now().await;
        }
        assert!(
            written < all.len(),
            "nobody reads: the kernel's buffers are full"
        );
        let mut received = vec![0; all.len() + 1];
        let rest = async {
            near.write_all(&all[written..]).await?;
            near.shutdown(Shutdown::Write)
        };
        let (sent, read) = zip(rest, far.read_exact(&mut received)).await;
        sent?;
        read?;
        assert_eq!(received.pop(), Some(b'.'));
        assert!(received == all);
        assert_eq!(copying.await.expect("no panic")?, all.len() as u64);
        Ok(())
    })
}

fn both_ways_the_end_of_one_leaves_the_other_open(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (client, left) = pair().await?;
        let (right, server) = UnixStream::pair()?;
        let both = executor::spawn(async move { copy_bidirectional(&left, &right).await });
        client.write_all(b"question").await?;
        client.shutdown(Shutdown::Write)?;
        let mut asked = [0; 8];
        server.read_exact(&mut asked).await?;
        assert_eq!(server.read(&mut [0]).await?, 0, "the end was passed on");
        assert!(!both.is_finished());
        server.write_all(b"answer").await?;
        drop(server);
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await?;
        assert_eq!(client.read(&mut [0]).await?, 0);
        assert_eq!(both.await.expect("no panic")?, (8, 6));
        Ok(())
    })
}

fn both_ways_an_error_ends_both(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (client, left) = pair().await?;
        let (right, server) = UnixStream::pair()?;
        let both = executor::spawn(async move { copy_bidirectional(&left, &right).await });
        server.write_all(b"x").await?;
        client.read_exact(&mut [0]).await?;
        client.set_linger(Some(std::time::Duration::ZERO))?;
        drop(client);
        let error = both.await.expect("no panic").expect_err("it was reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // The streams are gone with the task.
        assert_eq!(server.read(&mut [0]).await?, 0);
        Ok(())
    })
}
