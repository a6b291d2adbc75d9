//! An echo server on all cores: on each a thread with a runtime and a selector of its own.
//!
//! ```text
//! cargo run --release --example thread_per_core
//! cargo run --release --example echo_client -- --addr 127.0.0.1:7007  # in another terminal
//! ```
//!
//! The threads share nothing but the port: each has a listener of its own with SO_REUSEPORT, and
//! the kernel deals the connections out. Ctrl-C reaches them all.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use examples::failure::{self, Failure};
use examples::{command_line, say};
use executor::Runtime;
use executor::net::{TcpListener, TcpStream};
use executor::signal::{Signals, consts::SIGINT};
use futures_util::future::select;

/// How long connections may go on after Ctrl-C.
const GRACE: Duration = Duration::from_secs(1);

/// An echo server that uses all cores.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7007")]
    addr: SocketAddr,
    /// How many threads; by default one for each core
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZero<usize>>,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let threads = match args.threads {
        Some(threads) => threads,
        None => thread::available_parallelism()?,
    };
    // The first listener decides which port it is; the others follow.
    let runtime = Runtime::new()?;
    let listener = runtime.block_on(listen(args.addr))??;
    let address = listener.local_addr()?;
    let (starting, started) = mpsc::channel::<()>();
    let others: Vec<_> = (1..threads.get())
        .map(|_| {
            let starting = starting.clone();
            thread::spawn(move || {
                let runtime = Runtime::new()?;
                let listener = runtime.block_on(listen(address))??;
                drop(starting);
                serve(runtime, listener)
            })
        })
        .collect();
    // Nobody sends: it ends when each thread has let go of its end, and then all of them listen.
    // Clients that came earlier would be dealt out to fewer.
    drop(starting);
    let _ = started.recv();
    say!("listening on {address}, {threads} threads");

    let mut served = vec![serve(runtime, listener)?];
    for other in others {
        served.push(other.join().expect("a thread does not panic")?);
    }
    let total: usize = served.iter().sum();
    say!("served {total} connections: {served:?}");
    Ok(())
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::options().reuse_port(true).bind(address).await
}

/// One thread, until Ctrl-C; says how many connections it had.
fn serve(runtime: Runtime, listener: TcpListener) -> io::Result<usize> {
    let served = Rc::new(Cell::new(0));
    runtime.block_on(async {
        let mut signals = Signals::new([SIGINT])?;
        let accept = pin!(async {
            while let Ok((stream, _from)) = listener.accept().await {
                served.set(served.get() + 1);
                executor::spawn(echo(stream)).detach();
            }
        });
        select(accept, pin!(signals.next())).await;
        io::Result::Ok(())
    })??;
    runtime.shutdown(GRACE)?;
    Ok(served.get())
}

async fn echo(stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length]).await?,
        }
    }
}
