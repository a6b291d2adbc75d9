//! The end of a stream: whenever it comes, together with the last bytes or after them, and however
//! short the last read was, it is seen.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream as Blocking};
use std::time::Duration;

use reactor::net::{TcpListener, TcpStream};
use reactor::time::{sleep, timeout};
use socket2::SockRef;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    the_end_comes_with_the_last_bytes,
    the_end_comes_while_the_reader_waits,
    the_end_comes_between_two_reads,
    the_end_comes_after_a_read_that_fitted_exactly,
    the_end_comes_to_one_who_only_peeks,
    the_end_comes_while_a_writer_waits_too,
    a_reset_comes_while_the_reader_waits,
    a_reset_comes_with_bytes_unread,
    a_reset_comes_between_two_reads,
    urgent_bytes_do_not_hide_the_end,
    nothing_but_the_end,
);

/// A blocking end that needs no reactor, and the one that is tested.
async fn connection() -> io::Result<(Blocking, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let near = Blocking::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept().await?;
    Ok((near, far))
}

/// Reads with a buffer that is much too large, so that each read comes up short.
async fn read(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 4096];
    let length = stream.read(&mut buffer).await?;
    buffer.truncate(length);
    Ok(buffer)
}

/// Reads until the end.
async fn rest(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        match read(stream).await? {
            bytes if bytes.is_empty() => return Ok(all),
            bytes => all.extend(bytes),
        }
    }
}

/// Gives the loop the time to register, to sleep and to see what has come.
async fn pause() {
    sleep(Duration::from_millis(2)).await;
}

fn reset(stream: Blocking) -> io::Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}

fn the_end_comes_with_the_last_bytes(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for registered in [false, true] {
            let (mut near, far) = connection().await?;
            if registered {
                assert!(timeout(Duration::from_millis(1), read(&far)).await.is_err());
            }
            near.write_all(b"the last words")?;
            drop(near);
            pause().await;
            assert_eq!(read(&far).await?, b"the last words");
            assert_eq!(read(&far).await?, b"");
            assert_eq!(read(&far).await?, b"", "the end stays the end");
        }
        Ok(())
    })
}

fn the_end_comes_while_the_reader_waits(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = connection().await?;
        let reading = executor::spawn(async move { rest(&far).await });
        pause().await;
        near.write_all(b"first")?;
        pause().await;
        assert!(!reading.is_finished());
        drop(near);
        assert_eq!(reading.await??, b"first");
        Ok(())
    })
}

fn the_end_comes_between_two_reads(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for round in 0..20 {
            let (mut near, far) = connection().await?;
            let reading = executor::spawn(async move {
                let bytes = read(&far).await?;
                io::Result::Ok((bytes, far))
            });
            pause().await;
            near.write_all(b"some")?;
            let (bytes, far) = reading.await??;
            assert_eq!(bytes, b"some");
            // The read came up short; what comes now, comes after it.
            near.shutdown(Shutdown::Write)?;
            if round % 2 == 0 {
                executor::yield_now().await;
            }
            assert_eq!(read(&far).await?, b"");
        }
        Ok(())
    })
}

fn the_end_comes_after_a_read_that_fitted_exactly(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = connection().await?;
        near.write_all(b"1234")?;
        let mut buffer = [0; 4];
        far.read_exact(&mut buffer).await?;
        assert!(timeout(Duration::from_millis(1), read(&far)).await.is_err());
        near.write_all(b"5678")?;
        drop(near);
        far.read_exact(&mut buffer).await?;
        assert_eq!(&buffer, b"5678");
        let error = far.read_exact(&mut buffer).await.expect_err("the end");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        Ok(())
    })
}

fn the_end_comes_to_one_who_only_peeks(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = connection().await?;
        let mut buffer = [0; 64];
        near.write_all(b"look")?;
        assert_eq!(far.peek(&mut buffer).await?, 4);
        drop(near);
        assert_eq!(far.peek(&mut buffer).await?, 4, "it is still there");
        assert_eq!(rest(&far).await?, b"look");
        assert_eq!(far.peek(&mut buffer).await?, 0);
        Ok(())
    })
}

fn the_end_comes_while_a_writer_waits_too(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = connection().await?;
        let far = std::rc::Rc::new(far);
        let writing = executor::spawn({
            let far = far.clone();
            async move { while far.write(&[0; 65536]).await.is_ok() {} }
        });
        let reading = executor::spawn({
            let far = far.clone();
            async move { read(&far).await }
        });
        pause().await;
        near.shutdown(Shutdown::Write)?;
        assert_eq!(reading.await??, b"");
        assert!(!writing.is_finished(), "the other direction is still open");
        // Unread bytes make this a reset.
        drop(near);
        writing.await?;
        Ok(())
    })
}

fn a_reset_comes_while_the_reader_waits(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = connection().await?;
        let reading = executor::spawn(async move { (read(&far).await, read(&far).await) });
        pause().await;
        reset(near)?;
        let (first, second) = reading.await?;
        let error = first.expect_err("a reset is no end");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(second?, b"", "the error is told once");
        Ok(())
    })
}

fn a_reset_comes_with_bytes_unread(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = connection().await?;
        near.write_all(b"never read")?;
        pause().await;
        reset(near)?;
        // The kernel throws the bytes away or does not; afterwards there is an error or an end,
        // and no waiting.
        let mut reads = 0;
        while !matches!(read(&far).await, Ok(bytes) if bytes.is_empty()) {
            reads += 1;
            assert!(reads < 3);
        }
        Ok(())
    })
}

fn a_reset_comes_between_two_reads(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for round in 0..20 {
            let (mut near, far) = connection().await?;
            near.write_all(b"some")?;
            assert_eq!(read(&far).await?, b"some");
            reset(near)?;
            if round % 2 == 0 {
                executor::yield_now().await;
            }
            let error = read(&far).await.expect_err("a reset is no end");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        Ok(())
    })
}

fn urgent_bytes_do_not_hide_the_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = connection().await?;
        let reading = executor::spawn(async move { rest(&far).await });
        pause().await;
        // A read stops before an urgent byte, however much comes behind it.
        near.write_all(b"before")?;
        SockRef::from(&near).send_out_of_band(b"!")?;
        near.write_all(b"after")?;
        drop(near);
        assert_eq!(reading.await??, b"beforeafter");
        Ok(())
    })
}

fn nothing_but_the_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = connection().await?;
        drop(near);
        assert_eq!(rest(&far).await?, b"");
        // Writing to somebody who has left: accepted once, then refused, and never waited for.
        let mut writes = 0;
        while far.write(b"anybody?").await.is_ok() {
            pause().await;
            writes += 1;
            assert!(writes < 3);
        }
        Ok(())
    })
}
