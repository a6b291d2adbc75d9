//! Rows S2 to S8, S21, A7 and A8: timeouts are clamped, rounded up, and never early.

use std::time::{Duration, Instant};

use super::support::*;
use crate::kernel::timeout::{LONGEST, timeval};
#[cfg(not(winsock))]
use crate::kernel::timeout::{millis, timespec, whole_millis};
#[cfg(not(winsock))]
use crate::kernel::{Epoll, Kqueue, Poll};
use crate::kernel::{Kernel, Open, Select};
use crate::sys::fault;
use crate::{EVENT_READ, Script, ScriptedSelector, Selector};

on_every_backend!(
    s2_none_waits_until_something_happens,
    s3_gh126876_huge_timeouts_are_clamped_and_no_error,
    s4_s5_s6_s7_timeouts_are_never_early,
    s8_a_timeout_gives_nothing,
    s21_gh73441_an_empty_selector_waits_its_timeout,
    a8_gh75967_tiny_timeouts_do_not_make_a_loop_turn_often,
);

fn s2_none_waits_until_something_happens<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    let mut ready = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            send(&b);
        });
        assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
    });
    assert_eq!(ready[0].token, token);
}

fn s3_gh126876_huge_timeouts_are_clamped_and_no_error<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, ()).unwrap();
    let mut ready = Vec::new();
    for timeout in [Duration::MAX, LONGEST, LONGEST + Duration::from_nanos(1)] {
        assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 1);
        assert_eq!(
            selector
                .select_interruptible(&mut ready, Some(timeout))
                .unwrap(),
            1
        );
    }
}

fn s4_s5_s6_s7_timeouts_are_never_early<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, ()).unwrap();
    let mut ready = Vec::new();
    for nanos in [
        1, 1_000, 1_001, 999_999, 1_000_000, 1_000_001, 2_007_000, 9_000_000,
    ] {
        let timeout = Duration::from_nanos(nanos);
        let start = Instant::now();
        assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 0);
        assert!(start.elapsed() >= timeout, "{nanos} ns");
        let start = Instant::now();
        assert_eq!(
            selector
                .select_interruptible(&mut ready, Some(timeout))
                .unwrap(),
            0
        );
        assert!(start.elapsed() >= timeout, "{nanos} ns, one wait");
    }
}

fn s8_a_timeout_gives_nothing<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, ()).unwrap();
    let stale = crate::Event {
        token: crate::Token::new(0, 0),
        readiness: crate::Readiness::READABLE,
    };
    let mut ready = vec![stale];
    assert_eq!(
        selector
            .select(&mut ready, Some(Duration::from_millis(1)))
            .unwrap(),
        0
    );
    assert!(ready.is_empty(), "the buffer is cleared first");
}

fn s21_gh73441_an_empty_selector_waits_its_timeout<K: TestKernel>() {
    let mut selector = selector::<K, std::fs::File, ()>();
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 0);
    let (start, timeout) = (Instant::now(), Duration::from_millis(30));
    assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 0);
    assert!(start.elapsed() >= timeout);
}

fn a8_gh75967_tiny_timeouts_do_not_make_a_loop_turn_often<K: TestKernel>() {
    let mut selector = selector::<K, std::fs::File, ()>();
    let mut ready = Vec::new();
    for micros in [1, 10, 100, 500, 1000] {
        let deadline = Instant::now() + Duration::from_micros(micros);
        let mut turns = 0;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            selector.select(&mut ready, Some(left)).unwrap();
            turns += 1;
        }
        assert!(turns <= 4, "{turns} turns for {micros} us");
    }
}

#[cfg(not(winsock))]
#[test]
fn s5_s6_milliseconds_are_rounded_up_exactly() {
    assert_eq!(millis(None), -1, "BSD refuses other negative numbers");
    assert_eq!(millis(Some(Duration::ZERO)), 0);
    assert_eq!(millis(Some(Duration::from_nanos(1))), 1);
    assert_eq!(millis(Some(Duration::from_micros(1_100))), 2);
    for whole in 0..100_000 {
        let timeout = Some(Duration::from_millis(whole));
        assert_eq!(millis(timeout), whole as i32);
        assert_eq!(whole_millis(timeout), Some(whole as i32));
    }
    assert_eq!(whole_millis(Some(Duration::from_nanos(1))), None);
    assert_eq!(whole_millis(None), Some(-1));
}

