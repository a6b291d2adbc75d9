//! The echo server on any runtime: one task a connection, so many of them, or for ever. And what loops
//! without tasks have in common.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use socket2::{Domain, Socket, Type};

use super::{BUFFER, LOOPBACK, Runtime, Subject};

pub const fn subject<R: Runtime>(name: &'static str, about: &'static str) -> Subject {
    Subject { tasks: true, own_buffer: BUFFER, ..Subject::new(name, about, serve::<R>) }
}

/// Says where it listens, and has one task for each connection, which echoes until its peer is gone. A
/// failure ends it: a figure from a broken run is worth nothing.
fn serve<R: Runtime>(connections: usize) {
    R::run(async move {
        let listener = R::listener(listener().expect("listen")).expect("a listener");
        R::spawn(accept_on::<R>(listener, connections)).await;
    });
}

async fn accept_on<R: Runtime>(listener: R::Listener, connections: usize) {
    // A reset is one of the ways in which those go who come and go.
    if connections == 0 {
        loop {
            R::detach(R::spawn(R::echo(R::accept(&listener).await.expect("accept"), true)));
        }
    }
    let mut tasks = Vec::with_capacity(connections);
    while tasks.len() < connections {
        tasks.push(R::spawn(R::echo(R::accept(&listener).await.expect("accept"), false)));
    }
    for task in tasks {
        task.await;
    }
}

/// Takes one connection that waits, or all, and has each watched. A connection is found by its fd, as the
/// kernel finds it.
pub(super) fn accept<S: AsRawFd>(
    next: impl Fn() -> io::Result<S>,
    only_one: bool,
    open: &mut Vec<Option<S>>,
    watch: impl Fn(&mut S),
) {
    loop {
        let mut stream = match next() {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            // Its peer was gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("accept: {error}"),
        };
        watch(&mut stream);
        let place = stream.as_raw_fd() as usize;
        if open.len() <= place {
            open.resize_with(place + 1, || None);
        }
        open[place] = Some(stream);
        if only_one {
            return;
        }
    }
}

/// Sends back what came, until a short read says that the socket is empty; false when the peer has
/// closed. `closing` says that the end of the stream is already behind the bytes, which an edge would
/// not report again.
#[inline]
pub(super) fn echo(
    stream: &mut (impl Read + Write),
    buffer: &mut [u8],
    closing: bool,
) -> io::Result<bool> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                stream.write_all(&buffer[..count])?;
                if count < buffer.len() && !closing {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
    }
}

/// Tells the process that started this one where to connect.
pub fn say_port(port: u16) {
    let mut out = std::io::stdout().lock();
    // Nobody listening to this line means that nobody will connect either, and ends the run.
    let _ = writeln!(out, "port {port}").and_then(|()| out.flush());
}

/// A socket that does not block and whose connections send at once; says its port.
pub(super) fn listener() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&LOOPBACK.into())?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.listen(4096)?;
    let listener = TcpListener::from(socket);
    say_port(listener.local_addr()?.port());
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_listener_accepts_has_its_no_delay() {
        let listener = listener().unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
    }
}
