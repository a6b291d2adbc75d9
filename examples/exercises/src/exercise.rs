//! The table of exercises, and how one is judged: apart, so that a loop without end or a panic in
//! it becomes words, too.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::verdict::watch_polls;
use crate::{Judged, Wrong, e01, e02, e03, e04, e05, e06, e07, e08, e09, e10, solutions, starts};

/// A check takes a second at most; after this time it will not end any more.
const GUARD: Duration = Duration::from_secs(30);

/// Whose code is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The file that is to be changed.
    Start,
    /// The one in `solutions/`.
    Solution,
}

/// One exercise.
#[derive(Debug)]
pub struct Exercise {
    /// `e01` to `e10`.
    pub name: &'static str,
    /// The file to change, in the folder of the exercises.
    pub file: &'static str,
    /// What is to be done, in a line.
    pub task: &'static str,
    /// From the vague to the clear.
    pub hints: &'static [&'static str],
    judges: [fn() -> Judged; 2],
}

impl Exercise {
    /// The exercise of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Exercise> {
        EXERCISES.iter().find(|exercise| exercise.name == name)
    }

    /// Says whether the code does what it should.
    ///
    /// # Errors
    ///
    /// What is still wrong, in words.
    pub fn check(&self, version: Version) -> Judged {
        judged_within(GUARD, self.judges[version as usize])
    }
}

/// What the judge says, if it says it in time.
fn judged_within(guard: Duration, judge: fn() -> Judged) -> Judged {
    let (verdict, told) = channel();
    let (begun, polls) = channel();
    thread::spawn(move || {
        // Whoever waits below gets it at once.
        let _ = begun.send(watch_polls());
        let judged = panic::catch_unwind(AssertUnwindSafe(judge));
        // Nobody listens any more if it took too long.
        let _ = verdict.send(judged.unwrap_or_else(|panic| Err(Wrong::new(panicked(&*panic)))));
    });
    let polls = polls.recv();
    match told.recv_timeout(guard) {
        Ok(judged) => judged,
        Err(RecvTimeoutError::Timeout) => Err(Wrong::new(match polls {
            Ok(polls) if polls.load(Ordering::SeqCst) => format!(
                "a poll of your future has not come back after {} s. A poll never waits: it tries, \
                 leaves its waker where somebody will call it, and says Pending. While it blocks, nobody \
                 else on this thread runs, and nobody can wake it",
                guard.as_secs()
            ),
            _ => format!(
                "the check still runs after {} s: your code waits for something that never comes, or \
                 its loop never ends",
                guard.as_secs()
            ),
        })),
        Err(RecvTimeoutError::Disconnected) => Err(Wrong::new("the check ended without a word")),
    }
}

thread_local! {
    /// The line that the last panic of this thread came from.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic prints nothing; the judge says what it said, and from which line it came.
pub fn note_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| {
            // As the reader knows the file, and not as the module path goes round by `src`.
            let file = place.file().replace("src/../", "");
            format!(" ({file}, line {})", place.line())
        });
        PLACE.set(place);
    }));
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    let words = words.unwrap_or_else(|| "something that is not text".to_owned());
    let place = PLACE.take().unwrap_or_default();
    format!("your code panicked: {words}{place}")
}

/// One row of the table: the same judge for both versions; `code` in it is the module judged.
macro_rules! exercise {
    ($name:ident, $file:literal, $task:literal, $judge:expr, [$($hint:literal),+ $(,)?]) => {
        Exercise {
            name: stringify!($name),
            file: $file,
            task: $task,
            hints: &[$($hint),+],
            judges: [
                || { use starts::$name as code; $judge },
                || { use solutions::$name as code; $judge },
            ],
        }
    };
}

