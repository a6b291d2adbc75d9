//! Asking a silent peer whether it is still there.

use std::io;
use std::time::Duration;

use socket2::{Socket, TcpKeepalive};

use crate::errno::tried;
use crate::net::ranges::{KEEPALIVE, RETRIES, seconds, within};

/// How the kernel finds out that a silent peer is gone (`SO_KEEPALIVE`). What is not chosen is the
/// system's default, on Linux two hours, 75 seconds and 9 times. The kernel counts whole seconds: a part
/// of one is rounded up. Times are 1 to 32 767 seconds, and questions 1 to 127, on all systems; anything
/// else is an `InvalidInput` error where it is set.
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

    /// As the kernel counts. What it would refuse, or cut, is an error before anything is set.
    fn counted(self) -> io::Result<Self> {
        let count = |what: &str, time: Option<Duration>| {
            let Some(time) = time else { return Ok(None) };
            let counted = seconds(KEEPALIVE, time);
            let named = |error| tried(format_args!("a keepalive {what} of {time:?}"), error);
            counted.map(Some).map_err(named)
        };
        if let Some(retries) = self.retries {
            let counted = within(RETRIES, retries);
            counted.map_err(|error| tried(format_args!("{retries} keepalive retries"), error))?;
        }
        Ok(Keepalive {
            time: count("time", self.time)?,
            interval: count("interval", self.interval)?,
            retries: self.retries,
        })
    }

    /// All at once, because the one call that there is sets them all: those that nobody chose are what
    /// the system begins with.
    #[cfg(windows)]
    pub(crate) fn set(socket: &Socket, keepalive: Option<Keepalive>) -> io::Result<()> {
        let Some(chosen) = keepalive else {
            return socket.set_keepalive(false);
        };
        let chosen = chosen.counted()?;
        let mut all = TcpKeepalive::new()
            .with_time(chosen.time.unwrap_or(Duration::from_secs(2 * 3600)))
            .with_interval(chosen.interval.unwrap_or(Duration::from_secs(1)));
        if let Some(retries) = chosen.retries {
            all = all.with_retries(retries);
        }
        let set = socket.set_tcp_keepalive(&all);
        set.map_err(|error| tried(format_args!("set {chosen:?}"), error))
    }

    #[cfg(not(windows))]
    pub(crate) fn set(socket: &Socket, keepalive: Option<Keepalive>) -> io::Result<()> {
        let Some(chosen) = keepalive else {
            return socket.set_keepalive(false);
        };
        let chosen = chosen.counted()?;
        // One after another, so that an error says which.
        socket.set_keepalive(true)?;
        if let Some(time) = chosen.time {
            let set = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time));
            set.map_err(|error| tried(format_args!("set a keepalive time of {time:?}"), error))?;
        }
        chosen.set_pace(socket)
    }
}

/// Where interval and retries are a socket's own.
#[cfg(not(any(target_os = "openbsd", target_os = "solaris", windows)))]
impl Keepalive {
    fn set_pace(self, socket: &Socket) -> io::Result<()> {
        if let Some(interval) = self.interval {
            let set = socket.set_tcp_keepalive(&TcpKeepalive::new().with_interval(interval));
            set.map_err(|error| {
                tried(
                    format_args!("set a keepalive interval of {interval:?}"),
                    error,
                )
            })?;
        }
        if let Some(retries) = self.retries {
            let set = socket.set_tcp_keepalive(&TcpKeepalive::new().with_retries(retries));
            set.map_err(|error| tried(format_args!("set {retries} keepalive retries"), error))?;
        }
        Ok(())
    }

    pub(crate) fn get(socket: &Socket) -> io::Result<Option<Keepalive>> {
        if !socket.keepalive()? {
            return Ok(None);
        }
        Ok(Some(Keepalive {
            time: Some(socket.tcp_keepalive_time()?),
            interval: Some(socket.tcp_keepalive_interval()?),
            retries: Some(socket.tcp_keepalive_retries()?),
        }))
    }
}

/// Where they are not, or cannot be asked for.
#[cfg(any(target_os = "openbsd", target_os = "solaris", windows))]
impl Keepalive {
    #[cfg(not(windows))]
    fn set_pace(self, _: &Socket) -> io::Result<()> {
        match (self.interval, self.retries) {
            (None, None) => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this system sets the interval and the retries of a keepalive for all sockets",
            )),
        }
    }

    pub(crate) fn get(socket: &Socket) -> io::Result<Option<Keepalive>> {
        Ok(socket.keepalive()?.then(Keepalive::new))
    }
}
