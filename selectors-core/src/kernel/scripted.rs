//! No kernel at all: answers come from a script, time is a number.

use std::time::{Duration, Instant};

use super::{Kernel, Record};
use crate::interest::Interest;
use crate::scripted::{Answer, Call, Script};
use crate::{Backend, Capabilities, Error, Token};

/// The kernel half of `ScriptedSelector`.
pub struct Scripted {
    /// What will happen and what has been asked; shared with the test that wrote it.
    script: Script,
    /// The keys that a kernel would know.
    keys: Vec<Token>,
    /// The answers of the last wait.
    events: Vec<Record>,
}

impl Scripted {
    /// A kernel half that plays this script.
    pub(crate) fn new(script: Script) -> Scripted {
        Scripted {
            script,
            keys: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl Kernel for Scripted {
    fn backend(&self) -> Backend {
        Backend::Scripted
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: true,
            oneshot: true,
            nanosecond_timeouts: true,
            priority: true,
            conditions: true,
            fileno: false,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.script.record(Call::Add {
            fd: token.fd,
            interest,
        })?;
        self.keys.push(token);
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        self.script.record(Call::Modify {
            fd: token.fd,
            interest: to,
        })
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        self.script.record(Call::Delete { fd: token.fd })?;
        self.keys.retain(|key| *key != token);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[Record], Error> {
        self.events.clear();
        self.script.record(Call::Wait { timeout })?;
        match self.script.play(timeout)? {
            Answer::Timeout => {}
            Answer::Interrupt => return Err(Error::Interrupted),
            Answer::Ready(ready) => {
                for (fd, readiness) in ready {
                    let key = self.keys.iter().find(|key| key.fd == fd);
                    self.events
                        .extend(key.map(|&token| Record::new(token, readiness)));
                }
            }
        }
        Ok(&self.events)
    }

    fn now(&self) -> Instant {
        self.script.now()
    }
}
