//! Peers that do not read, and peers that vanish: neither costs anybody else anything.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::or;
use reactor::net::{TcpListener, TcpStream};
use socket2::SockRef;

#[macro_use]
mod harness;
use harness::{BUFFER, Variant, echo, pattern, round_trip, serve_echo, until};

on_every_backend!(
    a_client_that_does_not_read_stalls_nobody_but_itself,
    a_reset_while_the_server_reads_ends_that_task_with_an_error,
    a_reset_while_the_server_writes_ends_that_task_with_an_error,
    a_client_that_leaves_at_once_ends_its_task,
);

/// More than all the socket buffers of one echo together.
const SENT: usize = 8 << 20;
/// Asked of the kernel for each socket buffer; it takes twice as much.
const SOCKET_BUFFER: usize = 128 * 1024;

/// What an echo server holds, and has held at most.
#[derive(Default)]
struct Account {
    received: Cell<usize>,
    returned: Cell<usize>,
    most: Cell<usize>,
}

impl Account {
    fn received(&self, length: usize) {
        self.received.set(self.received.get() + length);
        let held = self.received.get() - self.returned.get();
        self.most.set(self.most.get().max(held));
    }

    fn returned(&self, length: usize) {
        self.returned.set(self.returned.get() + length);
    }
}

async fn echo_with_account(stream: TcpStream, account: Rc<Account>) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let length = stream.read(&mut buffer).await?;
        account.received(length);
        let mut left = &buffer[..length];
        while !left.is_empty() {
            let written = stream.write(left).await?;
            account.returned(written);
            left = &left[written..];
        }
        if length == 0 {
            return Ok(());
        }
    }
}

/// A connection with small socket buffers, and the echo server's end of it.
async fn narrow_connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    narrow(&SockRef::from(&listener))?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    narrow(&SockRef::from(&near))?;
    let (far, _) = listener.accept().await?;
    Ok((near, far))
}

fn narrow(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)
}

fn a_client_that_does_not_read_stalls_nobody_but_itself(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let neighbour = TcpStream::connect(serve_echo().await?).await?;
        let (client, server) = narrow_connection().await?;
        let account = Rc::new(Account::default());
        let serving = executor::spawn(echo_with_account(server, Rc::clone(&account)));

        let sent = Rc::new(pattern(5, SENT));
        let client = Rc::new(client);
        let sending = executor::spawn({
            let (client, sent) = (Rc::clone(&client), Rc::clone(&sent));
            async move { client.write_all(&sent).await }
        });
        // Until nothing moves any more; the neighbour is served all the time.
        let mut still = 0;
        while still < 50 {
            let before = account.received.get();
            round_trip(&neighbour, b"is anybody there?").await?;
            still = if before != 0 && account.received.get() == before {
                still + 1
            } else {
                0
            };
        }
        assert!(!sending.is_finished(), "8 MiB fitted somewhere");
        assert!(account.received.get() < SENT);
        for number in 0..200 {
            round_trip(&neighbour, &pattern(number, 1000)).await?;
        }

        let mut received = vec![0; SENT];
        client.read_exact(&mut received).await?;
        assert!(received == *sent);
        sending.await??;
        drop(client);
        serving.await??;
        assert_eq!(account.returned.get(), SENT);
        assert!(
            account.most.get() <= BUFFER,
            "the server held {}",
            account.most.get()
        );
        Ok(())
    })
}

/// Closes a connection with a reset instead of a farewell.
fn reset(stream: TcpStream) -> io::Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}

fn is_broken(error: io::ErrorKind) -> bool {
    matches!(
        error,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

fn a_reset_while_the_server_reads_ends_that_task_with_an_error(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let neighbour = TcpStream::connect(serve_echo().await?).await?;
        round_trip(&neighbour, b"before").await?;
        let keys = runtime.reactor().keys();

        let (client, server) = harness::pair().await?;
        let serving = executor::spawn(echo(server));
        round_trip(&client, &pattern(6, 100_000)).await?;
        reset(client)?;
        let error = serving
            .await?
            .expect_err("the reset is an error, not an end");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        round_trip(&neighbour, b"after").await?;
        assert_eq!(runtime.reactor().keys(), keys);
        Ok(())
    })?
}

fn a_reset_while_the_server_writes_ends_that_task_with_an_error(
    variant: Variant,
) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let neighbour = TcpStream::connect(serve_echo().await?).await?;
        round_trip(&neighbour, b"before").await?;
        let keys = runtime.reactor().keys();

        let (client, server) = narrow_connection().await?;
        let account = Rc::new(Account::default());
        let serving = executor::spawn(echo_with_account(server, Rc::clone(&account)));
        let bytes = pattern(7, SENT);
        // The client sends as much as the server takes while nobody reads the answer.
        let stalled = async {
            let mut still = 0;
            while still < 50 {
                let before = account.received.get();
                round_trip(&neighbour, b"during").await?;
                still = if before != 0 && account.received.get() == before {
                    still + 1
                } else {
                    0
                };
            }
            Ok(())
        };
        or(client.write_all(&bytes), stalled).await?;
        assert!(
            account.returned.get() < account.received.get(),
            "the server waits to write"
        );
        reset(client)?;
        let error = serving
            .await?
            .expect_err("the reset is an error, not an end");
        assert!(is_broken(error.kind()), "{error}");

        round_trip(&neighbour, b"after").await?;
        assert_eq!(runtime.reactor().keys(), keys);
        Ok(())
    })?
}

fn a_client_that_leaves_at_once_ends_its_task(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let address: SocketAddr = serve_echo().await?;
        for number in 0..50 {
            let client = TcpStream::connect(address).await?;
            if number % 2 == 0 {
                reset(client)?;
            }
        }
        let client = TcpStream::connect(address).await?;
        round_trip(&client, b"still here").await?;
        drop(client);
        until(|| runtime.tasks() == 1).await;
        assert_eq!(runtime.reactor().keys(), 1);
        Ok(())
    })?
}
