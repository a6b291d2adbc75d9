//! Two runtimes on one thread, each with a selector of its own, driven in turns.
//!
//! ```text
//! cargo run --release --example two_runtimes
//! ```
//!
//! A library may bring its runtime along, and its user have another. Sockets, timers and tasks
//! belong to the runtime that they were made in; a wake finds the right one by itself.

use std::cell::Cell;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use examples::{command_line, console, failure, say};
use executor::Backend;
use executor::net::{TcpListener, TcpStream};
use executor::{Reactor, Runtime};

/// Messages from one to the other and back.
const ROUNDS: usize = 100;

fn main() -> ExitCode {
    let [] = command_line::arguments("Two runtimes on one thread, driven in turns", []);
    failure::exit(run())
}

fn run() -> io::Result<()> {
    let on = |backend| {
        Runtime::builder()
            .reactor(Reactor::builder().backend(backend))
            .build()
    };
    let server = on(Backend::Poll)?;
    let client = on(Backend::Select)?;
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0"))??;
    let address = listener.local_addr()?;

    // One thread, so what both of them count needs no lock.
    let served = Rc::new(Cell::new(0));
    let count = Rc::clone(&served);
    let serving = server.spawn(async move {
        let (stream, _from) = listener.accept().await?;
        let mut buffer = [0; 64];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return io::Result::Ok(()),
                length => stream.write_all(&buffer[..length]).await?,
            }
            count.set(count.get() + 1);
        }
    });
    let talking = client.spawn(async move {
        let stream = TcpStream::connect(address).await?;
        for _ in 0..ROUNDS {
            stream.write_all(b"hello").await?;
            stream.read_exact(&mut [0; 5]).await?;
        }
        io::Result::Ok(())
    });

    // A step each. Neither may sleep for long, because the other may have something to do.
    while !(serving.is_finished() && talking.is_finished()) {
        for runtime in [&server, &client] {
            runtime.turn(Some(Duration::from_micros(100)))?;
        }
    }
    client.block_on(talking)???;
    server.block_on(serving)???;
    let (one, other) = (server.backend(), client.backend());
    say!(
        "{} messages between {one} and {other}, on one thread",
        served.get()
    );
    console::all_said()
}
