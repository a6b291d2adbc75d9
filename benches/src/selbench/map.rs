//! One wait, over how many are registered and how many of them are active: who wins where.

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use super::dispatch::{Dispatcher, Kind};
use super::schema::{Cell, Spec};
use super::sockets::Pair;
use crate::stats;

/// The sizes of the map up to `most`, and for each how many are active.
pub fn grid(most: usize) -> Vec<(usize, Vec<usize>)> {
    [1, 4, 16, 64, 256, 1024, 4096, 8192]
        .into_iter()
        .filter(|&registered| registered <= most)
        .map(|registered| {
            let shares = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0];
            let active = |share: f64| ((registered as f64 * share).round() as usize).max(1);
            let mut actives: Vec<usize> = shares.into_iter().map(active).collect();
            actives.dedup();
            (registered, actives)
        })
        .collect()
}

/// What a slice of `map` tells: all cells of one subject.
///
/// # Errors
///
/// In words.
pub fn measure(kind: Kind, spec: &Spec) -> Result<super::work::Outcome, String> {
    let told = |error: io::Error| format!("map on {}: {error}", kind.name);
    let grid = grid(spec.count("most"));
    let cells: usize = grid.iter().map(|(_, actives)| actives.len()).sum();
    let each = Duration::from_millis(spec.milliseconds) / cells.max(1) as u32;
    let mut outcome = super::work::Outcome::default();
    for (registered, actives) in grid {
        let pairs = Pair::many(spec.choice("transport"), registered).map_err(told)?;
        let mut dispatcher = (kind.open)().map_err(told)?;
        for (index, pair) in pairs.iter().enumerate() {
            dispatcher.add(index, &pair.receiver).map_err(told)?;
        }
        for active in actives {
            let ns_per_turn = cell(&pairs, &mut *dispatcher, active, each).map_err(told)?;
            outcome.cells.push(Cell {
                registered,
                active,
                ns_per_turn,
            });
        }
    }
    let costs: Vec<f64> = outcome
        .cells
        .iter()
        .map(|cell| cell.ns_per_turn.ln())
        .collect();
    let mean = costs.iter().sum::<f64>() / costs.len().max(1) as f64;
    outcome.metric("ns_per_turn", mean.exp());
    Ok(outcome)
}

/// The median turn, in nanoseconds: from the call until the program knows who is ready.
fn cell(
    pairs: &[Pair],
    dispatcher: &mut dyn Dispatcher,
    active: usize,
    limit: Duration,
) -> io::Result<f64> {
    let mut turns = Vec::new();
    let mut ready = Vec::with_capacity(active);
    let begin = Instant::now();
    // The first turns fault pages and fill caches.
    for turn in 0.. {
        // A step without a common divisor with the sizes: the active ones wander over all.
        let place = |step: usize| (turn * 37 + step) % pairs.len();
        for step in 0..active {
            pairs[place(step)].send(&[1])?;
        }
        ready.clear();
        let called = Instant::now();
        while ready.len() < active {
            dispatcher.wait(&mut ready)?;
        }
        let elapsed = called.elapsed();
        black_box(&ready);
        if turn >= 2 {
            turns.push(elapsed.as_nanos() as f64);
        }
        for step in 0..active {
            let index = place(step);
            let mut byte = [0; 8];
            if pairs[index].receive(&mut byte)? != 1 {
                return Err(io::Error::other("a byte was lost or came twice"));
            }
            dispatcher.rearm(index, &pairs[index].receiver)?;
        }
        if turns.len() >= 5 && begin.elapsed() >= limit {
            break;
        }
    }
    Ok(stats::median(&turns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_spans_one_to_all_active() {
        for (registered, actives) in grid(8192) {
            assert_eq!(actives.first(), Some(&1));
            assert_eq!(actives.last(), Some(&registered));
        }
    }
}
