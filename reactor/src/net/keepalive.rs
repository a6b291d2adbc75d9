//! Asking a silent peer whether it is still there.

use std::io;
use std::time::Duration;

use socket2::{Socket, TcpKeepalive};

use crate::platform;

/// How the kernel finds out that a silent peer is gone (`SO_KEEPALIVE`). What is not chosen is the
/// system's default, on Linux two hours, 75 seconds and 9 times. The kernel counts whole seconds.
/// OpenBSD and Solaris know only the time; choosing the others is an `Unsupported` error there.
///
/// ```
/// use reactor::net::Keepalive;
/// use std::time::Duration;
///
/// let dead_after_80_s = Keepalive::new()
///     .time(Duration::from_secs(60))
///     .interval(Duration::from_secs(5))
///     .retries(4);
/// # let _ = dead_after_80_s;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    time: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
}

impl Keepalive {
    /// The system's defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Silence before the first question.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Time between two questions.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Questions without an answer before the connection fails with `TimedOut`.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    pub(crate) fn set(socket: &Socket, keepalive: Option<Keepalive>) -> io::Result<()> {
        let Some(chosen) = keepalive else {
            return socket.set_keepalive(false);
        };
        let mut all = TcpKeepalive::new();
        if let Some(time) = chosen.time {
            all = all.with_time(time);
        }
        let all = platform::keepalive_pace(all, chosen.interval, chosen.retries)?;
        socket.set_tcp_keepalive(&all)
    }

    pub(crate) fn get(socket: &Socket) -> io::Result<Option<Keepalive>> {
        if !socket.keepalive()? {
            return Ok(None);
        }
        let (time, interval, retries) = platform::keepalive_of(socket)?;
        Ok(Some(Keepalive {
            time,
            interval,
            retries,
        }))
    }
}
