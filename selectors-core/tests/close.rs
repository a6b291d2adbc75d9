//! Row C6 and test_context_manager: a selector that is dropped closes its kernel object and its
//! files. A process of its own, with one test, because nobody else may open a number meanwhile.
#![cfg(unix)]

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};

use selectors_core::{Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, Notifier};

fn is_open(fd: RawFd) -> bool {
    // SAFETY: takes no pointer.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

#[test]
fn c1_c4_c6_everything_is_closed_with_the_selector() {
    for backend in Backend::available() {
        for by_close in [false, true] {
            let mut selector: DefaultSelector<File, ()> = backend.selector().unwrap();
            let own = selector.fileno().map(|fd| fd.as_raw_fd());
            let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
            let files = [reader.as_raw_fd(), writer.as_raw_fd()];
            let into_file = |socket| File::from(std::os::fd::OwnedFd::from(socket));
            selector
                .register(into_file(reader), EVENT_READ, ())
                .unwrap();
            selector
                .register(into_file(writer), EVENT_WRITE, ())
                .unwrap();
            if by_close {
                let keys = selector.close();
                assert!(files.into_iter().all(is_open), "close closes no file");
                assert!(own.is_none_or(|own| !is_open(own)));
                drop(keys);
            } else {
                drop(selector);
            }
            assert!(own.is_none_or(|own| !is_open(own)), "{backend}");
            assert!(!files.into_iter().any(is_open), "{backend}");
        }
    }
    let notifier = Notifier::new().unwrap();
    let number = std::os::fd::AsFd::as_fd(&notifier).as_raw_fd();
    drop(notifier);
    assert!(!is_open(number));
}
