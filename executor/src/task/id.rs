//! The name of a task: 64 bits, small enough for the data pointer of a waker.
//!
//! ```text
//! 63          42 41        26 25 24 23              0
//! [ generation  ][ runtime   ][ 0  ][ slot          ]
//! ```
//!
//! The slot is lowest, because every wake asks for it; the generation is highest, because the carry
//! out of it says that the slot has no name left. The two bits that are zero are flags of the
//! [marks](crate::ready::marks), which keep each id with what is known of that task in one word.

use std::fmt;

/// Where the generation begins.
const GENERATION_SHIFT: u32 = 42;
/// Where the runtime begins.
const RUNTIME_SHIFT: u32 = 26;
/// The slot's bits.
const SLOT: u64 = (1 << 24) - 1;

/// Names a task. No other task of this process has the same, before or after. The order of ids says
/// nothing of their tasks; it is there for maps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    /// How many tasks a runtime can hold at once.
    pub(crate) const MAX_SLOTS: usize = SLOT as usize;

    /// Bits that no id has.
    pub(crate) const SPARE: [u64; 2] = [1 << 24, 1 << 25];

    /// Nobody's.
    pub(crate) const NOBODY: Self = Id(Self::SPARE[0]);

    /// How many generations a slot has.
    pub(crate) const GENERATIONS: u32 = 1 << (u64::BITS - GENERATION_SHIFT);

    #[inline]
    pub(crate) fn new(runtime: u16, slot: u32, generation: u32) -> Self {
        let slot = u64::from(slot) & SLOT;
        let generation = u64::from(generation) << GENERATION_SHIFT;
        Id(generation | (u64::from(runtime) << RUNTIME_SHIFT) | slot)
    }

    /// The number that the events of [`reactor::observe`] carry.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn runtime(self) -> u16 {
        (self.0 >> RUNTIME_SHIFT) as u16
    }

    #[inline]
    pub(crate) fn slot(self) -> u32 {
        (self.0 & SLOT) as u32
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> GENERATION_SHIFT) as u32
    }

    /// The number as a whole.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// The id with this number.
    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Id(bits)
    }

    /// The id of the next task in this slot; `None` if this was the last.
    #[inline]
    pub(crate) fn next_generation(self) -> Option<Self> {
        self.0.checked_add(1 << GENERATION_SHIFT).map(Id)
    }
}

impl fmt::Display for Id {
    /// Slot and generation, as in `3.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot(), self.generation())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}
