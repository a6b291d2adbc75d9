//! The programs in the hands of a stranger. One executable, for each takes its time to link.

mod commands;
mod gate;
mod gates;
mod programs;
mod report;
mod results;
mod support;
mod terminal;
mod workloads;
