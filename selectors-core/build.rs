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
    // accept4(2) and socket(2) that set non-blocking mode and close-on-exec in the same step.
    (
        "accept4",
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
    // send(2) that raises no SIGPIPE. Apple has an option of the socket in its place.
    (
        "msg_nosignal",
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
    // recv(2) with MSG_TRUNC tells the length that the datagram had.
    ("full_length", &["linux", "android"]),
    // Unix sockets whose names are no files.
    ("abstract_names", &["linux"]),
    // SO_PEERCRED with `struct ucred`.
    ("peercred", &["linux", "android"]),
    ("pidfd", &["linux", "android"]),
    ("timer_slack", &["linux", "android"]),
    // POLLRDHUP has Linux' value, which is the one that `Readiness` uses.
    ("rdhup", &["linux", "android"]),
    // Sockets are no files, and select() takes lists of them: nothing else of this table is there.
    ("winsock", &["windows"]),
    // The doubles of kqueue and /dev/poll, for tests, are made of epoll.
    ("doubles", &["linux", "android"]),
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
    // A feature beside the platform: the crate `io-uring` knows these machines.
    println!("cargo::rustc-check-cfg=cfg(uring)");
    let machine = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let machines = ["x86_64", "aarch64", "riscv64", "loongarch64", "powerpc64"];
    if os == "linux"
        && machines.contains(&machine.as_str())
        && env::var_os("CARGO_FEATURE_URING").is_some()
    {
        println!("cargo::rustc-cfg=uring");
    }
    // System calls that need no libc, because the kernel's numbers and registers are for ever.
    println!("cargo::rustc-check-cfg=cfg(direct)");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let is_64_bit = env::var("CARGO_CFG_TARGET_POINTER_WIDTH").is_ok_and(|width| width == "64");
    if ["linux", "android"].contains(&os.as_str())
        && ["x86_64", "aarch64"].contains(&arch.as_str())
        && is_64_bit
    {
        println!("cargo::rustc-cfg=direct");
    }
}
