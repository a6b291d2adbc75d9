//! Where the figures were measured.

use std::fs::read_to_string;

/// A few lines that belong to every figure.
pub(crate) fn describe() -> String {
    let line = |path: &str| read_to_string(path).unwrap_or_default().trim().to_owned();
    let cpuinfo = line("/proc/cpuinfo");
    let cpu = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, name)| name);
    let profile = if cfg!(debug_assertions) {
        "DEBUG BUILD: figures mean nothing"
    } else {
        "release"
    };
    format!(
        "Linux {}, {cpu}, {} CPUs, load {}, {profile}\n\n",
        line("/proc/sys/kernel/osrelease"),
        benches::sys::cpus_online(),
        line("/proc/loadavg").split(' ').next().unwrap_or("?"),
    )
}
