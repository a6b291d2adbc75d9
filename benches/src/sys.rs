//! System calls, each with its own name, returning `io::Result` and doing nothing else.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// What `epoll_wait` fills.
pub type EpollEvent = libc::epoll_event;

/// An [`EpollEvent`] with nothing in it, to fill a buffer with.
pub const NO_EVENT: EpollEvent = EpollEvent { events: 0, u64: 0 };

fn check(answer: libc::c_int) -> io::Result<libc::c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn check_size(answer: isize) -> io::Result<usize> {
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// `epoll_create1(EPOLL_CLOEXEC)`.
pub fn epoll_create1() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: the kernel just gave us this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `epoll_ctl`: adds `fd`, modifies how it is watched, or deletes it; `data` is in each of its events.
pub fn epoll_ctl(
    epoll: &OwnedFd,
    operation: libc::c_int,
    fd: RawFd,
    events: i32,
    data: u64,
) -> io::Result<()> {
    let mut event = EpollEvent { events: events.cast_unsigned(), u64: data };
    // SAFETY: `event` is live for the call; a bad fd is answered with an error.
    check(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, fd, &raw mut event) })?;
    Ok(())
}

/// Watches `fd`, answering with `data` in each event.
pub fn epoll_add(epoll: &OwnedFd, fd: RawFd, events: i32, data: u64) -> io::Result<()> {
    epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, events, data)
}

/// `epoll_wait`, for at most `timeout_ms` (-1: for ever); how many events were filled.
#[inline]
pub fn epoll_wait(
    epoll: &OwnedFd,
    events: &mut [EpollEvent],
    timeout_ms: i32,
) -> io::Result<usize> {
    let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
    // SAFETY: the kernel writes at most `room` events into the exclusive slice.
    let answer =
        unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), room, timeout_ms) };
    check(answer).map(|count| count as usize)
}

/// `accept4(SOCK_NONBLOCK | SOCK_CLOEXEC)`, the address not asked for.
pub fn accept4(listener: RawFd) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: null pointers tell the kernel not to write an address.
    let fd = check(unsafe {
        libc::accept4(listener, std::ptr::null_mut(), std::ptr::null_mut(), flags)
    })?;
    // SAFETY: the kernel just gave us this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `poll` on the whole slice; how many entries have something in `revents`.
#[inline]
pub fn poll(fds: &mut [libc::pollfd], timeout_ms: i32) -> io::Result<usize> {
    // SAFETY: the kernel writes only the `revents` of the exclusive slice's entries.
    let answer = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout_ms) };
    check(answer).map(|count| count as usize)
}

/// `select` without a timeout: `read`, and `write` if anybody waits for that, go in as interest and
/// come out as answer. The kernel has no limit of 1024 fds, only the macros of the C library have.
#[inline]
pub fn select(read: &mut [u64], write: Option<&mut [u64]>) -> io::Result<usize> {
    let words = write.as_ref().map_or(read.len(), |write| read.len().min(write.len()));
    let fds = i32::try_from(words * 64).unwrap_or(i32::MAX);
    let none = std::ptr::null_mut();
    let write = write.map_or(none, |write| write.as_mut_ptr().cast());
    // SAFETY: the kernel reads and writes `fds` bits, which both exclusive slices have.
    let answer =
        unsafe { libc::select(fds, read.as_mut_ptr().cast(), write, none, std::ptr::null_mut()) };
    check(answer).map(|count| count as usize)
}

/// Lets this process open as many files as it may.
pub fn raise_open_files() -> io::Result<()> {
    limit_open_files(open_files()?.rlim_max)
}

/// `RLIMIT_NOFILE`, as it is now.
pub fn open_files() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is live and exclusive for the call.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(limit)
}

/// `setrlimit(RLIMIT_NOFILE)`, soft and hard: no more than so many files from now on.
pub fn limit_open_files(most: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: `limit` is live for the call.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(())
}

/// CPU time that the calling thread has used: it stands still while another has the CPU.
#[inline]
pub fn thread_cpu_time() -> Duration {
    // Every thread has this clock.
    clock(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or_default()
}

/// CPU time that all threads of a process have used, by the scheduler's own account.
pub fn process_cpu_time(pid: u32) -> io::Result<Duration> {
    // clock_getcpuclockid(3) is this arithmetic: the complement of the pid, and CPUCLOCK_SCHED.
    clock((!(pid.cast_signed()) << 3) | 2)
}

#[inline]
fn clock(id: libc::clockid_t) -> io::Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is live and exclusive for the call; a wrong clock is answered with an error.
    check(unsafe { libc::clock_gettime(id, &raw mut time) })?;
    Ok(Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

/// `sched_setaffinity` of the calling thread, and so of the processes that it starts.
pub fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    // SAFETY: `cpu_set_t` is an array of integers, for which zero is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the macro sets one bit of a set that we own; `cpu` is below its 1024.
    unsafe { libc::CPU_SET(cpu.min(1023), &mut set) };
    // SAFETY: `set` is live for the call and its true size is given.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) })?;
    Ok(())
}

/// Makes the calling thread, and the processes that it starts, `SCHED_BATCH`: it no longer
/// interrupts another thread when it wakes, so both ends of a socket on one CPU run in turns.
pub fn run_in_turns() -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: `parameter` is live for the call.
    check(unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameter) })?;
    Ok(())
}

/// How many CPUs the machine has online.
pub fn cpus_online() -> usize {
    // SAFETY: no pointers are passed.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(count).unwrap_or(1).max(1)
}

/// `ppoll` for reading on one fd, for at most `timeout`; whether it became readable.
pub fn ppoll_one(fd: RawFd, timeout: Duration) -> io::Result<bool> {
    let mut entry = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let time = libc::timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    // SAFETY: one entry is passed, live and exclusive for the call; so is the time.
    check(unsafe { libc::ppoll(&raw mut entry, 1, &raw const time, std::ptr::null()) })
        .map(|count| count > 0)
}

/// `read`: works on pipes too, where `recv` does not.
#[inline]
pub fn read(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the kernel writes at most `buffer.len()` bytes into the exclusive slice.
    check_size(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// `kill`: `SIGSTOP` lets the process stand still, `SIGCONT` go on.
pub fn kill(pid: u32, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers are passed; a process that is gone is answered with an error.
    check(unsafe { libc::kill(pid.cast_signed(), signal) })?;
    Ok(())
}

/// `prctl(PR_SET_TIMERSLACK)` of the calling thread: waits end this late at most, by intention.
pub fn set_timer_slack(nanoseconds: u64) -> io::Result<()> {
    // SAFETY: the option takes one number.
    check(unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds) })?;
    Ok(())
}

/// `setsockopt(IP_LOCAL_PORT_RANGE)`: `connect` chooses from these ports only. Linux 6.3 and later.
pub fn limit_local_ports(fd: RawFd, first: u16, last: u16) -> io::Result<()> {
    /// Of `linux/in.h`; the C library's headers came to know it late.
    const IP_LOCAL_PORT_RANGE: libc::c_int = 51;
    let range = u32::from(last) << 16 | u32::from(first);
    // SAFETY: the pointer is to a live `u32`, of the length that is told.
    check(unsafe {
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
