//! Any event loop, seen from outside: what `strace -f -ttt -T -yy` wrote of it, as a trace.
//!
//! There are no tasks in such a trace and no wakers, for the kernel knows of none. What it does know
//! is here: waits and what they reported, calls and what they answered, changes of interest, and
//! writes of other threads that end a wait.

use std::collections::{BTreeMap, HashMap};

use crate::strace_line::{Call, arguments, duration, fd_of, field, list, unquoted};
use crate::{Bad, Header, Line, Overhead, Step, Trace};

/// Loops that wait less often are not shown.
const FEW: usize = 2;
/// A call that has no fd is told if it takes longer, in nanoseconds.
const LONG: u64 = 10_000_000;

/// One thread that waits.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Its number: that of the thread, for the kernel.
    pub thread: u32,
    /// How often it waits.
    pub waits: usize,
    /// What it does.
    pub trace: Trace,
}

/// The loops in a log, the one that waits most often first.
///
/// # Errors
///
/// The log has no thread that waits for several fds.
///
/// ```
/// let log = "7 1.000000 epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data=0x4}) = 0\n\
///            7 1.000100 epoll_wait(3, [{events=EPOLLIN, data=0x4}], 64, -1) = 1 <0.5>\n\
///            7 1.500200 recvfrom(4, \"hi\", 64, 0, NULL, NULL) = 2 <0.000010>\n\
///            7 1.500300 epoll_wait(3, [], 64, 100) = 0 <0.1>\n";
/// let loops = trace::strace::read(log)?;
/// assert_eq!((loops[0].thread, loops[0].waits), (7, 2));
/// let header = &loops[0].trace.header;
/// assert_eq!((header.backend.as_str(), header.trigger.as_str()), ("epoll_wait", "level"));
/// # Ok::<(), trace::Bad>(())
/// ```
pub fn read(log: &str) -> Result<Vec<Loop>, Bad> {
    let mut machine = Machine::default();
    let mut unfinished = HashMap::new();
    for line in log.lines() {
        if let Some(call) = Call::parse(line, &mut unfinished) {
            machine.look(&call);
        }
    }
    let mut loops = machine.loops();
    if loops.is_empty() {
        return Err(Bad::new(
            "no thread here waits for several fds: record it with strace -f -ttt -T -yy -o FILE, \
             and let the program have something to do",
        ));
    }
    loops.sort_by_key(|found| std::cmp::Reverse(found.waits));
    Ok(loops)
}

/// All threads of a log.
#[derive(Default)]
struct Machine {
    began: Option<u64>,
    threads: BTreeMap<u32, Thread>,
    /// Threads that share their fds have the number of one of them.
    groups: HashMap<u32, u32>,
    /// What each epoll set watches, by the group and the number of the set: one thread may wait for what
    /// another has registered.
    sets: HashMap<(u32, u32), BTreeMap<u32, Watched>>,
    /// Numbers of epoll sets that were duplicated, and the number that came first.
    same: HashMap<(u32, u32), u32>,
}

#[derive(Default)]
struct Thread {
    waits: usize,
    backend: String,
    edge: bool,
    /// The end of a wait of which the log does not say how long it took: at the next call, at the
    /// latest.
    open: Option<usize>,
    lines: Vec<Line>,
    names: Names,
    /// The epoll set that it waits in.
    set: Option<u32>,
    /// What is watched, by the number of the epoll set (none for poll and select) and of the fd.
    watched: BTreeMap<(Option<u32>, u32), Watched>,
}

/// Numbers in the order of first appearance.
#[derive(Default)]
struct Names {
    known: HashMap<u32, u32>,
    next: u32,
    /// What stands for a call that has no fd.
    without: HashMap<String, u32>,
}

#[derive(Clone, PartialEq)]
struct Watched {
    events: String,
    /// Changes are reported, and not states.
    edge: bool,
    /// What the kernel gives back.
    data: String,
    /// What it is, as strace says.
    what: String,
}

impl Machine {
    fn look(&mut self, call: &Call) {
        let began = *self.began.get_or_insert(call.t);
        let t = call.t.saturating_sub(began) + 1;
        if ["clone", "clone3", "fork", "vfork"].contains(&call.name.as_str()) {
            if let (Some(child), true) = (call.answer, call.args.contains("CLONE_FILES")) {
                let group = self.group(call.thread);
                self.groups.insert(child as u32, group);
            }
            return;
        }
        self.wakes(call, t);
        let group = self.group(call.thread);
        self.sets(call, group);
        let sets = Sets {
            sets: &self.sets,
            same: &self.same,
            group,
        };
        let thread = self.threads.entry(call.thread).or_default();
        thread.look(call, t, &sets);
    }

