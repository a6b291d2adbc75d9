//! No kernel at all: answers come from a script, time is a number.

use std::time::{Duration, Instant};

use super::script::{Script, ScriptedCall};
use super::{AsRawEvent, Kernel, Known, RawEvent};
use crate::{Backend, Capabilities, Error, Interest, Token};

/// The kernel half of `ScriptedSelector`.
pub struct Scripted {
    /// What will happen and what has been asked; shared with the test that wrote it.
    script: Script,
    /// The keys that a kernel would know.
    keys: Vec<Token>,
    /// The answers of the last wait.
    events: Vec<RawEvent>,
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

impl Known for Scripted {}

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
        self.script.record(ScriptedCall::Add {
            fd: token.fd,
            interest,
        })?;
        self.keys.push(token);
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        self.script.record(ScriptedCall::Modify {
            fd: token.fd,
            interest: to,
        })
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        self.script.record(ScriptedCall::Delete { fd: token.fd })?;
        self.keys.retain(|key| *key != token);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.events.clear();
        self.script.record(ScriptedCall::Wait { timeout })?;
        for (fd, readiness) in self.script.play(timeout)? {
            let key = self.keys.iter().find(|key| key.fd == fd);
            self.events
                .extend(key.map(|&token| RawEvent::new(token, readiness)));
        }
        Ok(&self.events)
    }

    fn now(&self) -> Instant {
        self.script.now()
    }
}
