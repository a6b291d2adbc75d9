//! Section 4 of the contract: known bugs and wishes of Python's selectors, each with the test that
//! it stays better here. What has a test beside its row is not repeated.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use super::support::*;
use crate::kernel::{Epoll, Kernel, Kqueue, Open};
use crate::sys::fd::fcntl_getfd;
use crate::sys::testing::dup_from;
use crate::{
    EVENT_READ, EVENT_WRITE, EpollFlags, EpollSelector, Error, Events, Interest, Mode, Selector,
};

on_every_backend!(
    gh88968_a_reused_number_is_armed_and_the_old_token_is_dead,
    gh74250_deregistration_names_the_registration_and_not_the_number,
    gh91433_after_close_nothing_can_be_asked,
    uvloop61_the_kernel_forgets_before_the_file_can_close,
    gh74809_a_panic_in_a_handler_leaves_the_selector_whole,
);

fn gh88968_a_reused_number_is_armed_and_the_old_token_is_dead<K: TestKernel>() {
    let mut selector = selector::<K, _, _>();
    let (a, _b) = pair();
    let high = dup_from(a.as_fd(), 500).unwrap();
    let number = high.as_raw_fd();
    let old = selector.register(high, EVENT_READ, ()).unwrap();
    drop(selector.unregister(old).unwrap());
    let (c, d) = pair();
    let Ok(high) = dup_from(c.as_fd(), number) else {
        return;
    };
    let new = selector.register(high, EVENT_READ, ()).unwrap();
    send(&d);
    assert_eq!(tokens_now(&mut selector), [new]);
    assert!(selector.unregister(old).is_err());
    assert!(selector.get_key(new).is_some());
}

fn gh74250_deregistration_names_the_registration_and_not_the_number<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let first = selector.register(&a, EVENT_READ, "first waiter").unwrap();
    selector.unregister(first).unwrap();
    let second = selector.register(&a, EVENT_READ, "second waiter").unwrap();
    // The first waiter is cancelled late, and cancels itself only.
    assert!(matches!(
        selector.unregister(first),
        Err(Error::NotRegistered(_))
    ));
    send(&b);
    assert_eq!(tokens_now(&mut selector), [second]);
}

fn gh91433_after_close_nothing_can_be_asked<K: TestKernel>() {
    // `close` takes the selector by value: there is no half-closed state to ask. What is left is
    // what it gives back.
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(&a, EVENT_READ, 1).unwrap();
    assert_eq!(selector.close().len(), 1);
}

fn uvloop61_the_kernel_forgets_before_the_file_can_close<K: TestKernel>() {
    let (a, b) = pair();
    let duplicate = a.try_clone().unwrap();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    drop(selector.unregister(token).unwrap());
    send(&b);
    let mut ready = Vec::new();
    let timeout = Duration::from_millis(20);
    let start = std::time::Instant::now();
    assert_eq!(
        selector
            .select_interruptible(&mut ready, Some(timeout))
            .unwrap(),
        0
    );
    assert!(start.elapsed() >= timeout, "an orphan ended the wait");
    drop(duplicate);
}

fn gh74809_a_panic_in_a_handler_leaves_the_selector_whole<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let handler = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        selector.select_with(None, |_, _, _| {
            std::panic::resume_unwind(Box::new("handler"))
        })
    }));
    assert!(handler.is_err());
    assert_eq!(tokens_now(&mut selector), [token]);
    selector.unregister(token).unwrap();
}

#[test]
fn gh110395_a_forked_child_neither_uses_nor_closes_the_kqueue() {
    let (a, _b) = pair();
    let mut kernel = Kqueue::open().unwrap();
    let number = kernel.fileno().unwrap().as_raw_fd();
    let token = crate::Token::new(a.as_raw_fd(), 1);
    let interest = Interest::new(EVENT_READ);
    kernel.add(token, interest).unwrap();
    kernel.kqueue.in_a_child_for_tests();
    assert!(matches!(kernel.wait(NOW), Err(Error::Forked)));
    let other = crate::Token::new(a.as_raw_fd() + 1, 2);
    assert!(matches!(kernel.add(other, interest), Err(Error::Forked)));
    kernel.delete(token, interest).unwrap();
    drop(kernel);
    assert!(
        fcntl_getfd(number).is_ok(),
        "closed a number of another process"
    );
}

