//! What only epoll can be asked for.

use std::ops::BitOr;
use std::os::fd::AsFd;

use super::{EpollSelector, RegisterError};
use crate::{Interest, Token};

/// Flags of epoll_ctl(2) beyond directions and modes; for [`EpollSelector::register_flags`]. They
/// are in the uppermost byte, which is all that a key spends on them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct EpollFlags(u8);

impl EpollFlags {
    /// EPOLLEXCLUSIVE: of several epoll sets that watch one file, an event wakes at least one and
    /// not all. For listeners shared between processes or threads. Level and edge mode only;
    /// read-closed and priority are not reported beside it (the kernel allows neither).
    pub const EXCLUSIVE: EpollFlags = EpollFlags((libc::EPOLLEXCLUSIVE as u32 >> 24) as u8);

    /// EPOLLWAKEUP: keeps the system from suspending while the event is being handled. Needs
    /// CAP_BLOCK_SUSPEND, and is ignored without it.
    pub const WAKEUP: EpollFlags = EpollFlags((libc::EPOLLWAKEUP as u32 >> 24) as u8);

    /// The bits, as epoll_ctl(2) names them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        (self.0 as u32) << 24
    }
}

impl BitOr for EpollFlags {
    type Output = EpollFlags;

    fn bitor(self, other: EpollFlags) -> EpollFlags {
        EpollFlags(self.0 | other.0)
    }
}

impl<F: AsFd, D> EpollSelector<F, D> {
    /// Registers with flags that no other backend has. They stay with the key: `modify` keeps
    /// them.
    ///
    /// # Errors
    ///
    /// As [`register`](crate::Selector::register); EINVAL for a combination that the kernel does
    /// not allow, such as [`EpollFlags::EXCLUSIVE`] with a oneshot mode.
    pub fn register_flags(
        &mut self,
        fileobj: F,
        interest: Interest,
        flags: EpollFlags,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        self.register_interest(
            fileobj,
            Interest {
                extra: flags.0,
                ..interest
            },
            data,
        )
    }
}
