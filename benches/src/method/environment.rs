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
    /// Reads them from the kernel, the program and its folder.
    pub fn read() -> Self {
        let mut facts = BTreeMap::new();
        let mut tell = |name: &str, value: String| {
            facts.insert(name.to_owned(), value);
        };
        let path = |path: &str| read_to_string(path).map(|text| text.trim().to_owned());
        for (name, file) in FILES {
            tell(name, path(file).unwrap_or_else(|_| "not told".to_owned()));
        }
        tell("cpu", cpu());
        tell("cpus", sys::cpus_online().to_string());
        tell("mitigations", mitigations());
        tell("timer slack (ns)", timer_slack());
        let limit = sys::open_files();
        tell("open files", limit.map_or_else(|e| e.to_string(), |limit| limit.to_string()));
        let profile = if cfg!(debug_assertions) {
            "DEBUG: figures mean nothing"
        } else {
            "release, thin LTO"
        };
        tell("profile", profile.to_owned());
        tell("rustc", output("rustc", &["--version"]));
        tell("revision", output("git", &["describe", "--always", "--dirty"]));
        Self(facts)
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("not told", String::as_str)
    }
}

/// Facts that are files of one line.
const FILES: [(&str, &str); 9] = [
    ("kernel", "/proc/sys/kernel/osrelease"),
    ("load", "/proc/loadavg"),
    ("clock source", "/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    ("idle governor", "/sys/devices/system/cpu/cpuidle/current_governor"),
    ("halt polling (ns)", "/sys/module/haltpoll/parameters/guest_halt_poll_ns"),
    ("frequency governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    ("somaxconn", "/proc/sys/net/core/somaxconn"),
    ("local ports", "/proc/sys/net/ipv4/ip_local_port_range"),
    ("huge pages", "/sys/kernel/mm/transparent_hugepage/enabled"),
];

fn cpu() -> String {
    let text = read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or_else(|| "not told".to_owned(), |(_, name)| name.to_owned())
}

fn mitigations() -> String {
    let Ok(folder) = std::fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else {
        return "not told".to_owned();
    };
    let mut active: Vec<String> = folder
        .flatten()
        .filter_map(|entry| {
            let text = read_to_string(entry.path()).ok()?;
            let how = text.trim().strip_prefix("Mitigation: ")?.to_owned();
            Some(format!("{}: {how}", entry.file_name().to_string_lossy()))
        })
        .collect();
    active.sort();
    if active.is_empty() { "none".to_owned() } else { active.join("; ") }
}

fn timer_slack() -> String {
    read_to_string("/proc/self/timerslack_ns")
        .map_or_else(|_| "not told".to_owned(), |text| text.trim().to_owned())
}

/// The first line that a program says; what is not there is not told.
fn output(program: &str, arguments: &[&str]) -> String {
    std::process::Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|text| text.lines().next().map(str::to_owned))
        .unwrap_or_else(|| "not told".to_owned())
}