#[cfg(not(winsock))]
#[test]
fn s3_s4_s7_other_units_are_rounded_up_and_clamped() {
    assert_eq!(millis(Some(Duration::MAX)), LONGEST.as_millis() as i32);
    let up = timeval(Duration::from_nanos(1));
    assert_eq!((up.tv_sec, up.tv_usec), (0, 1));
    let carried = timeval(Duration::from_nanos(1_999_999_999));
    assert_eq!((carried.tv_sec, carried.tv_usec), (2, 0));
    let exact = timespec(Duration::from_nanos(1_000_000_001));
    assert_eq!((exact.tv_sec, exact.tv_nsec), (1, 1));
    assert_eq!(timespec(Duration::MAX).tv_sec as u64, LONGEST.as_secs());
}

/// The first ENOSYS of the fine call makes the kernel half use the coarse one, for good.
#[cfg(not(winsock))]
fn falls_back<K: TestKernel>(fine: &'static str, coarse: &'static str) {
    let mut selector = selector::<K, std::fs::File, ()>();
    let timeout = Duration::from_nanos(1_500_000);
    let wait = |selector: &mut Selector<K, _, _>| {
        let start = Instant::now();
        assert_eq!(
            selector
                .select_interruptible(&mut Vec::new(), Some(timeout))
                .unwrap(),
            0
        );
        assert!(start.elapsed() >= timeout);
        (fault::count(fine), fault::count(coarse))
    };
    assert!(selector.capabilities().nanosecond_timeouts);
    let (fine_before, coarse_before) = wait(&mut selector);
    if !selector.capabilities().nanosecond_timeouts {
        // The kernel has said so itself: it is an older one, or emulated.
        let again = (fine_before, coarse_before + 1);
        return assert_eq!(wait(&mut selector), again, "latched");
    }
    fault::inject(fine, libc::ENOSYS);
    assert_eq!(wait(&mut selector), (fine_before + 1, coarse_before + 1));
    assert!(!selector.capabilities().nanosecond_timeouts);
    assert_eq!(
        wait(&mut selector),
        (fine_before + 1, coarse_before + 2),
        "latched"
    );
}

#[cfg(not(winsock))]
#[test]
fn gh142434_epoll_pwait2_falls_back_to_epoll_wait() {
    falls_back::<Epoll>("epoll_pwait2", "epoll_wait");
}

#[cfg(not(winsock))]
#[test]
fn gh142434_ppoll_falls_back_to_poll() {
    falls_back::<Poll>("ppoll", "poll");
}

#[cfg(not(winsock))]
#[test]
fn gh142434_pselect_falls_back_to_select() {
    falls_back::<Select>("pselect", "select");
}

#[cfg(not(winsock))]
#[test]
fn s6_whole_milliseconds_need_no_finer_call() {
    let mut epoll = Epoll::open().unwrap();
    for timeout in [0, 1, 9] {
        epoll.wait(Some(Duration::from_millis(timeout))).unwrap();
    }
    assert_eq!(
        (fault::count("epoll_wait"), fault::count("epoll_pwait2")),
        (3, 0)
    );
    epoll.wait(Some(Duration::from_micros(250))).unwrap();
    assert_eq!(fault::count("epoll_pwait2"), 1);
}

#[cfg(not(winsock))]
#[test]
fn s7_kqueue_takes_nanoseconds() {
    let mut kqueue = Kqueue::open().unwrap();
    let start = Instant::now();
    kqueue.wait(Some(Duration::from_nanos(250_001))).unwrap();
    assert!(start.elapsed() >= Duration::from_nanos(250_001));
}

#[test]
fn a7_a_wait_longer_than_a_kernel_takes_is_waited_for_to_its_end() {
    let script = Script::new();
    let mut selector = ScriptedSelector::<std::fs::File, ()>::play(script.clone());
    let century = Duration::from_secs(100 * 365 * 86_400);
    assert_eq!(selector.select(&mut Vec::new(), Some(century)).unwrap(), 0);
    assert_eq!(script.elapsed(), century);
}