    /// What is done to epoll sets, whichever thread does it.
    fn sets(&mut self, call: &Call, group: u32) {
        let args = arguments(&call.args);
        let Some((fd, what)) = args.first().and_then(|first| fd_of(first)) else {
            return;
        };
        let answer = call.answer.and_then(|answer| u32::try_from(answer).ok());
        let copies = ["dup", "dup2", "dup3"].contains(&call.name.as_str())
            || (call.name == "fcntl" && args.get(1).is_some_and(|op| op.starts_with("F_DUPFD")));
        match (call.name.as_str(), answer) {
            (_, Some(copy)) if copies && what.contains("eventpoll") => {
                let first = self.same.get(&(group, fd)).copied().unwrap_or(fd);
                self.same.insert((group, copy), first);
            }
            ("epoll_ctl", Some(0)) => {
                let Some((set, fd, op, watched)) = control(&args) else {
                    return;
                };
                let set = self.same.get(&(group, set)).copied().unwrap_or(set);
                let set = self.sets.entry((group, set)).or_default();
                match op {
                    "EPOLL_CTL_DEL" => set.remove(&fd),
                    _ => set.insert(fd, watched),
                };
            }
            ("close", Some(0)) => {
                self.same.remove(&(group, fd));
                let sets = self.sets.iter_mut().filter(|((of, _), _)| *of == group);
                sets.for_each(|(_, set)| {
                    set.remove(&fd);
                });
            }
            _ => {}
        }
    }

    fn group(&self, thread: u32) -> u32 {
        self.groups.get(&thread).copied().unwrap_or(thread)
    }

    /// A write that makes an fd readable for which another thread waits: that is how threads wake it.
    fn wakes(&mut self, call: &Call, t: u64) {
        if !matches!(call.name.as_str(), "write" | "sendto" | "sendmsg") || call.answer < Some(1) {
            return;
        }
        let Some((fd, what)) = arguments(&call.args).first().and_then(|first| fd_of(first)) else {
            return;
        };
        let Some(other_end) = other_end(&what) else {
            return;
        };
        let group = self.group(call.thread);
        let groups = &self.groups;
        for (number, thread) in &mut self.threads {
            let shares = groups.get(number).copied().unwrap_or(*number) == group;
            if *number == call.thread || !shares || thread.waits == 0 {
                continue;
            }
            let hears = |watched: u32, about: &Watched| {
                about.what == other_end && (watched == fd) == what.contains("eventfd")
            };
            let of_its_set = thread.set.and_then(|set| self.sets.get(&(group, set)));
            let hears = thread
                .watched
                .iter()
                .any(|((_, fd), about)| hears(*fd, about))
                || of_its_set.is_some_and(|set| set.iter().any(|(fd, about)| hears(*fd, about)));
            if hears {
                thread.put(t, Step::Notify);
            }
        }
    }

    fn loops(self) -> Vec<Loop> {
        let threads = self.threads.into_iter();
        let loops = threads.filter(|(_, thread)| thread.waits >= FEW);
        loops
            .map(|(number, thread)| Loop {
                thread: number,
                waits: thread.waits,
                trace: thread.trace(),
            })
            .collect()
    }
}

/// What can be read at the other end of this, as strace says: the same eventfd or pipe, or the other
/// socket of a pair.
fn other_end(what: &str) -> Option<String> {
    if what.contains("eventfd") || what.starts_with("pipe:") {
        return Some(what.to_owned());
    }
    let pair = what.strip_prefix("UNIX-STREAM:[")?.strip_suffix(']')?;
    let (near, far) = pair.split_once("->")?;
    Some(format!("UNIX-STREAM:[{far}->{near}]"))
}

/// The epoll sets of those who share their fds.
struct Sets<'a> {
    sets: &'a HashMap<(u32, u32), BTreeMap<u32, Watched>>,
    same: &'a HashMap<(u32, u32), u32>,
    group: u32,
}

impl Sets<'_> {
    /// The number that a set had first.
    fn first(&self, set: u32) -> u32 {
        self.same.get(&(self.group, set)).copied().unwrap_or(set)
    }

    /// Whom epoll means by this data, in the set of that first number.
    fn find(&self, set: u32, data: &str) -> Option<u32> {
        let mut watched = self.sets.get(&(self.group, set))?.iter();
        watched
            .find(|(_, watched)| watched.data == data)
            .map(|(fd, _)| *fd)
    }
}

