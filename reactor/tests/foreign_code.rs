//! Foreign code may do anything wherever it is called, and panic: each row of the table in
//! `reactor::contracts` is a test here, and each public function that is given such code is in a row.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net as unix;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any};
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use reactor::blocking::unblock;
use reactor::net::{
    Lookup, TcpListener, TcpStream, ToSocketAddrs, UdpSocket, UnixDatagram, UnixListener,
    UnixSocket, UnixStream, abstract_address, lookup_host,
};
use reactor::observe::{Event, Observer};
use reactor::signal::Signals;
use reactor::time::{sleep, timeout, timeout_at};
use reactor::{Async, Direction, Reactor, Trigger};
use selectors_core::{Readiness, sys::fault};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{Count, pair, poll, read_byte, settle, wait};

#[path = "../../executor/tests/source_reader/mod.rs"]
mod source_reader;
use source_reader::functions;

type Row = (&'static str, fn(Variant, &Reactor) -> io::Result<()>);

const ROWS: [Row; 25] = [
    ("the clone of a waker", clone_of_a_waker),
    ("a waker, in a turn", waker_in_a_turn),
    ("a waker, when a budget is used up", waker_of_the_exhausted),
    ("the destructor of a waker that is replaced", replaced_waker),
    ("the destructor of a waker that is given up", given_up_waker),
    ("the waker of who awaits work, on its thread", waker_of_work),
    (
        "`as_fd` of a source, when it is waited for",
        source_that_is_waited_for,
    ),
    ("`as_fd` of a source, in a turn", source_in_a_turn),
    ("the destructor of a source", destructor_of_a_source),
    (
        "the destructor of a source that the kernel refuses, in a turn",
        destructor_of_a_refused_source,
    ),
    ("a closure that makes a call", closures_that_make_a_call),
    ("a closure that looks at lent bytes", lent_bytes),
    ("`lookup` of an address", lookup_of_an_address),
    ("`as_ref` of a path or a name", path_or_name),
    ("an iterator of signals", iterator_of_signals),
    ("work on a thread", work),
    ("the destructor of work that is taken back", work_taken_back),
    (
        "the destructor of a result that nobody awaits",
        result_of_nobody,
    ),
    (
        "the poll of a future with a deadline",
        future_with_a_deadline,
    ),
    ("a closure that is contained", contained_closure),
    ("a closure without a budget", closure_without_a_budget),
    ("an observer", observer),
    ("the destructor of an observer", destructor_of_an_observer),
    ("a closure that looks at who waits", closure_that_looks),
    ("a closure that absorbs wakers", closure_that_absorbs),
];

on_every_backend!(foreign_code_may_do_anything_wherever_the_table_says_that_it_is_called);

/// The rows of the table: what is called, and what it is given to.
fn table() -> Vec<(&'static str, &'static str)> {
    let rows = include_str!("../src/contracts.rs")
        .lines()
        .skip_while(|line| *line != "//! # Foreign code")
        .skip(1)
        .take_while(|line| !line.starts_with("//! # "))
        .filter_map(|line| line.strip_prefix("//! | "))
        .filter_map(|row| {
            let mut cells = row.split(" | ");
            Some((cells.next()?, cells.next()?))
        });
    rows.filter(|(row, _)| *row != "what is called").collect()
}

#[test]
fn every_row_is_tried() {
    let rows: Vec<_> = table().iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, ROWS.map(|(row, _)| row));
}

#[test]
fn every_function_that_is_given_foreign_code_is_in_the_table() -> io::Result<()> {
    let mut given = BTreeSet::new();
    for (_, functions) in table() {
        let functions = functions.split(", ").map(|name| name.trim_matches('`'));
        // What polls is in the table of awaits, and `Async` is a type.
        let functions = functions.filter(|name| !["every await", "Async"].contains(name));
        given.extend(functions.map(str::to_owned));
    }
    let marks = [
        "Fn(",
        "FnMut(",
        "FnOnce(",
        "AsRef<",
        "IntoIterator",
        "ToSocketAddrs",
        "Observer",
        ": Future",
        "impl Future,",
        "AsyncFn",
        "dyn ",
    ];
    let mut found = BTreeSet::new();
    for function in functions()? {
        let takes = |mark: &str| function.signature.contains(mark);
        let ours = function.name.starts_with("fmt") || function.before.contains("(crate)");
        if function.is_public
            && function.before.starts_with("pub ")
            && !ours
            && marks.iter().any(|mark| takes(mark))
        {
            found.insert(function.full_name());
        }
    }
    assert_eq!(found, given);
    Ok(())
}

