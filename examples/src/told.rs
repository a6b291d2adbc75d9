//! What a step of the ladder does, told to the recorder of the reactor: a step has no runtime that
//! would do it.
//!
//! Every function here does nothing but its plain work unless the variable `REACTOR_TRACE` names a
//! file.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use executor::Direction;
use executor::reactor::Call;
use executor::reactor::observe::{Cause, Event, Observer, Outcome};
use executor::reactor::trace::Recorder;
use selectors_core::os::{AsFd, AsRawFd, RawFd};
use selectors_core::{Events, Readiness};

/// Present while a trace is written.
static TELLER: Mutex<Option<Teller>> = Mutex::new(None);

struct Teller {
    recorder: Recorder,
    /// The thread of the loop.
    home: ThreadId,
    /// Who calls wakers at the moment.
    cause: Cause,
    /// When it began: the deadlines of timers are told from here.
    began: Instant,
}

fn teller() -> MutexGuard<'static, Option<Teller>> {
    TELLER.lock().unwrap_or_else(PoisonError::into_inner)
}

#[track_caller]
fn tell(event: Event<'_>) {
    if let Some(teller) = &*teller() {
        teller.recorder.event(event, Location::caller());
    }
}

fn blame(cause: Cause) {
    if let Some(teller) = &mut *teller() {
        teller.cause = cause;
    }
}

/// Opens the trace, if the variable asks for one. `waits_with` is the name of a backend, or of
/// what the step has instead.
pub fn begin(waits_with: &str) {
    begin_with(waits_with, "level");
}

/// The same, for a program that is told of changes (`edge`) in place of states (`level`).
pub fn begin_with(waits_with: &str, trigger: &str) {
    *teller() = executor::reactor::trace::asked_for(waits_with, trigger).map(|recorder| Teller {
        recorder,
        home: thread::current().id(),
        cause: Cause::Task,
        began: Instant::now(),
    });
}

/// Closes the trace. Without it, it ends with what came before the last sleep.
pub fn end() {
    *teller() = None;
}

/// accept(2)
///
/// # Errors
///
/// What it answers.
#[track_caller]
pub fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let result = listener.accept();
    let number = |(stream, _): &(TcpStream, SocketAddr)| stream.as_raw_fd().unsigned_abs() as usize;
    call(Call::Accept, listener.as_raw_fd(), &result, number);
    result
}

/// recv(2)
///
/// # Errors
///
/// What it answers.
#[track_caller]
pub fn read(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let result = stream.read(buffer);
    call(Call::Recv, stream.as_raw_fd(), &result, |length| *length);
    result
}

/// send(2)
///
/// # Errors
///
/// What it answers.
#[track_caller]
pub fn write(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let result = stream.write(bytes);
    call(Call::Send, stream.as_raw_fd(), &result, |length| *length);
    result
}

#[track_caller]
fn call<R>(call: Call, fd: RawFd, result: &io::Result<R>, number: impl Fn(&R) -> usize) {
    let outcome = match result {
        Ok(done) => Outcome::Returned(number(done)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Outcome::WouldBlock,
        Err(error) => Outcome::Failed(error.raw_os_error().unwrap_or(0)),
    };
    tell(Event::Syscall {
        call,
        fd,
        outcome,
        from: None,
    });
}

/// The selector watches an fd.
#[track_caller]
pub fn watched(fd: &(impl AsFd + ?Sized), events: Events) {
    let fd = fd.as_fd().as_raw_fd();
    tell(Event::Register { fd, events });
}

/// The interest in an fd has changed.
#[track_caller]
pub fn changed(fd: RawFd, events: Option<Events>) {
    tell(Event::Modify { fd, events });
}

/// The selector forgets an fd that is about to be closed.
#[track_caller]
pub fn forgotten(fd: RawFd) {
    tell(Event::Unregister { fd });
}

/// A waker was stored in the key of an fd, and the key was armed.
#[track_caller]
pub fn stored(fd: &(impl AsFd + ?Sized), events: Events) {
    waits(fd, events);
    watched(fd, events);
}

/// A waker was stored in the key of an fd.
#[track_caller]
pub fn waits(fd: &(impl AsFd + ?Sized), events: Events) {
    let direction = if events.is_readable() {
        Direction::Read
    } else {
        Direction::Write
    };
    tell(Event::WakerStored {
        fd: fd.as_fd().as_raw_fd(),
        direction,
        crowded: false,
        from: None,
    });
}

/// The thread asks the kernel.
#[track_caller]
pub fn asleep(keys: usize, timeout: Option<Duration>) {
    tell(Event::SelectBegin { timeout, keys });
}

/// The kernel has answered; wakers that are called next are called because of it.
#[track_caller]
pub fn awake(ready: &[(RawFd, Readiness)]) {
    blame(Cause::Reactor);
    tell(Event::SelectEnd { ready });
}

/// The same, as select(2) tells it: these were left in its sets.
#[track_caller]
pub fn left_in(read: impl Iterator<Item: AsRawFd>, write: impl Iterator<Item: AsRawFd>) {
    let read = read.map(|fd| (fd.as_raw_fd(), Readiness::READABLE));
    let write = write.map(|fd| (fd.as_raw_fd(), Readiness::WRITABLE));
    awake(&read.chain(write).collect::<Vec<_>>());
}

/// The same, as a selector of this workspace tells it.
#[track_caller]
pub fn ready(events: &[selectors_core::Event]) {
    let ready = events
        .iter()
        .map(|event| (event.token.fd(), event.readiness));
    awake(&ready.collect::<Vec<_>>());
}

/// A task was made, and queued.
#[track_caller]
pub fn spawned(task: usize, queued: usize) {
    let task = task as u64;
    let from = Location::caller();
    tell(Event::Spawn { task, from });
    tell(Event::Enqueue { task, queued });
}

/// A waker was called.
#[track_caller]
pub fn woken(task: usize, queued: usize) {
    let task = task as u64;
    let by = match &*teller() {
        Some(teller) if teller.home != thread::current().id() => Cause::Thread,
        Some(teller) => teller.cause,
        None => return,
    };
    tell(Event::Wake {
        task,
        by,
        coalesced: false,
    });
    tell(Event::Enqueue { task, queued });
}

/// Polls a task.
#[track_caller]
pub fn polled<T>(task: usize, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    let task = task as u64;
    blame(Cause::Task);
    tell(Event::PollBegin { task });
    let polled = poll();
    let ready = polled.is_ready();
    tell(Event::PollEnd { task, ready });
    if ready {
        tell(Event::Done { task });
    }
    polled
}

/// A timer was armed: when it is due, and its number.
#[track_caller]
pub fn timer_set((due, number): (Instant, usize)) {
    let Some(began) = teller().as_ref().map(|teller| teller.began) else {
        return;
    };
    let deadline = due.saturating_duration_since(began);
    let timer = number as u32;
    tell(Event::TimerSet {
        timer,
        deadline,
        from: None,
    });
}

/// A timer is due; the waker that is called next is called because of it.
#[track_caller]
pub fn timer_fired(timer: usize) {
    blame(Cause::Timer);
    let timer = timer as u32;
    tell(Event::TimerFired { timer });
}

/// Another thread has ended the sleep.
#[track_caller]
pub fn notified() {
    tell(Event::Notify);
}
