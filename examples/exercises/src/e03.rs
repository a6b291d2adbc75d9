//! The judge of exercise 3: what select(2) asks of an `fd_set`.

use std::collections::BTreeSet;

use crate::Judged;
use crate::verdict::demand;

/// A set of fds, one bit each.
pub trait Set: Default {
    /// Puts it in.
    fn insert(&mut self, fd: usize);
    /// Takes it out, if it is in.
    fn remove(&mut self, fd: usize);
    /// Is it in?
    fn contains(&self, fd: usize) -> bool;
    /// The highest number in the set, plus one; 0 if it is empty.
    fn nfds(&self) -> usize;
    /// As the kernel reads it: fd n is bit n % 64 of word n / 64.
    fn words(&self) -> &[u64];
}

/// Tries single numbers, and then many at random, beside a set that is known to be right.
///
/// # Errors
///
/// The first thing that is off.
pub fn judge<S: Set>() -> Judged {
    let set = S::default();
    demand(set.nfds() == 0, || {
        format!(
            "an empty set: the kernel should look at 0 numbers, not at {}",
            set.nfds()
        )
    })?;
    let mut set = S::default();
    set.insert(64);
    demand(!set.contains(0), || {
        "after insert(64), contains(0) is true: two fds share one bit, so somebody would be told \
         of another one's bytes"
            .into()
    })?;
    demand(set.contains(64), || {
        "after insert(64), contains(64) is false".into()
    })?;
    demand(set.nfds() == 65, || {
        format!(
            "after insert(64), nfds() is {}, and should be 65: the highest number plus one, or the \
             kernel does not look at it",
            set.nfds()
        )
    })?;
    demand(set.words().get(1) == Some(&1), || {
        format!(
            "after insert(64), bit 0 of word 1 should be set, but words are {:x?}",
            set.words()
        )
    })?;
    set.insert(3);
    demand(set.contains(64) && set.nfds() == 65, || {
        format!(
            "after insert(64) and insert(3), contains(64) is {} and nfds() is {}: a small number \
             must not make the set shorter, or those above it are forgotten",
            set.contains(64),
            set.nfds()
        )
    })?;
    set.remove(5);
    demand(!set.contains(5), || {
        "after remove(5), contains(5) is true, and 5 was never put in: a bit that is taken out \
         becomes 0, whatever it was"
            .into()
    })?;
    set.remove(5000);
    demand(!set.contains(5000), || {
        "contains(5000), though only 64 and 3 were put in".into()
    })?;
    set.remove(64);
    demand(set.nfds() == 4, || {
        format!(
            "after insert(64), insert(3) and remove(64), nfds() is {}, and should be 4: the \
             highest number that is left is 3",
            set.nfds()
        )
    })?;
    set.remove(3);
    demand(set.nfds() == 0, || {
        format!(
            "after the last one was removed the set is empty, and nfds() should be 0, not {}",
            set.nfds()
        )
    })?;
    beside_a_tree::<S>()
}

fn beside_a_tree<S: Set>() -> Judged {
    let (mut set, mut tree) = (S::default(), BTreeSet::new());
    // A generator of Marsaglia's: the same numbers in every run.
    let mut random = 0x9e37_79b9_u32;
    for step in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        // Beyond 1024, where C's fd_set writes into foreign memory.
        let fd = (random >> 8) as usize % 3000;
        let verb = if random & 1 == 0 {
            set.insert(fd);
            tree.insert(fd);
            "insert"
        } else {
            set.remove(fd);
            tree.remove(&fd);
            "remove"
        };
        let nfds = tree.last().map_or(0, |fd| fd + 1);
        let other = (random >> 3) as usize % 3000;
        demand(set.contains(other) == tree.contains(&other), || {
            format!(
                "step {step} of many, {verb}({fd}): contains({other}) is {}",
                set.contains(other)
            )
        })?;
        demand(set.nfds() == nfds, || {
            format!(
                "step {step} of many, {verb}({fd}): nfds() is {}, and should be {nfds}",
                set.nfds()
            )
        })?;
    }
    Ok(())
}
