//! Says what the target's sockets can do. The only file of the crate that names platforms, beside
//! selectors-core's; a line such as `#[cfg(reuse_port)]` asks for a capability.

use std::env;

/// Every capability, and the operating systems that lack it.
const LACKING: &[(&str, &[&str])] = &[
    // Interval and number of the questions of a keepalive, for each socket.
    ("keepalive_pace", &["openbsd", "solaris"]),
    // Several sockets that listen on one port.
    ("reuse_port", &["illumos", "solaris", "windows"]),
    // The type of service of IPv4 packets.
    ("type_of_service", &["illumos", "solaris"]),
];

/// Every capability, and the operating systems that have it.
const HAVING: &[(&str, &[&str])] = &[
    // Who made the other end of a Unix socket, all three numbers.
    ("peer_credentials", &["linux", "android"]),
    // Unix sockets whose names are no files.
    ("abstract_names", &["linux"]),
    // Sockets that are no files: no Unix sockets, no signals, no fds of other kinds.
    ("winsock", &["windows"]),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let names = |systems: &[&str]| systems.contains(&os.as_str());
    let lacking = LACKING
        .iter()
        .map(|(name, systems)| (name, !names(systems)));
    let having = HAVING.iter().map(|(name, systems)| (name, names(systems)));
    for (capability, has) in lacking.chain(having) {
        println!("cargo::rustc-check-cfg=cfg({capability})");
        if has {
            println!("cargo::rustc-cfg={capability}");
        }
    }
}
