//! A sandbox that answers EPERM to calls that it does not know, as several container engines do or
//! did: everything works by the older calls. The sandbox is that of one thread, seccomp(2).
#![cfg(target_os = "linux")]

use std::io;
use std::time::{Duration, Instant};

use selectors_core::{Backend, DefaultSelector, EVENT_READ, EpollSelector, Notifier, Refusal};

/// On a thread of its own that may not make these calls; false if there are no sandboxes here.
fn without(calls: &[libc::c_long], run: impl FnOnce() + Send) -> bool {
    std::thread::scope(|scope| {
        let sandboxed = scope.spawn(|| match refuse(calls) {
            Ok(()) => {
                run();
                true
            }
            Err(error) => {
                println!("skipped: no seccomp here: {error}");
                false
            }
        });
        sandboxed.join().unwrap()
    })
}

/// From now on these calls of this thread are answered with EPERM.
fn refuse(calls: &[libc::c_long]) -> io::Result<()> {
    let instruction = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load_number = instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0);
    let answer = |what| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, what);
    let mut filter = vec![load_number];
    for call in calls {
        let is_it = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        filter.push(instruction(is_it, 0, 1, *call as u32));
        filter.push(answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32));
    }
    filter.push(answer(libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    let done = |answer| match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    // SAFETY: takes no pointer.
    done(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the kernel copies the program, which lives until the call returns.
    done(unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) })
}

/// A notifier wakes this backend, and fine timeouts are not early.
fn works(backend: Backend) {
    let mut selector: DefaultSelector<_, ()> = backend.selector().unwrap();
    let notifier = Notifier::new().unwrap();
    selector.register(&notifier, EVENT_READ, ()).unwrap();
    let mut ready = Vec::new();
    for _ in 0..3 {
        let (start, timeout) = (Instant::now(), Duration::from_micros(1500));
        assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 0);
        assert!(start.elapsed() >= timeout);
        let handle = notifier.handle();
        std::thread::scope(|scope| {
            scope.spawn(move || handle.notify().unwrap());
        });
        assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
        assert!(notifier.clear().unwrap());
    }
}

#[test]
fn every_backend_works_where_the_newer_calls_are_withheld() {
    let newer = [libc::SYS_epoll_pwait2, libc::SYS_ppoll, libc::SYS_eventfd2];
    without(&newer, || {
        Backend::available().iter().copied().for_each(works);
    });
}

/// On x86-64, aarch64 and the others alike.
#[test]
fn a_ring_that_a_sandbox_forbids_says_so() {
    without(&[libc::SYS_io_uring_setup], || {
        let refused = Backend::Uring.selector::<std::fs::File, ()>().unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
        let why = [Refusal::RingForbidden, Refusal::RingDisabled];
        let text = refused.to_string();
        assert!(
            why.iter().any(|why| text.contains(&why.to_string())),
            "{text}"
        );
    });
}

#[test]
fn the_default_is_another_backend_where_epoll_is_withheld() {
    without(&[libc::SYS_epoll_create1, libc::SYS_eventfd2], || {
        let chosen = Backend::probe().unwrap();
        assert_eq!(chosen, Backend::Poll);
        works(chosen);
        let refused = EpollSelector::<std::fs::File, ()>::new().unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
        let named = Refusal::NotPollable.to_string();
        assert!(!refused.to_string().contains(&named), "{refused}");
    });
}
