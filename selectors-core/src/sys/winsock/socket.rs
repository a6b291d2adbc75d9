//! The calls of sockets. Every socket that is made here is non-blocking, and no child inherits it.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::windows::io::{AsRawSocket, FromRawSocket, RawSocket};
use std::ptr;

use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::Networking::WinSock as ws;

use super::{Address, fd, handle, startup};
use crate::os::{AsFd, BorrowedFd, OwnedFd, RawFd, errno};
use crate::sys::acts;

/// There are no signals, and so none to be without.
pub const MSG_NOSIGNAL: i32 = 0;

/// Receives without taking the bytes away.
pub const MSG_PEEK: i32 = ws::MSG_PEEK;

/// Winsock tells that a datagram was cut, and not how long it was.
pub const FULL_LENGTH: i32 = 0;

/// A family of addresses: IPv4.
pub const AF_INET: i32 = ws::AF_INET as i32;
/// A family of addresses: IPv6.
pub const AF_INET6: i32 = ws::AF_INET6 as i32;
/// A type of sockets: streams.
pub const SOCK_STREAM: i32 = ws::SOCK_STREAM;
/// A type of sockets: datagrams.
pub const SOCK_DGRAM: i32 = ws::SOCK_DGRAM;

/// How many slices one call takes: as many as elsewhere.
const MOST_SLICES: usize = 1024;

/// WSASocketW(): a new socket of a family ([`AF_INET`], [`AF_INET6`]) and a type ([`SOCK_STREAM`],
/// [`SOCK_DGRAM`]).
///
/// # Errors
///
/// WSAEAFNOSUPPORT, WSAEMFILE, WSAENOBUFS; those of WSAStartup().
pub fn socket(family: i32, kind: i32) -> io::Result<OwnedFd> {
    startup()?;
    let flags = ws::WSA_FLAG_OVERLAPPED | ws::WSA_FLAG_NO_HANDLE_INHERIT;
    let made =
        // SAFETY: a null pointer asks for the protocol that goes with family and type.
        unsafe { syscall!(socket = ws::WSASocketW(family, kind, 0, ptr::null(), 0, flags) as isize) }?;
    // SAFETY: a successful call returns a new socket that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_socket(made as RawSocket) };
    fd::ioctl_fionbio(socket.as_fd(), true)?;
    Ok(socket)
}

/// bind().
///
/// # Errors
///
/// WSAEADDRINUSE, WSAEACCES, WSAEADDRNOTAVAIL.
pub fn bind(socket: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_ptr();
    // SAFETY: the call reads `length` bytes from `pointer` on, which live until it returns.
    unsafe { syscall!(bind = ws::bind(raw(socket), pointer, length)) }?;
    Ok(())
}

/// listen().
///
/// # Errors
///
/// WSAEADDRINUSE, WSAEOPNOTSUPP.
pub fn listen(socket: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    // SAFETY: takes no pointer.
    unsafe { syscall!(listen = ws::listen(raw(socket), backlog)) }?;
    Ok(())
}

/// connect().
///
/// # Errors
///
/// WSAEWOULDBLOCK: it goes on in the background. Else it has failed.
pub fn connect(socket: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_ptr();
    // SAFETY: the call reads `length` bytes from `pointer` on, which live until it returns.
    act!(acts::Connect, unsafe {
        syscall!(connect = ws::connect(raw(socket), pointer, length))
    })?;
    Ok(())
}

/// accept(): the new connection, and where it comes from.
///
/// # Errors
///
/// WSAEWOULDBLOCK: nobody is there. WSAECONNRESET: whoever was there has gone. Else it is about the
/// listener or the process.
pub fn accept4(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Address)> {
    let mut from = Address::unspecified();
    let (pointer, length) = from.as_mut_ptr();
    // SAFETY: the call writes at most `length` bytes from `pointer` on, and how many into `length`;
    // both are ours.
    let made = act!(acts::Accept, unsafe {
        syscall!(accept4 = ws::accept(raw(listener), pointer, length) as isize)
    })?;
    // SAFETY: a successful call returns a new socket that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_socket(made as RawSocket) };
    // It has the mode of the listener, and children inherit it.
    fd::ioctl_fionbio(socket.as_fd(), true)?;
    // SAFETY: takes no pointer; the handle is open.
    unsafe { SetHandleInformation(raw(socket.as_fd()) as _, HANDLE_FLAG_INHERIT, 0) };
    Ok((socket, from))
}