fn foreign_code_may_do_anything_wherever_the_table_says_that_it_is_called(
    variant: Variant,
) -> io::Result<()> {
    // Some panics have texts that are none of a test's.
    let failed: Vec<_> = ROWS
        .iter()
        .filter_map(|(row, test)| {
            let reactor = variant.reactor().expect("a reactor");
            let _entered = reactor.enter();
            ANYTHING.set(true);
            let outcome = catch_unwind(AssertUnwindSafe(|| test(variant, &reactor)));
            ANYTHING.set(false);
            match outcome {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{row}: {error}")),
                Err(payload) => Some(format!("{row}: {:?}", payload.downcast_ref::<String>())),
            }
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

thread_local! {
    /// How often foreign code was called.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    /// Whether it does anything; not in itself, and not once the test is over.
    static ANYTHING: Cell<bool> = const { Cell::new(false) };
}

/// What foreign code does here: uses all of a reactor that it can reach.
fn anything() {
    CALLS.set(CALLS.get() + 1);
    if !ANYTHING.replace(false) {
        return;
    }
    let used = catch_unwind(AssertUnwindSafe(|| {
        if let Some(reactor) = Reactor::try_current() {
            use_the_reactor(&reactor).expect("the kernel has nothing against it");
        }
    }));
    ANYTHING.set(true);
    if let Err(payload) = used {
        // What would be taken for the panic that is tried.
        let text = payload.downcast_ref::<String>().cloned();
        eprintln!("foreign code could not use the reactor: {text:?}");
        std::process::abort();
    }
}

fn use_the_reactor(reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    let mut read = read_byte(&far);
    let mut pause = Box::pin(sleep(Duration::ZERO));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(poll(&mut read, Waker::noop()).is_pending());
    assert!(pause.as_mut().poll(&mut cx).is_pending());
    near.write_all(b"x")?;
    while poll(&mut read, Waker::noop()).is_pending() {
        reactor.turn(Some(Duration::ZERO))?;
    }
    while pause.as_mut().poll(&mut cx).is_pending() {
        reactor.turn(Some(Duration::ZERO))?;
    }
    reactor.for_each_waiter(|_, _| ());
    let _ = (reactor.metrics(), reactor.keys(), reactor.next_timeout());
    let _ = format!("{reactor:?}");
    drop(read);
    drop(far.into_inner()?);
    Ok(())
}

/// And panics.
fn anything_and_panic() {
    anything();
    panic!("foreign");
}

/// How often foreign code was called meanwhile.
fn calls<R>(during: impl FnOnce() -> R) -> (usize, R) {
    let before = CALLS.get();
    let result = during();
    (CALLS.get() - before, result)
}

/// Did it pass through?
fn panics<R>(body: impl FnOnce() -> R) -> bool {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(_) => false,
        Err(payload) => {
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"foreign"));
            true
        }
    }
}

/// What such a waker does.
#[derive(Clone, Copy, Default)]
struct Acts {
    on_clone: bool,
    on_wake: bool,
    on_drop: bool,
}

thread_local! {
    static ACTS: Cell<Acts> = const { Cell::new(Acts { on_clone: false, on_wake: false, on_drop: false }) };
}

fn act(which: impl Fn(&mut Acts) -> &mut bool) {
    let mut acts = ACTS.get();
    let acts_now = std::mem::take(which(&mut acts));
    ACTS.set(acts);
    if acts_now {
        anything_and_panic();
    }
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        act(|acts| &mut acts.on_clone);
        RawWaker::new(data, &VTABLE)
    },
    |_| act(|acts| &mut acts.on_wake),
    |_| act(|acts| &mut acts.on_wake),
    |_| act(|acts| &mut acts.on_drop),
);

/// Two of different `data` would not wake the same.
fn acting_waker(data: &'static u8) -> Waker {
    // SAFETY: the functions do not use the data, and may be called on any thread.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(data).cast(), &VTABLE)) }
}

fn acts(on: impl Fn(&mut Acts) -> &mut bool) {
    let mut acts = Acts::default();
    *on(&mut acts) = true;
    ACTS.set(acts);
}

fn waiting(reactor: &Reactor) -> usize {
    let mut waiting = 0;
    reactor.for_each_waiter(|_, _| waiting += 1);
    waiting
}

