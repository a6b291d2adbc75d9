//! The kernel of the enumerations: a real one, behind a pair of sockets, or one that is a few lines
//! long and plays through a `ScriptedSelector`.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use reactor::Reactor;
use selectors_core::{Mode, Readiness, Script, ScriptedCall as Call};

/// A socket that can be read, and what makes it readable.
pub(crate) struct Kernel {
    near: UnixStream,
    /// The watched end. With a model it is a number and nothing else: its bytes are the model's.
    pub(crate) far: Rc<UnixStream>,
    model: Option<Model>,
}

impl Kernel {
    /// The kernel of this machine.
    pub(crate) fn real() -> io::Result<Self> {
        let (near, far) = UnixStream::pair()?;
        far.set_nonblocking(true)?;
        let far = Rc::new(far);
        let model = None;
        Ok(Kernel { near, far, model })
    }

    /// One that reports as `mode` says, through the selector that plays `script`.
    pub(crate) fn scripted(script: Script, mode: Mode) -> io::Result<Self> {
        let mut kernel = Kernel::real()?;
        kernel.model = Some(Model::new(kernel.far.as_raw_fd(), script, mode));
        Ok(kernel)
    }

    /// A byte comes.
    pub(crate) fn come(&self) -> io::Result<()> {
        match &self.model {
            Some(model) => model.come(),
            None => (&self.near).write_all(b"x")?,
        }
        Ok(())
    }

    /// recv(2) of one byte.
    pub(crate) fn read(&self) -> io::Result<()> {
        match &self.model {
            Some(model) => model.read(),
            None => (&*self.far).read_exact(&mut [0]),
        }
    }

    /// Writes what will be reported into the script, if there is anything to report.
    pub(crate) fn report(&self) -> bool {
        self.model.as_ref().is_some_and(Model::report)
    }

    /// A turn that does not wait; says whether it found anything, or woke somebody.
    pub(crate) fn turn(&self, reactor: &Reactor) -> io::Result<bool> {
        let mut found = 0;
        if self.model.is_some() {
            // A turn flushes interest before it selects, and what is reported depends on it: the
            // first turn flushes, the second one is told.
            let turn = reactor.turn(Some(Duration::ZERO))?;
            found += turn.ready + turn.woken;
            self.report();
        }
        let turn = reactor.turn(Some(Duration::ZERO))?;
        Ok(found + turn.ready + turn.woken != 0)
    }
}

/// What is known of one fd.
struct Model {
    fd: RawFd,
    script: Script,
    mode: Mode,
    bytes: Cell<usize>,
    /// The selector has asked to be told.
    armed: Cell<bool>,
    /// Edge: something came, or the key was armed while something was there.
    changed: Cell<bool>,
}

impl Model {
    fn new(fd: RawFd, script: Script, mode: Mode) -> Self {
        Model {
            fd,
            script,
            mode,
            bytes: Cell::new(0),
            armed: Cell::new(false),
            changed: Cell::new(false),
        }
    }

    /// Hears what the selector has asked for since the last time.
    fn hear(&self) {
        for call in self.script.take_calls() {
            match call {
                Call::Add { fd, .. } | Call::Modify { fd, .. } if fd == self.fd => {
                    self.armed.set(true);
                    self.changed.set(self.bytes.get() > 0);
                }
                Call::Delete { fd } if fd == self.fd => self.armed.set(false),
                _ => {}
            }
        }
    }

    fn come(&self) {
        self.hear();
        self.bytes.set(self.bytes.get() + 1);
        self.changed.set(true);
    }

    fn read(&self) -> io::Result<()> {
        let left = self.bytes.get().checked_sub(1);
        self.bytes.set(left.ok_or(io::ErrorKind::WouldBlock)?);
        Ok(())
    }

    fn report(&self) -> bool {
        self.hear();
        let there = self.bytes.get() > 0;
        let reports = self.armed.get()
            && match self.mode {
                Mode::Edge => self.changed.take(),
                Mode::Oneshot if there => self.armed.replace(false),
                _ => there,
            };
        if reports {
            self.script.ready(&[(self.fd, Readiness::READABLE)]);
        }
        reports
    }
}
