//! The calls of sockets. Every socket that is made here is non-blocking and closed by an exec.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

pub use libc::{AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM};
use libc::{c_int, socklen_t};

use crate::sys::{Address, acts};

/// Sends without a signal: a peer that is gone is an error (`EPIPE`) and no SIGPIPE.
#[cfg(msg_nosignal)]
pub const MSG_NOSIGNAL: c_int = libc::MSG_NOSIGNAL;
/// There is no such flag here; [`set_nosigpipe`] says it once for the socket.
#[cfg(not(msg_nosignal))]
pub const MSG_NOSIGNAL: c_int = 0;

/// Receives without taking the bytes away.
pub const MSG_PEEK: c_int = libc::MSG_PEEK;

/// Asks for the length that a datagram had before it was cut.
#[cfg(full_length)]
pub const FULL_LENGTH: c_int = libc::MSG_TRUNC;
/// Only Linux tells the full length; elsewhere it tells that the datagram was cut.
#[cfg(not(full_length))]
pub const FULL_LENGTH: c_int = 0;

/// How many slices one call takes (`IOV_MAX`).
const MOST_SLICES: usize = 1024;

/// socket(2): a new socket of a family ([`AF_INET`] and its like) and a type ([`SOCK_STREAM`],
/// [`SOCK_DGRAM`]).
///
/// # Errors
///
/// EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM.
pub fn socket(family: c_int, kind: c_int) -> io::Result<OwnedFd> {
    #[cfg(accept4)]
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer.
    let fd = unsafe { syscall!(socket(family, kind, 0)) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    #[cfg(not(accept4))]
    set_flags(&socket)?;
    Ok(socket)
}

/// bind(2).
///
/// # Errors
///
/// EADDRINUSE, EACCES, EADDRNOTAVAIL; for a file also those of path_resolution(7).
pub fn bind(socket: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_ptr();
    // SAFETY: the kernel reads `length` bytes from `pointer` on, which live until it returns.
    unsafe { syscall!(bind(socket.as_raw_fd(), pointer, length)) }?;
    Ok(())
}

/// listen(2).
///
/// # Errors
///
/// EADDRINUSE, EOPNOTSUPP.
pub fn listen(socket: BorrowedFd<'_>, backlog: c_int) -> io::Result<()> {
    // SAFETY: takes no pointer.
    unsafe { syscall!(listen(socket.as_raw_fd(), backlog)) }?;
    Ok(())
}

/// connect(2).
///
/// # Errors
///
/// EINPROGRESS: it goes on in the background. EAGAIN: the backlog of a Unix listener is full. Else
/// it has failed.
pub fn connect(socket: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_ptr();
    // SAFETY: the kernel reads `length` bytes from `pointer` on, which live until it returns.
    act!(acts::Connect, unsafe {
        syscall!(connect(socket.as_raw_fd(), pointer, length))
    })?;
    Ok(())
}

/// accept4(2): the new connection, and where it comes from. Where there is only accept(2), that and
/// the flags by hand.
///
/// # Errors
///
/// EAGAIN: nobody is there. What else it answers may be about the connection, the listener or the
/// process; accept(2) says which.
pub fn accept4(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Address)> {
    let mut from = Address::unspecified();
    let (pointer, length) = from.as_mut_ptr();
    #[cfg(accept4)]
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    #[cfg(accept4)]
    // SAFETY: the kernel writes at most `length` bytes from `pointer` on, and how many into
    // `length`; both are ours.
    let fd = act!(acts::Accept, unsafe {
        syscall!(accept4(listener.as_raw_fd(), pointer, length, flags))
    })?;
    #[cfg(not(accept4))]
    // SAFETY: as above.
    let fd = act!(acts::Accept, unsafe {
        syscall!(accept4 = libc::accept(listener.as_raw_fd(), pointer, length))
    })?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    #[cfg(not(accept4))]
    set_flags(&socket)?;
    Ok((socket, from))
}

/// What accept4(2) and socket(2) do elsewhere in one step.
#[cfg(not(accept4))]
fn set_flags(socket: &OwnedFd) -> io::Result<()> {
    use std::os::fd::AsFd;
    // SAFETY: F_SETFD takes an int and touches no memory.
    unsafe { syscall!(fcntl(socket.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC)) }?;
    super::fd::ioctl_fionbio(socket.as_fd(), true)?;
    set_nosigpipe(socket.as_fd())
}

/// The two calls that an echo makes: without libc's function around them where we can.
macro_rules! transfer {
    ($name:ident, $number:ident, $socket:ident, $pointer:ident, $len:ident, $flags:ident) => {{
        #[cfg(any(test, feature = "fault"))]
        crate::sys::fault::enter(stringify!($name))?;
        let socket = $socket.as_raw_fd();
        #[cfg(direct)]
        let n = crate::sys::direct::syscall(
            libc::$number,
            [
                socket as usize,
                $pointer as usize,
                $len,
                $flags as usize,
                0,
                0,
            ],
        );
        #[cfg(not(direct))]
        let n = match libc::$name(socket, $pointer.cast(), $len, $flags) {
            -1 => Err(crate::sys::refused()),
            n => Ok(n as usize),
        };
        n
    }};
}

/// recv(2): 0 is the end of the stream.
///
/// # Errors
///
/// EAGAIN: nothing is there. Else the connection is broken, or there is none.
#[inline]
pub fn recv(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_mut_ptr(), buffer.len());
    // SAFETY: the kernel writes at most `len` bytes from `pointer` on, which are ours to write.
    act!(acts::Recv, unsafe {
        transfer!(recv, SYS_recvfrom, socket, pointer, len, flags)
    })
}