fn clone_of_a_waker(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    for others in [false, true] {
        let mut first = read_byte(&far);
        let _counted = others.then(|| wait(&mut first));
        let mut read = read_byte(&far);
        let waker = acting_waker(&1);
        acts(|acts| &mut acts.on_clone);
        assert!(panics(|| poll(&mut read, &waker)));
        assert_eq!(waiting(reactor), usize::from(others));
        let mut read = read_byte(&far);
        let (count, _waker) = wait(&mut read);
        near.write_all(b"xx")?;
        settle(reactor)?;
        assert_eq!(count.get(), 1);
        assert!(poll(&mut read, Waker::noop()).is_ready());
        assert!(poll(&mut first, Waker::noop()).is_ready());
        let mut pause = Box::pin(sleep(Duration::ZERO));
        acts(|acts| &mut acts.on_clone);
        assert!(panics(|| pause
            .as_mut()
            .poll(&mut Context::from_waker(&waker))));
        assert_eq!(waiting(reactor), 0);
    }
    Ok(())
}

fn waker_in_a_turn(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    let (mut near_too, far_too) = pair()?;
    let (mut one, mut other) = (read_byte(&far), read_byte(&far_too));
    let waker = acting_waker(&1);
    let (count, counted) = Count::new();
    assert!(poll(&mut one, &waker).is_pending() && poll(&mut other, &counted).is_pending());
    near.write_all(b"x")?;
    near_too.write_all(b"x")?;
    acts(|acts| &mut acts.on_wake);
    let mut panicked = 0;
    for _ in 0..4 {
        panicked += usize::from(panics(|| reactor.turn(Some(Duration::ZERO)).unwrap()));
    }
    assert_eq!((panicked, count.get()), (1, 1));
    assert!(poll(&mut one, &waker).is_ready() && poll(&mut other, &counted).is_ready());
    Ok(())
}

fn waker_of_the_exhausted(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    near.write_all(&[1; 1000])?;
    let waker = acting_waker(&1);
    let mut cx = Context::from_waker(&waker);
    while reactor.poll_budget(&mut cx).is_ready() {}
    acts(|acts| &mut acts.on_wake);
    assert!(panics(|| poll(&mut read_byte(&far), &waker)));
    reactor.refill_budget();
    assert!(poll(&mut read_byte(&far), &waker).is_ready());
    Ok(())
}

fn replaced_waker(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    let (near_too, far_too) = UnixStream::pair()?;
    let (old, buffer) = (acting_waker(&1), &mut [0; 1]);
    let mut cx = Context::from_waker(&old);
    assert!(far.poll_readable(&mut cx).is_pending());
    let mut read = pin!(far_too.read(buffer));
    assert!(read.as_mut().poll(&mut cx).is_pending());
    let mut pause = Box::pin(sleep(Duration::from_secs(1)));
    assert!(pause.as_mut().poll(&mut cx).is_pending());
    let counts = [(); 3].map(|()| Count::new());
    let [standing, reads, pauses] = &counts;
    let replaces = |poll: &mut dyn FnMut(&mut Context<'_>) -> bool, new: &Waker| {
        acts(|acts| &mut acts.on_drop);
        panics(|| poll(&mut Context::from_waker(new)))
    };
    assert!(replaces(
        &mut |cx| far.poll_readable(cx).is_ready(),
        &standing.1
    ));
    assert!(replaces(
        &mut |cx| read.as_mut().poll(cx).is_ready(),
        &reads.1
    ));
    assert!(replaces(
        &mut |cx| pause.as_mut().poll(cx).is_ready(),
        &pauses.1
    ));
    near.write_all(b"x")?;
    near_too.try_write(b"x")?;
    pause.reset(Duration::ZERO);
    while counts.iter().any(|(count, _)| count.get() == 0) {
        reactor.turn(None)?;
    }
    Ok(())
}

fn given_up_waker(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (_near, far) = pair()?;
    for others in [false, true] {
        let mut first = read_byte(&far);
        let _counted = others.then(|| wait(&mut first));
        let mut read = read_byte(&far);
        assert!(poll(&mut read, &acting_waker(&1)).is_pending());
        let mut pause = Box::pin(sleep(Duration::from_secs(60)));
        let waker = acting_waker(&1);
        assert!(
            pause
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        acts(|acts| &mut acts.on_drop);
        assert!(panics(|| drop(read)));
        acts(|acts| &mut acts.on_drop);
        assert!(panics(|| drop(pause)));
        assert_eq!(waiting(reactor), usize::from(others));
    }
    // One that stays in its place, and goes with its source.
    assert!(
        far.poll_readable(&mut Context::from_waker(&acting_waker(&1)))
            .is_pending()
    );
    let before = reactor.keys();
    acts(|acts| &mut acts.on_drop);
    assert!(panics(|| drop(far)));
    assert_eq!(reactor.keys(), before - 1);
    Ok(())
}

/// A waker that panics, on whatever thread.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("foreign");
    }
}