/// All of them, in the order of the chapters.
pub static EXERCISES: [Exercise; 10] = [
    exercise!(
        e01,
        "e01_accept_order.rs",
        "predict what two servers do, and in which order",
        e01::judge(&code::blocking(), &code::threads()),
        [
            "Where does the thread of s01 stand while A is connected and says nothing?",
            "connect() succeeds as soon as the kernel has queued the connection: nobody need have \
             accepted it. What B and C say waits in the kernel, too.",
            "s01 is busy with A until A leaves; then it takes the next connection from the queue, \
             and its question is there already.",
        ]
    ),
    exercise!(
        e02,
        "e02_waste.rs",
        "count the system calls that were in vain, for each byte",
        e02::judge(code::wasted_per_byte),
        [
            "Which answer of a system call means that nothing has happened?",
            "A byte is read once and written once; count it where it comes in.",
            "The end of a stream is news: a read that returns 0 was not in vain.",
        ]
    ),
    exercise!(
        e03,
        "e03_fd_set.rs",
        "write the set of fds that select(2) takes",
        e03::judge::<code::FdSet>(),
        [
            "fd 70 is bit 70 % 64 of word 70 / 64; `leading_zeros` of a word finds its highest bit.",
            "The set has to grow when a larger number is put in: C's fd_set does not, and writes \
             into whatever lies behind it.",
            "The kernel wants the highest number plus one, and looks at no number beyond it; after \
             a remove, that may be a smaller one.",
        ]
    ),
    exercise!(
        e04,
        "e04_kernel.rs",
        "be the kernel: let the server answer B a second before A",
        e04::judge(code::kernel),
        [
            "The server asks for READ on both. What it asks for after it has read, step 5 shows.",
            "Each client needs two reports: one to read its question, one to write the answer.",
            "`ready_after` counts from the step before it.",
        ]
    ),
    exercise!(
        e05,
        "e05_poll.rs",
        "write `select` of a selector on poll(2)",
        e05::judge::<code::PollSelector<'_>>(),
        [
            "Three things to translate: interest into POLLIN and POLLOUT, the timeout, and the \
             answers back into events.",
            "After the call, `record.revents()` has the answer: PollFlags::IN, OUT, HUP, ERR. HUP \
             and ERR come unasked: for whoever asked for READ or WRITE, a call will not block.",
            "`Timespec::try_from(duration)` translates the timeout, and `None` waits for ever. \
             `Events` is never empty: `match (read, write)`, and skip a key with neither.",
            "A timeout must not fire early; an interrupted call (Errno::INTR) is asked again, for \
             the time that is left.",
        ]
    ),
    exercise!(
        e06,
        "e06_readable.rs",
        "write the future that waits until a key is readable",
        e06::judge(code::Readable::new),
        [
            "Between any two of your lines, the kernel may report the key, once. Who is woken?",
            "Try the read first: who finds bytes need not wait at all.",
            "Store the waker (the one of this poll), then arm, then say Pending.",
        ]
    ),
    exercise!(
        e07,
        "e07_queued.rs",
        "a flag for each task: two wakes, one poll",
        e07::judge::<code::ReadyQueue>(),
        [
            "A wake needs to know whether the task is in the queue already.",
            "`swap` reads the flag and sets it in one step that no other thread can come between.",
            "When is the flag cleared: before the poll or after it? Think of a wake that comes \
             while the task is being polled.",
        ]
    ),
    exercise!(
        e08,
        "e08_join2.rs",
        "wait for two futures at the same time",
        e08::judge(code::join2),
        [
            "Both have to be polled in the first poll: who is not polled stores no waker.",
            "Remember what is done: a future that has said Ready must not be polled again.",
            "`poll_fn` makes a future of a closure, and `pin!` pins a local variable.",
        ]
    ),
    exercise!(
        e09,
        "e09_gap.rs",
        "close the gap between the check and the sleep",
        e09::judge(code::LOOP, code::WAKER),
        [
            "Say the two programs aloud, and let the waker run to its end between any two steps of \
             the loop.",
            "The loop must say that it sleeps before it looks for the last time.",
            "The waker must put the task into the queue before it looks whether the loop sleeps.",
        ]
    ),
    exercise!(
        e10,
        "e10_timeout.rs",
        "give up a read without losing what has come",
        e10::judge::<code::Messages>(),
        [
            "What does `read_exact` hold when it is dropped, and where does it go?",
            "Dropping a single `read` that waits loses nothing: it has moved no byte.",
            "Keep what has come in the struct, which outlives the future.",
        ]
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_that_blocks_is_told_and_so_is_a_loop_without_end() {
        use std::future::poll_fn;
        use std::task::Poll;

        let blocks: fn() -> Judged = || {
            e06::judge(|_key| {
                poll_fn(|_| -> Poll<u8> {
                    loop {
                        thread::park();
                    }
                })
            })
        };
        let wrong = judged_within(Duration::from_secs(3), blocks).expect_err("it blocks");
        assert!(wrong.to_string().contains("A poll never waits"), "{wrong}");
        let never_ends: fn() -> Judged = || loop {
            thread::park();
        };
        let wrong = judged_within(Duration::ZERO, never_ends).expect_err("it blocks");
        assert!(wrong.to_string().contains("its loop never ends"), "{wrong}");
    }

    #[test]
    fn a_panic_is_told_with_its_line() {
        note_panics();
        let bytes: Vec<u8> = Vec::new();
        let (line, caught) = (line!(), panic::catch_unwind(|| bytes[7]));
        let words = panicked(&*caught.expect_err("it is empty"));
        let _ = panic::take_hook();
        let place = format!("exercises/src/exercise.rs, line {line})");
        assert!(words.contains("index is 7"), "{words}");
        assert!(words.ends_with(&place), "{words}");
    }
}
