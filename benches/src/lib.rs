//! Measurements of the runtime, beside a bare loop and the rivals, in the same run.
//!
//! The programs are `gates` (every number the project set itself) and `scaling` (curves over the
//! number of connections); both start themselves again as a *subject*, the process that is
//! counted, and play its client from outside, so that a count is the server's alone.
//!
//! | module | what it holds |
//! |---|---|
//! | [`subjects`] | one file a runtime: the same server and tasks as its users would write them |
//! | [`work`] | what a subject does: serve, wake itself, spawn and join, sleep, be woken |
//! | [`client`] | the other end of the sockets, a raw epoll loop with lockstep or free pace |
//! | [`counted`] | runs of a subject under callgrind and strace, always as a difference of two |
//! | [`timed`] | runs of a subject under nothing: CPU clocks, memory, round trips |
//! | [`stats`] | medians, paired ratios, bootstrap intervals |
//! | [`selbench`] | the method of the program `selbench`: latency under load, honestly |
//! | [`sys`] | system calls, the one module with unsafe code besides the allocator |

pub mod allocations;
pub mod client;
pub mod counted;
pub mod process;
pub mod runtime;
#[cfg(feature = "selbench")]
pub mod selbench;
pub mod stats;
pub mod subject;
pub mod subjects;
pub mod sys;
pub mod timed;
pub mod work;
