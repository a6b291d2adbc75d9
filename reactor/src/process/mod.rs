//! Child processes, whose end and whose pipes are events of the loop (feature `process`).
//!
//! The command is std's; only starting and waiting are ours. On Linux a child is watched by its
//! pidfd, which names this child and no later one; elsewhere, and on kernels before 5.3, SIGCHLD
//! tells that some child has ended, and each waiter asks for its own.
//!
//! **Dropping** a [`Child`] leaves the process running, unless [`kill_on_drop`] was chosen. It does
//! not become a zombie: one thread waits for the ends of all children that were dropped before, as long
//! as there are any. Where none can be made, such children are reaped whenever another is started or
//! awaited.
//!
//! [`kill_on_drop`]: Child::kill_on_drop

mod orphans;

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::rc::Rc;
use std::task::{Context, Poll};

use selectors_core::sys::process::pidfd_open;

use crate::both::both;
use crate::errno::{shortage, tried};
use crate::fd::async_fd::Async;
use crate::heart::driven::{Begun, Driven};
use crate::heart::shared::Shared;
use crate::signal::{Signals, consts::SIGCHLD};
use crate::watch::direction::Direction;

/// Starts `command`. What it says about stdin, stdout and stderr holds; [`Stdio::piped`] ones are
/// found in the child, in non-blocking mode on our side only.
///
/// Starting itself blocks for the time of a fork and an exec, as it does in std.
///
/// # Errors
///
/// What fork(2), chdir(2) and execve(2) answer; the error names the program, or the working directory
/// if that is what is missing.
///
/// # Panics
///
/// If this thread has entered no reactor.
///
/// ```
/// use std::process::{Command, Stdio};
///
/// executor::block_on(async {
///     let mut child = reactor::process::spawn(
///         Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()),
///     )?;
///     let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
///     stdin.write_all(b"hello").await?;
///     drop(stdin);
///     let mut answer = Vec::new();
///     stdout.read_to_end(&mut answer).await?;
///     assert_eq!(answer, b"hello");
///     assert!(child.wait().await?.success());
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let reactor = Shared::current();
    orphans::reap();
    let mut process = command
        .spawn()
        .map_err(|error| not_started(command, error))?;
    let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
    let stderr = process.stderr.take();
    let mut child = Child {
        stdin: None,
        stdout: None,
        stderr: None,
        end: match pidfd_open(process.id()) {
            Ok(pidfd) => End::Pidfd(Async::new(pidfd)),
            Err(_) => End::Sigchld,
        },
        process: Some(process),
        // If what follows fails, nobody gets it.
        kill_on_drop: true,
        parent: std::process::id(),
        reactor: Rc::clone(&reactor),
    };
    let pipe = |fd: OwnedFd| Async::nonblocking(File::from(fd));
    let stdin = stdin.map(|stdin| pipe(stdin.into())).transpose()?;
    child.stdin = stdin.map(|pipe| ChildStdin {
        pipe: Some(pipe),
        reactor,
    });
    child.stdout = stdout.map(|stdout| pipe(stdout.into())).transpose()?;
    child.stderr = stderr.map(|stderr| pipe(stderr.into())).transpose()?;
    child.kill_on_drop = false;
    Ok(child)
}

/// The errno is the same whether the program or the directory is missing.
fn not_started(command: &Command, error: io::Error) -> io::Error {
    let program = command.get_program();
    let no_directory = |folder: &&Path| !folder.is_dir();
    let what = match command.get_current_dir().filter(no_directory) {
        Some(folder) => format!("start {program:?}: no working directory {folder:?}"),
        None => format!("start {program:?}"),
    };
    shortage(what, error)
}

/// Starts `command` without stdin, waits for its end, and returns all that it wrote.
///
/// Dropping the future kills the child.
///
/// # Errors
///
/// As [`spawn`], and what reading the pipes answers.
///
/// # Panics
///
/// If this thread has entered no reactor.
#[track_caller]
pub fn output(command: &mut Command) -> impl Future<Output = io::Result<Output>> {
    Begun::new(async move {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn(command)?;
        child.kill_on_drop(true);
        child.waiting_with_output().await
    })
}

/// What the child writes; the same for its stdout and its stderr.
pub type ChildStdout = Async<File>;

/// What the child writes.
pub type ChildStderr = Async<File>;

/// What the child reads. Dropping it is the end of that.
#[derive(Debug)]
pub struct ChildStdin {
    pipe: Option<Async<File>>,
    reactor: Rc<Shared>,
}

impl ChildStdin {
    /// Writes some of `buffer` and says how much. Dropping the future writes nothing that was not
    /// reported.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` when the child no longer reads.
    #[track_caller]
    pub fn write(&self, buffer: &[u8]) -> impl Future<Output = io::Result<usize>> {
        Driven::new(&*self.reactor, async move {
            let pipe = poll_fn(|cx| self.poll_pipe(cx)).await?;
            pipe.writing(buffer).await
        })
    }

    /// Writes all of `buffer`. Dropping the future leaves an unknown part of it written.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    #[track_caller]
    pub fn write_all(&self, buffer: &[u8]) -> impl Future<Output = io::Result<()>> {
        Driven::new(&*self.reactor, async move {
            let pipe = poll_fn(|cx| self.poll_pipe(cx)).await?;
            pipe.writing_all(buffer).await
        })
    }

    /// The pipe, until it is closed. An error that comes at once lets others run.
    pub(crate) fn poll_pipe(&self, cx: &mut Context<'_>) -> Poll<io::Result<&Async<File>>> {
        match &self.pipe {
            Some(pipe) => Poll::Ready(Ok(pipe)),
            None => {
                let spent = self.reactor.poll_spend(cx);
                spent.map(|()| Err(io::ErrorKind::BrokenPipe.into()))
            }
        }
    }

