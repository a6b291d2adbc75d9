//! The echo server: one task a connection.

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::time::Instant;

use super::Facts;
use crate::client;
use crate::runtime::{LOOPBACK, Runtime};
use crate::sys;

/// Says where it listens, accepts `connections`, echoes on each until its peer closes, and
/// returns when all have.
///
/// # Panics
///
/// When a system call fails: a figure from a broken run is worth nothing.
pub fn serve<R: Runtime>(connections: usize) {
    R::run(async move {
        let (listener, port) = listen::<R>().expect("listen");
        say_port(port);
        accept_all::<R>(listener, connections).await;
    });
}

/// The same, with a client in another thread of this process, which opens the connections one
/// after the other, has one message echoed on each and closes it. Tells nanoseconds for each.
///
/// # Panics
///
/// When a system call fails.
pub fn churn<R: Runtime>(connections: usize) -> Facts {
    let begin = Instant::now();
    R::run(async move {
        let (listener, port) = listen::<R>().expect("listen");
        let client = std::thread::spawn(move || client::churn(port, connections));
        accept_all::<R>(listener, connections).await;
        client
            .join()
            .expect("the client's thread")
            .expect("the client");
    });
    vec![(
        "nanoseconds",
        begin.elapsed().as_nanos() as f64 / connections as f64,
    )]
}

async fn accept_all<R: Runtime>(listener: R::Listener, connections: usize) {
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = R::accept(&listener).await.expect("accept");
        tasks.push(R::spawn(R::echo(stream)));
    }
    for task in tasks {
        task.await;
    }
}

/// Listens on a free port of the loopback; also says which.
fn listen<R: Runtime>() -> io::Result<(R::Listener, u16)> {
    let listener = TcpListener::bind(LOOPBACK)?;
    sys::no_delay(listener.as_raw_fd())?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((R::listener(listener)?, port))
}

/// Tells the process that started this one where to connect.
pub(crate) fn say_port(port: u16) {
    let mut out = std::io::stdout().lock();
    // Nobody listening to this line means that nobody will connect either, and ends the run.
    let _ = writeln!(out, "port {port}").and_then(|()| out.flush());
}
