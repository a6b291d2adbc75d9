//! System calls without libc's function around them.
//!
//! The kernel takes its arguments in registers and answers `-errno`, syscall(2). For the two calls
//! that an echo makes, libc's function costs as much as a tenth of all that the runtime does for
//! it: a call, a look whether the thread can be cancelled, and errno by way of thread-local memory.

use std::arch::asm;
use std::io;

/// A system call with six arguments; those that it does not have are ignored.
///
/// # Safety
///
/// As the call itself asks.
#[inline(always)]
pub(crate) unsafe fn syscall(number: libc::c_long, arguments: [usize; 6]) -> io::Result<usize> {
    let [a, b, c, d, e, f] = arguments;
    let answer: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the registers of syscall(2); the instruction spoils rcx and r11, leaves the stack
    // alone and restores the flags. What the kernel does with the arguments is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the registers of syscall(2); the instruction spoils none and leaves the stack alone.
    // What the kernel does with the arguments is the caller's promise.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number as usize,
            inlateout("x0") a => answer,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack, preserves_flags),
        );
    }
    if answer < 0 {
        return Err(refused(answer));
    }
    Ok(answer as usize)
}

/// Out of the way, or the error is made up before it is known that there is one.
#[cold]
#[inline(never)]
fn refused(answer: isize) -> io::Error {
    io::Error::from_raw_os_error(-answer as i32)
}
