//! How much of everything each preset measures.

use crate::plan::{EVERY, USUAL};

/// How much of everything.
pub(super) struct Size {
    /// Seconds after which no slice begins.
    pub(super) budget: Option<u64>,
    pub(super) ring: &'static [usize],
    pub(super) crowd: &'static [usize],
    pub(super) ring_ms: u64,
    pub(super) map: (usize, u64),
    pub(super) register_ms: u64,
    pub(super) echo_ms: u64,
    pub(super) load: (&'static [f64], u64),
    /// Of fairness, of an overload and of each run of a search; nothing leaves the three out.
    pub(super) asked_ms: Option<[u64; 3]>,
    pub(super) blocks: usize,
    pub(super) selectors: &'static [&'static str],
    pub(super) runtimes: &'static [&'static str],
    pub(super) loaded: &'static [&'static str],
    pub(super) own: Own,
}

/// How much of what runs on the runtimes without a generator, and of connections that come and go.
pub(super) struct Own {
    /// Of a slice; nothing takes less.
    pub(super) ms: u64,
    pub(super) blocks: usize,
    /// Of each kind of switch.
    pub(super) tasks: &'static [usize],
    pub(super) timers: &'static [usize],
    /// Once, for it takes gigabytes and minutes.
    pub(super) most_timers: Option<usize>,
    /// With so many. The others would take a quarter of an hour.
    pub(super) most_executors: &'static [&'static str],
    /// Microseconds.
    pub(super) sleeps: &'static [u64],
    /// Each with bursts of one and of so many.
    pub(super) senders: &'static [usize],
    pub(super) burst: usize,
    /// Links of a cascade.
    pub(super) fds: &'static [usize],
    /// Connections on which nothing happens.
    pub(super) idle: &'static [usize],
    /// How connections end.
    pub(super) close: &'static [&'static str],
    /// What has tasks.
    pub(super) executors: &'static [&'static str],
    /// What serves.
    pub(super) servers: &'static [&'static str],
}

pub(super) const SMOKE: Size = Size {
    budget: Some(17),
    ring: &[1, 64, 1024],
    crowd: &[],
    ring_ms: 20,
    map: (256, 100),
    register_ms: 20,
    echo_ms: 80,
    load: (&[50.0], 250),
    asked_ms: None,
    blocks: 4,
    selectors: &["bare-epoll", "ours-epoll", "ours-poll", "ours-select"],
    runtimes: &["bare", "ours", "tokio"],
    loaded: &["bare", "ours"],
    own: Own {
        ms: 20,
        blocks: 1,
        tasks: &[10],
        timers: &[1000],
        most_timers: None,
        most_executors: &[],
        sleeps: &[100],
        senders: &[1],
        burst: 10,
        fds: &[100],
        idle: &[100],
        close: &["rst"],
        executors: &["ours"],
        servers: &["bare", "ours"],
    },
};

pub(super) const QUICK: Size = Size {
    budget: Some(112),
    ring: &[1, 64, 4096],
    crowd: &[512],
    ring_ms: 100,
    map: (4096, 300),
    register_ms: 100,
    echo_ms: 100,
    load: (&[20.0, 50.0, 80.0], 500),
    asked_ms: Some([500, 100, 120]),
    blocks: 4,
    selectors: &[
        "bare-epoll",
        "ours-epoll",
        "ours-epoll-edge",
        "ours-poll",
        "ours-select",
        "mio",
        "polling",
    ],
    runtimes: &["bare", "ours", "ours-poll", "mio", "tokio", "smol"],
    loaded: &["bare", "ours", "tokio"],
    own: Own {
        ms: 80,
        blocks: 2,
        tasks: &[100],
        timers: &[1000, 100_000],
        most_timers: None,
        most_executors: &[],
        sleeps: &[100, 1000],
        senders: &[0, 1],
        burst: 100,
        fds: &[10, 1000],
        idle: &[1000],
        close: &["fin", "rst"],
        executors: &["ours", "tokio", "smol"],
        servers: &["bare", "ours", "tokio", "smol"],
    },
};

pub(super) const FULL: Size = Size {
    budget: None,
    ring: &[1, 2, 4, 8, 64, 256, 1024, 4096, 8192],
    crowd: &[64, 512, 4096],
    ring_ms: 200,
    map: (8192, 2000),
    register_ms: 200,
    echo_ms: 500,
    load: (&[10.0, 50.0, 70.0, 90.0, 110.0], 1500),
    asked_ms: Some([1000, 500, 300]),
    blocks: 10,
    selectors: &[
        "bare-epoll",
        "bare-poll",
        "bare-select",
        "ours-epoll",
        "ours-epoll-edge",
        "ours-epoll-oneshot",
        "ours-poll",
        "ours-select",
        "mio",
        "polling",
    ],
    runtimes: USUAL,
    loaded: &["bare", "ours", "ours-poll", "tokio", "smol"],
    own: Own {
        ms: 300,
        blocks: 5,
        tasks: &[1, 100, 10_000],
        timers: &[1000, 10_000, 100_000, 1_000_000],
        most_timers: Some(10_000_000),
        most_executors: &["ours", "tokio"],
        sleeps: &[50, 100, 500, 1000, 10_000],
        senders: &[0, 1, 2],
        burst: 100,
        fds: &[1, 10, 100, 1000, 4000],
        idle: &[1000, 5000, 9000],
        close: &["fin", "rst"],
        executors: &["ours", "tokio", "smol", "monoio"],
        servers: &EVERY,
    },
};
