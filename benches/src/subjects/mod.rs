//! What is measured: one file each, and a line in one of the lists below.
//!
//! Three kinds. A *selector* ([`dispatcher::Dispatcher`]) waits for fds and does nothing else. A *loop* serves
//! connections. A *runtime* ([`Runtime`]) is a loop with tasks, timers and wakers, so that every
//! workload of tasks can be run on it. What a loop serves is in [`serve`].

mod bare;
mod bare_selectors;
#[cfg(feature = "rivals")]
mod compio;
pub mod dispatcher;
pub mod faulty;
mod foreign;
#[cfg(feature = "rivals")]
mod mio;
#[cfg(feature = "rivals")]
mod monoio;
mod ours;
#[cfg(feature = "rivals")]
mod polling;
pub mod runtime;
pub mod serve;
mod shipped;
#[cfg(feature = "rivals")]
mod smol;
pub mod subject;
#[cfg(feature = "rivals")]
mod tokio;

pub use dispatcher::{Dispatcher, Kind};
pub use faulty::Wrong;
pub use runtime::{BUFFER, LOOPBACK, Runtime, in_a_task, sound, step_back};
use serve::listener;
pub use subject::{BARE, NULL, Subject};

/// All selectors, the yardstick first.
pub fn selectors() -> impl Iterator<Item = &'static Kind> {
    let lists: &[&[Kind]] = &[
        bare_selectors::KINDS,
        ours::KINDS,
        #[cfg(feature = "rivals")]
        mio::KINDS,
        #[cfg(feature = "rivals")]
        polling::KINDS,
    ];
    lists.iter().copied().flatten()
}

/// Loops without tasks.
const LOOPS: &[Subject] = &[
    bare::LEVEL,
    bare::EDGE,
    bare::SPIN,
    shipped::SUBJECT,
    #[cfg(feature = "rivals")]
    mio::SUBJECT,
    foreign::LIBEVENT,
    foreign::LIBUV,
    foreign::ASYNCIO,
    foreign::UVLOOP,
];

/// Calls `visitor` with the runtime of a name, and lists the runtimes.
macro_rules! runtimes {
    ($($(#[$meta:meta])* $runtime:ty,)*) => {
        const RUNTIMES: &[Subject] = &[$($(#[$meta])* <$runtime as Runtime>::SUBJECT,)*];

        /// Does something with the runtime of this name; nothing if there is none.
        pub fn with_runtime<V: Visitor>(name: &str, visitor: V) -> Option<V::Output> {
            $(
                $(#[$meta])*
                if name == <$runtime as Runtime>::SUBJECT.name {
                    return Some(visitor.visit::<$runtime>());
                }
            )*
            None
        }
    };
}

runtimes! {
    #[cfg(feature = "rivals")] tokio::Tokio,
    #[cfg(feature = "rivals")] smol::Smol,
    #[cfg(feature = "rivals")] monoio::Monoio,
    #[cfg(feature = "rivals")] compio::Compio<false>,
    #[cfg(feature = "rivals")] compio::Compio<true>,
    ours::Ours<0>,
    ours::Ours<1>,
    ours::Ours<2>,
    ours::Ours<3>,
    ours::Ours<4>,
    ours::Ours<5>,
    ours::Ours<6>,
}

pub trait Visitor {
    type Output;

    fn visit<R: Runtime>(self) -> Self::Output;
}

/// All loops and runtimes, in the order of tables.
pub fn all() -> impl Iterator<Item = &'static Subject> {
    LOOPS.iter().chain(RUNTIMES)
}

pub fn named(name: &str) -> Option<Subject> {
    all().find(|subject| subject.name == name).copied()
}

pub fn selector(name: &str) -> Option<Kind> {
    selectors().find(|kind| kind.name == name).copied()
}
