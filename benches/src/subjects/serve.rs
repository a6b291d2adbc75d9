//! The echo server on any runtime: one task a connection, so many of them, or for ever.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;

use socket2::{Domain, Socket, Type};

use super::runtime::{BUFFER, LOOPBACK, Runtime, step_back};
use super::subject::{Accepting, Subject};
use crate::sys;

/// The subject that a runtime makes.
pub const fn subject<R: Runtime>(name: &'static str, about: &'static str) -> Subject {
    Subject {
        accept: Some(accept::<R>),
        tasks: true,
        own_buffer: BUFFER,
        ..Subject::new(name, about, serve::<R>)
    }
}

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

async fn accept_all<R: Runtime>(listener: R::Listener, connections: usize) {
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = R::accept(&listener).await.expect("accept");
        tasks.push(R::spawn(R::echo(stream, false)));
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
pub fn say_port(port: u16) {
    let mut out = std::io::stdout().lock();
    // Nobody listening to this line means that nobody will connect either, and ends the run.
    let _ = writeln!(out, "port {port}").and_then(|()| out.flush());
}

/// Its sockets, which do not block and whose connections send at once; says the port.
pub(super) fn sockets(how: &Accepting) -> io::Result<Vec<TcpListener>> {
    let mut address = LOOPBACK;
    let mut sockets = Vec::with_capacity(how.listeners);
    for _ in 0..how.listeners {
        let socket = socket(how, address)?;
        // The first has chosen the port.
        address = socket.local_addr()?;
        sockets.push(socket);
    }
    say_port(address.port());
    Ok(sockets)
}

fn socket(how: &Accepting, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_port(how.listeners > 1)?;
    socket.bind(&address.into())?;
    sys::no_delay(socket.as_raw_fd())?;
    socket.set_nonblocking(true)?;
    socket.listen(how.backlog)?;
    Ok(socket.into())
}

/// Accepts for ever, one task for each listener and one for each connection, which echoes until its
/// peer is gone, in whatever way.
///
/// # Panics
///
/// When it cannot listen or accept: a figure from a broken run is worth nothing.
pub fn accept<R: Runtime>(how: &Accepting) {
    let how = *how;
    R::run(async move {
        let mut tasks = Vec::new();
        for listener in sockets(&how).expect("listen") {
            let listener = R::listener(listener).expect("a listener");
            tasks.push(R::spawn(accept_from::<R>(listener, how.batch)));
        }
        for task in tasks {
            task.await;
        }
    });
}

async fn accept_from<R: Runtime>(listener: R::Listener, batch: usize) {
    let mut accepted = 0;
    loop {
        let stream = R::accept(&listener).await.expect("accept");
        // A reset is one of the ways in which clients go.
        R::detach(R::spawn(R::echo(stream, true)));
        accepted += 1;
        if accepted == batch {
            accepted = 0;
            step_back(1).await;
        }
    }
}
