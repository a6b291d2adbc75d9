//! Rows R10, R13, S19, S25 and A12 at the limits of the process. A process of its own, with one
//! test, because limits belong to the whole process.
#![cfg(unix)]

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use selectors_core::{
    Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, EpollSelector, Error, Notifier, Refusal,
};

fn limit() -> libc::rlimit {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes one `rlimit`.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    assert_eq!(got, 0);
    limit
}

fn set_limit(soft: u64) {
    let limit = libc::rlimit {
        rlim_cur: soft,
        ..limit()
    };
    // SAFETY: the kernel reads one `rlimit`.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(set, 0);
}

#[test]
fn r10_r13_s19_s25_at_the_limit_of_open_files() {
    set_limit(limit().rlim_max.min(8192));
    above_fd_setsize();
    too_many_files_have_a_name();
    poll_refuses_more_than_the_limit();
}

/// As many pairs as the process may have, half of each watched for WRITE: all in one call.
fn above_fd_setsize() {
    let room = limit().rlim_cur.saturating_sub(64) / 2;
    let pairs: Vec<_> = (0..room).map_while(|_| UnixStream::pair().ok()).collect();
    println!("{} pairs", pairs.len());
    for backend in Backend::available() {
        let mut selector: DefaultSelector<_, ()> = backend.selector().unwrap();
        let mut writers = HashSet::new();
        for (a, b) in &pairs {
            writers.insert(selector.register(a.as_fd(), EVENT_WRITE, ()).unwrap());
            selector.register(b.as_fd(), EVENT_READ, ()).unwrap();
        }
        let mut ready = Vec::new();
        selector.select(&mut ready, Some(Duration::ZERO)).unwrap();
        let reported: HashSet<_> = ready.iter().map(|event| event.token).collect();
        assert_eq!(reported, writers, "{backend}");
        let (mut last, watched) = pairs.last().map(|(a, b)| (a, b)).unwrap();
        last.write_all(b"x").unwrap();
        selector.select(&mut ready, Some(Duration::ZERO)).unwrap();
        assert_eq!(ready.len(), writers.len() + 1, "{backend}");
        assert!(
            ready
                .iter()
                .any(|event| event.token.fd() == watched.as_raw_fd())
        );
        std::io::Read::read_exact(&mut &*watched, &mut [0]).unwrap();
    }
}

fn too_many_files_have_a_name() {
    let hoard: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let named = |answer: Error| {
        assert!(
            matches!(
                answer,
                Error::Refused {
                    why: Refusal::TooManyFiles,
                    ..
                }
            ),
            "{answer}"
        );
        assert_eq!(answer.raw_os_error(), Some(libc::EMFILE));
    };
    named(EpollSelector::<File, ()>::new().unwrap_err());
    named(Notifier::new().unwrap_err());
    // Not silently a slower backend, which the program would keep for the rest of its life.
    named(Backend::probe().unwrap_err());
    drop(hoard);
}

fn poll_refuses_more_than_the_limit() {
    let files: Vec<_> = (0..100)
        .map_while(|_| File::open("/dev/null").ok())
        .collect();
    let mut selector: DefaultSelector<_, ()> = Backend::Poll.selector().unwrap();
    for file in &files {
        selector.register(file, EVENT_READ, ()).unwrap();
    }
    let before = limit().rlim_cur;
    set_limit(50);
    let failed = selector
        .select(&mut Vec::new(), Some(Duration::ZERO))
        .unwrap_err();
    set_limit(before);
    assert_eq!(failed.raw_os_error(), Some(libc::EINVAL), "{failed}");
    assert!(failed.to_string().contains("RLIMIT_NOFILE"), "{failed}");
    assert_eq!(selector.get_map().len(), files.len(), "no key is lost");
    assert_eq!(
        selector
            .select(&mut Vec::new(), Some(Duration::ZERO))
            .unwrap(),
        files.len()
    );
}
