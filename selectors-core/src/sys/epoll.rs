//! The calls of epoll(7).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use libc::{c_int, epoll_event};

/// epoll_create1(2), close-on-exec: a new, empty set.
///
/// # Errors
///
/// EMFILE, ENFILE, ENOMEM; ENOSYS and EPERM from a sandbox.
pub fn epoll_create1() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe { syscall!(epoll_create1(libc::EPOLL_CLOEXEC)) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// epoll_ctl(2) with an event: EPOLL_CTL_ADD and EPOLL_CTL_MOD. The kernel
/// gives `data` back with every event of this fd.
///
/// # Errors
///
/// EPERM: files of this kind cannot be watched. ENOSPC: the user watches too many. ELOOP: sets that
/// watch each other. EBADF, EEXIST, EINVAL, ENOENT, ENOMEM.
pub fn epoll_ctl(
    epoll: BorrowedFd<'_>,
    op: c_int,
    fd: RawFd,
    events: u32,
    data: u64,
) -> io::Result<()> {
    let mut event = epoll_event { events, u64: data };
    // SAFETY: the kernel reads one event, which lives until the call returns.
    unsafe { syscall!(epoll_ctl(epoll.as_raw_fd(), op, fd, &raw mut event)) }?;
    Ok(())
}

/// epoll_ctl(2) without an event: EPOLL_CTL_DEL.
///
/// # Errors
///
/// ENOENT and EBADF: there is nothing to delete.
pub fn epoll_ctl_del(epoll: BorrowedFd<'_>, fd: RawFd) -> io::Result<()> {
    // SAFETY: EPOLL_CTL_DEL ignores the pointer (epoll_ctl(2), since Linux 2.6.9).
    unsafe {
        syscall!(epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_DEL,
            fd,
            ptr::null_mut()
        ))
    }?;
    Ok(())
}

/// epoll_wait(2), in milliseconds; -1 waits for ever. How many events the kernel has written.
///
/// # Errors
///
/// EINTR; EINVAL for no room at all.
#[inline]
pub fn epoll_wait(
    epoll: BorrowedFd<'_>,
    events: &mut [epoll_event],
    millis: c_int,
) -> io::Result<usize> {
    let (pointer, len) = (events.as_mut_ptr(), events.len() as c_int);
    // SAFETY: the kernel writes at most `len` events from `pointer` on, which are ours to write.
    let n = act!(super::acts::EpollWait, unsafe {
        syscall!(epoll_wait(epoll.as_raw_fd(), pointer, len, millis))
    })?;
    Ok(n as usize)
}

/// `struct __kernel_timespec`: 64 bits wide on every architecture, unlike libc's.
#[repr(C)]
struct KernelTimespec {
    tv_sec: i64,
    tv_nsec: i64,
}

/// epoll_pwait2(2), in nanoseconds (Linux 5.11; ENOSYS before).
///
/// Called by number, because a program linked against libc's wrapper would not start with a libc
/// that has none.
///
/// # Errors
///
/// As [`epoll_wait`]; ENOSYS before Linux 5.11, ENOSYS and EPERM from a sandbox.
pub fn epoll_pwait2(
    epoll: BorrowedFd<'_>,
    events: &mut [epoll_event],
    timeout: Duration,
) -> io::Result<usize> {
    let timeout = KernelTimespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    let (pointer, len) = (events.as_mut_ptr(), events.len() as c_int);
    let (no_mask, mask_size) = (ptr::null::<libc::sigset_t>(), 0usize);
    // SAFETY: as for `epoll_wait`; the timeout lives until the call returns, a null signal mask
    // means none.
    let n = unsafe {
        syscall!(
            epoll_pwait2 = libc::syscall(
                libc::SYS_epoll_pwait2,
                epoll.as_raw_fd(),
                pointer,
                len,
                &raw const timeout,
                no_mask,
                mask_size,
            )
        )
    }?;
    Ok(n as usize)
}

/// dup3(2): makes `number` mean what `fd` means, in one step, and closes what it meant before.
pub(crate) fn dup3(fd: BorrowedFd<'_>, number: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes no pointer. The owner of `number` keeps owning an open fd.
    unsafe { syscall!(dup3(fd.as_raw_fd(), number.as_raw_fd(), libc::O_CLOEXEC)) }?;
    Ok(())
}
