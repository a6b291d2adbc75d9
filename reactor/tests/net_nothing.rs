//! Transfers of no bytes are done at once, whatever the socket can do now, on every type and in
//! every form; and more slices than one call takes are no error.
#![cfg(unix)]

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_lite::future::or;
use reactor::net::{Stream, StreamSocket, UnixStream};
use reactor::{Async, Reactor};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair};

on_every_backend!(
    a_read_of_nothing_is_done_on_an_idle_connection,
    a_write_of_nothing_is_done_on_a_full_connection,
    a_pipe_moves_nothing_at_once,
    bytes_that_wait_are_left_by_a_read_of_nothing,
    a_task_that_moves_nothing_lets_others_run,
    more_slices_than_one_call_takes_are_moved,
    empty_slices_in_front_hide_nothing,
);

/// Must be ready in its first poll, with a budget of its own.
fn at_once<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    Reactor::current().refill_budget();
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Every form of reading, with nothing to read into.
fn read_nothing<S: StreamSocket>(stream: &Stream<S>) -> io::Result<()> {
    let empty = || [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
    let (half, _) = stream.split();
    assert_eq!(at_once(stream.read(&mut []))?, 0);
    at_once(stream.read_exact(&mut []))?;
    assert_eq!(at_once(stream.read_vectored(&mut []))?, 0);
    assert_eq!(at_once(stream.read_vectored(&mut empty()))?, 0);
    assert_eq!(at_once(stream.peek(&mut []))?, 0);
    assert_eq!(stream.try_read(&mut [])?, 0);
    assert_eq!(stream.try_read_vectored(&mut [])?, 0);
    assert_eq!(stream.try_read_vectored(&mut empty())?, 0);
    assert_eq!(at_once(poll_fn(|cx| stream.poll_read(cx, &mut [])))?, 0);
    let vectored = poll_fn(|cx| stream.poll_read_vectored(cx, &mut empty()));
    assert_eq!(at_once(vectored)?, 0);
    assert_eq!(at_once(half.read(&mut []))?, 0);
    at_once(half.read_exact(&mut []))?;
    assert_eq!(at_once(half.peek(&mut []))?, 0);
    #[cfg(feature = "futures-io")]
    {
        use futures_lite::AsyncReadExt;
        let mut stream = stream;
        assert_eq!(at_once(AsyncReadExt::read(&mut stream, &mut []))?, 0);
        at_once(AsyncReadExt::read_exact(&mut stream, &mut []))?;
    }
    Ok(())
}

/// Every form of writing, with nothing to write.
fn write_nothing<S: StreamSocket>(stream: &Stream<S>) -> io::Result<()> {
    let empty = [IoSlice::new(&[]), IoSlice::new(&[])];
    let (_, half) = stream.split();
    assert_eq!(at_once(stream.write(&[]))?, 0);
    at_once(stream.write_all(&[]))?;
    assert_eq!(at_once(stream.write_vectored(&[]))?, 0);
    assert_eq!(at_once(stream.write_vectored(&empty))?, 0);
    assert_eq!(stream.try_write(&[])?, 0);
    assert_eq!(stream.try_write_vectored(&[])?, 0);
    assert_eq!(stream.try_write_vectored(&empty)?, 0);
    assert_eq!(at_once(poll_fn(|cx| stream.poll_write(cx, &[])))?, 0);
    let vectored = poll_fn(|cx| stream.poll_write_vectored(cx, &empty));
    assert_eq!(at_once(vectored)?, 0);
    assert_eq!(at_once(half.write(&[]))?, 0);
    at_once(half.write_all(&[]))?;
    #[cfg(feature = "futures-io")]
    {
        use futures_lite::AsyncWriteExt;
        let mut stream = stream;
        assert_eq!(at_once(AsyncWriteExt::write(&mut stream, &[]))?, 0);
        at_once(AsyncWriteExt::write_all(&mut stream, &[]))?;
    }
    Ok(())
}

fn fill<S: StreamSocket>(stream: &Stream<S>) -> io::Result<()> {
    loop {
        match stream.try_write(&[0; 65536]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            written => written?,
        };
    }
}

fn a_read_of_nothing_is_done_on_an_idle_connection(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, _far) = pair().await?;
        let (unix, _other) = UnixStream::pair()?;
        // The first time it is not known that nothing is there, the second time it is.
        for _ in 0..2 {
            // Each round has a budget of its own.
            executor::yield_now().await;
            read_nothing(&near)?;
            read_nothing(&unix)?;
            assert!(near.try_read(&mut [0; 8]).is_err());
            assert!(unix.try_read(&mut [0; 8]).is_err());
        }
        Ok(())
    })
}

