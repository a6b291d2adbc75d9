//! Two doubles of kqueue, written without a look at each other, play the same random scripts on the same
//! files. Where they differ, one of them has read the manual wrong; the script is shrunk and printed.
//!
//! `SELECTORS_SEQUENCES=20000 cargo test -p selectors-core two_kqueues` runs more scripts than the 2000 of
//! every run.

use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use proptest::collection::vec;
use proptest::prelude::*;

use super::scripts;
use super::support::{pair, pipe};
use crate::sys::double::either_kqueue::with_the_second;
use crate::sys::fd;
use crate::sys::kqueue::{
    EV_ADD, EV_CLEAR, EV_DELETE, EV_EOF, EV_ERROR, EV_ONESHOT, Filter, Kevent, NO_WAIT,
    NOTE_TRIGGER, kevent, kqueue,
};
use crate::sys::testing::{Private, tcp_socket};

/// Two sockets, the reading and the writing end of a pipe, and a socket that is never connected.
const FILES: usize = 5;
/// The idents of user events follow those of the files.
const USERS: usize = 2;
const FIRST_USER: i32 = 900_000;

#[derive(Clone, Copy, Debug)]
enum Action {
    Add {
        clear: bool,
        oneshot: bool,
    },
    /// No flag: the parameters of a knote that is there are changed.
    Modify,
    Delete,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    of: usize,
    write: bool,
    action: Action,
    trigger: bool,
    receipt: bool,
    name: u32,
}

/// One line of a script. A number names a file.
#[derive(Clone, Debug)]
enum Step {
    /// With room for all events, for none, or for as many answers as there are receipts asked for.
    Kevent(Vec<Change>, Room),
    Write(usize),
    Drain(usize),
    Fill(usize),
    ShutDown(usize, Shutdown),
    /// The number is closed, and the file lives on.
    CloseNumber(usize),
    Close(usize),
    /// New sockets, or a new pipe, with the old numbers.
    Reopen(bool),
}

#[derive(Clone, Copy, Debug)]
enum Room {
    All,
    None,
    One,
}

