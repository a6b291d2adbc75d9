//! What came of receiving a datagram: how much of it, and whether that was all.

use std::io::{self, IoSliceMut};

use selectors_core::os::AsFd;
use selectors_core::sys::{Address, socket};

/// What one receiving call put into the buffer. A datagram that is longer than the buffer is cut,
/// and its rest is lost: this says so.
///
/// ```
/// use reactor::net::UdpSocket;
///
/// executor::block_on(async {
///     let ours = UdpSocket::bind("127.0.0.1:0").await?;
///     let theirs = UdpSocket::bind("127.0.0.1:0").await?;
///     theirs.send_to(b"hello", ours.local_addr()?).await?;
///     let mut buffer = [0; 4];
///     let (received, from) = ours.recv_from(&mut buffer).await?;
///     assert_eq!(&buffer[..received.len()], b"hell");
///     assert!(received.is_truncated());
///     assert_eq!(from, theirs.local_addr()?);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    length: usize,
    full_length: usize,
    truncated: bool,
}

impl Received {
    /// How many bytes are in the buffer, never more than fit; empty datagrams exist.
    #[must_use]
    pub fn len(self) -> usize {
        self.length
    }

    /// Was it an empty datagram (or an empty buffer)?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Was the datagram longer than the buffer?
    #[must_use]
    pub fn is_truncated(self) -> bool {
        self.truncated
    }

    /// How long the datagram was. Where the system does not tell (all but Linux), the same as
    /// [`len`](Self::len).
    #[must_use]
    pub fn full_len(self) -> usize {
        self.full_length
    }
}

/// recvmsg(2) into one buffer.
pub(crate) fn receive(
    socket: &impl AsFd,
    buffer: &mut [u8],
    flags: i32,
) -> io::Result<(Received, Address)> {
    let room = buffer.len();
    let flags = flags | socket::FULL_LENGTH;
    let message = socket::recvmsg(socket.as_fd(), &mut [IoSliceMut::new(buffer)], flags)?;
    let received = Received {
        length: message.bytes.min(room),
        full_length: message.bytes,
        truncated: message.truncated,
    };
    Ok((received, message.from))
}