fn waker_of_work(_: Variant, _: &Reactor) -> io::Result<()> {
    let (go_on, wait) = mpsc::channel::<()>();
    let mut work = Box::pin(unblock(move || wait.recv()));
    let waker = Waker::from(Arc::new(Panics));
    let mut cx = Context::from_waker(&waker);
    assert!(work.as_mut().poll(&mut cx).is_pending());
    drop(go_on);
    // Never with another waker.
    let ended = loop {
        match work.as_mut().poll(&mut cx) {
            Poll::Pending => std::thread::yield_now(),
            Poll::Ready(ended) => break ended,
        }
    };
    assert!(ended?.is_err());
    assert_eq!(futures_lite::future::block_on(unblock(|| 7))?, 7);
    Ok(())
}

type Action = Rc<RefCell<Option<Box<dyn Fn()>>>>;

/// A source that does something when it is asked for its fd, and when it is dropped.
struct Odd {
    socket: unix::UnixStream,
    on_as_fd: Action,
    on_drop: Action,
}

fn perform(action: &Action) {
    let taken = action.borrow_mut().take();
    if let Some(taken) = taken {
        taken();
    }
}

impl AsFd for Odd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        perform(&self.on_as_fd);
        self.socket.as_fd()
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        perform(&self.on_drop);
    }
}

/// The other end, the source, and what it does when it is asked and dropped.
fn odd() -> io::Result<(unix::UnixStream, Async<Odd>, Action, Action)> {
    let (near, socket) = unix::UnixStream::pair()?;
    let (on_as_fd, on_drop) = (Action::default(), Action::default());
    let source = Odd {
        socket,
        on_as_fd: Rc::clone(&on_as_fd),
        on_drop: Rc::clone(&on_drop),
    };
    Ok((near, Async::nonblocking(source)?, on_as_fd, on_drop))
}

fn when(action: &Action, act: impl Fn() + 'static) {
    *action.borrow_mut() = Some(Box::new(act));
}

fn read_odd(source: &Async<Odd>) -> by_hand::Op<'_, usize> {
    Box::pin(source.read_with(|odd| (&odd.socket).read(&mut [0; 1])))
}

fn source_that_is_waited_for(_: Variant, reactor: &Reactor) -> io::Result<()> {
    // The mode is set by way of it, too.
    let (_near, socket) = unix::UnixStream::pair()?;
    let on_as_fd = Action::default();
    when(&on_as_fd, anything_and_panic);
    let on_drop = Action::default();
    assert!(panics(|| Async::nonblocking(Odd {
        socket,
        on_as_fd,
        on_drop
    })));

    let (mut near, far, on_as_fd, _) = odd()?;
    let mut read = read_odd(&far);
    when(&on_as_fd, anything_and_panic);
    let (count, waker) = Count::new();
    let (asked, panicked) = calls(|| panics(|| poll(&mut read, &waker)));
    assert!(panicked && asked == 1);
    drop(read);
    assert_eq!((waiting(reactor), reactor.keys()), (0, 0));
    let mut read = read_odd(&far);
    when(&on_as_fd, anything);
    assert!(poll(&mut read, &waker).is_pending());
    near.write_all(b"x")?;
    settle(reactor)?;
    assert_eq!(count.get(), 1);
    assert!(poll(&mut read, &waker).is_ready());
    // It has a key now, and is asked no more: not when it waits, not when it goes.
    when(&on_as_fd, anything_and_panic);
    assert!(poll(&mut read_odd(&far), &waker).is_pending());
    assert_eq!(waiting(reactor), 0);
    drop(read);
    let source = far.into_inner()?;
    assert_eq!(reactor.keys(), 0);
    drop(source);

    // One that waits for itself meanwhile.
    let (mut near, far, on_as_fd, _) = odd_in_rc()?;
    let itself = Rc::downgrade(&far);
    when(&on_as_fd, move || {
        let itself = itself.upgrade().expect("it is here");
        assert!(poll(&mut read_odd(&itself), Waker::noop()).is_pending());
    });
    let mut read = read_odd(&far);
    let (count, _waker) = wait(&mut read);
    near.write_all(b"x")?;
    settle(reactor)?;
    assert_eq!((count.get(), reactor.keys()), (1, 1));
    drop(read);

    // The forms that ask the kernel by way of it.
    let (_near, far, on_as_fd, _) = odd()?;
    let mut cx = Context::from_waker(Waker::noop());
    when(&on_as_fd, anything_and_panic);
    assert!(panics(|| pin!(far.readable()).poll(&mut cx)));
    when(&on_as_fd, anything_and_panic);
    assert!(panics(|| pin!(far.ready(Readiness::PRIORITY)).poll(&mut cx)));
    when(&on_as_fd, anything_and_panic);
    assert!(panics(|| far.clear_readiness(Direction::Read)));
    when(&on_as_fd, anything);
    assert!(pin!(far.readable()).poll(&mut cx).is_pending());
    assert_eq!(waiting(reactor), 0);
    Ok(())
}

