//! A queue that anybody may leave from the middle: the waiters of a crowd, in the order in which
//! they came.

use std::collections::VecDeque;
use std::task::Waker;

use crate::watch::direction::Direction;

/// Names one waiting operation of one slot, so that a cancelled one removes itself and nobody
/// else. Zero: not waiting yet. No name is given twice: a billion waits in a second use 64 bits up in
/// 292 years.
pub(crate) type WaiterId = u64;

impl Direction {
    /// The waiter of the poll-style operations in this direction, the same for as long as the
    /// slot lives. It is even, all others are odd; see
    /// [`Shared::next_waiter`](crate::heart::shared::Shared).
    pub(crate) const fn standing_waiter(self) -> WaiterId {
        2 + 2 * self as WaiterId
    }
}

/// Room that an empty queue keeps.
const KEPT: usize = 32;

/// Waiters in the order of their names, which ascend as they come.
///
/// Who leaves from the middle leaves a gap. Gaps at the front go at once; the others when they are
/// more than the waiters, so that each has paid for its own going.
#[derive(Default)]
pub(crate) struct WaiterQueue {
    places: VecDeque<(WaiterId, Option<Waker>)>,
    /// How many places are no gaps.
    len: usize,
}

impl WaiterQueue {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A newcomer, whose name is above all that ever were here.
    pub(crate) fn push(&mut self, id: WaiterId, waker: Waker) {
        debug_assert!(self.places.back().is_none_or(|(last, _)| *last < id));
        self.places.push_back((id, Some(waker)));
        self.len += 1;
    }

    pub(crate) fn find(&mut self, id: WaiterId) -> Option<&mut Waker> {
        let at = self.places.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.places[at].1.as_mut()
    }

    pub(crate) fn remove(&mut self, id: WaiterId) -> Option<Waker> {
        let at = self.places.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let waker = self.places[at].1.take()?;
        self.len -= 1;
        self.close_gaps();
        Some(waker)
    }

    /// The one that came first.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        let (_, waker) = self.places.pop_front()?;
        // The front is never a gap.
        self.len -= 1;
        self.close_gaps();
        waker
    }

    pub(crate) fn take_all(&mut self, into: &mut Vec<Waker>) {
        into.extend(self.places.drain(..).filter_map(|(_, waker)| waker));
        self.len = 0;
        self.close_gaps();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waker> {
        self.places.iter().filter_map(|(_, waker)| waker.as_ref())
    }

    fn close_gaps(&mut self) {
        while self
            .places
            .front()
            .is_some_and(|(_, waker)| waker.is_none())
        {
            self.places.pop_front();
        }
        if self.places.len() > 2 * self.len + KEPT {
            self.places.retain(|(_, waker)| waker.is_some());
        }
        if self.len == 0 && self.places.capacity() > KEPT {
            // A crowd that is gone gives its memory back.
            self.places = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Wake, Waker};

    use super::WaiterQueue;

    /// Writes its name down when it is woken.
    struct Named(u64, Arc<AtomicU64>);

    impl Wake for Named {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0, Ordering::Relaxed);
        }
    }

    /// Random comings and goings beside a plain list that does the same.
    #[test]
    fn whoever_leaves_the_others_keep_their_order() {
        let said = Arc::new(AtomicU64::new(0));
        let mut random = 7_u64;
        let mut queue = WaiterQueue::default();
        let mut list = Vec::new();
        for id in 1..20_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let pick = (random >> 33) as usize;
            match pick % 7 {
                // Mostly more, then mostly less, so that it grows and runs empty.
                0..=2 if id / 2_000 % 2 == 0 => {}
                4..=6 => {}
                3 => {
                    if let Some(waker) = queue.pop() {
                        waker.wake();
                        assert_eq!(said.load(Ordering::Relaxed), list.remove(0));
                    }
                    continue;
                }
                _ => {
                    if !list.is_empty() {
                        let gone = list.remove(pick % list.len());
                        queue.remove(gone).expect("it is here").wake();
                        assert_eq!(said.load(Ordering::Relaxed), gone);
                        assert!(queue.remove(gone).is_none() && queue.find(gone).is_none());
                    }
                    continue;
                }
            }
            queue.push(id, Waker::from(Arc::new(Named(id, Arc::clone(&said)))));
            list.push(id);
            assert_eq!(queue.len(), list.len());
            assert_eq!(queue.iter().count(), list.len());
            assert!(queue.places.len() <= 2 * queue.len() + super::KEPT);
        }
        let mut rest = Vec::new();
        queue.take_all(&mut rest);
        assert_eq!(rest.len(), list.len());
        assert!(queue.is_empty() && queue.places.capacity() <= super::KEPT);
    }
}
