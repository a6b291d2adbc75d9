//! The judge of exercise 8: two promises, kept in every order.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::verdict::{demand, polling};
use crate::{Judged, Wrong};

/// A future that is ready when the judge wants it to be.
#[derive(Clone, Default)]
pub struct Promise(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    value: Option<u8>,
    waker: Option<Waker>,
    polls: usize,
    over: bool,
    /// Polled although it is over.
    again: bool,
}

impl Promise {
    fn keep(&self, value: u8) {
        let mut state = self.0.borrow_mut();
        state.value = Some(value);
        let waker = state.waker.take();
        // A waker may poll at once: nothing is borrowed when it is called.
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn polls(&self) -> usize {
        self.0.borrow().polls
    }
}

impl Future for Promise {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
        let mut state = self.0.borrow_mut();
        state.polls += 1;
        if state.over {
            state.again = true;
            return Poll::Pending;
        }
        match state.value.take() {
            Some(value) => {
                state.over = true;
                Poll::Ready(value)
            }
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
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

/// Keeps two promises before, between and after polls, in either order.
///
/// # Errors
///
/// The order in which the outcome is not as it should be.
pub fn judge<F: Future<Output = (u8, u8)>>(join2: fn(Promise, Promise) -> F) -> Judged {
    both_are_asked_at_once(join2)?;
    let words = ["the first promise", "the second promise"];
    for order in [[0, 1], [1, 0]] {
        // How many are kept before the first poll.
        for kept in 0..=2 {
            let promises = [Promise::default(), Promise::default()];
            let wakes = Arc::new(Count::default());
            let waker = Waker::from(Arc::clone(&wakes));
            let mut cx = Context::from_waker(&waker);
            let mut joined = pin!(join2(promises[0].clone(), promises[1].clone()));
            let mut polled = Poll::Pending;
            for (place, which) in order.into_iter().enumerate() {
                if place >= kept {
                    let before = wakes.0.load(Ordering::SeqCst);
                    polled = polling(|| joined.as_mut().poll(&mut cx));
                    none_is_polled_again(&promises)?;
                    demand(wakes.0.load(Ordering::SeqCst) == before, || {
                        "join2 was polled, and woke its own task at once, though no promise had been kept \
                         meanwhile: a loop that never sleeps. Both futures have its waker, and the one that \
                         becomes ready calls it"
                            .into()
                    })?;
                    demand(polled.is_pending(), || {
                        format!(
                            "{} is not kept yet, and join2 says {polled:?}",
                            words[which]
                        )
                    })?;
                }
                let before = wakes.0.load(Ordering::SeqCst);
                promises[which].keep(which as u8 + 1);
                let woken = wakes.0.load(Ordering::SeqCst) > before;
                demand(place < kept || woken, || {
                    format!(
                        "{} was kept while join2 waited, and nobody was woken: its waker was \
                         lost",
                        words[which]
                    )
                })?;
            }
            if polled.is_pending() {
                polled = polling(|| joined.as_mut().poll(&mut cx));
                none_is_polled_again(&promises)?;
            }
            demand(polled == Poll::Ready((1, 2)), || {
                format!(
                    "both promises are kept, {} first, and join2 says {polled:?} in place of \
                     Ready((1, 2))",
                    words[order[0]]
                )
            })?;
        }
    }
    Ok(())
}

fn none_is_polled_again(promises: &[Promise; 2]) -> Judged {
    let again = promises.iter().position(|promise| promise.0.borrow().again);
    let which = ["first", "second"];
    match again {
        None => Ok(()),
        Some(again) => Err(Wrong::new(format!(
            "the {} future was polled again after it had said Ready: an `async` one panics then, for its \
             output is gone. Keep what it said until the other one is ready, and leave it alone",
            which[again]
        ))),
    }
}

fn both_are_asked_at_once<F: Future<Output = (u8, u8)>>(
    join2: fn(Promise, Promise) -> F,
) -> Judged {
    let promises = [Promise::default(), Promise::default()];
    let mut joined = pin!(join2(promises[0].clone(), promises[1].clone()));
    let mut cx = Context::from_waker(Waker::noop());
    let polled = polling(|| joined.as_mut().poll(&mut cx));
    demand(polled.is_pending(), || {
        format!("no promise is kept, and join2 says {polled:?}")
    })?;
    match [promises[0].polls(), promises[1].polls()] {
        [first, second] if first > 0 && second > 0 => Ok(()),
        [first, second] => Err(Wrong::new(format!(
            "after the first poll of join2, the first future has been polled {first} times and the \
             second {second} times. A future does nothing until it is polled: whoever comes second \
             here has not even begun, and one wait follows the other. Two clients in s01 fared no \
             better"
        ))),
    }
}
