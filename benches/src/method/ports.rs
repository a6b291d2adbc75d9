//! Local ports as a wall: how many there are, and how many are taken by connections that have
//! ended but that the kernel remembers for a minute.

use std::fs::read_to_string;
use std::io;

use super::{Flag, Reason, flag_if};

/// The share of the ports from which `connect` has to search for a free one.
const CROWDED: f64 = 0.5;

/// What the kernel says about connections in `TIME_WAIT`, anyone's on this machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TimeWait {
    pub count: f64,
    /// How many were forgotten at once so far, because there were too many.
    pub overflows: f64,
}

impl TimeWait {
    pub fn now() -> Self {
        let sockets = read_to_string("/proc/net/sockstat").unwrap_or_default();
        let netstat = read_to_string("/proc/net/netstat").unwrap_or_default();
        Self {
            count: in_time_wait(&sockets),
            overflows: super::quiet::column(&netstat, "TcpExt:", "TCPTimeWaitOverflow"),
        }
    }

    pub fn flags(self, before: Self) -> impl Iterator<Item = Flag> {
        let (first, last) = range();
        let ports = f64::from(last - first) + 1.0;
        let growth = self.count - before.count;
        let crowded = flag_if(growth > CROWDED * ports, Reason::Ports, || {
            format!("{growth:.0} of {ports:.0} local ports came to be in TIME_WAIT")
        });
        let lost = self.overflows - before.overflows;
        let forgotten = flag_if(lost > 0.0, Reason::Ports, || {
            format!("{lost:.0} connections were too many to be kept in TIME_WAIT")
        });
        crowded.into_iter().chain(forgotten)
    }
}

pub fn exhausted(error: &io::Error) -> Option<Flag> {
    let none = error.kind() == io::ErrorKind::AddrNotAvailable;
    flag_if(none, Reason::Ports, || {
        let TimeWait { count, .. } = TimeWait::now();
        format!("no local port was left, {count:.0} are in TIME_WAIT: {error}")
    })
}

/// The first and the last local port that `connect` chooses from.
pub fn range() -> (u16, u16) {
    let text = read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ports = text.split_whitespace().map_while(|word| word.parse().ok());
    let usual = (32768, 60999);
    let first = ports.next().unwrap_or(usual.0);
    (first, ports.next().unwrap_or(usual.1).max(first))
}

/// The number after `tw` in the line of TCP.
fn in_time_wait(text: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP:"));
    let mut words = line.unwrap_or_default().split_whitespace();
    words.find(|&word| word == "tw");
    words.next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_ports_in_time_wait_and_what_the_kernel_forgot_are_walls() {
        let (first, last) = range();
        let ports = f64::from(last - first) + 1.0;
        let calm = TimeWait { count: 100.0, overflows: 3.0 };
        let of = |share: f64, overflows: f64| {
            TimeWait { count: 100.0 + share * ports, overflows }.flags(calm).count()
        };
        assert_eq!([of(0.4, 3.0), of(0.6, 3.0), of(0.0, 4.0), of(0.6, 4.0)], [0, 1, 1, 2]);
    }
}