fn a_write_of_nothing_is_done_on_a_full_connection(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, _far) = pair().await?;
        let (unix, _other) = UnixStream::pair()?;
        for _ in 0..2 {
            executor::yield_now().await;
            write_nothing(&near)?;
            write_nothing(&unix)?;
            fill(&near)?;
            fill(&unix)?;
        }
        Ok(())
    })
}

fn a_pipe_moves_nothing_at_once(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = rustix::pipe::pipe()?;
        let reader = Async::nonblocking(File::from(reader))?;
        let writer = Async::nonblocking(File::from(writer))?;
        assert_eq!(at_once(reader.read(&mut []))?, 0);
        let full = |writer: &Async<File>| loop {
            use std::io::Write;
            if writer.get_ref().write(&[0; 4096]).is_err() {
                break;
            }
        };
        full(&writer);
        assert_eq!(at_once(writer.write(&[]))?, 0);
        at_once(writer.write_all(&[]))?;
        #[cfg(feature = "futures-io")]
        {
            use futures_lite::{AsyncReadExt, AsyncWriteExt};
            assert_eq!(at_once(AsyncWriteExt::write(&mut &writer, &[]))?, 0);
            at_once(AsyncWriteExt::write_all(&mut &writer, &[]))?;
            let (reader, _writer) = rustix::pipe::pipe()?;
            let reader = Async::nonblocking(File::from(reader))?;
            assert_eq!(at_once(AsyncReadExt::read(&mut &reader, &mut []))?, 0);
        }
        Ok(())
    })
}

fn bytes_that_wait_are_left_by_a_read_of_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        near.write_all(b"hello").await?;
        far.readable().await?;
        read_nothing(&far)?;
        let mut buffer = [0; 5];
        far.read_exact(&mut buffer).await?;
        assert_eq!(&buffer, b"hello");
        drop(near);
        far.readable().await?;
        read_nothing(&far)?;
        assert_eq!(far.read(&mut buffer).await?, 0);
        Ok(())
    })
}

fn a_task_that_moves_nothing_lets_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, _far) = pair().await?;
        let (unix, _other) = UnixStream::pair()?;
        let busy = async {
            loop {
                near.read(&mut []).await?;
                near.write_all(&[]).await?;
                unix.read_exact(&mut []).await?;
                unix.write_vectored(&[]).await?;
                unix.peek(&mut []).await?;
            }
        };
        let other = executor::spawn(executor::yield_now());
        let done = async { other.await.map_err(|_| io::ErrorKind::Other.into()) };
        or(busy, done).await
    })
}

fn more_slices_than_one_call_takes_are_moved(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let (unix, other) = UnixStream::pair()?;
        let out: Vec<_> = (0..5000).map(|_| IoSlice::new(b"xy")).collect();
        let mut bytes = vec![[0; 1]; 5000];
        let mut into: Vec<_> = bytes.iter_mut().map(|byte| IoSliceMut::new(byte)).collect();
        assert!(near.write_vectored(&out).await? > 0);
        assert!(far.read_vectored(&mut into).await? > 0);
        assert!(unix.write_vectored(&out).await? > 0);
        assert!(other.read_vectored(&mut into).await? > 0);
        Ok(())
    })
}

fn empty_slices_in_front_hide_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let mut out = vec![IoSlice::new(&[]); 3000];
        out.push(IoSlice::new(b"hello"));
        assert_eq!(near.write_vectored(&out).await?, 5);
        assert_eq!(near.try_write_vectored(&out)?, 5);
        let mut buffer = [0; 16];
        let mut into: Vec<_> = (0..3000).map(|_| IoSliceMut::new(&mut [])).collect();
        into.push(IoSliceMut::new(&mut buffer));
        assert_eq!(far.read_vectored(&mut into).await?, 10);
        assert_eq!(&buffer[..10], b"hellohello");
        Ok(())
    })
}
