//! What can be watched, under one set of names: whatever has an fd; on Windows whatever has a socket,
//! because `select` takes nothing else there.
//!
//! Code that is generic over what it watches names these, and is the same on every system. On Unix they
//! are those of [`std::os`] themselves; on Windows an fd is a socket, a [`RawFd`] is the number of its
//! handle, and [`AsFd`] is implemented for whatever implements `AsSocket`.

pub mod errno;

#[cfg(not(winsock))]
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

#[cfg(winsock)]
pub use windows::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

#[cfg(winsock)]
mod windows {
    use std::os::windows::io::{AsRawSocket, AsSocket};
    pub use std::os::windows::io::{BorrowedSocket as BorrowedFd, OwnedSocket as OwnedFd};

    /// The number of a socket's handle. Of a handle only 32 bits count, so that programs of 32 and of
    /// 64 bits can share them; -1 is none.
    pub type RawFd = i32;

    /// What a selector can watch: whatever has a socket.
    pub trait AsFd: AsSocket {
        /// The socket.
        fn as_fd(&self) -> BorrowedFd<'_>;
    }

    impl<T: AsSocket + ?Sized> AsFd for T {
        #[inline]
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.as_socket()
        }
    }

    /// Whatever has a number.
    pub trait AsRawFd {
        /// The number.
        fn as_raw_fd(&self) -> RawFd;
    }

    impl<T: AsRawSocket + ?Sized> AsRawFd for T {
        #[inline]
        fn as_raw_fd(&self) -> RawFd {
            self.as_raw_socket() as RawFd
        }
    }
}

/// Gives a type what it has in one of its fields: `AsFd`, and on Windows `AsSocket`.
#[cfg(not(winsock))]
#[doc(hidden)]
#[macro_export]
macro_rules! has_fd {
    ([$($generics:tt)*] $type:ty, $($field:tt).+) => {
        impl<$($generics)*> $crate::os::AsFd for $type {
            fn as_fd(&self) -> $crate::os::BorrowedFd<'_> {
                self.$($field).+.as_fd()
            }
        }
    };
}

/// Gives a type what it has in one of its fields: `AsFd`, and on Windows `AsSocket`.
#[cfg(winsock)]
#[doc(hidden)]
#[macro_export]
macro_rules! has_fd {
    ([$($generics:tt)*] $type:ty, $($field:tt).+) => {
        impl<$($generics)*> ::std::os::windows::io::AsSocket for $type {
            fn as_socket(&self) -> $crate::os::BorrowedFd<'_> {
                use $crate::os::AsFd as _;
                self.$($field).+.as_fd()
            }
        }
    };
}
