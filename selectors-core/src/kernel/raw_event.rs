//! One answer of a kernel to a wait, before it is masked.

use crate::words::Tag;
use crate::{Readiness, Token};

/// The tag of a token and the conditions that the kernel reports for it.
///
/// Where there is epoll it is its `struct epoll_event`, so that the kernel writes it and nobody
/// translates: that is a third of the cost of an event. Other backends fill it in.
#[cfg(epoll)]
pub(crate) type RawEvent = libc::epoll_event;

/// The tag of a token and the conditions that the kernel reports for it.
#[cfg(not(epoll))]
#[derive(Clone, Copy)]
pub struct RawEvent {
    events: u32,
    u64: u64,
}

/// What is in a [`RawEvent`].
pub(crate) trait AsRawEvent {
    fn new(token: Token, readiness: Readiness) -> Self;
    fn tag(self) -> Tag;
    fn readiness(self) -> Readiness;
    /// Other conditions for the same token.
    #[cfg(not(winsock))]
    fn replace(&mut self, readiness: Readiness);
}

impl AsRawEvent for RawEvent {
    fn new(token: Token, readiness: Readiness) -> RawEvent {
        RawEvent {
            events: u32::from(readiness.bits()),
            u64: token.tag().pack(),
        }
    }

    fn tag(self) -> Tag {
        Tag::unpack(self.u64)
    }

    fn readiness(self) -> Readiness {
        Readiness::from_kernel(self.events as u16)
    }

    #[cfg(not(winsock))]
    fn replace(&mut self, readiness: Readiness) {
        self.events = u32::from(readiness.bits());
    }
}