/// send(2).
///
/// # Errors
///
/// EAGAIN: there is no room. EMSGSIZE: it cannot be one message. Else the connection is broken, or
/// there is none.
#[inline]
pub fn send(socket: BorrowedFd<'_>, buffer: &[u8], flags: c_int) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_ptr(), buffer.len());
    // SAFETY: the kernel reads `len` bytes from `pointer` on, which are ours to read.
    act!(acts::Send, unsafe {
        transfer!(send, SYS_sendto, socket, pointer, len, flags)
    })
}

/// sendto(2).
///
/// # Errors
///
/// As [`send`], and those of the way to the address.
pub fn sendto(
    socket: BorrowedFd<'_>,
    buffer: &[u8],
    flags: c_int,
    to: &Address,
) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_ptr().cast(), buffer.len());
    let (address, length) = to.as_ptr();
    let socket = socket.as_raw_fd();
    // SAFETY: the kernel reads `len` bytes from `pointer` and `length` bytes from `address` on.
    let n = unsafe { syscall!(sendto(socket, pointer, len, flags, address, length)) }?;
    Ok(n as usize)
}

/// sendmsg(2) of several slices, one after another; of more than 1024 the first 1024. Empty ones
/// count for nothing, so that 0 bytes means that there were none.
///
/// # Errors
///
/// As [`send`].
pub fn sendmsg(socket: BorrowedFd<'_>, slices: &[IoSlice<'_>], flags: c_int) -> io::Result<usize> {
    let first = slices.iter().take_while(|slice| slice.is_empty()).count();
    let slices = &slices[first..];
    let mut message = header();
    // `IoSlice` has the layout of `iovec` on Unix, as std promises.
    message.msg_iov = slices.as_ptr().cast_mut().cast();
    message.msg_iovlen = slices.len().min(MOST_SLICES) as _;
    // SAFETY: the kernel reads the header, the slices that it counts, and the bytes of each; all
    // live until it returns.
    let n = unsafe { syscall!(sendmsg(socket.as_raw_fd(), &raw const message, flags)) }?;
    Ok(n as usize)
}

/// What came of [`recvmsg`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Message {
    /// How many bytes there were, more than fit if [`FULL_LENGTH`] was asked for.
    pub bytes: usize,
    /// Was the datagram cut?
    pub truncated: bool,
    /// Where it comes from, if it is not from a stream.
    pub from: Address,
}

