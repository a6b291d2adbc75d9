//! Addresses of Unix sockets, and the file of a bound one.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;

use rustix::net::{SocketAddrAny, SocketAddrUnix};
use socket2::{Domain, Socket, Type};

use crate::platform::{from_abstract, to_abstract};

/// The address of a file.
pub(crate) fn address_of(path: &Path) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(path).map_err(|error| name_file("use", path, &error))
}

/// What the kernel says about a peer, as std's type: a file, an abstract name, or nothing.
pub(crate) fn peer_address(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    let address = address.map(SocketAddrUnix::try_from).transpose()?;
    let Some(address) = address else {
        return SocketAddr::from_pathname("");
    };
    if let Some(named) = from_abstract(&address) {
        return named;
    }
    let path = address.path_bytes().unwrap_or_default();
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    SocketAddr::from_pathname(OsStr::from_bytes(path))
}

/// The other way: std's address as the kernel takes it.
pub(crate) fn kernel_address(address: &SocketAddr) -> io::Result<SocketAddrUnix> {
    match (to_abstract(address), address.as_pathname()) {
        (Some(named), _) => named,
        (None, Some(path)) => Ok(SocketAddrUnix::new(path)?),
        (None, None) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "an address without a name leads nowhere",
        )),
    }
}

/// A Unix socket in non-blocking mode.
pub(crate) fn unix_socket(kind: Type) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A Unix socket with `address` as its own, and the file that was made for it.
pub(crate) fn bound_socket(
    kind: Type,
    address: &SocketAddr,
) -> io::Result<(OwnedFd, Option<SocketFile>)> {
    let bind = || {
        let socket = unix_socket(kind)?;
        rustix::net::bind(&socket, &kernel_address(address)?)?;
        io::Result::Ok(socket)
    };
    let socket = bind().map_err(|error| name_unix("bind", address, &error))?;
    Ok((socket, SocketFile::of(address)))
}

/// The same kind of error, with a text that says which address it is about.
pub(crate) fn name_unix(what: &str, address: &SocketAddr, error: &io::Error) -> io::Error {
    match address.as_pathname() {
        Some(path) => name_file(what, path, error),
        None => io::Error::new(error.kind(), format!("{what} {address:?}: {error}")),
    }
}

fn name_file(what: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}

/// The file that bind(2) made for a Unix socket; dropping it removes that file.
///
/// bind(2) fails if the file exists, even when nobody listens any more; so whoever made it should
/// take it away. Not, however, if the path has come to mean another file, nor in a forked child.
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    process: u32,
}

impl SocketFile {
    /// The file of `address`, just bound; `None` if it has none.
    pub(crate) fn of(address: &SocketAddr) -> Option<SocketFile> {
        let path = std::path::absolute(address.as_pathname()?).ok()?;
        let made = fs::symlink_metadata(&path).ok()?;
        Some(SocketFile {
            device: made.dev(),
            inode: made.ino(),
            process: process::id(),
            path,
        })
    }

    /// Leaves the file where it is.
    pub(crate) fn keep(mut self) {
        // No process has this number.
        self.process = 0;
    }

    fn is_still_ours(&self) -> bool {
        self.process == process::id()
            && fs::symlink_metadata(&self.path)
                .is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_still_ours() {
            // Somebody was faster, or the folder is read-only now: nobody to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl fmt::Debug for SocketFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}
