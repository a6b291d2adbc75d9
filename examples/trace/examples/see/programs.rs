//! The programs that can be seen: each small enough that every step of it can be read.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use executor::JoinError;
use executor::net::{TcpListener, TcpStream};
use executor::time::{sleep, timeout};

/// What to run.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Program {
    /// One await, from call to wake: a read that comes before its bytes
    Await,
    /// Two clients, each with a server task that sends everything back
    Echo,
    /// Three sleeps, a timeout, and a thread that wakes the loop
    Clock,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::Await => "await",
            Program::Echo => "echo",
            Program::Clock => "clock",
        }
    }

    pub(crate) async fn run(self) -> io::Result<()> {
        match self {
            Program::Await => one_await().await,
            Program::Echo => echo().await,
            Program::Clock => clock().await,
        }
    }
}

/// One connection: everything that comes goes back. The client is a thread, which nobody records, and
/// takes its time before the second word: the read that waits for it is the one to look at.
async fn one_await() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let client = thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(address)?;
        for word in [b"hello", b"again"] {
            stream.write_all(word)?;
            stream.read_exact(&mut [0; 5])?;
            thread::sleep(Duration::from_millis(20));
        }
        io::Result::Ok(())
    });
    let (stream, _from) = listener.accept().await?;
    let mut word = [0; 5];
    while stream.read(&mut word).await? > 0 {
        stream.write_all(&word).await?;
    }
    client
        .join()
        .map_err(|_| io::Error::other("the client has panicked"))?
}

/// The server takes two connections; the second client waits a moment before it speaks.
async fn echo() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let first = executor::spawn(client(address, Duration::ZERO));
    let second = executor::spawn(client(address, Duration::from_millis(5)));
    for _ in 0..2 {
        let (stream, _from) = listener.accept().await?;
        executor::spawn(serve(stream)).detach();
    }
    first.await.map_err(ended)??;
    second.await.map_err(ended)??;
    Ok(())
}

/// Everything that comes goes back.
async fn serve(stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length]).await?,
        }
    }
}

/// Says two words and checks that they come back.
async fn client(server: SocketAddr, wait: Duration) -> io::Result<()> {
    let stream = TcpStream::connect(server).await?;
    for word in [b"hello", b"again"] {
        sleep(wait).await;
        stream.write_all(word).await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        assert_eq!(&answer, word, "an echo is the same");
    }
    Ok(())
}

/// A task has panicked, as an error of the program.
fn ended(error: JoinError) -> io::Error {
    io::Error::other(error.to_string())
}

/// No socket at all: only time, and a thread.
async fn clock() -> io::Result<()> {
    let naps = [3, 1, 2].map(|turn| executor::spawn(sleep(Duration::from_millis(5 * turn))));
    let bell = Arc::new(Bell::default());
    let ringer = Arc::clone(&bell);
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(8));
        ringer.ring();
    });
    poll_fn(|cx| bell.poll_rung(cx)).await;
    for nap in naps {
        nap.await.map_err(ended)?;
    }
    let late = timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
    assert!(late.is_err(), "nobody ends a wait for ever");
    Ok(())
}

/// Rung by one thread, heard by a task of another.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        // Taken first, and called when the lock is free again: a waker may do anything.
        let waker = self.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Stores the waker, and looks afterwards: a ring between the two finds the waker.
    fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self.lock() = Some(cx.waker().clone());
        if self.rung.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