/// recv(): 0 is the end of the stream, be it the peer's or that of our own shutdown.
///
/// # Errors
///
/// WSAEWOULDBLOCK: nothing is there. Else the connection is broken, or there is none.
#[inline]
pub fn recv(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: i32) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_mut_ptr(), at_most(buffer.len()));
    // SAFETY: the call writes at most `len` bytes from `pointer` on, which are ours to write.
    let n = act!(acts::Recv, unsafe {
        syscall!(recv = ws::recv(raw(socket), pointer, len, flags))
    });
    match n {
        Err(error) if error.raw_os_error() == Some(errno::ESHUTDOWN) => Ok(0),
        n => Ok(n? as usize),
    }
}

/// send().
///
/// # Errors
///
/// WSAEWOULDBLOCK: there is no room. WSAEMSGSIZE: it cannot be one message. Else the connection is
/// broken, or there is none.
#[inline]
pub fn send(socket: BorrowedFd<'_>, buffer: &[u8], flags: i32) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_ptr(), at_most(buffer.len()));
    // SAFETY: the call reads `len` bytes from `pointer` on, which are ours to read.
    let n = act!(acts::Send, unsafe {
        syscall!(send = ws::send(raw(socket), pointer, len, flags))
    })?;
    Ok(n as usize)
}

/// sendto().
///
/// # Errors
///
/// As [`send`], and those of the way to the address.
pub fn sendto(
    socket: BorrowedFd<'_>,
    buffer: &[u8],
    flags: i32,
    to: &Address,
) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_ptr(), at_most(buffer.len()));
    let (to, length) = to.as_ptr();
    let socket = raw(socket);
    // SAFETY: the call reads `len` bytes from `pointer` and `length` bytes from `to` on.
    let n = unsafe { syscall!(sendto = ws::sendto(socket, pointer, len, flags, to, length)) }?;
    Ok(n as usize)
}

/// WSASend() of several slices, one after another; of more than 1024 the first 1024. Empty ones count
/// for nothing, so that 0 bytes means that there were none.
///
/// # Errors
///
/// As [`send`].
pub fn sendmsg(socket: BorrowedFd<'_>, slices: &[IoSlice<'_>], flags: i32) -> io::Result<usize> {
    let first = slices.iter().take_while(|slice| slice.is_empty()).count();
    let slices = &slices[first..];
    // `IoSlice` has the layout of `WSABUF` on Windows, as std promises.
    let (pointer, count) = (slices.as_ptr().cast(), slices.len().min(MOST_SLICES) as u32);
    let (socket, flags, mut sent) = (raw(socket), flags as u32, 0);
    // SAFETY: the call reads the slices that it counts and the bytes of each, and writes one u32; all
    // live until it returns, because nothing asks it to go on in the background.
    unsafe {
        syscall!(
            sendmsg = ws::WSASend(
                socket,
                pointer,
                count,
                &raw mut sent,
                flags,
                ptr::null_mut(),
                None
            )
        )
    }?;
    Ok(sent as usize)
}

/// What came of [`recvmsg`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Message {
    /// How many bytes there were.
    pub bytes: usize,
    /// Was the datagram cut?
    pub truncated: bool,
    /// Where it comes from, if it is not from a stream.
    pub from: Address,
}