fn odd_in_rc() -> io::Result<(unix::UnixStream, Rc<Async<Odd>>, Action, Action)> {
    let (near, far, on_as_fd, on_drop) = odd()?;
    Ok((near, Rc::new(far), on_as_fd, on_drop))
}

fn source_in_a_turn(variant: Variant, reactor: &Reactor) -> io::Result<()> {
    for act in [anything, anything_and_panic] {
        let (mut near, far, on_as_fd, _) = odd()?;
        near.write_all(b"x")?;
        let refused = Cell::new(true);
        let mut read: by_hand::Op<'_, usize> = Box::pin(far.read_with(|odd| match refused.get() {
            true => Err(ErrorKind::WouldBlock.into()),
            false => (&odd.socket).read(&mut [0; 1]),
        }));
        let (_, waker) = wait(&mut read);
        when(&on_as_fd, act);
        let (asked, ()) = calls(|| {
            for _ in 0..64 {
                reactor
                    .turn(Some(Duration::ZERO))
                    .expect("no panic passes through");
                assert!(poll(&mut read, &waker).is_pending());
            }
        });
        let by_level = variant.trigger == reactor::Trigger::Level;
        assert_eq!(asked, usize::from(by_level), "in a turn");
        refused.set(false);
        near.write_all(b"y")?;
        while poll(&mut read, &waker).is_pending() {
            reactor.turn(None)?;
        }
    }
    Ok(())
}

fn destructor_of_a_source(_: Variant, reactor: &Reactor) -> io::Result<()> {
    for act in [anything, anything_and_panic] {
        let (_near, far, _, on_drop) = odd()?;
        let mut read = read_odd(&far);
        wait(&mut read);
        drop(read);
        assert_eq!(reactor.keys(), 1);
        let keys = Rc::new(Cell::new(1));
        let seen = Rc::clone(&keys);
        let theirs = reactor.clone();
        when(&on_drop, move || {
            seen.set(theirs.keys());
            act();
        });
        let (called, _) = calls(|| panics(|| drop(far)));
        assert_eq!((called, keys.get(), reactor.keys()), (1, 0, 0));
    }
    Ok(())
}

/// By level, where interest is told in a turn.
fn destructor_of_a_refused_source(variant: Variant, reactor: &Reactor) -> io::Result<()> {
    if variant != harness::EPOLL_LEVEL {
        return Ok(());
    }
    for act in [anything as fn(), anything_and_panic] {
        let (_near, far, _, on_drop) = odd()?;
        let refuse = |_: &Odd| io::Result::<()>::Err(ErrorKind::WouldBlock.into());
        let mut write = Box::pin(far.write_with(refuse));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(write.as_mut().poll(&mut cx).is_pending());
        drop(write);
        // There is room to write, and nobody wants to know: the next turn will park the key.
        reactor.turn(Some(Duration::ZERO))?;
        // It cannot be forgotten now, and so the key owns the source.
        fault::inject("epoll_ctl", libc::ENOMEM);
        drop(far);
        assert_eq!(reactor.keys(), 1);
        // It cannot be parked either, and so it is forgotten.
        when(&on_drop, act);
        fault::inject("epoll_ctl", libc::ENOMEM);
        let (called, turned) = calls(|| reactor.turn(Some(Duration::ZERO)));
        turned?;
        assert_eq!((called, reactor.keys()), (1, 0));
    }
    Ok(())
}

