//! The server: a task for each connection, and an end that cuts nobody off in mid-sentence.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use examples::load::Load;
use examples::stop::Stop;
use executor::JoinHandle;
use reactor::net::{TcpListener, TcpStream};
use reactor::time::timeout;

/// Bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// An echo server. All of its tasks share one, on one thread, so `Rc` and `Cell` are enough.
#[derive(Default)]
pub(crate) struct Server {
    /// What has been done so far.
    pub(crate) load: Load,
    /// Nobody is to wait for another message.
    stop: Stop,
    /// The tasks of the open connections, each under the number that it came with.
    tasks: RefCell<HashMap<u64, JoinHandle<()>>>,
    /// The next such number.
    next: Cell<u64>,
}

impl Server {
    /// Accepts connections for ever, and gives each a task of its own.
    pub(crate) async fn serve(self: Rc<Self>, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _from) = listener.accept().await?;
            self.load.opened();
            let number = self.next.replace(self.next.get() + 1);
            // It runs when we wait for the next connection, so it finds itself in the map.
            let task = executor::spawn(Rc::clone(&self).attend(number, stream));
            self.tasks.borrow_mut().insert(number, task);
        }
    }

    /// The task of one connection.
    async fn attend(self: Rc<Self>, number: u64, stream: TcpStream) {
        // A client that resets its connection ends its own task and nothing else.
        if self.echo(stream).await.is_err() {
            self.load.failed();
        }
        self.load.closed();
        self.tasks.borrow_mut().remove(&number);
    }

    /// Echo until the client sends no more, or nobody is to wait any longer; and say goodbye.
    ///
    /// A client that does not read stops us in `write_all`, and then we do not read either: the
    /// memory that it can make us use is one buffer.
    async fn echo(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; CHUNK];
        while let Some(read) = self.stop.unless(stream.read(&mut buffer)).await {
            let length = read?;
            if length == 0 {
                break;
            }
            stream.write_all(&buffer[..length]).await?;
            self.load.echoed(length);
            if self.stop.is_requested() {
                break;
            }
        }
        hang_up(stream, buffer).await
    }

    /// Lets every connection finish the write that it is in and every client read what is on its way,
    /// but waits no longer than `grace`.
    pub(crate) async fn stop(&self, grace: Duration) {
        self.stop.request();
        let tasks = self.tasks.take();
        let all = async {
            for task in tasks.into_values() {
                // A task that has panicked is over, too.
                let _ = task.await;
            }
        };
        // Too late is no error: the load meter knows who is still open.
        let _ = timeout(grace, all).await;
    }
}

/// The only way out of a connection that is in order: says that no more will come, and waits until
/// the client says the same.
///
/// Closing at once would be wrong while the client still sends: the kernel answers bytes that
/// nobody will read with a reset, which destroys what was written and is still on its way.
async fn hang_up(stream: TcpStream, mut buffer: Vec<u8>) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    while stream.read(&mut buffer).await? != 0 {}
    Ok(())
}
