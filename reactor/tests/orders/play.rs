//! One order of things around an operation of the reactor: polls, turns, bytes, and waiters that
//! come and go.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use reactor::observe::{Event, Observer};
use reactor::{Async, Reactor};

use crate::by_hand::Count;
use crate::orders::Choices;
use crate::orders::kernel::Kernel;

/// What may happen in a run, apart from polls of those who were woken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// How many bytes the first task reads, one after another. The key is registered by the first
    /// wait alone, so that the second one finds it armed.
    pub(crate) reads: usize,
    /// How many bytes come.
    pub(crate) bytes: usize,
    /// A second task waits in the same direction; it reads one byte.
    pub(crate) second: bool,
    /// The second task may be cancelled at any moment.
    pub(crate) leaves: bool,
    /// Turns that are taken although somebody can run.
    pub(crate) turns: usize,
}

/// One order of things.
pub(crate) struct Play {
    scene: Scene,
    kernel: Kernel,
    choices: RefCell<Choices>,
    /// Bytes that are still to come.
    to_come: Cell<usize>,
    /// What happened, for the message of a test that fails.
    told: RefCell<Vec<String>>,
}

/// What the thread may do next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Come,
    Turn,
    Arrive,
    Leave,
    Poll(usize),
}

/// A task: an operation, and whether it was woken since its last poll.
struct Task<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    count: Arc<Count>,
    waker: Waker,
    /// How many of its wakes have led to a poll.
    polled_for: Option<usize>,
    done: bool,
}

impl Task<'_> {
    fn can_run(&self) -> bool {
        !self.done && self.polled_for.is_none_or(|seen| seen < self.count.get())
    }

    fn poll(&mut self) {
        self.polled_for = Some(self.count.get());
        let mut cx = Context::from_waker(&self.waker);
        self.done = self.future.as_mut().poll(&mut cx).is_ready();
    }
}

impl Play {
    pub(crate) fn new(scene: Scene, kernel: Kernel, choices: Choices) -> Self {
        Play {
            scene,
            kernel,
            choices: RefCell::new(choices),
            to_come: Cell::new(scene.bytes),
            told: RefCell::default(),
        }
    }

    /// The choices of this run, for the next one.
    pub(crate) fn choices(&self) -> Choices {
        self.choices.take()
    }

    fn tell(&self, what: impl Into<String>) {
        self.told.borrow_mut().push(what.into());
    }

    /// A moment at which bytes may come, as they do from outside.
    fn moment(&self) {
        while self.to_come.get() > 0 && self.choices.borrow_mut().pick(2) == 1 {
            self.come();
        }
    }

    fn come(&self) {
        self.to_come.set(self.to_come.get() - 1);
        self.tell("a byte comes");
        self.kernel.come().expect("there is room for a byte");
    }

    /// A task that reads `bytes`, one at a time.
    fn task<'a>(&'a self, source: &'a Async<Rc<UnixStream>>, bytes: usize) -> Task<'a> {
        let (count, waker) = Count::new();
        let future = Box::pin(async move {
            for _ in 0..bytes {
                let read = source.read_with(|_| {
                    self.moment();
                    let read = self.kernel.read();
                    self.tell(if read.is_ok() {
                        "the call: a byte"
                    } else {
                        "the call: WouldBlock"
                    });
                    self.moment();
                    read
                });
                read.await.expect("a socket that is open");
            }
        });
        Task {
            future,
            count,
            waker,
            polled_for: None,
            done: false,
        }
    }

    /// Does all that can be done, in the order of the choices; at the end nobody may sleep while
    /// there is a byte.
    pub(crate) fn to_the_end(&self, reactor: &Reactor) -> io::Result<()> {
        let _entered = reactor.enter();
        let source = Async::new(Rc::clone(&self.kernel.far));
        let mut tasks = vec![self.task(&source, self.scene.reads)];
        let mut arrives = self.scene.second;
        let mut leaves = self.scene.leaves;
        let mut turns = self.scene.turns;
        loop {
            let mut steps: Vec<Step> = Vec::new();
            let can_run = |number: &usize| tasks[*number].can_run();
            steps.extend((0..tasks.len()).filter(can_run).map(Step::Poll));
            steps.extend((self.to_come.get() > 0).then_some(Step::Come));
            steps.extend(arrives.then_some(Step::Arrive));
            steps.extend((leaves && tasks.len() > 1).then_some(Step::Leave));
            steps.extend((turns > 0).then_some(Step::Turn));
            if steps.is_empty() {
                // Nobody can run and nothing else happens: the loop would sleep.
                self.tell("a turn");
                if self.kernel.turn(reactor)? {
                    continue;
                }
                break;
            }
            let picked = self.choices.borrow_mut().pick(steps.len());
            match steps[picked] {
                Step::Come => self.come(),
                Step::Turn => {
                    turns -= 1;
                    self.tell("a turn");
                    self.kernel.turn(reactor)?;
                }
                Step::Arrive => {
                    arrives = false;
                    tasks.push(self.task(&source, 1));
                }
                Step::Leave => {
                    leaves = false;
                    self.tell("the second task is cancelled");
                    tasks.truncate(1);
                }
                Step::Poll(number) => {
                    self.tell(format!("poll of task {number}"));
                    tasks[number].poll();
                }
            }
        }
        let asleep = tasks.iter().position(|task| !task.done);
        if let Some(number) = asleep {
            let told = self.told.borrow().join("\n  ");
            let unread = self.kernel.read().is_ok();
            assert!(
                !unread,
                "task {number} sleeps, and there is a byte:\n  {told}"
            );
        }
        Ok(())
    }
}

impl Observer for Play {
    fn event(&self, event: Event<'_>, _at: &'static Location<'static>) {
        let what = match event {
            Event::WakerStored { .. } => "the waker is stored",
            Event::Register { .. } | Event::Modify { .. } => "the key is armed",
            Event::SelectBegin { .. } => "select begins",
            Event::SelectEnd { .. } => "select ends",
            _ => return,
        };
        self.tell(what);
        self.moment();
    }
}