/// The set, the fd, the operation and what is watched, of an epoll_ctl.
fn control<'a>(args: &[&'a str]) -> Option<(u32, u32, &'a str, Watched)> {
    let [set, op, fd, rest @ ..] = args else {
        return None;
    };
    let ((set, _), (fd, what)) = (fd_of(set)?, fd_of(fd)?);
    let event = rest.first().copied().unwrap_or_default();
    let asked = field(event, "events").unwrap_or_default();
    let watched = Watched {
        events: interest(asked),
        edge: asked.contains("EPOLLET"),
        data: field(event, "data").unwrap_or_default().to_owned(),
        what,
    };
    Some((set, fd, op, watched))
}

impl Thread {
    fn look(&mut self, call: &Call, t: u64, sets: &Sets<'_>) {
        if let Some(line) = self.open.take().and_then(|line| self.lines.get_mut(line)) {
            line.t = t;
        }
        let args = arguments(&call.args);
        let first = args.first().and_then(|first| fd_of(first));
        let name = call.name.as_str();
        match name {
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => self.epoll_wait(call, &args, t, sets),
            "poll" | "ppoll" => self.poll(call, &args, t),
            "select" | "pselect6" => self.select(call, &args, t),
            "epoll_ctl" if call.answer == Some(0) => self.control(&args, t, sets),
            "io_uring_enter" => self.ring(call, &args, t),
            "close" => {
                if let (Some((fd, _)), Some(0)) = (first, call.answer) {
                    self.closed(fd, t);
                }
            }
            _ => match first {
                Some((fd, what)) if moves(name) && !what.starts_with('/') => {
                    self.call(call, fd, &what, t);
                }
                _ if call.took > Some(LONG) && self.waits > 0 => {
                    let fd = self.names.without_fd(name);
                    let step = syscall(call, fd);
                    self.put(t, step);
                }
                _ => {}
            },
        }
    }

    fn put(&mut self, t: u64, step: Step) {
        self.lines.push(Line {
            t,
            step,
            ..Line::default()
        });
    }

    /// The same of an fd, of which is told what it is when it first appears.
    fn put_on(&mut self, t: u64, raw: u32, what: &str, step: impl FnOnce(u32) -> Step) {
        let (fd, new) = self.names.of(raw);
        self.put(t, step(fd));
        if let Some(line) = self.lines.last_mut().filter(|_| new) {
            (line.raw, line.what) = (Some(raw.into()), what.to_owned());
        }
    }

    fn call(&mut self, call: &Call, fd: u32, what: &str, t: u64) {
        self.put_on(t, fd, what, |fd| syscall(call, fd));
    }

    fn control(&mut self, args: &[&str], t: u64, sets: &Sets<'_>) {
        let Some((set, fd, op, watched)) = control(args) else {
            return;
        };
        let key = (Some(sets.first(set)), fd);
        if op == "EPOLL_CTL_DEL" {
            if self.watched.remove(&key).is_some() {
                self.put_on(t, fd, &watched.what, |fd| Step::Unregister { fd });
            }
            return;
        }
        self.edge |= watched.edge;
        self.watch(key, watched, t);
    }

    /// Requests are handed over, and answers waited for, in one call; which answers have come stands in
    /// memory, where strace does not look.
    fn ring(&mut self, call: &Call, args: &[&str], t: u64) {
        let [ring, requests, answers, flags, ..] = args else {
            return;
        };
        let (Some((ring, what)), Ok(requests), Ok(answers)) =
            (fd_of(ring), requests.parse::<u32>(), answers.parse::<u32>())
        else {
            return;
        };
        if requests > 0 {
            self.call(call, ring, &what, t);
            // What took the time is the wait.
            if let Some(Step::Syscall { took, .. }) =
                self.lines.last_mut().map(|line| &mut line.step)
            {
                *took = took.filter(|_| answers == 0);
            }
        }
        if flags
            .split('|')
            .any(|flag| flag == "IORING_ENTER_GETEVENTS")
        {
            let late = call.error.as_deref() == Some("ETIME");
            let timeout = match answers {
                0 => Some(0),
                _ => call.took.filter(|_| late),
            };
            let come = answers > 0 && call.answer >= Some(0);
            let ready = come.then(|| (ring, "R".to_owned()));
            self.waited(call, timeout, None, ready.into_iter().collect(), t);
        }
    }

