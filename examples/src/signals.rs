//! Ctrl-C and SIGTERM as something to await; on Windows Ctrl-C, which is all that it has.

use std::io;
#[cfg(unix)]
use std::io::Read;
#[cfg(unix)]
use std::os::unix::net::UnixStream;

#[cfg(unix)]
use executor::Async;
#[cfg(unix)]
use signal_hook::consts::{SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::low_level::pipe;

/// The requests to stop that this process receives, one after another.
///
/// A signal handler may do next to nothing, so it writes one byte into a socket, whose other end
/// is an fd like any other. While this exists, the signals do not kill the process.
#[cfg(unix)]
pub struct Signals {
    bytes: Async<UnixStream>,
}

#[cfg(unix)]
impl Signals {
    /// From now on, SIGINT and SIGTERM come here.
    ///
    /// # Errors
    ///
    /// What the kernel answers to socketpair(2) and sigaction(2).
    ///
    /// # Panics
    ///
    /// If this thread runs no runtime.
    #[track_caller]
    pub fn new() -> io::Result<Signals> {
        let (ours, handlers) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        pipe::register(SIGINT, handlers.try_clone()?)?;
        pipe::register(SIGTERM, handlers)?;
        Ok(Signals {
            bytes: Async::new(ours),
        })
    }

    /// Waits for the next request to stop.
    ///
    /// # Errors
    ///
    /// What the kernel answers to the read.
    pub async fn next(&self) -> io::Result<()> {
        let mut byte = [0];
        self.bytes
            .read_with(|mut bytes| bytes.read(&mut byte))
            .await?;
        Ok(())
    }
}

/// The requests to stop that this process receives, one after another.
#[cfg(windows)]
pub struct Signals(());

#[cfg(windows)]
impl Signals {
    /// From the first [`next`](Self::next) on, Ctrl-C comes here.
    ///
    /// # Errors
    ///
    /// None here.
    pub fn new() -> io::Result<Signals> {
        Ok(Signals(()))
    }

    /// Waits for the next request to stop.
    ///
    /// # Errors
    ///
    /// What SetConsoleCtrlHandler() answers.
    pub async fn next(&self) -> io::Result<()> {
        executor::signal::ctrl_c().await
    }
}