fn closures_that_make_a_call(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (near, far) = pair()?;
    let stream = UnixStream::from_std(near)?;
    let mut cx = Context::from_waker(Waker::noop());
    let refuse = |_: &unix::UnixStream| {
        anything();
        io::Result::<()>::Err(ErrorKind::WouldBlock.into())
    };
    let fail = |_: &unix::UnixStream| -> io::Result<()> {
        anything_and_panic();
        Ok(())
    };
    for direction in [Direction::Read, Direction::Write] {
        let with = |op: &dyn Fn(&unix::UnixStream) -> io::Result<()>, cx: &mut Context<'_>| {
            match direction {
                Direction::Read => pin!(far.read_with(op)).poll(cx),
                Direction::Write => pin!(far.write_with(op)).poll(cx),
            }
        };
        assert!(with(&refuse, &mut cx).is_pending());
        assert!(panics(|| far.try_with(direction, fail)));
        assert!(panics(|| stream.try_io(direction, || fail(far.get_ref()))));
        let (called, _) = calls(|| far.try_with(direction, refuse));
        assert_eq!(called, 1);
        assert!(stream.try_io(direction, || refuse(far.get_ref())).is_err());
        let io = || stream.async_io(direction, || refuse(far.get_ref()));
        assert!(pin!(io()).poll(&mut cx).is_pending());
        assert_eq!(waiting(reactor), 0);
    }
    let (_near, far) = pair()?;
    assert!(panics(|| pin!(far.read_with(fail)).poll(&mut cx)));
    assert!(panics(|| pin!(far.write_with(fail)).poll(&mut cx)));
    assert!(panics(|| far.poll_read_with(&mut cx, fail)));
    assert!(panics(|| far.poll_write_with(&mut cx, fail)));
    assert!(panics(|| pin!(UnixStream::pair().unwrap().0.async_io(
        Direction::Read,
        || {
            anything_and_panic();
            Ok(())
        }
    ))
    .poll(&mut cx)));
    assert!(far.poll_read_with(&mut cx, refuse).is_pending());
    assert!(far.poll_write_with(&mut cx, refuse).is_pending());
    assert_eq!(waiting(reactor), 2);
    Ok(())
}

fn lent_bytes(_: Variant, _: &Reactor) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    let (other, another) = UnixStream::pair()?;
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        near.try_write(b"hello")?;
        other.try_write(b"others")?;
        let nested = |bytes: &[u8]| {
            anything();
            let mut cx = Context::from_waker(Waker::noop());
            let inner = pin!(another.read_lent(<[u8]>::to_vec)).poll(&mut cx);
            assert!(matches!(inner, Poll::Ready(Ok(bytes)) if bytes == b"others"));
            bytes.to_vec()
        };
        let outer = pin!(far.read_lent(nested)).poll(&mut cx);
        assert!(matches!(outer, Poll::Ready(Ok(bytes)) if bytes == b"hello"));
        near.try_write(b"lost")?;
        assert!(panics(
            || pin!(far.read_lent(|_| anything_and_panic())).poll(&mut cx)
        ));
    }
    Ok(())
}

struct Address(fn());