    fn watch(&mut self, key: (Option<u32>, u32), watched: Watched, t: u64) {
        let (events, what) = (watched.events.clone(), watched.what.clone());
        let before = self.watched.insert(key, watched.clone());
        match before {
            Some(before) if before.events == watched.events => {}
            Some(_) => self.put_on(t, key.1, &what, |fd| Step::Modify { fd, events }),
            None => self.put_on(t, key.1, &what, |fd| Step::Register { fd, events }),
        }
    }

    fn closed(&mut self, fd: u32, t: u64) {
        let keys: Vec<_> = self
            .watched
            .keys()
            .filter(|(_, known)| *known == fd)
            .copied()
            .collect();
        for key in &keys {
            self.watched.remove(key);
        }
        if !keys.is_empty() {
            self.put_on(t, fd, "", |fd| Step::Unregister { fd });
        }
        // Whoever has this number next is somebody else.
        self.names.known.remove(&fd);
    }

    fn epoll_wait(&mut self, call: &Call, args: &[&str], t: u64, sets: &Sets<'_>) {
        let [set, events, room, timeout, ..] = args else {
            return;
        };
        let Some((set, _)) = fd_of(set) else { return };
        let set = sets.first(set);
        self.set = Some(set);
        let room = room.parse().ok();
        let timeout = match call.name.as_str() {
            "epoll_pwait2" => duration(timeout),
            _ => millis(timeout),
        };
        let mut ready = Vec::new();
        for event in list(events).into_iter().filter(|_| call.answer > Some(0)) {
            let data = field(event, "data").unwrap_or_default();
            let fd = match sets.find(set, data) {
                Some(fd) => fd,
                // Added before the log begins: many programs give the fd back.
                None => match unquoted(data).parse() {
                    Ok(fd) => fd,
                    Err(_) => continue,
                },
            };
            ready.push((fd, conditions(field(event, "events").unwrap_or_default())));
        }
        self.waited(call, timeout, room, ready, t);
    }

    fn poll(&mut self, call: &Call, args: &[&str], t: u64) {
        let [asked, _, timeout, ..] = args else {
            return;
        };
        let timeout = match call.name.as_str() {
            "ppoll" => duration(timeout),
            _ => millis(timeout),
        };
        let mut wanted = BTreeMap::new();
        for record in list(asked) {
            let Some((fd, what)) = field(record, "fd").and_then(fd_of) else {
                continue;
            };
            let events = interest(field(record, "events").unwrap_or_default());
            wanted.insert(fd, (events, what));
        }
        self.wants(wanted, t);
        let mut ready = Vec::new();
        for record in list(&call.said) {
            let Some((fd, _)) = field(record, "fd").and_then(fd_of) else {
                continue;
            };
            ready.push((fd, conditions(field(record, "revents").unwrap_or_default())));
        }
        self.waited(call, timeout, None, ready, t);
    }

    fn select(&mut self, call: &Call, args: &[&str], t: u64) {
        let [_, read, write, _, timeout, ..] = args else {
            return;
        };
        let mut wanted = BTreeMap::<u32, (String, String)>::new();
        for (set, letter) in [(read, 'R'), (write, 'W')] {
            for fd in set.trim_matches(['[', ']']).split_whitespace() {
                if let Some((fd, what)) = fd_of(fd) {
                    let entry = wanted.entry(fd).or_insert_with(|| (String::new(), what));
                    entry.0.push(letter);
                }
            }
        }
        self.wants(wanted, t);
        let mut ready = BTreeMap::<u32, String>::new();
        for (word, letter) in [("in [", 'R'), ("out [", 'W')] {
            let set = call.said.split_once(word).map_or("", |(_, rest)| rest);
            let set = set
                .split_once("])")
                .or(set.split_once("], "))
                .map_or(set, |(set, _)| set);
            for fd in set.split_whitespace() {
                if let Some((fd, _)) = fd_of(fd) {
                    ready.entry(fd).or_default().push(letter);
                }
            }
        }
        self.waited(
            call,
            duration(timeout),
            None,
            ready.into_iter().collect(),
            t,
        );
    }

    /// poll and select are told anew each time what is wanted: what differs from the last time is a
    /// change of interest.
    fn wants(&mut self, wanted: BTreeMap<u32, (String, String)>, t: u64) {
        let gone: Vec<u32> = self
            .watched
            .keys()
            .filter(|(set, fd)| set.is_none() && !wanted.contains_key(fd))
            .map(|(_, fd)| *fd)
            .collect();
        for fd in gone {
            self.watched.remove(&(None, fd));
            self.put_on(t, fd, "", |fd| Step::Unregister { fd });
        }
        for (fd, (events, what)) in wanted {
            let watched = Watched {
                events,
                edge: false,
                data: String::new(),
                what,
            };
            self.watch((None, fd), watched, t);
        }
    }

