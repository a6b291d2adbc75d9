//! Writing to a peer that is gone is an error and no SIGPIPE, whoever the process is that does it:
//! a library in a C program has the signal at its default, which ends the process.
#![cfg(unix)]

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reactor::net::{Stream, StreamSocket, TcpListener, TcpStream, UnixDatagram, UnixStream};
use reactor::signal::consts::SIGPIPE;

/// Every form of writing. Each must fail, and none may raise the signal.
async fn write_in_every_form<S: StreamSocket>(
    stream: &Stream<S>,
) -> Vec<(&'static str, ErrorKind)> {
    let two = [IoSlice::new(b"a"), IoSlice::new(b"b")];
    let mut failed = Vec::new();
    let mut note = |form, result: io::Result<usize>| {
        failed.push((form, result.expect_err(form).kind()));
    };
    note("write", stream.write(b"x").await);
    note("write_all", stream.write_all(b"x").await.map(|()| 1));
    note("write_vectored", stream.write_vectored(&two).await);
    note("try_write", stream.try_write(b"x"));
    note("try_write_vectored", stream.try_write_vectored(&two));
    note(
        "poll_write",
        poll_fn(|cx| stream.poll_write(cx, b"x")).await,
    );
    let vectored = poll_fn(|cx| stream.poll_write_vectored(cx, &two));
    note("poll_write_vectored", vectored.await);
    #[cfg(feature = "futures-io")]
    {
        use futures_lite::AsyncWriteExt;
        let mut stream = stream;
        note(
            "AsyncWrite::poll_write",
            AsyncWriteExt::write(&mut stream, b"x").await,
        );
        let vectored = AsyncWriteExt::write_vectored(&mut stream, &two);
        note("AsyncWrite::poll_write_vectored", vectored.await);
    }
    failed
}

#[test]
fn no_form_of_writing_raises_sigpipe() -> io::Result<()> {
    let raised = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGPIPE, Arc::clone(&raised))?;
    // The flag sees what it should: a pipe has no way to write without the signal.
    let (reader, writer) = rustix::pipe::pipe()?;
    drop(reader);
    rustix::io::write(&writer, b"x").expect_err("nobody reads");
    assert!(raised.swap(false, Ordering::SeqCst));

    executor::block_on(async {
        let (near, far) = UnixStream::pair()?;
        drop(far);
        for (form, kind) in write_in_every_form(&near).await {
            assert_eq!(kind, ErrorKind::BrokenPipe, "{form}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let near = TcpStream::connect(listener.local_addr()?).await?;
        near.shutdown(Shutdown::Write)?;
        for (form, kind) in write_in_every_form(&near).await {
            assert_eq!(kind, ErrorKind::BrokenPipe, "{form}");
        }
        let (near, far) = UnixDatagram::pair()?;
        drop(far);
        near.send(b"x").await.expect_err("nobody receives");
        near.try_send(b"x").expect_err("nobody receives");
        io::Result::Ok(())
    })??;
    assert!(!raised.load(Ordering::SeqCst), "a form raises the signal");
    Ok(())
}
