//! io_uring_setup(2), io_uring_enter(2): a ring of requests to the kernel and one of its answers, both
//! in memory that is shared with it. By the crate `io-uring`, of which only polls are used.

use std::fmt;
use std::io;
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, cqueue, opcode, squeue};

use crate::sys::acts;
use crate::sys::forks::Maker;

/// The name of the requests that take others back. It is no fd's.
const NOBODY: u64 = u64::MAX;

/// A ring, in the process that made it.
pub struct Ring {
    ring: IoUring,
    /// A forked child shares the memory with its parent, and must not touch it.
    pub(crate) maker: Maker,
}

/// One answer of the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// The name that the request was given.
    pub name: u64,
    /// The conditions that a poll has found, or the negative errno.
    pub result: i32,
    /// Whether the request goes on, and more answers will come.
    pub lasts: bool,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}

/// io_uring_setup(2), close-on-exec: a ring for so many requests at a time, and so many answers until
/// the kernel must keep them elsewhere. What is woken runs when its thread enters the kernel
/// (IORING_SETUP_COOP_TASKRUN), and a flag says that there is some. If only this thread will enter, it
/// runs when it enters this ring (IORING_SETUP_DEFER_TASKRUN).
///
/// # Errors
///
/// ENOSYS: the kernel has none. EPERM: forbidden, by `kernel.io_uring_disabled` or a sandbox. EINVAL:
/// older than Linux 5.19, or 6.1 for one thread's. ENOMEM: no memory, or RLIMIT_MEMLOCK on old kernels. EMFILE, ENFILE.
pub fn io_uring_setup(requests: u32, answers: u32, one_thread: bool) -> io::Result<Ring> {
    #[cfg(any(test, feature = "fault"))]
    crate::sys::fault::enter("io_uring_setup")?;
    let mut builder = IoUring::builder();
    builder.setup_cqsize(answers).setup_submit_all();
    match one_thread {
        true => builder.setup_single_issuer().setup_defer_taskrun(),
        false => builder.setup_coop_taskrun(),
    };
    Ok(Ring {
        ring: builder.setup_taskrun_flag().build(requests)?,
        maker: Maker::here(),
    })
}

impl Ring {
    /// IORING_OP_POLL_ADD: asks once what holds of `events`, and waits until some of it does. One that
    /// lasts goes on telling of each change. Errors and endings are told unasked, and so is the end of
    /// the peer's writing.
    ///
    /// False if there is no room: [`enter`](Ring::enter) makes some.
    #[must_use]
    pub fn poll_add(&mut self, name: u64, fd: i32, events: u16, lasts: bool) -> bool {
        let poll = opcode::PollAdd::new(Fd(fd), u32::from(events)).multi(lasts);
        self.push(&poll.build().user_data(name))
    }

    /// IORING_OP_ASYNC_CANCEL: takes the request of this name back; its last answer is ECANCELED,
    /// unless it has another one. (IORING_OP_POLL_REMOVE would give up if it is just being woken.)
    ///
    /// False if there is no room.
    #[must_use]
    pub fn cancel(&mut self, name: u64) -> bool {
        self.push(&opcode::AsyncCancel::new(name).build().user_data(NOBODY))
    }

    /// The same for all requests.
    #[must_use]
    pub fn cancel_all(&mut self) -> bool {
        let all = opcode::AsyncCancel2::new(CancelBuilder::any().all());
        self.push(&all.build().user_data(NOBODY))
    }

    #[inline]
    fn push(&mut self, request: &squeue::Entry) -> bool {
        // SAFETY: polls and their cancellation hand no memory to the kernel.
        unsafe { self.ring.submission().push(request) }.is_ok()
    }

    /// Whether something was woken that has not run: entering the kernel runs what is this thread's.
    #[inline]
    pub fn is_woken(&mut self) -> bool {
        self.ring.submission().taskrun()
    }

    /// Whether there are answers that the ring had no room for: [`enter`](Ring::enter) brings them.
    #[inline]
    pub fn overflows(&mut self) -> bool {
        self.ring.submission().cq_overflow()
    }

    /// Whether there are requests that the kernel has not seen.
    #[inline]
    pub fn has_requests(&mut self) -> bool {
        !self.ring.submission().is_empty()
    }

    /// io_uring_enter(2): hands all requests over, and then waits for so many answers, `None` for ever.
    ///
    /// # Errors
    ///
    /// Only if nothing was handed over: ETIME when the time is up, EINTR. EAGAIN and ENOMEM: no memory.
    /// EBUSY: there are too many answers that nobody has read. EEXIST: the ring is another thread's.
    pub fn enter(&mut self, answers: usize, timeout: Option<Duration>) -> io::Result<()> {
        #[cfg(any(test, feature = "fault"))]
        crate::sys::fault::enter("io_uring_enter")?;
        let requests = self.ring.submission().len() as u32;
        let submitter = self.ring.submitter();
        match timeout.filter(|_| answers > 0) {
            None => {
                // Runs what was woken, also by a request that has just been taken.
                let flags = EnterFlags::GETEVENTS.bits();
                // SAFETY: no memory is handed over.
                let entered = unsafe {
                    submitter.enter::<libc::sigset_t>(requests, answers as u32, flags, None)
                };
                act!(acts::UringEnter, entered)?
            }
            Some(timeout) => {
                let timeout = Timespec::from(timeout);
                submitter.submit_with_args(answers, &SubmitArgs::new().timespec(&timeout))?
            }
        };
        Ok(())
    }

    /// The answers that are in the ring, which leave it by this; those to cancellations too.
    #[inline]
    pub fn answers(&mut self) -> impl Iterator<Item = Completion> {
        self.ring.completion().map(|answer| Completion {
            name: answer.user_data(),
            result: answer.result(),
            lasts: cqueue::more(answer.flags()),
        })
    }
}