#[test]
fn gh79698_epollexclusive_through_the_epoll_type_alone() {
    let (a, b) = pair();
    let listener = a;
    let mut selectors: Vec<EpollSelector<_, ()>> =
        (0..3).map(|_| EpollSelector::new().unwrap()).collect();
    let mut tokens = Vec::new();
    for selector in &mut selectors {
        let interest = Interest::new(EVENT_READ);
        tokens.push(
            selector
                .register_flags(&listener, interest, EpollFlags::EXCLUSIVE, ())
                .unwrap(),
        );
    }
    send(&b);
    // Level: whoever asks is told.
    assert_eq!(tokens_now(&mut selectors[0]), [tokens[0]]);
    // The kernel cannot modify such a registration; we delete and add, and the flag stays.
    selectors[0].modify(tokens[0], Events::READ_WRITE).unwrap();
    assert_eq!(masks_now(&mut selectors[0]), [3]);
    selectors[0].modify(tokens[0], EVENT_WRITE).unwrap();
    assert_eq!(masks_now(&mut selectors[0]), [2]);
    selectors[0].park(tokens[0]).unwrap();
    selectors[0].modify(tokens[0], EVENT_READ).unwrap();
    assert_eq!(masks_now(&mut selectors[0]), [1]);
    // A combination that the kernel does not allow is its EINVAL, with everything handed back.
    let oneshot = Interest::new(EVENT_WRITE).mode(Mode::Oneshot);
    let failed = selectors[1]
        .register_flags(&b, oneshot, EpollFlags::EXCLUSIVE, ())
        .unwrap_err();
    assert_eq!(failed.error.raw_os_error(), Some(libc::EINVAL));
}

#[test]
fn gh79698_a_refused_change_of_an_exclusive_key_is_undone() {
    let (a, b) = pair();
    let mut selector = EpollSelector::new().unwrap();
    let interest = Interest::new(EVENT_READ);
    let token = selector
        .register_flags(&a, interest, EpollFlags::EXCLUSIVE, ())
        .unwrap();
    crate::sys::fault::inject_after("epoll_ctl", 1, libc::ENOMEM);
    assert!(selector.modify(token, EVENT_WRITE).is_err());
    send(&b);
    assert_eq!(masks_now(&mut selector), [1]);
}

#[test]
fn gh79698_edge_oneshot_reports_once_and_looks_anew_when_armed() {
    fn once<K: TestKernel>() {
        let (a, b) = pair();
        let mut selector: Selector<K, OwnedFd, ()> = selector();
        let mode = Mode::EdgeOneshot;
        let token = selector
            .register_with(a.into(), EVENT_READ, mode, ())
            .unwrap();
        send(&b);
        assert_eq!(tokens_now(&mut selector), [token]);
        send(&b);
        assert_eq!(tokens_now(&mut selector), []);
        selector.modify(token, EVENT_READ).unwrap();
        assert_eq!(
            tokens_now(&mut selector),
            [token],
            "what is there is reported when armed"
        );
        assert_eq!(tokens_now(&mut selector), []);
    }
    once::<Epoll>();
    #[cfg(uring)]
    if has_ring() {
        once::<crate::kernel::Uring>();
    }
    once::<Kqueue>();
}

#[test]
fn errors_keep_errno_name_operation_and_fd_through_io_error() {
    let (a, _b) = pair();
    let mut selector = EpollSelector::new().unwrap();
    for errno in [
        libc::EBADF,
        libc::EMFILE,
        libc::ENOSPC,
        libc::EEXIST,
        libc::EPERM,
    ] {
        crate::sys::fault::inject("epoll_ctl", errno);
        let failed = selector.register(&a, EVENT_READ, ()).unwrap_err();
        let text = failed.to_string();
        assert!(
            text.starts_with(&format!("epoll_ctl add fd {}: ", a.as_raw_fd())),
            "{text}"
        );
        let kind = failed.error.kind();
        let error = std::io::Error::from(failed);
        assert_eq!((error.raw_os_error(), error.kind()), (Some(errno), kind));
    }
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let twice = std::io::Error::from(selector.register(&a, EVENT_READ, ()).unwrap_err());
    assert_eq!(twice.kind(), std::io::ErrorKind::AlreadyExists);
    selector.unregister(token).unwrap();
    let gone = std::io::Error::from(selector.unregister(token).unwrap_err());
    assert_eq!(gone.kind(), std::io::ErrorKind::NotFound);
    let range = Error::FdTooLarge {
        fd: 2000,
        limit: 1024,
    };
    assert_eq!(range.kind(), std::io::ErrorKind::InvalidInput);
    assert!(range.to_string().contains("1024"));
}
