//! More keys than a ring has room for: for requests, and for answers. A process of its own, because
//! it opens thousands of files.
#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use selectors_core::{Backend, EVENT_READ, Mode};

#[test]
fn three_thousand_keys_are_ready_in_one_wait() {
    let (mut a, mut b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    let files: Vec<_> = (0..3000).map_while(|_| a.try_clone().ok()).collect();
    for mode in [Mode::Level, Mode::Edge, Mode::Oneshot, Mode::EdgeOneshot] {
        let mut selector = match Backend::Uring.selector() {
            Ok(selector) => selector,
            Err(reason) => return println!("skipped: {reason}"),
        };
        let mut ready = Vec::new();
        for file in &files {
            selector.register_with(file, EVENT_READ, mode, ()).unwrap();
        }
        let mut reports = || selector.select(&mut ready, Some(Duration::ZERO)).unwrap();
        assert_eq!(reports(), 0);
        b.write_all(b"x").unwrap();
        assert_eq!(reports(), files.len(), "{mode:?}");
        // A request that lasts ends where there is no room for its answer, and is made anew.
        if mode == Mode::Edge {
            reports();
        }
        let again = if mode == Mode::Level { files.len() } else { 0 };
        assert_eq!(reports(), again, "{mode:?}");
        assert_eq!(a.read(&mut [0; 8]).unwrap(), 1);
        assert_eq!(reports(), 0);
        if matches!(mode, Mode::Oneshot | Mode::EdgeOneshot) {
            continue;
        }
        // Nobody has been lost for want of room.
        for _ in 0..4 {
            b.write_all(b"x").unwrap();
            let mut told = HashSet::new();
            while told.len() < files.len() {
                selector.select(&mut ready, None).unwrap();
                told.extend(ready.iter().map(|event| event.token));
            }
            assert_eq!(a.read(&mut [0; 8]).unwrap(), 1);
        }
    }
}
