//! What a key owns: whatever has an fd, shared with the I/O type that waits for it.

use std::any::TypeId;
use std::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::rc::Rc;

use selectors_core::os::AsFd;

/// A source of any type.
#[derive(Clone)]
pub(crate) struct Pollable(Rc<dyn AsFd>);

impl Pollable {
    /// Shares it with a key.
    pub(crate) fn of<T: AsFd + 'static>(source: &Rc<T>) -> Pollable {
        Pollable(Rc::<T>::clone(source))
    }
}

selectors_core::has_fd!([] Pollable, 0);

/// Does dropping a source of this type close its fd, and with it most likely the file? Of other types
/// nobody knows: they may borrow it, share it, or keep it open; an `OwnedFd` is most likely a duplicate.
/// Answered when the program is compiled.
pub(crate) fn owns_its_fd<T: 'static>() -> bool {
    let this = TypeId::of::<T>();
    let owners = [
        TypeId::of::<TcpListener>(),
        TypeId::of::<TcpStream>(),
        TypeId::of::<UdpSocket>(),
        #[cfg(unix)]
        TypeId::of::<UnixDatagram>(),
        #[cfg(unix)]
        TypeId::of::<UnixListener>(),
        #[cfg(unix)]
        TypeId::of::<UnixStream>(),
    ];
    owners.contains(&this)
}
