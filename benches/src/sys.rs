//! System calls: those of `nix` with what is the same each time, and those that it does not have.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::epoll::{Epoll, EpollCreateFlags};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::ClockId;
use nix::unistd::{Pid, SysconfVar, sysconf};

fn check(answer: libc::c_int) -> io::Result<usize> {
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// `epoll_create1(EPOLL_CLOEXEC)`.
pub fn epoll() -> io::Result<Epoll> {
    Ok(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?)
}

/// `accept4(SOCK_NONBLOCK | SOCK_CLOEXEC)`, the address not asked for.
pub fn accept4(listener: RawFd) -> io::Result<OwnedFd> {
    let (none, flags) = (std::ptr::null_mut(), libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
    // SAFETY: null pointers tell the kernel not to write an address.
    let fd = check(unsafe { libc::accept4(listener, none, none.cast(), flags) })?;
    // SAFETY: the kernel just gave us this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// `poll` on the whole slice, until something is ready; how many entries have something in `revents`.
#[inline]
pub fn poll(fds: &mut [libc::pollfd]) -> io::Result<usize> {
    // SAFETY: the kernel writes only the `revents` of the exclusive slice's entries.
    check(unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, -1) })
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
    check(answer)
}

/// `ppoll` for reading on one fd, for at most `timeout`.
pub fn wait_for(fd: impl AsFd, timeout: Duration) -> io::Result<()> {
    ppoll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], Some(timeout.into()), None)?;
    Ok(())
}

/// How many files this process may open.
pub fn open_files() -> io::Result<u64> {
    Ok(getrlimit(Resource::RLIMIT_NOFILE)?.0)
}

/// No more than so many from now on; if nobody says how many, as many as it may.
pub fn limit_open_files(most: Option<u64>) -> io::Result<()> {
    let most = most.map_or_else(|| getrlimit(Resource::RLIMIT_NOFILE).map(|both| both.1), Ok)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

/// CPU time that the calling thread has used: it stands still while another has the CPU.
#[inline]
pub fn thread_cpu_time() -> Duration {
    // Every thread has this clock.
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from).unwrap_or_default()
}

/// CPU time that all threads of a process have used, by the scheduler's own account.
pub fn process_cpu_time(pid: u32) -> io::Result<Duration> {
    Ok(ClockId::pid_cpu_clock_id(Pid::from_raw(pid.cast_signed()))?.now()?.into())
}

/// The calling thread, and so the processes that it starts, run on this CPU.
pub fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
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
    let count = sysconf(SysconfVar::_NPROCESSORS_ONLN).ok().flatten();
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(1).max(1)
}

/// `setsockopt(IP_LOCAL_PORT_RANGE)`: `connect` chooses from these ports only. Linux 6.3 and later.
pub fn limit_local_ports(fd: RawFd, first: u16, last: u16) -> io::Result<()> {
    /// Of `linux/in.h`; the C library's headers came to know it late.
    const IP_LOCAL_PORT_RANGE: libc::c_int = 51;
    let (range, size) = (u32::from(last) << 16 | u32::from(first), size_of::<u32>());
    let (level, pointer) = (libc::IPPROTO_IP, (&raw const range).cast());
    // SAFETY: the pointer is to a live `u32`, of the length that is told.
    check(unsafe { libc::setsockopt(fd, level, IP_LOCAL_PORT_RANGE, pointer, size as u32) })?;
    Ok(())
}
