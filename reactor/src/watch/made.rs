//! Where in the program an await was made: `stream.read(..)`, and not its `.await`.
//!
//! The line that polls is known by `#[track_caller]` only where a poll is called by name. Through a pointer,
//! as in `Box<dyn Future>`, a vtable calls, which has no line; and inside of a combinator it is a line of the
//! combinator's. So a program that can be recorded keeps the line from the beginning: a word in each future,
//! and a store. Others pay nothing for it.

use std::panic::Location;

/// A line of the program, if the recorder is compiled in.
#[derive(Clone, Copy)]
pub(crate) struct MadeAt {
    #[cfg(feature = "trace")]
    line: &'static Location<'static>,
}

impl MadeAt {
    /// The line of the caller.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn here() -> Self {
        MadeAt {
            #[cfg(feature = "trace")]
            line: Location::caller(),
        }
    }

    /// That line, or else the one that polls now.
    #[track_caller]
    pub(crate) fn or_here(self) -> &'static Location<'static> {
        #[cfg(feature = "trace")]
        return self.line;
        #[cfg(not(feature = "trace"))]
        Location::caller()
    }
}
