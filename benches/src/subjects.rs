//! The subjects, one file each.

mod bare;
#[cfg(feature = "rivals")]
mod mio;
#[cfg(feature = "rivals")]
mod monoio;
mod ours;
#[cfg(feature = "rivals")]
mod smol;
#[cfg(feature = "rivals")]
mod tokio;

use crate::subject::Subject;

/// The loop that every ratio is taken against.
pub const BARE: &str = "bare";
/// The same loop, which never sleeps.
pub const BARE_SPIN: &str = "bare-spin";

/// All that can be measured, in the order of the tables' columns.
pub fn all() -> &'static [Subject] {
    &[
        bare::LEVEL,
        bare::EDGE,
        bare::SPIN,
        #[cfg(feature = "rivals")]
        mio::SUBJECT,
        #[cfg(feature = "rivals")]
        tokio::SUBJECT,
        #[cfg(feature = "rivals")]
        tokio::LOCAL_SET,
        #[cfg(feature = "rivals")]
        smol::SUBJECT,
        #[cfg(feature = "rivals")]
        monoio::SUBJECT,
        ours::EDGE,
        ours::LEVEL,
        ours::POLL,
        ours::SELECT,
        ours::SPIN,
    ]
}
