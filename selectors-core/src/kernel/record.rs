//! One answer of a kernel to a wait, before it is masked.

use crate::token::Tag;
use crate::{Readiness, Token};

/// The tag of a token and the conditions that the kernel reports for it.
///
/// Where there is epoll it has the layout of `struct epoll_event`, so that the kernel writes it and
/// nobody translates: that is a third of the cost of an event. Other backends fill it in.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Record(Raw);

#[cfg(epoll)]
type Raw = libc::epoll_event;

#[cfg(not(epoll))]
#[derive(Clone, Copy)]
struct Raw {
    events: u32,
    u64: u64,
}

impl Record {
    /// For buffers that a kernel will write.
    #[cfg(epoll)]
    pub(crate) const VACANT: Record = Record(Raw { events: 0, u64: 0 });

    #[inline]
    pub(crate) fn new(token: Token, readiness: Readiness) -> Record {
        Record(Raw {
            events: u32::from(readiness.bits()),
            u64: token.tag().pack(),
        })
    }

    #[inline]
    pub(crate) fn tag(self) -> Tag {
        Tag::unpack(self.0.u64)
    }

    #[inline]
    pub(crate) fn readiness(self) -> Readiness {
        Readiness::from_kernel(self.0.events as u16)
    }

    /// One more condition for the same token.
    #[cfg(any(kqueue, test))]
    pub(crate) fn add(&mut self, readiness: Readiness) {
        self.0.events |= u32::from(readiness.bits());
    }

    /// Other conditions for the same token.
    pub(crate) fn replace(&mut self, readiness: Readiness) {
        self.0.events = u32::from(readiness.bits());
    }
}
