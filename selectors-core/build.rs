//! Says which system calls the target has. The only file that names platforms: everywhere else a
//! line such as `#[cfg(epoll)]` asks for a capability, and a backend that is absent is absent.

use std::env;

/// Every capability, and the operating systems that have it.
const CAPABILITIES: &[(&str, &[&str])] = &[
    ("epoll", &["linux", "android"]),
    ("kqueue", BSD),
    ("devpoll", &["solaris", "illumos"]),
    ("eventfd", &["linux", "android"]),
    // Who says whether the environment is that of somebody else: getauxval(3) or issetugid(2).
    ("getauxval", &["linux", "android"]),
    ("issetugid", BSD),
    // poll(2) with nanoseconds. macOS has none, NetBSD and Solaris not in every supported version.
    (
        "ppoll",
        &["linux", "android", "freebsd", "dragonfly", "openbsd"],
    ),
    // pipe(2) that sets close-on-exec in the same step.
    (
        "pipe2",
        &[
            "linux",
            "android",
            "freebsd",
            "dragonfly",
            "netbsd",
            "openbsd",
            "illumos",
            "solaris",
        ],
    ),
    // select(2) reads as many bits as its first argument says. Elsewhere FD_SETSIZE is the end.
    (
        "fd_set_grows",
        &[
            "linux",
            "android",
            "freebsd",
            "dragonfly",
            "netbsd",
            "openbsd",
        ],
    ),
    // The words of an fd_set are 32 bits wide; elsewhere they are a C long.
    (
        "fd_set_u32",
        &[
            "netbsd", "openbsd", "macos", "ios", "tvos", "watchos", "visionos",
        ],
    ),
    // POLLRDHUP has Linux' value, which is the one that `Readiness` uses.
    ("rdhup", &["linux", "android"]),
];

/// The family of kqueue(2).
const BSD: &[&str] = &[
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "macos",
    "ios",
    "tvos",
    "watchos",
    "visionos",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    for (capability, systems) in CAPABILITIES {
        println!("cargo::rustc-check-cfg=cfg({capability})");
        if systems.contains(&os.as_str()) {
            println!("cargo::rustc-cfg={capability}");
        }
    }
}
