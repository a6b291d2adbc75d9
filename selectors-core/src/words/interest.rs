//! All that is asked of the kernel for one key.

use crate::{Events, Mode, Readiness};

/// What to watch a key for, and how: directions, trigger mode, urgent data.
///
/// ```
/// use selectors_core::{EVENT_READ, Interest, Mode};
///
/// let interest = Interest::new(EVENT_READ).mode(Mode::Oneshot).priority();
/// assert_eq!(interest.events(), EVENT_READ);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Interest {
    pub(crate) events: Events,
    pub(crate) mode: Mode,
    pub(crate) priority: bool,
    /// Not even the directions: urgent data, if asked for, and the endings.
    pub(crate) endings_only: bool,
    /// Flags that only the epoll kernel knows: the uppermost byte of what it is asked for.
    pub(crate) extra: u8,
}

impl Interest {
    /// Level-triggered interest in these directions.
    #[must_use]
    pub const fn new(events: Events) -> Interest {
        Interest {
            events,
            mode: Mode::Level,
            priority: false,
            endings_only: false,
            extra: 0,
        }
    }

    /// The same with another trigger mode.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Interest {
        Interest { mode, ..self }
    }

    /// The same, and urgent (out-of-band) data too.
    #[must_use]
    pub const fn priority(self) -> Interest {
        Interest {
            priority: true,
            ..self
        }
    }

    /// The same without its directions: what stays is urgent data and the endings, which come
    /// unasked. Bytes that wait to be read no longer make such a key ready.
    #[must_use]
    pub const fn without_directions(self) -> Interest {
        Interest {
            endings_only: true,
            ..self
        }
    }

    /// The directions.
    #[must_use]
    pub const fn events(self) -> Events {
        self.events
    }

    /// The same in other directions.
    pub(crate) const fn with_events(self, events: Events) -> Interest {
        Interest { events, ..self }
    }

    /// The conditions that a key with this interest wants to hear of.
    ///
    /// The endings are always in: a key that waits for WRITE must learn that its connect failed.
    pub(crate) const fn mask(self) -> u16 {
        let mut mask = Readiness::ENDINGS.bits();
        if self.events.is_readable() && !self.endings_only {
            mask |= Readiness::READABLE.bits() | Readiness::READ_CLOSED.bits();
        }
        if self.events.is_writable() && !self.endings_only {
            mask |= Readiness::WRITABLE.bits();
        }
        if self.priority {
            mask |= Readiness::PRIORITY.bits();
        }
        mask
    }

    /// The bits of poll(2) to ask the kernel for; endings come unasked.
    #[cfg(not(winsock))]
    pub(crate) const fn poll_bits(self) -> u16 {
        self.mask() & !Readiness::ENDINGS.bits()
    }
}

/// Applies Python's table to what the kernel reported: an ending counts as both directions, then
/// everything that the key does not watch is dropped.
pub(crate) fn masked(readiness: Readiness, mask: u16) -> Readiness {
    let mut bits = readiness.bits();
    if bits & Readiness::ENDINGS.bits() != 0 {
        bits = ended(bits);
    }
    Readiness::from_kernel(bits & mask)
}

#[cold]
fn ended(bits: u16) -> u16 {
    bits | Readiness::READABLE.bits() | Readiness::WRITABLE.bits()
}
