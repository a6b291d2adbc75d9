//! The scripted selector keeps the contract too, as far as a script can.

use std::time::Duration;

use super::support::pair;
use crate::{
    EVENT_READ, EVENT_WRITE, Error, Interest, Readiness, Script, ScriptedCall, ScriptedSelector,
};

#[test]
fn scripted_steps_come_in_order_on_a_virtual_clock() {
    let (a, _b) = pair();
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    script.ready_after(
        Duration::from_secs(10),
        &[(token.fd(), Readiness::READABLE)],
    );
    script.ready_after(Duration::from_secs(5), &[(token.fd(), Readiness::HANGUP)]);
    let mut ready = Vec::new();
    assert_eq!(
        selector
            .select(&mut ready, Some(Duration::from_secs(9)))
            .unwrap(),
        0
    );
    assert_eq!(script.elapsed(), Duration::from_secs(9));
    assert_eq!(
        selector
            .select(&mut ready, Some(Duration::from_secs(9)))
            .unwrap(),
        1
    );
    assert_eq!(script.elapsed(), Duration::from_secs(10));
    script.advance(Duration::from_secs(60));
    assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
    assert_eq!(
        script.elapsed(),
        Duration::from_secs(70),
        "late, not back in time"
    );
    assert!(ready[0].readiness.is_hangup() && ready[0].readiness.is_readable());
    assert!(script.is_over());
}

#[test]
fn scripted_wait_that_would_never_end_is_an_error() {
    let mut selector = ScriptedSelector::<std::fs::File, ()>::play(Script::new());
    let answer = selector.select(&mut Vec::new(), None);
    assert!(matches!(answer, Err(Error::ScriptEnded)));
}

#[test]
fn scripted_events_are_masked_and_strangers_dropped() {
    let (a, b) = pair();
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let token = selector.register(&a, EVENT_WRITE, ()).unwrap();
    let stranger = crate::os::AsRawFd::as_raw_fd(&b);
    script.ready(&[
        (stranger, Readiness::READABLE),
        (token.fd(), Readiness::READABLE),
    ]);
    script.ready(&[(token.fd(), Readiness::READABLE | Readiness::WRITABLE)]);
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
    assert_eq!(ready[0].readiness, Readiness::WRITABLE);
}

#[test]
fn scripted_calls_are_recorded() {
    let (a, _b) = pair();
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let fd = token.fd();
    selector.modify(token, EVENT_READ).unwrap();
    selector.modify(token, EVENT_WRITE).unwrap();
    selector.park(token).unwrap();
    selector.unregister(token).unwrap();
    let _ = selector.select(&mut Vec::new(), Some(Duration::ZERO));
    assert_eq!(
        script.take_calls(),
        [
            ScriptedCall::Add {
                fd,
                interest: Interest::new(EVENT_READ)
            },
            ScriptedCall::Modify {
                fd,
                interest: Interest::new(EVENT_WRITE)
            },
            ScriptedCall::Delete { fd },
            ScriptedCall::Wait {
                timeout: Some(Duration::ZERO)
            },
        ]
    );
    assert!(script.take_calls().is_empty());
}

#[cfg(not(winsock))]
#[test]
fn scripted_failures_and_signals_are_reported() {
    let script = Script::new();
    let selector = ScriptedSelector::<std::fs::File, ()>::play(script.clone());
    let mut selector = selector.into_default();
    script.fail(libc::EBADF);
    script.interrupt_after(Duration::ZERO);
    let mut ready = Vec::new();
    let failed = selector.select(&mut ready, None).unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(libc::EBADF));
    let interrupted = selector.select_interruptible(&mut ready, None);
    assert!(matches!(interrupted, Err(Error::Interrupted)));
    assert_eq!(selector.now(), script.now());
}