impl ToSocketAddrs for Address {
    fn lookup(&self) -> Lookup {
        (self.0)();
        Lookup::Addresses(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
    }
}

fn lookup_of_an_address(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let mut cx = Context::from_waker(Waker::noop());
    let udp = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let udp = UdpSocket::from_std(udp)?;
    for (act, panic) in [(anything as fn(), false), (anything_and_panic, true)] {
        let address = || Address(act);
        let minute = Duration::from_secs(60);
        reactor.refill_budget();
        let (called, ()) = calls(|| {
            assert_eq!(
                panics(|| pin!(TcpListener::bind(address())).poll(&mut cx).map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(TcpListener::options().bind(address()))
                    .poll(&mut cx)
                    .map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(TcpStream::connect(address())).poll(&mut cx).map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(TcpStream::connect_timeout(address(), minute))
                    .poll(&mut cx)
                    .map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(TcpStream::options().connect(address()))
                    .poll(&mut cx)
                    .map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(lookup_host(address())).poll(&mut cx).map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(UdpSocket::bind(address())).poll(&mut cx).map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(udp.connect(address())).poll(&mut cx).map(drop)),
                panic
            );
        });
        assert_eq!(called, 8);
    }
    Ok(())
}

struct Name(String, fn());

impl AsRef<Path> for Name {
    fn as_ref(&self) -> &Path {
        (self.1)();
        Path::new(&self.0)
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        (self.1)();
        self.0.as_bytes()
    }
}

fn path_or_name(variant: Variant, _: &Reactor) -> io::Result<()> {
    let mut cx = Context::from_waker(Waker::noop());
    let file = std::env::temp_dir().join(format!("foreign-{}-{variant:?}", std::process::id()));
    let file = file.to_str().expect("a temporary folder has a plain name");
    let socket = UnixDatagram::unbound()?;
    for (act, panic) in [(anything as fn(), false), (anything_and_panic, true)] {
        let name = |more: &str| Name(format!("{file}{more}"), act);
        let (called, ()) = calls(|| {
            assert_eq!(panics(|| drop(UnixListener::bind(name("a")))), panic);
            assert_eq!(panics(|| drop(UnixDatagram::bind(name("b")))), panic);
            assert_eq!(panics(|| drop(socket.connect(name("c")))), panic);
            assert_eq!(panics(|| drop(socket.try_send_to(b"x", name("c")))), panic);
            assert_eq!(
                panics(|| pin!(socket.send_to(b"x", name("c")))
                    .poll(&mut cx)
                    .map(drop)),
                panic
            );
            assert_eq!(
                panics(|| socket.poll_send_to(&mut cx, b"x", name("c")).map(drop)),
                panic
            );
            assert_eq!(
                panics(|| pin!(UnixStream::connect(name("c"))).poll(&mut cx).map(drop)),
                panic
            );
            let unused = UnixSocket::new().expect("a socket");
            assert_eq!(
                panics(|| pin!(unused.connect(name("c"))).poll(&mut cx).map(drop)),
                panic
            );
            let mut unused = UnixSocket::new().expect("a socket");
            assert_eq!(panics(|| drop(unused.bind(name("e")))), panic);
            assert_eq!(panics(|| drop(abstract_address(name("d")))), panic);
        });
        assert_eq!(called, 10);
        assert!(!Path::new(&format!("{file}a")).exists());
    }
    Ok(())
}

fn iterator_of_signals(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let before = reactor.keys();
    let asked = |act: fn()| {
        std::iter::once_with(move || {
            act();
            reactor::signal::consts::SIGUSR2
        })
    };
    assert!(Signals::new(asked(anything)).is_ok());
    assert!(panics(|| Signals::new(asked(anything_and_panic))));
    assert_eq!(reactor.keys(), before);
    Ok(())
}

fn work(_: Variant, _: &Reactor) -> io::Result<()> {
    assert!(panics(|| futures_lite::future::block_on(unblock(
        || panic!("foreign")
    ))));
    assert_eq!(futures_lite::future::block_on(unblock(|| 7))?, 7);
    Ok(())
}

/// Panics when it is dropped, and says on which thread that is.
struct OnDrop(fn(), mpsc::Sender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.1.send(());
        (self.0)();
    }
}

fn work_taken_back(_: Variant, _: &Reactor) -> io::Result<()> {
    // It is taken back only if no thread is faster; either way nothing is broken.
    for _ in 0..8 {
        let (dropped, is_dropped) = mpsc::channel();
        let guard = OnDrop(anything_and_panic, dropped);
        let work = unblock(move || drop(guard));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
        is_dropped.recv().expect("it is dropped");
        assert_eq!(futures_lite::future::block_on(unblock(|| 7))?, 7);
    }
    Ok(())
}

fn result_of_nobody(_: Variant, _: &Reactor) -> io::Result<()> {
    for _ in 0..8 {
        let (dropped, is_dropped) = mpsc::channel();
        let (begin, begun) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let work = unblock(move || {
            begin.send(()).expect("it is waited for");
            let _ = wait.recv();
            OnDrop(|| panic!("foreign"), dropped)
        });
        begun.recv().expect("it has begun");
        drop(work);
        drop(go_on);
        is_dropped.recv().expect("it is dropped");
        assert_eq!(futures_lite::future::block_on(unblock(|| 7))?, 7);
    }
    Ok(())
}

fn future_with_a_deadline(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let hour = Duration::from_secs(3600);
    let mut cx = Context::from_waker(Waker::noop());
    let acting = |act: fn()| {
        poll_fn(move |_| {
            act();
            Poll::<()>::Pending
        })
    };
    assert!(
        pin!(timeout(hour, acting(anything)))
            .poll(&mut cx)
            .is_pending()
    );
    assert!(panics(
        || pin!(timeout(hour, acting(anything_and_panic))).poll(&mut cx)
    ));
    let end = reactor.now() + hour;
    assert!(
        pin!(timeout_at(end, acting(anything)))
            .poll(&mut cx)
            .is_pending()
    );
    assert!(panics(
        || pin!(timeout_at(end, acting(anything_and_panic))).poll(&mut cx)
    ));
    assert_eq!(waiting(reactor), 0);
    Ok(())
}

