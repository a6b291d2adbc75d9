//! What `select` reports about a key: the portable mask and the conditions beside it.

use std::fmt;
use std::ops::BitOr;

use crate::Events;

/// The kernel's hint about one key: what would not block, and what has happened to the fd.
///
/// [`is_readable`](Readiness::is_readable) and [`is_writable`](Readiness::is_writable) are the
/// portable mask of Python's table: an error or a hang-up counts as both, and the key's interest
/// is taken off at the end. The other conditions are reported apart, where the backend knows
/// them (select(2) knows only the portable mask and priority).
///
/// The bits are those of poll(2) and epoll(7) on Linux, so that the two backends that matter most
/// there translate nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Readiness(u16);

impl Readiness {
    /// Nothing at all; `select` never reports it.
    pub const EMPTY: Readiness = Readiness(0);
    /// A read would not block.
    pub const READABLE: Readiness = Readiness(0x1);
    /// Urgent (out-of-band) data, or an exceptional condition of a device.
    pub const PRIORITY: Readiness = Readiness(0x2);
    /// A write would not block.
    pub const WRITABLE: Readiness = Readiness(0x4);
    /// An error is waiting, e.g. a refused connect or a pipe without readers.
    pub const ERROR: Readiness = Readiness(0x8);
    /// Both directions are over.
    pub const HANGUP: Readiness = Readiness(0x10);
    /// The number is not open any more (raw sources only).
    pub const INVALID: Readiness = Readiness(0x20);
    /// The peer has closed its writing side.
    pub const READ_CLOSED: Readiness = Readiness(0x2000);

    /// Conditions that poll(2) and epoll(7) report unasked; they end both directions.
    pub(crate) const ENDINGS: Readiness =
        Readiness(Self::ERROR.0 | Self::HANGUP.0 | Self::INVALID.0);

    /// Readiness from bits of poll(2); unknown bits are dropped.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Readiness {
        Readiness(bits & 0x203f)
    }

    /// For the backends: bits as the kernel gave them; the key's mask drops unknown ones later.
    pub(crate) const fn from_kernel(bits: u16) -> Readiness {
        Readiness(bits)
    }

    /// The bits, with the values of poll(2) on Linux.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether every condition of `other` holds.
    #[must_use]
    pub const fn contains(self, other: Readiness) -> bool {
        self.0 & other.0 == other.0
    }

    /// A read will not block: data, the end of the stream, a connection to accept, an error.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.0 & Self::READABLE.0 != 0
    }

    /// A write will not block: there is room, a connect has finished, or an error is waiting.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.0 & Self::WRITABLE.0 != 0
    }

    /// Urgent (out-of-band) data; only for keys registered with priority interest.
    #[must_use]
    pub const fn is_priority(self) -> bool {
        self.0 & Self::PRIORITY.0 != 0
    }

    /// An error is waiting to be fetched by the next call on the fd.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 & Self::ERROR.0 != 0
    }

    /// Both directions are over.
    #[must_use]
    pub const fn is_hangup(self) -> bool {
        self.0 & Self::HANGUP.0 != 0
    }

    /// The peer has closed its writing side: after what is buffered, reads return 0.
    #[must_use]
    pub const fn is_read_closed(self) -> bool {
        self.0 & Self::READ_CLOSED.0 != 0
    }

    /// A write would fail and not wait: both directions are over, or an error is waiting, as for a pipe
    /// whose reader has gone. (The error of a datagram socket passes, once it has been fetched.)
    #[must_use]
    pub const fn is_write_closed(self) -> bool {
        self.0 & (Self::HANGUP.0 | Self::ERROR.0) != 0
    }

    /// The number was closed behind the selector's back. Reported once, then the key is silent.
    #[must_use]
    pub const fn is_invalid(self) -> bool {
        self.0 & Self::INVALID.0 != 0
    }

    /// Whether nothing holds.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The portable mask alone, as Python's `select` returns it.
    ///
    /// `None` only for a key whose priority interest was all that became ready.
    #[must_use]
    pub const fn events(self) -> Option<Events> {
        let read = if self.is_readable() { 1 } else { 0 };
        let write = if self.is_writable() { 2 } else { 0 };
        Events::from_bits(read | write)
    }
}

impl From<Events> for Readiness {
    fn from(events: Events) -> Readiness {
        match events.bits() {
            1 => Readiness::READABLE,
            2 => Readiness::WRITABLE,
            _ => Readiness::READABLE | Readiness::WRITABLE,
        }
    }
}

impl BitOr for Readiness {
    type Output = Readiness;

    fn bitor(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Readiness::READABLE, "READABLE"),
            (Readiness::WRITABLE, "WRITABLE"),
            (Readiness::PRIORITY, "PRIORITY"),
            (Readiness::ERROR, "ERROR"),
            (Readiness::HANGUP, "HANGUP"),
            (Readiness::INVALID, "INVALID"),
            (Readiness::READ_CLOSED, "READ_CLOSED"),
        ];
        let mut separator = "";
        for (bit, name) in names {
            if self.contains(bit) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        if separator.is_empty() {
            f.write_str("EMPTY")
        } else {
            Ok(())
        }
    }
}
