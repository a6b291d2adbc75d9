//! The main job: what comes back is what was sent, in its order, however it was cut.

use std::io;
use std::net::Shutdown;
use std::rc::Rc;

use futures_lite::future::zip;
use reactor::net::TcpStream;

#[macro_use]
mod harness;
use harness::{Variant, pattern, serve_echo, until};

on_every_backend!(
    two_hundred_connections_keep_contents_and_order,
    half_close_returns_everything_and_then_the_end,
    bytes_that_come_one_at_a_time_all_arrive,
    a_message_larger_than_every_buffer_comes_back,
);

const CONNECTIONS: u64 = 200;
const MESSAGES: usize = 200;
const LARGEST: usize = 64 * 1024;

/// The messages of one connection: where each begins in the pattern, and how long it is. Sizes
/// are spread evenly over the orders of magnitude, so that small ones are as frequent as large
/// ones and the whole stays within a few hundred megabytes.
fn messages(seed: u64) -> impl Iterator<Item = (usize, usize)> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..MESSAGES).map(move |number| {
        let length = match number {
            0 => 1,
            1 if seed % 8 == 0 => LARGEST,
            _ => {
                let most = 1 << random.u32(0..=16);
                random.usize(1..=most)
            }
        };
        (random.usize(0..=LARGEST), length)
    })
}

async fn talk(stream: TcpStream, seed: u64, pattern: Rc<[u8]>) -> io::Result<usize> {
    let (reader, writer) = stream.split();
    let send = async {
        for (from, length) in messages(seed) {
            writer.write_all(&pattern[from..from + length]).await?;
        }
        writer.shutdown()
    };
    let receive = async {
        let mut buffer = vec![0; LARGEST];
        let mut total = 0;
        for (number, (from, length)) in messages(seed).enumerate() {
            reader.read_exact(&mut buffer[..length]).await?;
            let same = buffer[..length] == pattern[from..from + length];
            assert!(
                same,
                "connection {seed}, message {number} of {length} bytes"
            );
            total += length;
        }
        assert_eq!(reader.read(&mut buffer).await?, 0, "more than was sent");
        io::Result::Ok(total)
    };
    let (sent, received) = zip(send, receive).await;
    sent?;
    received
}

fn two_hundred_connections_keep_contents_and_order(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let address = serve_echo().await?;
        let pattern: Rc<[u8]> = pattern(1, 2 * LARGEST).into();
        let mut clients = Vec::new();
        for seed in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await?;
            clients.push(executor::spawn(talk(stream, seed, Rc::clone(&pattern))));
        }
        for (seed, client) in clients.into_iter().enumerate() {
            let total = client.await??;
            let expected: usize = messages(seed as u64).map(|(_, length)| length).sum();
            assert_eq!(total, expected);
        }
        // Every connection is closed on both sides; only the listener is left.
        until(|| runtime.tasks() == 1).await;
        assert_eq!(runtime.reactor().keys(), 1);
        Ok(())
    })?
}

fn half_close_returns_everything_and_then_the_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let stream = TcpStream::connect(serve_echo().await?).await?;
        let sent = pattern(2, 1 << 20);
        let send = async {
            stream.write_all(&sent).await?;
            stream.shutdown(Shutdown::Write)
        };
        let receive = async {
            let mut received = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                match stream.read(&mut buffer).await? {
                    0 => return io::Result::Ok(received),
                    length => received.extend_from_slice(&buffer[..length]),
                }
            }
        };
        let (shut, received) = zip(send, receive).await;
        shut?;
        assert!(received? == sent);
        // The end stays the end.
        assert_eq!(stream.read(&mut [0; 8]).await?, 0);
        let refused = stream.write(b"more").await.map_err(|error| error.kind());
        // std has no kind for what Windows says.
        assert!(refused == Err(io::ErrorKind::BrokenPipe) || (cfg!(windows) && refused.is_err()));
        Ok(())
    })
}

fn bytes_that_come_one_at_a_time_all_arrive(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let stream = TcpStream::connect(serve_echo().await?).await?;
        stream.set_nodelay(true)?;
        let sent = pattern(3, 2000);
        let send = async {
            for byte in sent.chunks(1) {
                stream.write_all(byte).await?;
                executor::yield_now().await;
            }
            io::Result::Ok(())
        };
        let mut received = vec![0; sent.len()];
        let (sending, receiving) = zip(send, stream.read_exact(&mut received)).await;
        sending?;
        receiving?;
        assert!(received == sent);
        Ok(())
    })
}

fn a_message_larger_than_every_buffer_comes_back(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let stream = TcpStream::connect(serve_echo().await?).await?;
        let sent = pattern(4, 16 << 20);
        let mut received = vec![0; sent.len()];
        let (writing, reading) =
            zip(stream.write_all(&sent), stream.read_exact(&mut received)).await;
        writing?;
        reading?;
        assert!(received == sent);
        Ok(())
    })
}
