//! The judge of exercise 6: lets bytes come at every moment at which they could, in turn.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::verdict::{demand, polling};
use crate::{Judged, Wrong};

/// A key that another thread's selector watches by edge.
///
/// Each call is one step; the bytes come, and are reported, right after the step that the judge has
/// chosen.
#[derive(Default)]
pub struct Key {
    waker: RefCell<Option<Waker>>,
    armed: Cell<bool>,
    /// Bytes came, and the kernel has not reported them yet.
    unreported: Cell<bool>,
    bytes: Cell<Option<u8>>,
    /// How many steps there will be until bytes come.
    until: Cell<Option<usize>>,
    steps: RefCell<Vec<String>>,
}

impl Key {
    /// recv(2) of one byte; `None` is WouldBlock.
    pub fn read(&self) -> Option<u8> {
        let byte = self.bytes.take();
        self.step(match byte {
            Some(_) => "read: a byte",
            None => "read: WouldBlock",
        });
        byte
    }

    /// Puts the waker into the slot, in place of the one that was there.
    pub fn store(&self, waker: Waker) {
        self.waker.replace(Some(waker));
        self.step("store the waker");
    }

    /// Asks the kernel to report this key, once. What is there already is reported, too.
    pub fn arm(&self) {
        self.armed.set(true);
        self.unreported
            .set(self.unreported.get() || self.bytes.get().is_some());
        self.step("arm");
    }

    fn step(&self, words: &str) {
        self.steps.borrow_mut().push(words.into());
        self.report();
        match self.until.get() {
            Some(0) => {
                self.until.set(None);
                self.come();
            }
            Some(left) => self.until.set(Some(left - 1)),
            None => {}
        }
    }

    /// Bytes come.
    fn come(&self) {
        self.steps.borrow_mut().push("  ... bytes come".into());
        self.bytes.set(Some(7));
        self.unreported.set(true);
        self.report();
    }

    /// An armed key is reported once, to whoever is stored.
    fn report(&self) {
        if !self.armed.get() || !self.unreported.take() {
            return;
        }
        self.armed.set(false);
        let waker = self.waker.take();
        self.steps.borrow_mut().push(match waker {
            Some(_) => "  ... the kernel reports the key: the stored waker is called".into(),
            None => "  ... the kernel reports the key: nobody is stored".to_owned(),
        });
        waker.into_iter().for_each(Waker::wake);
    }

    /// A report without bytes: somebody else took them, or the kernel was wrong.
    fn report_in_vain(&self) {
        self.steps
            .borrow_mut()
            .push("  ... the kernel reports the key, wrongly".into());
        self.armed.set(false);
        self.waker.take().into_iter().for_each(Waker::wake);
    }

    fn told(&self) -> String {
        let steps = self.steps.borrow();
        let numbered = steps.iter().map(|step| format!("    {step}"));
        numbered.collect::<Vec<_>>().join("\n")
    }
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls the future while bytes come after its first step, after its second, and so on.
///
/// # Errors
///
/// The order of steps in which the future is never woken.
pub fn judge<F: Future<Output = u8>>(new: fn(Rc<Key>) -> F) -> Judged {
    for step in 0..8 {
        bytes_after(new, step)?;
    }
    bytes_that_were_there(new)?;
    asleep_while_nothing_comes(new)?;
    woken_in_vain(new)?;
    polled_by_another_task(new)
}

fn bytes_after<F: Future<Output = u8>>(new: fn(Rc<Key>) -> F, step: usize) -> Judged {
    let key = Rc::new(Key::default());
    key.until.set(Some(step));
    let mut future = pin!(new(Rc::clone(&key)));
    let wakes = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    // The executor: polls when it was woken, and not otherwise.
    let mut seen = 0;
    for _ in 0..10 {
        if polling(|| future.as_mut().poll(&mut cx)).is_ready() {
            return Ok(());
        }
        if key.until.take().is_some() {
            // The future made fewer steps than that: then they come while it sleeps.
            key.come();
        }
        let now = wakes.0.load(Ordering::SeqCst);
        if now == seen {
            return Err(Wrong::new(format!(
                "bytes came, and the task sleeps for ever: nobody polls it any more. What \
                 happened:\n\n{}\n\nAn edge is reported once. Whose name should have been in the \
                 slot by then?",
                key.told()
            )));
        }
        seen = now;
    }
    Err(Wrong::new(format!(
        "ten polls, a byte is there, and the future is still pending:\n\n{}",
        key.told()
    )))
}

fn bytes_that_were_there<F: Future<Output = u8>>(new: fn(Rc<Key>) -> F) -> Judged {
    let key = Rc::new(Key::default());
    key.bytes.set(Some(7));
    let mut future = pin!(new(Rc::clone(&key)));
    let mut cx = Context::from_waker(Waker::noop());
    let polled = polling(|| future.as_mut().poll(&mut cx));
    demand(polled == Poll::Ready(7), || {
        format!(
            "the byte was there before the first poll, and the future went to sleep all the same:\
             \n\n{}\n\nTry first, and wait only after WouldBlock",
            key.told()
        )
    })
}

/// Whoever wakes itself is never asleep, and finds every byte: at the price of a processor.
fn asleep_while_nothing_comes<F: Future<Output = u8>>(new: fn(Rc<Key>) -> F) -> Judged {
    let key = Rc::new(Key::default());
    let mut future = pin!(new(Rc::clone(&key)));
    let wakes = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    for reported in [false, true] {
        if reported {
            key.report_in_vain();
        }
        let before = wakes.0.load(Ordering::SeqCst);
        let _pending = polling(|| future.as_mut().poll(&mut cx));
        demand(wakes.0.load(Ordering::SeqCst) == before, || {
            format!(
                "nothing has come, and the future has woken its own task:\n\n{}\n\nSo it is \
                 polled again at once, and again, until bytes come: a loop that never sleeps. \
                 Pending means that somebody else will call the waker",
                key.told()
            )
        })?;
    }
    Ok(())
}

fn woken_in_vain<F: Future<Output = u8>>(new: fn(Rc<Key>) -> F) -> Judged {
    let key = Rc::new(Key::default());
    let mut future = pin!(new(Rc::clone(&key)));
    let wakes = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let _pending = polling(|| future.as_mut().poll(&mut cx));
    key.report_in_vain();
    let again = polling(|| future.as_mut().poll(&mut cx));
    key.come();
    demand(
        again.is_pending() && wakes.0.load(Ordering::SeqCst) == 2,
        || {
            format!(
                "the kernel reported the key once when there was nothing to read, and then, when bytes \
             came, the task was not woken:\n\n{}\n\nA report is a hint. Who finds nothing waits \
             again, and that means: stores and arms again",
                key.told()
            )
        },
    )
}

fn polled_by_another_task<F: Future<Output = u8>>(new: fn(Rc<Key>) -> F) -> Judged {
    let key = Rc::new(Key::default());
    let mut future = pin!(new(Rc::clone(&key)));
    let [first, second] = [Arc::new(Count::default()), Arc::new(Count::default())];
    for task in [&first, &second] {
        let waker = Waker::from(Arc::clone(task));
        let mut cx = Context::from_waker(&waker);
        let _pending = polling(|| future.as_mut().poll(&mut cx));
    }
    key.come();
    demand(second.0.load(Ordering::SeqCst) == 1, || {
        format!(
            "the future was polled by one task, and then moved to another and polled there. Bytes \
             came, and the first task was woken in place of the second:\n\n{}\n\nThe waker of the \
             last poll is the one that counts",
            key.told()
        )
    })
}
