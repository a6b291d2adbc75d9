//! The system calls alone, level-triggered, as a careful C program makes them.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use benches::sys;

use super::Wait;

/// `epoll_wait`, 1024 events at a time.
pub(super) fn epoll(sockets: &[UnixStream]) -> Wait<'_> {
    let epoll = sys::epoll_create1().expect("epoll_create1");
    for (index, socket) in sockets.iter().enumerate() {
        sys::epoll_add(&epoll, socket.as_raw_fd(), libc::EPOLLIN, index as u64).expect("epoll_ctl");
    }
    let mut events = vec![sys::NO_EVENT; sockets.len().min(8192)];
    Box::new(move |active| {
        let (mut seen, mut sum) = (0, 0);
        while seen < active {
            let count = sys::epoll_wait(&epoll, &mut events, -1).expect("epoll_wait");
            seen += count;
            sum += events[..count].iter().map(|event| event.u64).sum::<u64>();
        }
        sum
    })
}

/// `poll`, and a walk over the array until all ready ones are found.
pub(super) fn poll(sockets: &[UnixStream]) -> Wait<'_> {
    let entry = |socket: &UnixStream| libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut entries: Vec<libc::pollfd> = sockets.iter().map(entry).collect();
    Box::new(move |_| {
        let mut left = sys::poll(&mut entries, -1).expect("poll");
        let mut sum = 0;
        for (index, entry) in entries.iter().enumerate() {
            if left == 0 {
                break;
            }
            if entry.revents != 0 {
                sum += index as u64;
                left -= 1;
            }
        }
        sum
    })
}

/// `select` on a bitmap as long as the highest fd needs.
pub(super) fn select(sockets: &[UnixStream]) -> Wait<'_> {
    let highest = sockets.iter().map(AsRawFd::as_raw_fd).max().unwrap_or(0) as usize;
    let mut interest = vec![0_u64; highest / 64 + 1];
    let mut positions = vec![0_u64; highest + 1];
    for (index, socket) in sockets.iter().enumerate() {
        let fd = socket.as_raw_fd() as usize;
        interest[fd / 64] |= 1 << (fd % 64);
        positions[fd] = index as u64;
    }
    let mut ready = interest.clone();
    Box::new(move |_| {
        ready.copy_from_slice(&interest);
        sys::select_read(&mut ready).expect("select");
        let mut sum = 0;
        for (word, &bits) in ready.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                sum += positions[word * 64 + bits.trailing_zeros() as usize];
                bits &= bits - 1;
            }
        }
        sum
    })
}