fn contained_closure(_: Variant, _: &Reactor) -> io::Result<()> {
    /// Leaves another one when it is dropped, so many times.
    struct Payload(u8);

    impl Drop for Payload {
        fn drop(&mut self) {
            CALLS.set(CALLS.get() + 1);
            if self.0 > 0 {
                panic_any(Payload(self.0 - 1));
            }
        }
    }

    let (called, done) = calls(|| reactor::contain(anything));
    assert_eq!((called, done), (1, Some(())));
    let (called, done) = calls(|| reactor::contain(|| panic_any(Payload(3))));
    assert_eq!((called, done), (4, None::<()>));
    Ok(())
}

fn budget(reactor: &Reactor) -> usize {
    match reactor.trigger() {
        Trigger::Edge => 16,
        _ => 32,
    }
}

fn closure_without_a_budget(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let operations = || {
        let mut cx = Context::from_waker(Waker::noop());
        (0..1000)
            .take_while(|_| reactor.poll_budget(&mut cx).is_ready())
            .count()
    };
    for panic in [false, true] {
        reactor.refill_budget();
        let unconstrained = || {
            reactor.unconstrained(|| match (operations(), panic) {
                (1000, false) => anything(),
                (_, true) => anything_and_panic(),
                (few, _) => panic!("{few} operations"),
            });
        };
        assert_eq!(panics(unconstrained), panic);
        reactor.refill_budget();
        assert_eq!(operations(), budget(reactor));
    }
    Ok(())
}

/// Panics at each event, and when it is dropped.
struct Watcher(fn());

impl Observer for Watcher {
    fn event(&self, _: Event<'_>, _: &'static Location<'static>) {
        CALLS.set(CALLS.get() + 1);
        panic!("foreign");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn observer(_: Variant, reactor: &Reactor) -> io::Result<()> {
    reactor.observe(Some(Rc::new(Watcher(|| ()))));
    let (mut near, far) = pair()?;
    let (told, read) = calls(|| {
        let mut read = read_byte(&far);
        let (count, waker) = wait(&mut read);
        near.write_all(b"x")?;
        settle(reactor)?;
        assert_eq!(count.get(), 1);
        assert!(poll(&mut read, &waker).is_ready());
        io::Result::Ok(())
    });
    read?;
    assert!(told > 4, "{told} events");
    reactor.observe(None);
    Ok(())
}

fn destructor_of_an_observer(_: Variant, reactor: &Reactor) -> io::Result<()> {
    reactor.observe(Some(Rc::new(Watcher(anything_and_panic))));
    // What it does tells the next one, which is to be quiet.
    struct Quiet;
    impl Observer for Quiet {
        fn event(&self, _: Event<'_>, _: &'static Location<'static>) {}
    }
    assert!(panics(|| reactor.observe(Some(Rc::new(Quiet)))));
    assert!(reactor.is_observed());
    reactor.observe(None);
    assert!(!reactor.is_observed());
    Ok(())
}

fn closure_that_looks(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    let mut reads = [read_byte(&far), read_byte(&far)];
    let counts = reads.each_mut().map(|read| wait(read).0);
    for at in 0..2 {
        let mut seen = 0;
        assert!(panics(|| reactor.for_each_waiter(|_, _| {
            assert!(seen < 2);
            if seen == at {
                panic!("foreign");
            }
            seen += 1;
        })));
    }
    near.write_all(b"x")?;
    settle(reactor)?;
    assert_eq!(counts.map(|count| count.get()), [1, 1]);
    Ok(())
}

fn closure_that_absorbs(_: Variant, reactor: &Reactor) -> io::Result<()> {
    let (mut near, far) = pair()?;
    let mut read = read_byte(&far);
    wait(&mut read);
    near.write_all(b"x")?;
    let panicked = panics(|| {
        for _ in 0..4 {
            let turn = reactor.turn_with(Some(Duration::ZERO), || |_| panic!("foreign"));
            turn.expect("the kernel has nothing against it");
        }
    });
    assert!(panicked);
    // The reactor is whole.
    assert!(poll(&mut read, Waker::noop()).is_ready());
    use_the_reactor(reactor)?;
    Ok(())
}
