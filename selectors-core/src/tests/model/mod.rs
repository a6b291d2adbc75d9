//! A model and an oracle: random scripts of calls run on every backend at once and on a model of
//! what a selector should say. Where one differs, the script is shrunk and printed.
//!
//! What a level or oneshot key says is known exactly. Of an edge key, on the backends that have it:
//! - it must tell in the next wait what has come since the last one, and after it was registered or
//!   modified all that holds, unless it is over by then;
//! - it may tell what held at any moment since the last wait, again too;
//! - it says nothing if nothing was done with its file or its key since the last wait.
//!
//! `SELECTORS_SEQUENCES=200000 cargo test -p selectors-core model` runs more scripts than the
//! 20 000 of every run.

mod source;
mod world;

use proptest::prelude::*;

use super::scripts;
use crate::{Events, Mode};
use world::World;

/// How many sources a script plays with.
const SOURCES: usize = 4;

/// One line of a script. A number names a source.
#[derive(Clone, Debug)]
enum Step {
    Register(usize, Events, Mode),
    Modify(usize, Events),
    Park(usize),
    Unregister(usize),
    /// The other end writes a byte.
    PeerWrites(usize),
    /// The other end takes everything.
    PeerDrains(usize),
    PeerShutsDown(usize),
    PeerCloses(usize),
    /// Our end takes everything.
    Drain(usize),
    /// Our end writes until it would block.
    Fill(usize),
    /// Our end is unregistered and closed, and a new source takes its place, most likely with the
    /// same number.
    Replace(usize),
    /// Every selector is closed and made anew.
    Close,
    Select,
}

fn step() -> impl Strategy<Value = Step> {
    let source = || 0..SOURCES;
    let events = || (1u8..=3).prop_map(|bits| Events::from_bits(bits).unwrap());
    let mode = prop_oneof![
        3 => Just(Mode::Level),
        1 => Just(Mode::Oneshot),
        3 => Just(Mode::Edge),
        1 => Just(Mode::EdgeOneshot),
    ];
    prop_oneof![
        6 => (source(), events(), mode).prop_map(|(s, e, m)| Step::Register(s, e, m)),
        3 => (source(), events()).prop_map(|(s, e)| Step::Modify(s, e)),
        2 => source().prop_map(Step::Park),
        2 => source().prop_map(Step::Unregister),
        4 => source().prop_map(Step::PeerWrites),
        1 => source().prop_map(Step::PeerDrains),
        1 => source().prop_map(Step::PeerShutsDown),
        1 => source().prop_map(Step::PeerCloses),
        2 => source().prop_map(Step::Drain),
        1 => source().prop_map(Step::Fill),
        1 => source().prop_map(Step::Replace),
        1 => Just(Step::Close),
        10 => Just(Step::Select),
    ]
}

#[test]
fn model_and_all_backends_agree_on_random_scripts() {
    scripts::play(20_000, step(), &[], World::new, World::play);
}
