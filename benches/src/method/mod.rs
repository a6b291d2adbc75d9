//! How it is measured, so that the figures can be defended.
//!
//! A *slice* is one measurement in a process of its own, described by a [`schema::Spec`] and
//! answered by a [`schema::Slice`], both JSON. A [`session`] plans slices in interleaved blocks,
//! starts them, compares them and keeps them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`schema`], [`results`] | the results, JSON v3; writing and reading them, and refusing what was edited |
//! | [`session`], [`slices`], [`programs`] | a run; its processes; other programs as subjects |
//! | [`outcome`] | what a workload found, and what noise leaves of it |
//! | [`statistics`], [`compared`] | intervals, verdicts, curves that cannot be |
//! | [`flags`], [`checks`] | why a row is not to be believed: codes, and what finds them |
//! | [`quiet`], [`asleep`], [`environment`], [`ports`] | what else the machine did, whether a process sleeps, what the machine is, the ports it has left |
//! | [`placement`], [`process`], [`server`] | who runs where; the other process |
//! | [`connections`], [`open`], [`payload`], [`recorder`], [`histogram`] | the generator, what it sends, and what it writes down |
//! | [`client`], [`counted`] | the client in lockstep; runs under callgrind and strace |
//! | [`allocations`], [`laps`], [`sockets`] | what works within one process need |

pub mod allocations;
pub mod asleep;
pub mod checks;
pub mod client;
pub mod compared;
pub mod connections;
pub mod counted;
pub mod environment;
pub mod flags;
pub mod histogram;
pub mod laps;
pub mod open;
pub mod outcome;
pub mod payload;
pub mod placement;
pub mod ports;
pub mod process;
pub mod programs;
pub mod quiet;
pub mod recorder;
pub mod results;
pub mod schema;
pub mod server;
pub mod session;
pub mod slices;
pub mod sockets;
pub mod statistics;

pub use allocations::CountingAllocator;
pub use client::Client;
pub use connections::{Clock, Connections};
pub use counted::{Lengths, Work};
pub use environment::Environment;
pub use flags::{Flag, Reason, flag_if};
pub use laps::Stopwatch;
pub use open::{Open, Phase};
pub use outcome::{Facts, Outcome, refused};
pub use payload::Payload;
pub use placement::Placement;
pub use process::Process;
pub use programs::Program;
pub use quiet::{Quiet, Watch};
pub use recorder::Recorder;
pub use schema::{AGAIN, Cell, Comparison, Document, Nature, Probe, SCHEMA, Slice, Spec};
pub use server::{Meter, Server};
pub use session::{Offer, Plan, Session};
pub use sockets::Pair;
pub use statistics::{FEWEST_BLOCKS, Ratio, Verdict};
