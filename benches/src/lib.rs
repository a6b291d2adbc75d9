//! Measurements of the selectors and of the loops built on them, beside bare loops and the rivals,
//! in the same run. Four rooms; a room imports only from those above it.
//!
//! | room | what is in it |
//! |---|---|
//! | [`subjects`] | what is measured: one file each |
//! | [`method`] | how: processes, clocks, the generator, blocks, statistics, checks |
//! | [`report`] | what is made of it: tables, charts, the page, the gate |
//! | [`workloads`] | what is done: one file each, from its parameters to its figure |
//!
//! The programs are `selbench` (everything) and `gates` (every number that the project set itself,
//! and the counts that must not get worse). Both start themselves again, as the process that is
//! measured. [`sys`] holds the system calls, and all unsafe code but the allocator's; [`terminal`] prints.

#![expect(missing_docs, reason = "nobody depends on this: what a name says is not said twice")]

pub mod method;
pub mod report;
pub mod subjects;
pub mod sys;
pub mod terminal;
pub mod workloads;

#[cfg(doctest)]
#[doc = include_str!("../SELBENCH.md")]
struct Guide;
