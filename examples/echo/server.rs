//! The server: a task for each connection, no buffer for those that wait, and an end that cuts
//! nobody off in mid-sentence.

use std::cell::Cell;
use std::io;
use std::mem;
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
            let connection = Connection::new(Rc::clone(&self), stream);
            // A client that resets its connection ends its own task and nothing else.
            spawn(connection.echo()).detach();
        }
        Ok(())
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

/// One connection, which is counted as open until it is dropped.
struct Connection {
    server: Rc<Server>,
    stream: TcpStream,
    in_order: bool,
}

impl Connection {
    fn new(server: Rc<Server>, stream: TcpStream) -> Self {
        add(&server.open, 1);
        add(&server.connections, 1);
        server.changed.notify(usize::MAX);
        Connection {
            server,
            stream,
            in_order: false,
        }
    }

    /// The task: echo until the client sends no more, or the server is stopped; and say goodbye.
    ///
    /// A client that does not read stops us in `write_all`, and then we do not read either: the
    /// memory that it can make us use is one buffer.
    async fn echo(mut self) -> io::Result<()> {
        let stream = &self.stream;
        stream.set_nodelay(true)?;
        let mut rest = Vec::new();
        loop {
            // The bytes are in a buffer that all connections share, lent until this returns. What the
            // client does not take at once is kept; so is all if that fails, for `write_all` to say
            // why.
            let read = stream.read_lent(|bytes| {
                let taken = stream.try_write(bytes).unwrap_or(0);
                if taken < bytes.len() {
                    rest.extend_from_slice(&bytes[taken..]);
                }
                bytes.len()
            });
            let length = match unless_stopping(read).await {
                None => break,
                Some(read) => read?,
            };
            if length == 0 {
                break;
            }
            if !rest.is_empty() {
                stream.write_all(&mem::take(&mut rest)).await?;
            }
            // TCP has no messages: one is what one read gave.
            add(&self.server.messages, 1);
            add(&self.server.bytes, length as u64);
            if is_stopping() {
                break;
            }
        }
        hang_up(stream).await?;
        self.in_order = true;
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Server {
            open,
            failed,
            changed,
            ..
        } = &*self.server;
        if !self.in_order {
            add(failed, 1);
        }
        open.set(open.get() - 1);
        changed.notify(usize::MAX);
    }
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
