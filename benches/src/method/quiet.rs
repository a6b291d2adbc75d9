//! What else the machine did while a slice ran: stolen time, foreign work, waiting, switches.

use std::collections::BTreeMap;
use std::fs::{read_dir, read_link, read_to_string};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::sys;

#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Quiet {
    pub steal_percent: f64,
    /// What `ksoftirqd` does is the network's, and so ours.
    pub foreign_percent: f64,
    /// Of the measuring thread; one that the subject itself keeps beside is no noise.
    #[serde(default)]
    pub waited_percent: f64,
    pub involuntary_per_second: f64,
    #[serde(default)]
    pub accept_overflows: f64,
}

/// The counters at the beginning of a slice.
pub struct Watch {
    began: Instant,
    machine: [f64; 3],
    times: BTreeMap<u32, Duration>,
    thread: [f64; 2],
    overflows: f64,
    processes: Vec<u32>,
}

impl Watch {
    /// Begins to watch the calling thread and the machine; `processes` are ours, and so not foreign.
    pub fn begin(processes: &[u32]) -> Self {
        Self {
            began: Instant::now(),
            machine: machine(),
            times: times(),
            thread: thread(),
            overflows: overflows(),
            processes: [&[std::process::id()], processes].concat(),
        }
    }

    /// What happened since. To be asked by the thread that began.
    pub fn end(&self) -> Quiet {
        let cpus = sys::cpus_online() as f64;
        let elapsed = self.began.elapsed().as_secs_f64().max(1e-9);
        let now = machine();
        let [total, busy, steal] = [0, 1, 2].map(|place| now[place] - self.machine[place]);
        let total = total.max(1.0);
        // The kernel counts whole ticks: what is within the rounding is not held against anyone.
        let rounding = cpus / total;
        // Who runs at a tick has all of it; for a CPU that is half busy that is a toss of a coin.
        let sampling = 3.0 * 0.5 / total.sqrt();
        let now = thread();
        let [waited, switches] = [0, 1].map(|place| (now[place] - self.thread[place]).max(0.0));
        let (own, foreign) = self.used();
        let share = |time: Duration| time.as_secs_f64() / (elapsed * cpus);
        let nobodys = busy / total - share(own + foreign) - rounding - sampling;
        Quiet {
            steal_percent: 100.0 * (steal / total - rounding / cpus).max(0.0),
            foreign_percent: 100.0 * (share(foreign) + nobodys.max(0.0)),
            waited_percent: waited / 1e9 / elapsed * 100.0,
            involuntary_per_second: switches / elapsed,
            accept_overflows: overflows() - self.overflows,
        }
    }

    /// CPU time since the beginning: of our processes, and of all others.
    fn used(&self) -> (Duration, Duration) {
        let (mut own, mut foreign) = (Duration::ZERO, Duration::ZERO);
        for (pid, now) in times() {
            let before = self.times.get(&pid).copied().unwrap_or_default();
            let used = now.saturating_sub(before);
            if self.processes.contains(&pid) || (!used.is_zero() && does_softirqs(pid)) {
                own += used;
            } else {
                foreign += used;
            }
        }
        (own, foreign)
    }
}

/// The first line of `/proc/stat`, in ticks: all, busy ones, stolen ones.
fn machine() -> [f64; 3] {
    let text = read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> =
        first.split_whitespace().skip(1).filter_map(|tick| tick.parse().ok()).collect();
    let tick = |index: usize| ticks.get(index).copied().unwrap_or(0.0);
    // user nice system idle iowait irq softirq steal; guest time is in user already.
    let total: f64 = (0..8).map(tick).sum();
    let (idle, steal) = (tick(3) + tick(4), tick(7));
    [total, total - idle - steal, steal]
}

/// The CPU time of each process so far, by pid, threads of the kernel included.
fn times() -> BTreeMap<u32, Duration> {
    let entries = read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, sys::process_cpu_time(pid).ok()?)))
        .collect()
}

/// Is it the kernel's thread for what interrupts leave to be done?
fn does_softirqs(pid: u32) -> bool {
    read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("ksoftirqd"))
}

/// Nanoseconds in which the calling thread was ready and did not run, and how often its CPU was taken away:
/// what the other threads of its process do not account for. Zero where the kernel does not tell.
fn thread() -> [f64; 2] {
    let status = read_to_string("/proc/thread-self/status").unwrap_or_default();
    let mut switches = number_after(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0.0);
    let [_, mut waited, _] = schedstat(Path::new("/proc/thread-self"));
    // PID/task/TID
    let own = read_link("/proc/thread-self").unwrap_or_default();
    for other in read_dir("/proc/self/task").into_iter().flatten().flatten() {
        if Some(other.file_name().as_os_str()) != own.file_name() {
            let [ran, _, times] = schedstat(&other.path());
            waited -= ran;
            switches -= times;
        }
    }
    [waited, switches]
}

/// Nanoseconds on a CPU, nanoseconds ready and not on one, and how often it came to run.
fn schedstat(thread: &Path) -> [f64; 3] {
    let text = read_to_string(thread.join("schedstat")).unwrap_or_default();
    let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap_or(0.0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0.0))
}

/// `ListenOverflows` so far: a line of names, then a line of numbers.
fn overflows() -> f64 {
    let text = read_to_string("/proc/net/netstat").unwrap_or_default();
    column(&text, "TcpExt:", "ListenOverflows")
}

/// The number after `name`, which begins a line of a text of the kernel's.
pub fn number_after(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The number below `name` in the two lines that begin with `table`; zero if there is none.
pub(super) fn column(text: &str, table: &str, name: &str) -> f64 {
    let mut lines = text.lines().filter(|line| line.starts_with(table));
    let (Some(names), Some(numbers)) = (lines.next(), lines.next()) else {
        return 0.0;
    };
    let place = names.split_whitespace().position(|word| word == name);
    place.and_then(|place| numbers.split_whitespace().nth(place)?.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::method::Process;

    fn spin() -> Process {
        Process::start(Command::new("sh").args(["-c", "while :; do :; done"])).unwrap()
    }

    #[test]
    fn a_thread_that_shares_its_cpu_with_a_process_waits_and_is_told_so() {
        sys::pin_to_cpu(0).unwrap();
        // It inherits the CPU.
        let other = spin();
        let watch = Watch::begin(&[]);
        let mut waited = watch.end().waited_percent;
        while waited < 10.0 && watch.began.elapsed() < Duration::from_secs(30) {
            waited = watch.end().waited_percent;
        }
        drop(other);
        assert!(waited >= 10.0, "{waited} %");
    }

    #[test]
    fn what_another_process_does_is_foreign_and_what_ours_does_is_not() {
        let (theirs, ours) = (spin(), spin());
        let watch = Watch::begin(&[ours.id()]);
        let used = |child: &Process| sys::process_cpu_time(child.id()).unwrap();
        let (before, began) = (used(&theirs), Instant::now());
        while (used(&theirs) - before).as_millis() < 200 || used(&ours).as_millis() < 200 {
            std::thread::sleep(Duration::from_millis(10));
            assert!(began.elapsed() < Duration::from_secs(30), "nobody runs");
        }
        let least = used(&theirs) - before;
        let (own, foreign) = watch.used();
        let quiet = watch.end();
        drop((theirs, ours));
        assert!(foreign >= least, "{foreign:?}, of which {least:?} are one's");
        assert!(own.as_millis() >= 100, "{own:?}");
        assert!(quiet.foreign_percent > 0.0);
    }
}
