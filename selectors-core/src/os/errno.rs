//! The errnos that decisions are made by, under their names. On Windows these are Winsock's.

#[cfg(not(winsock))]
pub use libc::{
    EADDRINUSE, EADDRNOTAVAIL, EBADF, ECONNABORTED, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINTR,
    EINVAL, EMFILE, EMSGSIZE, ENETDOWN, ENETUNREACH, ENOBUFS, EOPNOTSUPP, ESHUTDOWN, ETIMEDOUT,
    EWOULDBLOCK,
};

#[cfg(winsock)]
use windows_sys::Win32::Networking::WinSock as ws;

#[cfg(winsock)]
macro_rules! errnos {
    ($($name:ident = $winsock:ident),+ $(,)?) => {
        $(
            #[doc = concat!(stringify!($winsock), ".")]
            pub const $name: i32 = ws::$winsock;
        )+
    };
}

#[cfg(winsock)]
errnos! {
    EINTR = WSAEINTR,
    EBADF = WSAENOTSOCK,
    EINVAL = WSAEINVAL,
    EMFILE = WSAEMFILE,
    EMSGSIZE = WSAEMSGSIZE,
    EWOULDBLOCK = WSAEWOULDBLOCK,
    EOPNOTSUPP = WSAEOPNOTSUPP,
    EADDRINUSE = WSAEADDRINUSE,
    EADDRNOTAVAIL = WSAEADDRNOTAVAIL,
    ENETDOWN = WSAENETDOWN,
    ENETUNREACH = WSAENETUNREACH,
    ECONNABORTED = WSAECONNABORTED,
    ECONNRESET = WSAECONNRESET,
    ECONNREFUSED = WSAECONNREFUSED,
    ENOBUFS = WSAENOBUFS,
    ESHUTDOWN = WSAESHUTDOWN,
    ETIMEDOUT = WSAETIMEDOUT,
    EHOSTUNREACH = WSAEHOSTUNREACH,
}
