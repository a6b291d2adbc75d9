//! Rows S9 to S11: what a signal does to a wait. Real signals are in `tests/signals.rs`; here the
//! kernel's answer is forced, or the clock is virtual.

use std::time::Duration;

use super::support::*;
use crate::{EVENT_READ, Error, Readiness, Script, ScriptedSelector};

on_every_backend!(
    s9_select_goes_on_after_a_signal,
    s11_gh120001_the_interruptible_form_says_so,
);

/// Makes the next wait of any backend fail with EINTR.
fn interrupt<K: TestKernel>(selector: &crate::Selector<K, impl Sized, impl Sized>) {
    let call = match selector.backend() {
        crate::Backend::Select => "pselect",
        crate::Backend::Poll => "poll",
        crate::Backend::Devpoll => "ioctl",
        crate::Backend::Kqueue => "kevent",
        crate::Backend::Uring => "io_uring_enter",
        _ => "epoll_wait",
    };
    crate::sys::fault::inject(call, libc::EINTR);
}

fn s9_select_goes_on_after_a_signal<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    for timeout in [None, NOW, Some(Duration::from_millis(5))] {
        interrupt(&selector);
        let mut ready = Vec::new();
        assert_eq!(
            selector.select(&mut ready, timeout).unwrap(),
            1,
            "{timeout:?}"
        );
        assert_eq!(ready[0].token, token);
    }
}

fn s11_gh120001_the_interruptible_form_says_so<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, ()).unwrap();
    interrupt(&selector);
    let mut ready = Vec::new();
    let answer = selector.select_interruptible(&mut ready, None);
    assert!(matches!(answer, Err(Error::Interrupted)));
    assert!(ready.is_empty());
    assert_eq!(selector.select_interruptible(&mut ready, None).unwrap(), 1);
}

#[test]
fn s9_the_remaining_time_is_what_is_left_on_the_clock() {
    let script = Script::new();
    let mut selector = ScriptedSelector::<std::fs::File, ()>::play(script.clone());
    for _ in 0..6 {
        script.interrupt_after(Duration::from_millis(30));
    }
    let timeout = Duration::from_millis(200);
    assert_eq!(selector.select(&mut Vec::new(), Some(timeout)).unwrap(), 0);
    assert_eq!(script.elapsed(), timeout);
}

#[test]
fn s10_gh79491_readiness_at_the_deadline_is_not_missed() {
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let token = selector.register(std::io::stdin(), EVENT_READ, ()).unwrap();
    let timeout = Duration::from_millis(10);
    // The signal's handler outlives the deadline, and meanwhile the fd becomes ready.
    script.interrupt_after(timeout);
    script.ready(&[(token.fd(), Readiness::READABLE)]);
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 1);
    assert_eq!(ready[0].token, token);
}
