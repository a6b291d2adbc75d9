//! The server: a task for each connection, no buffer for those that wait, and an end that cuts
//! nobody off in mid-sentence.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use event_listener::Event;
use executor::net::{TcpListener, TcpStream};
use executor::time::timeout;
use executor::{is_stopping, request_stop, spawn, unless_stopping};

/// An echo server, and what it has done so far. All of its tasks share one, on one thread, so `Rc`
/// and `Cell` are enough.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) open: Cell<u64>,
    pub(crate) connections: Cell<u64>,
    pub(crate) failed: Cell<u64>,
    pub(crate) messages: Cell<u64>,
    pub(crate) bytes: Cell<u64>,
    /// A connection has come or gone.
    pub(crate) changed: Event,
}

impl Server {
    /// Accepts connections until it is stopped, and gives each a task of its own.
    pub(crate) async fn serve(self: Rc<Self>, listener: TcpListener) -> io::Result<()> {
        while let Some(accepted) = unless_stopping(listener.accept()).await {
            let (stream, _from) = accepted?;
            add(&self.open, 1);
            add(&self.connections, 1);
            self.changed.notify(usize::MAX);
            spawn(Rc::clone(&self).attend(stream)).detach();
        }
        Ok(())
    }

    /// The task of one connection.
    async fn attend(self: Rc<Self>, stream: TcpStream) {
        // A client that resets its connection ends its own task and nothing else.
        if self.echo(&stream).await.is_err() {
            add(&self.failed, 1);
        }
        self.open.set(self.open.get() - 1);
        self.changed.notify(usize::MAX);
    }

    /// Echo until the client sends no more, or the server is stopped; and say goodbye.
    ///
    /// A client that does not read stops us in `write_all`, and then we do not read either: the
    /// memory that it can make us use is one buffer.
    async fn echo(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        loop {
            let mut rest = Vec::new();
            // The bytes are in a buffer that all connections share, lent until this returns.
            let read = stream.read_lent(|bytes| send_back(stream, bytes, &mut rest));
            let length = match unless_stopping(read).await {
                None | Some(Ok(Ok(0))) => break,
                Some(read) => read??,
            };
            if !rest.is_empty() {
                stream.write_all(&rest).await?;
            }
            // TCP has no messages: one is what one read gave.
            add(&self.messages, 1);
            add(&self.bytes, length as u64);
            if is_stopping() {
                break;
            }
        }
        hang_up(stream).await
    }

    /// Lets every connection finish the write that it is in and every client read what is on its way,
    /// but waits no longer than `grace`.
    pub(crate) async fn stop(&self, grace: Duration) {
        request_stop();
        let all = async {
            while self.open.get() != 0 {
                self.changed.listen().await;
            }
        };
        // Too late is no error: the server knows who is still open.
        let _ = timeout(grace, all).await;
    }
}

/// Writes what the client takes at once, and keeps the rest. Says how much both are.
#[inline]
fn send_back(stream: &TcpStream, bytes: &[u8], rest: &mut Vec<u8>) -> io::Result<usize> {
    match stream.try_write(bytes) {
        Ok(written) if written == bytes.len() => {}
        Ok(written) => rest.extend_from_slice(&bytes[written..]),
        // Nothing was taken, for want of room or because of a signal.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            rest.extend_from_slice(bytes);
        }
        Err(error) => return Err(error),
    }
    Ok(bytes.len())
}

/// The only way out of a connection that is in order: says that no more will come, and waits until
/// the client says the same.
///
/// Closing at once would be wrong while the client still sends: the kernel answers bytes that
/// nobody will read with a reset, which destroys what was written and is still on its way.
async fn hang_up(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    while stream.read_lent(<[u8]>::len).await? != 0 {}
    Ok(())
}

fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