fn change() -> impl Strategy<Value = Change> {
    let action = prop_oneof![
        6 => any::<(bool, bool)>().prop_map(|(clear, oneshot)| Action::Add { clear, oneshot }),
        1 => Just(Action::Modify),
        2 => Just(Action::Delete),
    ];
    let of = 0..FILES + USERS;
    let odds = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    (of, action, odds, 1u32..9).prop_map(|(of, action, (write, trigger, receipt), name)| Change {
        of,
        write,
        action,
        trigger,
        receipt,
        name,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let room = prop_oneof![4 => Just(Room::All), 2 => Just(Room::None), 1 => Just(Room::One)];
    let how = prop_oneof![
        Just(Shutdown::Read),
        Just(Shutdown::Write),
        Just(Shutdown::Both)
    ];
    prop_oneof![
        10 => (vec(change(), 0..4), room).prop_map(|(changes, room)| Step::Kevent(changes, room)),
        4 => (0..FILES).prop_map(Step::Write),
        2 => (0..FILES).prop_map(Step::Drain),
        1 => (0..FILES).prop_map(Step::Fill),
        1 => (0..2usize, how).prop_map(|(of, how)| Step::ShutDown(of, how)),
        1 => (0..FILES).prop_map(Step::CloseNumber),
        1 => (0..FILES).prop_map(Step::Close),
        1 => any::<bool>().prop_map(Step::Reopen),
    ]
}

/// The files of a script, and both queues.
struct World<'a> {
    numbers: &'a [Private],
    files: [Option<OwnedFd>; FILES],
    queues: [OwnedFd; 2],
}

/// What there is to compare: errno, or the entries in a fixed order.
type Answer = Result<Vec<(i32, char, String)>, Option<i32>>;

impl<'a> World<'a> {
    fn new(numbers: &'a [Private]) -> World<'a> {
        let queues = [kqueue().unwrap(), with_the_second(kqueue).unwrap()];
        let mut world = World {
            numbers,
            files: [const { None }; FILES],
            queues,
        };
        world.reopen(true);
        world.reopen(false);
        world.open(4, vec![tcp_socket()]);
        world
    }

    fn reopen(&mut self, sockets: bool) {
        if sockets {
            let (a, b) = pair();
            self.open(0, vec![a.into(), b.into()]);
        } else {
            let (reader, writer) = pipe();
            self.open(2, vec![reader, writer]);
        }
    }

    fn open(&mut self, first: usize, files: Vec<OwnedFd>) {
        for (index, file) in (first..).zip(files) {
            self.numbers[index].reuse(&file);
            self.files[index] = Some(file);
        }
    }

    fn play(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Kevent(changes, room) => return self.compare(changes, *room),
            Step::Reopen(sockets) => self.reopen(*sockets),
            Step::CloseNumber(of) => self.numbers[*of].close(),
            Step::Close(of) => {
                self.numbers[*of].close();
                self.files[*of] = None;
            }
            Step::Write(of) => {
                if let Some(file) = &self.files[*of] {
                    let _refused_or_full = fd::write(file.as_fd(), b"x");
                }
            }
            Step::Drain(of) => {
                if let Some(file) = &self.files[*of] {
                    while matches!(fd::read(file.as_fd(), &mut [0; 4096]), Ok(n) if n > 0) {}
                }
            }
            Step::Fill(of) => {
                if let Some(file) = &self.files[*of] {
                    while fd::write(file.as_fd(), &[0; 4096]).is_ok() {}
                }
            }
            Step::ShutDown(of, how) => {
                if let Some(file) = self.files[*of].take() {
                    let socket = UnixStream::from(file);
                    let _not_connected = socket.shutdown(*how);
                    self.files[*of] = Some(socket.into());
                }
            }
        }
        Ok(())
    }

    fn compare(&self, changes: &[Change], room: Room) -> Result<(), String> {
        let receipts = changes.first().is_some_and(|change| change.receipt);
        let changes: Vec<Kevent> = changes.iter().map(|change| self.made(change)).collect();
        let [first, second] = self
            .queues
            .each_ref()
            .map(|queue| ask(queue, &changes, receipts, room));
        if first == second {
            Ok(())
        } else {
            Err(format!(
                "\n  the first says  {first:?}\n  the second says {second:?}"
            ))
        }
    }

    fn made(&self, change: &Change) -> Kevent {
        let (ident, filter) = match self.numbers.get(change.of) {
            Some(number) if change.write => (number.number(), Filter::Write),
            Some(number) => (number.number(), Filter::Read),
            None => (FIRST_USER + change.of as i32, Filter::User),
        };
        let is = |set, flag| if set { flag } else { 0 };
        let flags = match change.action {
            Action::Add { clear, oneshot } => {
                EV_ADD | is(clear, EV_CLEAR) | is(oneshot, EV_ONESHOT)
            }
            Action::Modify => 0,
            Action::Delete => EV_DELETE,
        };
        let trigger = is(change.trigger && filter == Filter::User, NOTE_TRIGGER);
        let mut made = Kevent::change(ident, filter, flags, trigger, change.name);
        if change.receipt {
            made.ask_for_receipt();
        }
        made
    }
}

fn ask(queue: &OwnedFd, changes: &[Kevent], receipts: bool, room: Room) -> Answer {
    let mut events = [Kevent::change(0, Filter::Read, 0, 0, 0); 32];
    // Which events come first is nobody's promise: room for one is room for one answer.
    let room = match room {
        Room::None => 0,
        Room::One if receipts => 1,
        _ => events.len(),
    };
    let n = kevent(queue.as_fd(), changes, &mut events[..room], NO_WAIT)
        .map_err(|error| error.raw_os_error())?;
    let mut entries: Vec<_> = events[..n].iter().map(seen).collect();
    // Answers come in the order of the changes.
    if !events[..n].iter().any(|event| event.has(EV_ERROR)) {
        entries.sort_unstable();
    }
    Ok(entries)
}

fn seen(event: &Kevent) -> (i32, char, String) {
    let filter = match event.ident() {
        user if user >= FIRST_USER => 'u',
        _ if event.is_read() => 'r',
        _ => 'w',
    };
    let said = if event.has(EV_ERROR) {
        format!("refused, errno {}", event.errno())
    } else {
        let eof = if event.has(EV_EOF) { " eof" } else { "" };
        let error = if event.fflags() == 0 { "" } else { " error" };
        format!("{}{eof}{error}", event.generation())
    };
    (event.ident(), filter, said)
}

#[test]
fn two_kqueues_that_were_written_apart_agree_on_random_scripts() {
    let numbers: Vec<Private> = (0..FILES).map(|_| Private::new(pipe().0)).collect();
    let end = [Step::Kevent(Vec::new(), Room::All)];
    scripts::play(2_000, step(), &end, || World::new(&numbers), World::play);
}
