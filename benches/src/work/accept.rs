//! A server for connections that come and go: what it listens with, and how it accepts.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;

use socket2::{Domain, Socket, Type};

use super::say_port;
use super::switch::step_back;
use crate::runtime::{LOOPBACK, Runtime};
use crate::sys;

/// How a server accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepting {
    /// Sockets that listen on the same port; more than one need `SO_REUSEPORT`, and the kernel
    /// deals the connections out to them.
    pub listeners: usize,
    /// Connections that the kernel keeps for each until they are accepted.
    pub backlog: i32,
    /// Connections that are accepted in a row before others have their turn; 0 for as many as the
    /// loop itself likes.
    pub batch: usize,
}

impl Accepting {
    /// From the words of [`Accepting::words`].
    ///
    /// # Errors
    ///
    /// In words: what is no number.
    pub fn from_words(words: &[String]) -> Result<Self, String> {
        let number = |place: usize| {
            let word = words.get(place).ok_or("LISTENERS BACKLOG BATCH")?;
            word.parse::<u32>()
                .map_err(|_| format!("{word} is no number"))
        };
        Ok(Self {
            listeners: number(0)?.max(1) as usize,
            backlog: i32::try_from(number(1)?).unwrap_or(i32::MAX),
            batch: number(2)? as usize,
        })
    }

    /// For the command line of the process that is to accept so.
    pub fn words(&self) -> [String; 3] {
        let Self {
            listeners,
            backlog,
            batch,
        } = self;
        [
            listeners.to_string(),
            backlog.to_string(),
            batch.to_string(),
        ]
    }

    /// Its sockets, which do not block and whose connections send at once; says the port.
    pub(crate) fn listen(&self) -> io::Result<Vec<TcpListener>> {
        let mut address = LOOPBACK;
        let mut sockets = Vec::with_capacity(self.listeners);
        for _ in 0..self.listeners {
            let socket = self.listen_on(address)?;
            // The first has chosen the port.
            address = socket.local_addr()?;
            sockets.push(socket);
        }
        say_port(address.port());
        Ok(sockets)
    }

    fn listen_on(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_port(self.listeners > 1)?;
        socket.bind(&address.into())?;
        sys::no_delay(socket.as_raw_fd())?;
        socket.set_nonblocking(true)?;
        socket.listen(self.backlog)?;
        Ok(socket.into())
    }
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
        for listener in how.listen().expect("listen") {
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
        R::detach(R::spawn(async move {
            // A reset is one of the ways in which clients go.
            let _ = R::attend(stream).await;
        }));
        accepted += 1;
        if accepted == batch {
            accepted = 0;
            step_back(1).await;
        }
    }
}