    fn waited(
        &mut self,
        call: &Call,
        timeout: Option<u64>,
        room: Option<u32>,
        ready: Vec<(u32, String)>,
        t: u64,
    ) {
        self.waits += 1;
        if self.backend.is_empty() {
            self.backend.clone_from(&call.name);
        }
        let keys = self.watched.len() as u32;
        let step = Step::SelectBegin {
            timeout,
            keys,
            room,
        };
        self.put(t, step);
        let ready = ready
            .into_iter()
            .map(|(fd, how)| (self.names.of(fd).0, how))
            .collect();
        self.open = call.took.is_none().then_some(self.lines.len());
        self.put(
            t.saturating_add(call.took.unwrap_or(0)),
            Step::SelectEnd { ready },
        );
    }

    fn trace(mut self) -> Trace {
        // What another thread did during a wait was told before the wait was over.
        self.lines.sort_by_key(|line| line.t);
        Trace {
            header: Header {
                trace: "reactor".into(),
                version: crate::format::VERSION,
                backend: self.backend,
                trigger: if self.edge { "edge" } else { "level" }.into(),
                overhead: Overhead::default(),
            },
            lines: self.lines,
        }
    }
}

impl Names {
    fn of(&mut self, raw: u32) -> (u32, bool) {
        let next = self.next;
        let fd = *self.known.entry(raw).or_insert(next);
        self.next += u32::from(fd == next);
        (fd, fd == next)
    }

    fn without_fd(&mut self, call: &str) -> u32 {
        let next = self.next;
        let fd = *self.without.entry(call.to_owned()).or_insert(next);
        self.next += u32::from(fd == next);
        fd
    }
}

/// Calls that move something through an fd, or would.
fn moves(name: &str) -> bool {
    [
        "accept", "accept4", "connect", "read", "readv", "recvfrom", "recvmsg", "recvmmsg",
        "write", "writev", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice",
    ]
    .contains(&name)
}

fn syscall(call: &Call, fd: u32) -> Step {
    let (result, n, errno) = match call.error.as_deref() {
        None => ("ok", call.answer.and_then(|n| u64::try_from(n).ok()), None),
        Some("EAGAIN" | "EINPROGRESS") => ("would_block", None, None),
        Some(error) => ("error", None, Some(number(error))),
    };
    Step::Syscall {
        fd,
        call: match call.name.as_str() {
            "accept4" => "accept",
            "recvfrom" => "recv",
            "sendto" => "send",
            name => name,
        }
        .into(),
        result: result.into(),
        n,
        errno,
        from: String::new(),
        took: call.took,
    }
}

/// Those that the lints know; of all others it is only told that there was one.
fn number(error: &str) -> i32 {
    match error {
        "EINTR" => 4,
        "EBADF" => 9,
        "EPIPE" => 32,
        "ECONNRESET" => 104,
        "ECONNREFUSED" => 111,
        _ => -1,
    }
}

fn millis(text: &str) -> Option<u64> {
    let millis: i64 = text.parse().ok()?;
    u64::try_from(millis)
        .ok()
        .map(|millis| millis.saturating_mul(1_000_000))
}

/// As the recorder writes interest: R, W.
fn interest(flags: &str) -> String {
    let has = |name: &str| {
        flags
            .split('|')
            .any(|flag| flag.trim_start_matches("EPOLL").trim_start_matches("POLL") == name)
    };
    let mut out = String::new();
    if has("IN") {
        out.push('R');
    }
    if has("OUT") {
        out.push('W');
    }
    out
}

/// As the recorder writes what is ready.
fn conditions(flags: &str) -> String {
    let letters = [
        ("IN", 'R'),
        ("OUT", 'W'),
        ("RDHUP", 'C'),
        ("HUP", 'H'),
        ("ERR", 'E'),
        ("PRI", 'P'),
        ("NVAL", 'I'),
    ];
    let names: Vec<&str> = flags
        .split('|')
        .map(|flag| flag.trim_start_matches("EPOLL").trim_start_matches("POLL"))
        .collect();
    let set = letters.iter().filter(|(name, _)| names.contains(name));
    set.map(|(_, letter)| letter).collect()
}
