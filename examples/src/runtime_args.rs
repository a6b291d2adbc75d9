//! `--selector` and `--trigger`: the same for every program.

use std::env;
use std::future::Future;
use std::io;

use clap::{Args, ValueEnum};
use executor::Backend;
use executor::Trigger;
use executor::reactor::errno_of;
use executor::{Reactor, Runtime};

use crate::failure::Failure;

/// How to ask the kernel.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct SelectorArgs {
    /// What to wait with: select, poll, epoll, uring (by name alone, where this build and the kernel
    /// have it), or default, the best that works here.
    /// The variable SELECTOR says the same
    #[arg(long, value_name = "NAME")]
    pub selector: Option<Backend>,
}

impl SelectorArgs {
    /// What the command line says, else what the variable `SELECTOR` says, if either says
    /// anything.
    ///
    /// # Errors
    ///
    /// [`Failure::BadInput`] if the variable names no backend; the text lists those that there
    /// are.
    pub fn chosen(&self) -> Result<Option<Backend>, Failure> {
        if self.selector.is_some() {
            return Ok(self.selector);
        }
        let asked = env::var_os("SELECTOR").filter(|name| !name.is_empty());
        let Some(name) = asked else {
            return Ok(None);
        };
        match Backend::from_name(&name.to_string_lossy()) {
            Ok(backend) => Ok(Some(backend)),
            Err(error) => Err(Failure::bad_input(format_args!(
                "the variable SELECTOR is wrong: {error}"
            ))),
        }
    }

    /// As [`chosen`](Self::chosen), or the best backend that works here.
    ///
    /// # Errors
    ///
    /// As there, and what the kernel answers when backends are tried.
    pub fn backend(&self) -> Result<Backend, Failure> {
        match self.chosen()? {
            Some(backend) => Ok(backend),
            None => Backend::probe().map_err(Failure::failed),
        }
    }
}

/// How to ask the kernel, and how often it shall answer.
#[derive(Args, Clone, Copy, Debug)]
pub struct RuntimeArgs {
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a doc comment here would become part of --help"
    )]
    pub selector: SelectorArgs,
    /// Whether the kernel reports states (level) or changes (edge); auto is edge where the
    /// backend has it
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub trigger: TriggerName,
}

/// The trigger modes by name.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "doc comments here would turn --help into a page"
)]
pub enum TriggerName {
    Auto,
    Level,
    Edge,
}

impl From<TriggerName> for Trigger {
    fn from(name: TriggerName) -> Trigger {
        match name {
            TriggerName::Auto => Trigger::Auto,
            TriggerName::Level => Trigger::Level,
            TriggerName::Edge => Trigger::Edge,
        }
    }
}

impl RuntimeArgs {
    /// Opens the runtime that was asked for.
    ///
    /// # Errors
    ///
    /// [`Failure::BadInput`] for a backend that does not exist or does not offer the trigger; a
    /// failure with the kernel's answer otherwise.
    pub fn open(&self) -> Result<Runtime, Failure> {
        self.open_on(self.selector.backend()?)
    }

    /// Opens a runtime on this backend, with the trigger that was asked for.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(&self, backend: Backend) -> Result<Runtime, Failure> {
        let reactor = Reactor::builder()
            .backend(backend)
            .trigger(self.trigger.into());
        Runtime::builder()
            .reactor(reactor)
            .build()
            .map_err(|error| match error.kind() {
                // A kernel or sandbox that does not know a call (ENOSYS) says the same, with its number.
                io::ErrorKind::Unsupported if errno_of(&error).is_none() => Failure::bad_input(
                    format_args!("{error}; --trigger level and auto work everywhere"),
                ),
                _ => Failure::failed(format_args!("cannot open {backend}: {error}")),
            })
    }
}

/// Runs `future` to its end.
///
/// # Errors
///
/// What the kernel answers to the wait.
pub fn block_on<F: Future>(runtime: &Runtime, future: F) -> Result<F::Output, Failure> {
    let failed =
        |error| Failure::failed(format_args!("waiting with {}: {error}", runtime.backend()));
    runtime.block_on(future).map_err(failed)
}

/// The backend and its trigger, as people read it: `epoll (edge)`.
pub fn describe(runtime: &Runtime) -> String {
    let trigger = match runtime.reactor().trigger() {
        Trigger::Edge => "edge",
        _ => "level",
    };
    format!("{} ({trigger})", runtime.backend())
}
