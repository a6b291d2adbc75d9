//! Pairs of fds to pass bytes through: pipes, Unix sockets, TCP over the loopback.

use std::fs::File;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use crate::subjects::LOOPBACK;
use crate::sys;

/// Two ends; what is written into `sender` comes out of `receiver`.
pub struct Pair {
    pub receiver: Rc<OwnedFd>,
    writing: File,
}

impl Pair {
    pub fn many(transport: &str, count: usize) -> io::Result<Vec<Self>> {
        sys::limit_open_files(None)?;
        let listener = TcpListener::bind(LOOPBACK)?;
        let pair = |_| {
            let (receiver, sender): (OwnedFd, OwnedFd) = match transport {
                "socketpair" => {
                    let (receiver, sender) = UnixStream::pair()?;
                    receiver.set_nonblocking(true)?;
                    (receiver.into(), sender.into())
                }
                "tcp" => {
                    let sender = TcpStream::connect(listener.local_addr()?)?;
                    let (receiver, _) = listener.accept()?;
                    sender.set_nodelay(true)?;
                    receiver.set_nonblocking(true)?;
                    (receiver.into(), sender.into())
                }
                _ => {
                    let (receiver, sender) = io::pipe()?;
                    (receiver.into(), sender.into())
                }
            };
            Ok(Self { receiver: Rc::new(receiver), writing: File::from(sender) })
        };
        (0..count).map(pair).collect()
    }

    #[inline]
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.writing).write_all(bytes)
    }

    /// Reads what is there, in one call.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(&self.receiver, buffer)?)
    }
}
