//! Random scripts, shrunk to the shortest that fails. `SELECTORS_SEQUENCES` asks for more of them, or
//! fewer; `SELECTORS_SEED`, which a failure names, for the same ones again.

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Plays `cases` scripts of such steps, each in a world of its own and with the steps of the `end`.
///
/// # Panics
///
/// With the seed, the script and the line that failed, if a step is played with an error.
pub(super) fn play<W, S: Debug>(
    cases: u32,
    step: impl Strategy<Value = S>,
    end: &[S],
    world: impl Fn() -> W,
    play: impl Fn(&mut W, &S) -> Result<(), String>,
) {
    let asked = |name| std::env::var(name).ok();
    let seed = asked("SELECTORS_SEED").and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("SELECTORS_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let cases_asked = asked("SELECTORS_SEQUENCES").and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases_asked.unwrap_or(cases),
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng).run(&vec(step, 1..24), |script| {
        let mut world = world();
        for (line, step) in script.iter().chain(end).enumerate() {
            play(&mut world, step).map_err(|difference| {
                TestCaseError::fail(format!("line {line}, {step:?}: {difference}"))
            })?;
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("SELECTORS_SEED={seed}: {failed}");
    }
}
