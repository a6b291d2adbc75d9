//! Where the calls stand that a trace tells of. Each names its own line by the macro `act!`, which
//! leaves nothing in the program unless somebody asks.

use std::panic::Location;

use crate::Backend;

/// A call that stands at one line.
pub trait Act {
    /// Which.
    const AT: &'static Location<'static>;
}

acts! {
    /// accept(2)
    Accept
    /// connect(2)
    Connect
    /// recv(2)
    Recv
    /// recvmsg(2)
    Recvmsg
    /// send(2)
    Send
    /// select(2)
    Select
}

#[cfg(not(winsock))]
acts! {
    /// poll(2)
    Poll
}

#[cfg(epoll)]
acts! {
    /// epoll_wait(2)
    EpollWait
}

#[cfg(any(kqueue, all(test, doubles)))]
acts! {
    /// kevent(2)
    Kevent
}

#[cfg(any(devpoll, all(test, doubles)))]
acts! {
    /// The ioctl(2) DP_POLL
    DpPoll
}

#[cfg(uring)]
acts! {
    /// io_uring_enter(2)
    UringEnter
}

/// Where this backend waits; a script, that of select.
#[must_use]
pub fn wait(backend: Backend) -> &'static Location<'static> {
    match backend {
        #[cfg(not(winsock))]
        Backend::Poll => Poll::AT,
        #[cfg(epoll)]
        Backend::Epoll => EpollWait::AT,
        #[cfg(kqueue)]
        Backend::Kqueue => Kevent::AT,
        #[cfg(devpoll)]
        Backend::Devpoll => DpPoll::AT,
        #[cfg(uring)]
        Backend::Uring => UringEnter::AT,
        _ => Select::AT,
    }
}
