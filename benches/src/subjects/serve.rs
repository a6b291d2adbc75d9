//! The echo server on any runtime: one task a connection, so many of them, or for ever.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;

use socket2::{Domain, Socket, Type};

use super::{BUFFER, LOOPBACK, Runtime, Serving, Subject, step_back};
use crate::sys;

pub const fn subject<R: Runtime>(name: &'static str, about: &'static str) -> Subject {
    Subject { tasks: true, own_buffer: BUFFER, ..Subject::new(name, about, serve::<R>) }
}

/// Says where it listens, and has one task for each listener and one for each connection, which
/// echoes until its peer is gone. A failure ends it: a figure from a broken run is worth nothing.
fn serve<R: Runtime>(how: &Serving) {
    let how = *how;
    R::run(async move {
        let mut tasks = Vec::new();
        for listener in sockets(&how).expect("listen") {
            let listener = R::listener(listener).expect("a listener");
            tasks.push(R::spawn(accept::<R>(listener, how)));
        }
        for task in tasks {
            task.await;
        }
    });
}

async fn accept<R: Runtime>(listener: R::Listener, how: Serving) {
    let mut tasks = Vec::with_capacity(how.connections);
    let mut accepted = 0;
    while how.for_ever() || accepted < how.connections {
        let stream = R::accept(&listener).await.expect("accept");
        // A reset is one of the ways in which those go who come and go.
        let task = R::spawn(R::echo(stream, how.for_ever()));
        accepted += 1;
        if !how.for_ever() {
            tasks.push(task);
            continue;
        }
        R::detach(task);
        if how.batch > 0 && accepted % how.batch == 0 {
            step_back(1).await;
        }
    }
    for task in tasks {
        task.await;
    }
}

/// Tells the process that started this one where to connect.
pub fn say_port(port: u16) {
    let mut out = std::io::stdout().lock();
    // Nobody listening to this line means that nobody will connect either, and ends the run.
    let _ = writeln!(out, "port {port}").and_then(|()| out.flush());
}

/// Its sockets, which do not block and whose connections send at once; says the port.
pub(super) fn sockets(how: &Serving) -> io::Result<Vec<TcpListener>> {
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

fn socket(how: &Serving, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_port(how.listeners > 1)?;
    socket.bind(&address.into())?;
    sys::no_delay(socket.as_raw_fd())?;
    socket.set_nonblocking(true)?;
    socket.listen(how.backlog)?;
    Ok(socket.into())
}