/// WSARecvFrom() into several slices, one after another; of more than 1024 the first 1024. Empty ones
/// count for nothing.
///
/// # Errors
///
/// As [`recv`].
pub fn recvmsg(
    socket: BorrowedFd<'_>,
    slices: &mut [IoSliceMut<'_>],
    flags: i32,
) -> io::Result<Message> {
    let first = slices.iter().take_while(|slice| slice.is_empty()).count();
    let slices = &mut slices[first..];
    let room = slices
        .iter()
        .take(MOST_SLICES)
        .map(|slice| slice.len())
        .sum();
    let mut from = Address::unspecified();
    let (address, length) = from.as_mut_ptr();
    let length: *mut i32 = length;
    // `IoSliceMut` has the layout of `WSABUF` on Windows, as std promises.
    let (pointer, count) = (
        slices.as_mut_ptr().cast(),
        slices.len().min(MOST_SLICES) as u32,
    );
    let (socket, mut flags, mut bytes) = (raw(socket), flags as u32, 0);
    // SAFETY: the call reads the slices that it counts and writes at most as many bytes as they and
    // the address have room for, and three integers; all live until it returns, because nothing asks
    // it to go on in the background.
    let received = act!(acts::Recvmsg, unsafe {
        syscall!(
            recvmsg = ws::WSARecvFrom(
                socket,
                pointer,
                count,
                &raw mut bytes,
                &raw mut flags,
                address,
                length,
                ptr::null_mut(),
                None
            )
        )
    });
    let (bytes, truncated) = match received {
        Ok(_) => (bytes as usize, false),
        Err(error) => match error.raw_os_error() {
            // It has filled the slices all the same.
            Some(errno::EMSGSIZE) => (room, true),
            Some(errno::ESHUTDOWN) => (0, false),
            _ => return Err(error),
        },
    };
    Ok(Message {
        bytes,
        truncated,
        from,
    })
}

/// getsockopt() SO_ERROR: the error that waits in the socket, and clears it; 0 is none.
///
/// # Errors
///
/// WSAENOTSOCK.
pub fn so_error(socket: BorrowedFd<'_>) -> io::Result<i32> {
    getsockopt(raw(socket), ws::SO_ERROR)
}

/// getsockopt() SO_ACCEPTCONN: does it listen?
///
/// # Errors
///
/// WSAENOTSOCK.
pub fn so_acceptconn(socket: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(getsockopt(raw(socket), ws::SO_ACCEPTCONN)? != 0)
}

/// getsockopt() SO_TYPE of a number: [`SOCK_STREAM`], [`SOCK_DGRAM`] or another. Succeeds exactly if it
/// is a socket.
///
/// # Errors
///
/// WSAENOTSOCK.
pub fn so_type_of(number: RawFd) -> io::Result<i32> {
    getsockopt(handle(number), ws::SO_TYPE)
}

/// getpeername() of a number: succeeds if it is connected.
///
/// # Errors
///
/// WSAENOTCONN, WSAENOTSOCK.
pub fn getpeername(number: RawFd) -> io::Result<Address> {
    let mut name = Address::unspecified();
    let (pointer, length) = name.as_mut_ptr();
    // SAFETY: the call writes at most `length` bytes from `pointer` on, and how many into `length`;
    // both are ours. A number that is no socket is answered with WSAENOTSOCK.
    unsafe { syscall!(getpeername = ws::getpeername(handle(number), pointer, length)) }?;
    Ok(name)
}

/// An option of the socket level.
fn getsockopt(socket: ws::SOCKET, option: i32) -> io::Result<i32> {
    let (mut value, mut length) = (0_i32, size_of::<i32>() as i32);
    let pointer = (&raw mut value).cast();
    // SAFETY: the call writes at most `length` bytes over the value, of which any bits are one, and
    // how many into `length`.
    unsafe {
        syscall!(
            getsockopt = ws::getsockopt(socket, ws::SOL_SOCKET, option, pointer, &raw mut length)
        )
    }?;
    Ok(value)
}

fn raw(socket: BorrowedFd<'_>) -> ws::SOCKET {
    socket.as_raw_socket() as ws::SOCKET
}

/// Lengths are ints.
fn at_most(length: usize) -> i32 {
    length.min(i32::MAX as usize) as i32
}
