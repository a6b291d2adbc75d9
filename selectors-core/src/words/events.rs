//! The interest mask: which directions of an fd to watch.

use std::fmt;
use std::num::NonZeroU8;
use std::ops::BitOr;

/// Watch for the fd to become readable (contract row N1; the value is 1, as in Python).
pub const EVENT_READ: Events = Events::READ;

/// Watch for the fd to become writable (contract row N1; the value is 2, as in Python).
pub const EVENT_WRITE: Events = Events::WRITE;

/// The directions of an fd that a selector watches: READ, WRITE or both, never none.
///
/// There are exactly three values, so an illegal mask cannot reach a selector: what Python
/// answers with `ValueError` does not compile, or is `None` from [`Events::from_bits`].
///
/// ```
/// use selectors_core::{EVENT_READ, EVENT_WRITE, Events};
///
/// let both = EVENT_READ | EVENT_WRITE;
/// assert!(both.contains(EVENT_READ));
/// assert_eq!(both.without(EVENT_READ), Some(EVENT_WRITE));
/// assert_eq!(Events::from_bits(4), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Events(NonZeroU8);

impl Events {
    /// Readable: a read, an accept, or the end of the stream.
    pub const READ: Events = Events(NonZeroU8::new(1).unwrap());
    /// Writable: room to write, or a connect that has finished.
    pub const WRITE: Events = Events(NonZeroU8::new(2).unwrap());
    /// Both directions.
    pub const READ_WRITE: Events = Events(NonZeroU8::new(3).unwrap());

    /// The mask with these bits: 1, 2 or 3. Anything else is no mask.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Events> {
        match bits {
            1 => Some(Events::READ),
            2 => Some(Events::WRITE),
            3 => Some(Events::READ_WRITE),
            _ => None,
        }
    }

    /// The bits: READ is 1, WRITE is 2.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0.get()
    }

    /// Whether every direction of `other` is in this mask.
    #[must_use]
    pub const fn contains(self, other: Events) -> bool {
        self.bits() & other.bits() == other.bits()
    }

    /// Whether READ is in this mask.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.contains(Events::READ)
    }

    /// Whether WRITE is in this mask.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.contains(Events::WRITE)
    }

    /// Both masks together; the same as `|`, for constants.
    #[must_use]
    pub const fn union(self, other: Events) -> Events {
        match Events::from_bits(self.bits() | other.bits()) {
            Some(events) => events,
            // Two of the three legal masks give a legal mask.
            None => Events::READ_WRITE,
        }
    }

    /// This mask with the directions of `other` taken out; `None` if nothing is left.
    #[must_use]
    pub const fn without(self, other: Events) -> Option<Events> {
        Events::from_bits(self.bits() & !other.bits())
    }
}

impl BitOr for Events {
    type Output = Events;

    fn bitor(self, other: Events) -> Events {
        self.union(other)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.bits() {
            1 => "READ",
            2 => "WRITE",
            _ => "READ | WRITE",
        })
    }
}
