//! The traits of futures-io on our types, driven by the helpers of another crate.
#![cfg(unix)]

use std::io::{self, IoSlice, IoSliceMut};
use std::process::{Command, Stdio};

use futures_lite::future::zip;
use futures_lite::io::{self as other, AsyncReadExt, AsyncWriteExt};
use futures_lite::{AsyncRead, AsyncWrite};
use reactor::net::UnixStream;
use reactor::{Async, process};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair, pattern};

on_every_backend!(
    streams_are_copied_to_their_end,
    owned_halves_are_copied,
    references_read_and_write_at_the_same_time,
    vectors_go_through,
    any_fd_reads_and_writes,
    closing_the_input_of_a_child_ends_it,
    flush_and_close_let_others_run,
);

const LENGTH: usize = 1_000_000;

/// Sends through `writer`, closes it, and checks what `reader` gets back until the end.
async fn exchange(
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let (mut reader, mut writer) = (reader, writer);
    let message = pattern(7, LENGTH);
    let mut copy = Vec::new();
    let (sent, read) = zip(
        async {
            AsyncWriteExt::write_all(&mut writer, &message).await?;
            AsyncWriteExt::flush(&mut writer).await?;
            AsyncWriteExt::close(&mut writer).await
        },
        AsyncReadExt::read_to_end(&mut reader, &mut copy),
    )
    .await;
    sent?;
    assert_eq!(read?, LENGTH);
    assert!(copy == message);
    Ok(())
}

fn streams_are_copied_to_their_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let echo = executor::spawn(async move { other::copy(&far, &far).await });
        // Closing is seen by the echo as the end; dropping `far` is seen by us.
        let (near, _) = (near, ());
        exchange(&near, &near).await?;
        assert_eq!(echo.await.expect("no panic")?, LENGTH as u64);
        Ok(())
    })
}

fn owned_halves_are_copied(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let (reader, writer) = far.into_split();
        let echo = executor::spawn(async move {
            let mut writer = writer;
            let copied = other::copy(reader, &mut writer).await?;
            AsyncWriteExt::close(&mut writer).await?;
            io::Result::Ok(copied)
        });
        let (reader, writer) = near.into_split();
        exchange(reader, writer).await?;
        assert_eq!(echo.await.expect("no panic")?, LENGTH as u64);
        Ok(())
    })
}

fn references_read_and_write_at_the_same_time(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let (one, two) = (pattern(8, LENGTH), pattern(9, LENGTH));
        let (mut got_two, mut got_one) = (vec![0; LENGTH], vec![0; LENGTH]);
        let (mut near_in, mut near_out, mut far_in, mut far_out) = (&near, &near, &far, &far);
        let ((a, b), (c, d)) = zip(
            zip(
                AsyncWriteExt::write_all(&mut near_out, &one),
                AsyncReadExt::read_exact(&mut near_in, &mut got_two),
            ),
            zip(
                AsyncWriteExt::write_all(&mut far_out, &two),
                AsyncReadExt::read_exact(&mut far_in, &mut got_one),
            ),
        )
        .await;
        a.and(b).and(c).and(d)?;
        assert!(got_one == one && got_two == two);
        Ok(())
    })
}

fn vectors_go_through(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let (mut near, mut far) = (&near, &far);
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
        assert_eq!(AsyncWriteExt::write_vectored(&mut near, &parts).await?, 5);
        let (mut one, mut two) = ([0; 3], [0; 8]);
        let mut into = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(AsyncReadExt::read_vectored(&mut far, &mut into).await?, 5);
        assert_eq!((&one, &two[..2]), (b"abc", &b"de"[..]));
        Ok(())
    })
}

fn any_fd_reads_and_writes(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = std::os::unix::net::UnixStream::pair()?;
        let (near, far) = (Async::nonblocking(near)?, Async::nonblocking(far)?);
        let message = pattern(10, LENGTH);
        let mut copy = Vec::new();
        let (sent, read) = zip(
            async {
                let mut near = near;
                AsyncWriteExt::write_all(&mut near, &message).await?;
                // It cannot know how its source is closed: dropping is.
                AsyncWriteExt::close(&mut near).await
            },
            AsyncReadExt::read_to_end(&mut &far, &mut copy),
        )
        .await;
        sent?;
        read?;
        assert!(copy == message);
        Ok(())
    })
}

fn closing_the_input_of_a_child_ends_it(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut cat = Command::new("cat");
        let mut child = process::spawn(cat.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        exchange(stdout, &mut stdin).await?;
        let late = AsyncWriteExt::write(&mut stdin, b"late").await;
        assert_eq!(
            late.expect_err("it is closed").kind(),
            io::ErrorKind::BrokenPipe
        );
        assert!(child.wait().await?.success());
        Ok(())
    })
}

/// Flushes or closes until another task has run, which it does not if nothing is spent.
async fn beside(writer: &mut (impl AsyncWrite + Unpin), closing: bool) -> io::Result<()> {
    let other = executor::spawn(executor::yield_now());
    for _ in 0..1_000 {
        match closing {
            true => AsyncWriteExt::close(writer).await?,
            false => AsyncWriteExt::flush(writer).await?,
        }
    }
    assert!(other.is_finished(), "closing: {closing}");
    Ok(())
}

fn flush_and_close_let_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for closing in [false, true] {
            let (mut near, far) = UnixStream::pair()?;
            beside(&mut near, closing).await?;
            beside(&mut &near, closing).await?;
            let (_, mut half) = far.into_split();
            beside(&mut half, closing).await?;
            let mut any = Async::nonblocking(std::os::unix::net::UnixStream::pair()?.0)?;
            beside(&mut any, closing).await?;
            let mut child = process::spawn(Command::new("cat").stdin(Stdio::piped()))?;
            let mut stdin = child.stdin.take().expect("a pipe");
            beside(&mut stdin, closing).await?;
            drop(stdin);
            assert!(child.wait().await?.success());
        }
        Ok(())
    })
}
