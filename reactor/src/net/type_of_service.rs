//! The type of service of packets (`IP_TOS`), for the sockets that have one.

use std::io;
use std::ops::RangeInclusive;

use socket2::SockRef;

use crate::net::asked::{get, set};
use crate::net::ranges::within;
use crate::net::{TcpSocket, TcpStream, UdpSocket};

/// A byte of a packet's head.
const TOS: RangeInclusive<u32> = 0..=255;

macro_rules! type_of_service {
    ($($(#[doc = $example:literal])* $socket:ty;)*) => {$(
        impl $socket {
            /// The type of service of its packets (`IP_TOS`): what routers are told about haste; IPv4 only,
            /// and not on illumos and Solaris. The lowest two bits tell of congestion; on Linux they are the
            /// kernel's where TCP is spoken.
            $(#[doc = $example])*
            ///
            /// # Errors
            ///
            /// `InvalidInput` beyond 255; else what setsockopt(2) answers.
            pub fn set_tos(&self, tos: u32) -> io::Result<()> {
                set(self, "IP_TOS", tos, || {
                    SockRef::from(self).set_tos_v4(within(TOS, tos)?)
                })
            }

            /// What [`set_tos`](Self::set_tos) chose, or the system.
            ///
            /// # Errors
            ///
            /// What getsockopt(2) answers.
            pub fn tos(&self) -> io::Result<u32> {
                get(self, "IP_TOS", || SockRef::from(self).tos_v4())
            }
        }
    )*};
}
type_of_service! {
    TcpSocket;
    ///
    /// ```
    /// use reactor::net::{TcpListener, TcpStream};
    ///
    /// executor::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let client = TcpStream::connect(listener.local_addr()?).await?;
    ///     client.set_tos(0x10)?;
    ///     assert_eq!(client.tos()?, 0x10);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    TcpStream;
    UdpSocket;
}
