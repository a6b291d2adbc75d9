//! The method of `selbench`: latency of backends under load, measured so that it can be defended.
//!
//! A *slice* is one measurement in a process of its own, described by a [`schema::Spec`] and
//! answered by a [`schema::Slice`], both JSON. The program plans slices in interleaved blocks,
//! starts them, judges them and draws them; everything that touches a clock while it counts is
//! in here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`schema`] | the results: JSON v1 |
//! | [`dispatch`] | what can be waited with: ours, bare system calls, mio, polling |
//! | [`ring`], [`map`], [`register`] | work of one thread, on the raw selectors |
//! | [`switch`], [`timers`], [`wake`], [`cascade`] | work of one process, on the runtimes |
//! | [`churn`], [`dialer`], [`ports`] | connections that come and go, and the ports that they use up |
//! | [`idle`], [`asleep`] | connections on which nothing happens: memory, and whether the server sleeps |
//! | [`echo`], [`load`] | a client against a server: closed loop, open loop |
//! | [`capacity`], [`fair`], [`overload`] | what the open loop is asked: how much, beside whom, and after too much |
//! | [`open`], [`connections`] | the generator: when messages are due, and how they travel |
//! | [`server`], [`faulty`] | the other process: started, placed, stopped for a moment, counted; and servers that are wrong on purpose |
//! | [`checks`] | why a row is not to be believed, each with a code |
//! | [`statistics`] | blocks, order, paired intervals, verdict words |
//! | [`quiet`], [`environment`] | what else the machine did, and what it is |

pub mod asleep;
#[cfg(doctest)]
#[doc = include_str!("../../SELBENCH.md")]
struct Guide;

pub mod capacity;
pub mod cascade;
pub mod checks;
pub mod churn;
pub mod connections;
pub mod dialer;
pub mod dispatch;
pub mod echo;
pub mod environment;
pub mod fair;
pub mod faulty;
pub mod histogram;
pub mod idle;
pub mod load;
pub mod map;
pub mod open;
pub mod overload;
pub mod payload;
pub mod placement;
pub mod ports;
pub mod quiet;
pub mod recorder;
pub mod register;
pub mod ring;
pub mod schema;
pub mod server;
pub mod sockets;
pub mod statistics;
pub mod switch;
pub mod timers;
pub mod wake;
pub mod work;