/// recvmsg(2) into several slices, one after another; of more than 1024 the first 1024. Empty ones
/// count for nothing.
///
/// # Errors
///
/// As [`recv`].
pub fn recvmsg(
    socket: BorrowedFd<'_>,
    slices: &mut [IoSliceMut<'_>],
    flags: c_int,
) -> io::Result<Message> {
    let first = slices.iter().take_while(|slice| slice.is_empty()).count();
    let slices = &mut slices[first..];
    let mut from = Address::unspecified();
    let mut message = header();
    let (address, length) = from.as_mut_ptr();
    message.msg_name = address.cast();
    message.msg_namelen = *length;
    // `IoSliceMut` has the layout of `iovec` on Unix, as std promises.
    message.msg_iov = slices.as_mut_ptr().cast();
    message.msg_iovlen = slices.len().min(MOST_SLICES) as _;
    // SAFETY: the kernel reads the header and writes at most as many bytes as the slices and the
    // address have room for; all are ours, and live until it returns.
    let n = act!(acts::Recvmsg, unsafe {
        syscall!(recvmsg(socket.as_raw_fd(), &raw mut message, flags))
    })?;
    from.set_length(message.msg_namelen);
    Ok(Message {
        bytes: n as usize,
        truncated: message.msg_flags & libc::MSG_TRUNC != 0,
        from,
    })
}

/// No name, no slices, no control messages.
fn header() -> libc::msghdr {
    // SAFETY: all zeros is a valid msghdr: integers, and pointers that may be null.
    unsafe { mem::zeroed() }
}

/// getsockopt(2) SO_ERROR: the error that waits in the socket, and clears it; 0 is none.
///
/// # Errors
///
/// ENOTSOCK.
pub fn so_error(socket: BorrowedFd<'_>) -> io::Result<c_int> {
    getsockopt(socket, libc::SO_ERROR, 0)
}

/// getsockopt(2) SO_ACCEPTCONN: does it listen?
///
/// # Errors
///
/// ENOTSOCK.
pub fn so_acceptconn(socket: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(getsockopt(socket, libc::SO_ACCEPTCONN, 0)? != 0)
}

/// getsockopt(2) SO_TYPE: [`libc::SOCK_STREAM`], [`libc::SOCK_DGRAM`] or another.
///
/// # Errors
///
/// ENOTSOCK.
pub fn so_type(socket: BorrowedFd<'_>) -> io::Result<c_int> {
    getsockopt(socket, libc::SO_TYPE, 0)
}

/// getsockname(2): the address of this end.
///
/// # Errors
///
/// ENOTSOCK.
pub fn getsockname(socket: BorrowedFd<'_>) -> io::Result<Address> {
    let mut name = Address::unspecified();
    let (pointer, length) = name.as_mut_ptr();
    // SAFETY: the kernel writes at most `length` bytes from `pointer` on, and how many into
    // `length`; both are ours.
    unsafe { syscall!(getsockname(socket.as_raw_fd(), pointer, length)) }?;
    Ok(name)
}

/// getsockopt(2) SO_PEERCRED: process, user and group of whoever made the other end. The process
/// is 0 if it has no number in our namespace (pid_namespaces(7)).
///
/// # Errors
///
/// ENOTSOCK.
#[cfg(peercred)]
pub fn so_peercred(socket: BorrowedFd<'_>) -> io::Result<libc::ucred> {
    let nobody = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    getsockopt(socket, libc::SO_PEERCRED, nobody)
}

/// setsockopt(2) SO_NOSIGPIPE, which Apple has in the place of [`MSG_NOSIGNAL`]; elsewhere nothing.
///
/// # Errors
///
/// ENOTSOCK.
pub fn set_nosigpipe(socket: BorrowedFd<'_>) -> io::Result<()> {
    #[cfg(not(msg_nosignal))]
    {
        let (yes, length): (c_int, _) = (1, size_of::<c_int>() as socklen_t);
        let (pointer, option) = ((&raw const yes).cast(), libc::SO_NOSIGPIPE);
        let socket = socket.as_raw_fd();
        // SAFETY: the kernel reads an int, which lives until it returns.
        unsafe {
            syscall!(setsockopt(
                socket,
                libc::SOL_SOCKET,
                option,
                pointer,
                length
            ))
        }?;
    }
    #[cfg(msg_nosignal)]
    let _ = socket;
    Ok(())
}

/// An option of the socket level, over `value`.
fn getsockopt<T: Plain>(socket: BorrowedFd<'_>, option: c_int, mut value: T) -> io::Result<T> {
    let mut length = size_of::<T>() as socklen_t;
    let pointer = (&raw mut value).cast();
    let socket = socket.as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes over the value, of which any bits are one,
    // and how many into `length`.
    unsafe {
        syscall!(getsockopt(
            socket,
            libc::SOL_SOCKET,
            option,
            pointer,
            &raw mut length
        ))
    }?;
    Ok(value)
}

/// Types of which any bits are a value.
trait Plain {}
impl Plain for c_int {}
#[cfg(peercred)]
impl Plain for libc::ucred {}
