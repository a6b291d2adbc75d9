//! The system calls that only the load generator and its checks make.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// `epoll_ctl(EPOLL_CTL_MOD)`: watches `fd` for other `events`.
pub fn epoll_modify(epoll: &OwnedFd, fd: RawFd, events: i32, data: u64) -> io::Result<()> {
    let mut event = super::EpollEvent {
        events: events.cast_unsigned(),
        u64: data,
    };
    // SAFETY: `event` is live for the call; a bad fd is answered with an error.
    super::check(unsafe {
        libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_MOD, fd, &raw mut event)
    })?;
    Ok(())
}

/// `epoll_ctl(EPOLL_CTL_DEL)`: no longer watches `fd`.
pub fn epoll_delete(epoll: &OwnedFd, fd: RawFd) -> io::Result<()> {
    // SAFETY: the kernel takes no event for a deletion; a bad fd is answered with an error.
    super::check(unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_DEL,
            fd,
            std::ptr::null_mut(),
        )
    })?;
    Ok(())
}

/// `ppoll` for reading on one fd, for at most `timeout`; whether it became readable.
pub fn ppoll_one(fd: RawFd, timeout: Duration) -> io::Result<bool> {
    let mut entry = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let time = libc::timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    // SAFETY: one entry is passed, live and exclusive for the call; so is the time.
    super::check(unsafe { libc::ppoll(&raw mut entry, 1, &raw const time, std::ptr::null()) })
        .map(|count| count > 0)
}

/// `read`: works on pipes too, where `recv` does not.
#[inline]
pub fn read(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the kernel writes at most `buffer.len()` bytes into the exclusive slice.
    super::check_size(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// `kill(pid, SIGSTOP)`: the process stands still.
pub fn stop(pid: u32) -> io::Result<()> {
    kill(pid, libc::SIGSTOP)
}

/// `kill(pid, SIGCONT)`: the process goes on.
pub fn go_on(pid: u32) -> io::Result<()> {
    kill(pid, libc::SIGCONT)
}

fn kill(pid: u32, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers are passed; a process that is gone is answered with an error.
    super::check(unsafe { libc::kill(pid.cast_signed(), signal) })?;
    Ok(())
}

/// `prctl(PR_SET_TIMERSLACK)` of the calling thread: waits end this late at most, by intention.
pub fn set_timer_slack(nanoseconds: u64) -> io::Result<()> {
    // SAFETY: the option takes one number.
    super::check(unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds) })?;
    Ok(())
}

/// `RLIMIT_NOFILE`, as it is now.
pub fn open_files_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is live and exclusive for the call.
    super::check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(limit.rlim_cur)
}

/// `setsockopt(SO_LINGER, 0)`: closing answers what is under way with a reset.
pub fn do_not_linger(fd: RawFd) -> io::Result<()> {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // SAFETY: the pointer is to a live `linger`, of the length that is told.
    super::check(unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<libc::linger>() as libc::socklen_t,
        )
    })?;
    Ok(())
}

/// `setsockopt(IP_LOCAL_PORT_RANGE)`: `connect` chooses from these ports only. Linux 6.3 and later.
pub fn limit_local_ports(fd: RawFd, first: u16, last: u16) -> io::Result<()> {
    /// Of `linux/in.h`; the C library's headers came to know it late.
    const IP_LOCAL_PORT_RANGE: libc::c_int = 51;
    let range = u32::from(last) << 16 | u32::from(first);
    // SAFETY: the pointer is to a live `u32`, of the length that is told.
    super::check(unsafe {
        libc::setsockopt(
            fd,
            libc::IPPROTO_IP,
            IP_LOCAL_PORT_RANGE,
            (&raw const range).cast(),
            size_of::<u32>() as libc::socklen_t,
        )
    })?;
    Ok(())
}

/// `mallinfo2`: bytes that the program has from the C library's allocator, in all its arenas and
/// in mappings of their own; nothing where the library does not tell.
pub fn heap_in_use() -> Option<u64> {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: no pointers are passed; the library takes its own locks.
        let told = unsafe { libc::mallinfo2() };
        Some((told.uordblks + told.hblkhd) as u64)
    }
    #[cfg(not(target_env = "gnu"))]
    None
}

/// `setrlimit(RLIMIT_NOFILE)`, soft and hard: no more than so many files from now on.
pub fn limit_open_files(most: u64) -> io::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: `limit` is live for the call.
    super::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(())
}
