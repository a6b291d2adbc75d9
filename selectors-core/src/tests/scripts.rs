//! Random scripts, shrunk to the shortest that fails. `SELECTORS_SEQUENCES` asks for more of them, or fewer.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Plays `cases` scripts of such steps, each in a world of its own and with the steps of the `end`.
///
/// # Panics
///
/// With the script and the line that failed, if a step is played with an error.
pub(super) fn play<W, S: Debug>(
    cases: u32,
    step: impl Strategy<Value = S>,
    end: &[S],
    world: impl Fn() -> W,
    play: impl Fn(&mut W, &S) -> Result<(), String>,
) {
    let asked = std::env::var("SELECTORS_SEQUENCES").ok();
    let config = Config {
        cases: asked.and_then(|asked| asked.parse().ok()).unwrap_or(cases),
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(step, 1..24), |script| {
        let mut world = world();
        for (line, step) in script.iter().chain(end).enumerate() {
            play(&mut world, step).map_err(|difference| {
                TestCaseError::fail(format!("line {line}, {step:?}: {difference}"))
            })?;
        }
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}
