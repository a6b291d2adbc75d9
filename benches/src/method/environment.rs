//! The machine and the build that the figures belong to.

use std::collections::BTreeMap;
use std::fs::read_to_string;

use serde::{Deserialize, Serialize};

use crate::sys;

/// Facts by name, in the order of their names.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(pub BTreeMap<String, String>);

impl Environment {
    pub fn read() -> Self {
        let mut facts = BTreeMap::new();
        let mut tell = |name: &str, value: Option<String>| {
            facts.insert(name.to_owned(), value.unwrap_or_else(|| "not told".to_owned()));
        };
        for (name, file) in FILES {
            tell(name, read_to_string(file).ok().map(|text| text.trim().to_owned()));
        }
        tell("cpu", cpu());
        tell("cpus", Some(sys::cpus_online().to_string()));
        tell("mitigations", mitigations());
        tell("open files", sys::open_files().ok().map(|limit| limit.to_string()));
        let debug = cfg!(debug_assertions);
        let profile = if debug { "DEBUG: figures mean nothing" } else { "release, thin LTO" };
        tell("profile", Some(profile.to_owned()));
        tell("rustc", output("rustc", &["--version"]));
        tell("revision", output("git", &["describe", "--always", "--dirty"]));
        Self(facts)
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("not told", String::as_str)
    }
}

const FILES: [(&str, &str); 10] = [
    ("kernel", "/proc/sys/kernel/osrelease"),
    ("load", "/proc/loadavg"),
    ("clock source", "/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    ("idle governor", "/sys/devices/system/cpu/cpuidle/current_governor"),
    ("halt polling (ns)", "/sys/module/haltpoll/parameters/guest_halt_poll_ns"),
    ("frequency governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    ("somaxconn", "/proc/sys/net/core/somaxconn"),
    ("local ports", "/proc/sys/net/ipv4/ip_local_port_range"),
    ("huge pages", "/sys/kernel/mm/transparent_hugepage/enabled"),
    ("timer slack (ns)", "/proc/self/timerslack_ns"),
];

fn cpu() -> Option<String> {
    let text = read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.split_once(": ")?.1.to_owned())
}

/// What slows system calls down here.
fn mitigations() -> Option<String> {
    let folder = std::fs::read_dir("/sys/devices/system/cpu/vulnerabilities").ok()?;
    let active = folder.flatten().filter_map(|entry| {
        let text = read_to_string(entry.path()).ok()?;
        let how = text.trim().strip_prefix("Mitigation: ")?;
        Some(format!("{}: {how}", entry.file_name().to_string_lossy()))
    });
    let mut active: Vec<String> = active.collect();
    active.sort();
    Some(if active.is_empty() { "none".to_owned() } else { active.join("; ") })
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    text.lines().next().map(str::to_owned)
}
