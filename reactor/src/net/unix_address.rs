//! Addresses of Unix sockets, and the file of a bound one.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;

use selectors_core::sys::{Address, socket};

use crate::errno::tried;
use crate::net::bound_file::{BoundFile, SocketFile};

/// The address of a file.
pub(crate) fn address_of(path: &Path) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(path).map_err(|error| name_file("use", path, error))
}

/// A Unix socket with `address` as its own, and the file that was made for it.
pub(crate) fn bound_socket(
    kind: i32,
    address: &SocketAddr,
) -> io::Result<(OwnedFd, Option<SocketFile>)> {
    let bind = || {
        let kernels = Address::unix(address)?;
        let socket = socket::socket(libc::AF_UNIX, kind)?;
        socket::bind(socket.as_fd(), &kernels)?;
        io::Result::Ok(socket)
    };
    let socket = bind().map_err(|error| name_unix("bind", address, error))?;
    Ok((socket, file_of(address)))
}

/// The same kind of error, with a text that says which address it is about.
pub(crate) fn name_unix(what: &str, address: &SocketAddr, error: io::Error) -> io::Error {
    match address.as_pathname() {
        Some(path) => name_file(what, path, error),
        None => tried(format_args!("{what} {address:?}"), error),
    }
}

fn name_file(what: &str, path: &Path, error: io::Error) -> io::Error {
    tried(format_args!("{what} {path:?}"), error)
}

/// An address without a file: a name that lives as long as its socket (unix(7), "abstract").
///
/// # Errors
///
/// `InvalidInput` for a name of more than 107 bytes.
#[cfg(target_os = "linux")]
pub fn abstract_address(name: impl AsRef<[u8]>) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

/// The file that bind(2) has just made for this address; `None` if it has none.
pub(crate) fn file_of(address: &SocketAddr) -> Option<SocketFile> {
    let path = std::path::absolute(address.as_pathname()?).ok()?;
    let made = fs::symlink_metadata(&path).ok()?;
    Some(Box::new(UnixFile {
        device: made.dev(),
        inode: made.ino(),
        process: process::id(),
        path,
    }))
}

/// The file of a Unix socket; dropping it removes that file.
///
/// bind(2) fails if the file exists, even when nobody listens any more; so whoever made it should
/// take it away. Not, however, if the path has come to mean another file, nor in a forked child.
struct UnixFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    process: u32,
}

impl BoundFile for UnixFile {
    fn keep(mut self: Box<Self>) {
        // No process has this number.
        self.process = 0;
    }
}

impl UnixFile {
    fn is_still_ours(&self) -> bool {
        self.process == process::id()
            && fs::symlink_metadata(&self.path)
                .is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode))
    }
}

impl Drop for UnixFile {
    fn drop(&mut self) {
        if self.is_still_ours() {
            // Somebody was faster, or the folder is read-only now: nobody to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl fmt::Debug for UnixFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}
