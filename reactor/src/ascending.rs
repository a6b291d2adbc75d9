//! Values by number, in ascending order, from which anybody may leave: the waiters of a crowd, work
//! that waits for a thread, and who stays beyond the end of a table that has given memory back.
//!
//! A tree would do the same in ten times as much code for each type. It is not needed, because nobody
//! comes into the middle.

/// Room that is kept when nobody is left.
const KEPT: usize = 32;

/// Values by number, in ascending order.
///
/// Who leaves makes a gap. Gaps go when they are more than the values, so that each has paid for its
/// own going.
#[doc(hidden)]
#[derive(Debug)]
pub struct Ascending<T> {
    // No ring: that would be twice as much code for each type.
    places: Vec<(u64, Option<T>)>,
    /// Before it are gaps, and it is none.
    first: usize,
    /// How many places are no gaps.
    len: usize,
}

impl<T> Default for Ascending<T> {
    fn default() -> Self {
        Ascending {
            places: Vec::new(),
            first: 0,
            len: 0,
        }
    }
}

impl<T> Ascending<T> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One whose number is above all that ever were here.
    pub fn push(&mut self, number: u64, value: T) {
        debug_assert!(self.places.last().is_none_or(|(last, _)| *last < number));
        self.places.push((number, Some(value)));
        self.len += 1;
    }

    /// Those whose numbers are above all that are here.
    pub fn append(&mut self, mut higher: Self) {
        if self.is_empty() {
            *self = higher;
            return;
        }
        // A gap may have the number of one who was there, left, and comes again among the lower ones.
        higher.close_gaps();
        self.places.append(&mut higher.places);
        self.len += higher.len;
        debug_assert!(self.places.is_sorted_by_key(|place| place.0));
    }

    fn at(&self, number: u64) -> Option<usize> {
        self.places
            .binary_search_by_key(&number, |place| place.0)
            .ok()
    }

    #[must_use]
    pub fn get(&self, number: u64) -> Option<&T> {
        self.places[self.at(number)?].1.as_ref()
    }

    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let at = self.at(number)?;
        self.places[at].1.as_mut()
    }

    pub fn remove(&mut self, number: u64) -> Option<T> {
        self.take(self.at(number)?)
    }

    /// Takes the first one out.
    pub fn pop(&mut self) -> Option<T> {
        self.take(self.first)
    }

    #[inline(never)]
    fn take(&mut self, at: usize) -> Option<T> {
        let value = self.places.get_mut(at)?.1.take()?;
        self.len -= 1;
        while let Some((_, None)) = self.places.get(self.first) {
            self.first += 1;
        }
        if self.len == 0 || self.places.len() > 2 * self.len + KEPT {
            self.close_gaps();
        }
        Some(value)
    }

    #[inline(never)]
    fn close_gaps(&mut self) {
        self.places.retain(|place| place.1.is_some());
        self.first = 0;
        // A crowd that is gone gives its memory back.
        self.places.shrink_to(2 * self.len + KEPT);
    }

    pub fn take_all(&mut self, into: &mut Vec<T>) {
        while let Some(value) = self.pop() {
            into.push(value);
        }
    }

    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.places.iter().filter_map(|(_, value)| value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Wake, Waker};

    use super::Ascending;

    /// Writes its name down when it is woken.
    struct Named(u64, Arc<AtomicU64>);

    impl Wake for Named {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_is_appended_comes_after_who_is_here_and_gaps_stay_gaps() {
        let of = |numbers: std::ops::Range<u64>, gone: u64| {
            let mut some = Ascending::default();
            numbers.for_each(|number| some.push(number, number));
            assert_eq!(some.remove(gone), Some(gone));
            some
        };
        for (lower, gone) in [(0..1, 0), (0..2, 0), (0..3, 1), (0..2, 1)] {
            let mut all = of(lower, gone);
            let left: Vec<_> = all.iter().copied().chain([11, 12]).collect();
            all.append(of(10..13, 10));
            assert_eq!(all.len(), left.len());
            for number in left {
                assert_eq!(all.get(number), Some(&number));
                assert_eq!(all.pop(), Some(number));
            }
            assert!(all.pop().is_none() && all.is_empty());
        }
    }

    /// Numbers leave and come again, from below, as those beyond the end of a table do.
    #[test]
    fn who_left_and_comes_again_is_found() {
        let mut random = 7_u64;
        let mut pick = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        let mut all = Ascending::default();
        // Those below the end are somewhere else, those from there on in the list.
        let mut end = 100_u64;
        for _ in 0..2000 {
            let to = pick(101);
            let mut lower = Ascending::default();
            (to..end).for_each(|number| lower.push(number, number));
            lower.append(std::mem::take(&mut all));
            all = lower;
            (end..to).for_each(|number| assert_eq!(all.remove(number), Some(number)));
            end = to;
            assert_eq!(all.len() as u64, 100 - end);
            (end..100).for_each(|number| assert_eq!(all.get(number), Some(&number)));
        }
    }

    /// Random comings and goings beside a plain list that does the same.
    #[test]
    fn whoever_leaves_the_others_keep_their_order() {
        let said = Arc::new(AtomicU64::new(0));
        let mut random = 7_u64;
        let mut queue = Ascending::<Waker>::default();
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
                        assert!(queue.remove(gone).is_none() && queue.get(gone).is_none());
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