    #[cfg(feature = "futures-io")]
    pub(crate) fn close(&mut self) {
        self.pipe = None;
    }

    /// For what needs no call; a closed pipe has nothing left to go on with.
    #[cfg(feature = "futures-io")]
    pub(crate) fn poll_let_others_run(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.reactor.poll_spend(cx)
    }
}

/// A child process; made by [`spawn`].
#[derive(Debug)]
pub struct Child {
    /// Where it reads from, if that is a pipe.
    pub stdin: Option<ChildStdin>,
    /// What it writes, if that is a pipe.
    pub stdout: Option<ChildStdout>,
    /// What else it writes, if that is a pipe.
    pub stderr: Option<ChildStderr>,
    /// `None` only while it is dropped.
    process: Option<std::process::Child>,
    end: End,
    kill_on_drop: bool,
    /// Who started it: a copy of this value in a forked process owns no child.
    parent: u32,
    reactor: Rc<Shared>,
}

/// How we learn that a child has ended.
#[derive(Debug)]
enum End {
    /// Readable at the end of this child.
    Pidfd(Async<OwnedFd>),
    /// There are no pidfds here: ask after each SIGCHLD.
    Sigchld,
}

impl Child {
    /// The number of the process; it means this child until it was waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process().id()
    }

    /// Shall dropping this value kill the process? Not unless this was called.
    pub fn kill_on_drop(&mut self, kill: bool) {
        self.kill_on_drop = kill;
    }

    /// Sends SIGKILL. Wait for the child afterwards, to learn its status.
    ///
    /// # Errors
    ///
    /// What kill(2) answers; none for a child that has ended already.
    pub fn kill(&mut self) -> io::Result<()> {
        let killed = self.process_mut().kill();
        killed.map_err(|error| tried(format_args!("kill child {}", self.id()), error))
    }

    /// The status, if the child has ended.
    ///
    /// # Errors
    ///
    /// What waitpid(2) answers.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let ended = self.process_mut().try_wait();
        ended.map_err(|error| {
            tried(
                format_args!("ask child {} for its status", self.id()),
                error,
            )
        })
    }

    /// Closes the child's stdin, if that is still here, and waits for its end. May be called again.
    ///
    /// Dropping the future changes nothing else.
    ///
    /// # Errors
    ///
    /// What waitpid(2) answers, or the kernel when the pidfd or the handler is registered.
    #[track_caller]
    pub fn wait(&mut self) -> impl Future<Output = io::Result<ExitStatus>> {
        Driven::new(Rc::clone(&self.reactor), self.waiting())
    }

    async fn waiting(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        let Some(process) = &mut self.process else {
            unreachable!("a child that is being dropped is not awaited")
        };
        let status = match &self.end {
            End::Pidfd(pidfd) => {
                let ended =
                    |_: &OwnedFd| process.try_wait()?.ok_or(io::ErrorKind::WouldBlock.into());
                pidfd.calling(Direction::Read, ended).await?
            }
            End::Sigchld => {
                // The handler first, the question second: no end falls in between.
                let mut ends = Signals::in_reactor(Rc::clone(&self.reactor), vec![SIGCHLD])?;
                poll_fn(|cx| Shared::poll_spend_here(cx)).await;
                loop {
                    match process.try_wait()? {
                        Some(status) => break status,
                        None => poll_fn(|cx| ends.advance(cx)).await?,
                    };
                }
            }
        };
        orphans::reap();
        Ok(status)
    }

    /// Waits for the end, and collects what the child writes into the pipes meanwhile. What was
    /// taken out of this value is not collected.
    ///
    /// Dropping the future drops the child, see the [module](self).
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), and what reading the pipes answers.
    #[track_caller]
    pub fn wait_with_output(self) -> impl Future<Output = io::Result<Output>> {
        Driven::new(Rc::clone(&self.reactor), self.waiting_with_output())
    }

    async fn waiting_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (stdout, stderr) = both(all(stdout), all(stderr)).await?;
        let status = self.waiting().await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    fn process(&self) -> &std::process::Child {
        self.process
            .as_ref()
            .expect("only a drop takes the process")
    }

    fn process_mut(&mut self) -> &mut std::process::Child {
        self.process
            .as_mut()
            .expect("only a drop takes the process")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        if self.parent != std::process::id() {
            return;
        }
        if self.kill_on_drop {
            // It may have ended already, which is what we want.
            let _ = process.kill();
        }
        if let Ok(None) = process.try_wait() {
            let end = std::mem::replace(&mut self.end, End::Sigchld);
            let pidfd = match end {
                End::Pidfd(pidfd) => pidfd.into_inner().ok(),
                End::Sigchld => None,
            };
            orphans::adopt(process, pidfd);
        }
    }
}

async fn all(pipe: Option<Async<File>>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.reading_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use super::*;
    use crate::Reactor;

    /// Without pidfds, on whatever system the test runs.
    #[test]
    fn sigchld_tells_that_a_child_has_ended() -> io::Result<()> {
        let reactor = Reactor::new()?;
        let _entered = reactor.enter();
        let mut command = Command::new("sh");
        let mut child = spawn(
            command
                .args(["-c", "read line; exit 5"])
                .stdin(Stdio::piped()),
        )?;
        child.end = End::Sigchld;
        let stdin = child.stdin.take();
        let mut wait = pin!(child.wait());
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(cx).is_pending());
        drop(stdin);
        let status = loop {
            // For ever: if the signal does not end this, nothing does.
            reactor.turn(None)?;
            if let Poll::Ready(status) = wait.as_mut().poll(cx) {
                break status?;
            }
        };
        assert_eq!(status.code(), Some(5));
        Ok(())
    }
}
