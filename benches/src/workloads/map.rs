//! One wait, over how many are registered and how many of them are active: who wins where.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use maud::{Markup, html};

use super::ring::watched;
use super::{TRANSPORT, Workload, selector, some};
use crate::method::{Cell, FEWEST_BLOCKS, Outcome, Pair, Ratio, Slice, Spec, statistics};
use crate::report::{Shown, groups, time, times};
use crate::subjects::Dispatcher;

pub const WORKLOAD: Workload = Workload {
    parameters: &[&[some("most", "4096", "The largest number of fds"), TRANSPORT]],
    costs: &[("ns_per_turn", 0.0)],
    least: 20.0,
    ..Workload::new(
        Shown {
            words: CAPTION,
            html,
            ..Shown::table("map", "Who wins where", &[("ns/turn", "ns_per_turn", 1.0)])
        },
        "Who wins where: one wait, over how many are registered and how many are active",
        measure,
    )
};

const CAPTION: &str = "One wait until all active fds are known, one thread. Each cell: the cheapest kernel \
    call, its time, and how much longer the next one takes, with the 95 % interval of that over the \
    blocks. Undecided where the interval holds one, or the blocks are too few to have one. The bare loops \
    are left out where ours were measured.";

/// How much is active; the first is one alone.
const SHARES: [f64; 7] = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0];

fn active(registered: usize, share: f64) -> usize {
    ((registered as f64 * share).round() as usize).max(1)
}

/// The sizes of the map up to `most`, and for each how many are active.
fn grid(most: usize) -> Vec<(usize, Vec<usize>)> {
    [1, 4, 16, 64, 256, 1024, 4096, 8192]
        .into_iter()
        .filter(|&registered| registered <= most)
        .map(|registered| {
            let mut actives: Vec<usize> =
                SHARES.into_iter().map(|share| active(registered, share)).collect();
            actives.dedup();
            (registered, actives)
        })
        .collect()
}

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let kind = selector(spec)?;
    let told = |error: io::Error| format!("map on {}: {error}", kind.name);
    let grid = grid(spec.count("most"));
    let cells: usize = grid.iter().map(|(_, actives)| actives.len()).sum();
    let each = spec.duration() / cells.max(1) as u32;
    let mut outcome = Outcome::default();
    for (registered, actives) in grid {
        let set_up = watched(kind, spec.choice("transport"), registered);
        let (pairs, mut dispatcher) = set_up.map_err(told)?;
        for active in actives {
            let ns_per_turn = cell(&pairs, &mut *dispatcher, active, each).map_err(told)?;
            outcome.cells.push(Cell { registered, active, ns_per_turn });
        }
    }
    let costs = outcome.cells.iter().map(|cell| cell.ns_per_turn.max(0.1).ln());
    let mean = costs.sum::<f64>() / outcome.cells.len().max(1) as f64;
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
    Ok(statistics::median(turns).unwrap_or_default())
}

fn call(subject: &str) -> &'static str {
    match subject {
        "polling" | "mio" => "epoll",
        name if name.contains("epoll") => "epoll",
        name if name.contains("poll") => "poll",
        name if name.contains("select") => "select",
        _ => "other",
    }
}

/// The turns of a cell: by kernel call, of its cheapest subject in each block.
type Turns = BTreeMap<&'static str, BTreeMap<usize, f64>>;

fn html(slices: &[&Slice]) -> Option<Markup> {
    let valid = groups::those(slices, Slice::valid);
    let ours = valid.iter().any(|slice| slice.spec.subject.starts_with("ours"));
    let mut cells = BTreeMap::<(usize, usize), Turns>::new();
    for slice in valid.iter().filter(|slice| !ours || slice.spec.subject.starts_with("ours")) {
        for cell in &slice.cells {
            let turns = cells.entry((cell.registered, cell.active)).or_default();
            let turns = turns.entry(call(&slice.spec.subject)).or_default();
            let turn = turns.entry(slice.spec.block).or_insert(f64::INFINITY);
            *turn = turn.min(cell.ns_per_turn);
        }
    }
    if cells.is_empty() {
        return None;
    }
    let mut sizes: Vec<usize> = cells.keys().map(|key| key.0).collect();
    sizes.dedup();
    // Small sizes have several shares of the same number: the first one stands for all.
    let stands = |row: usize, size: usize| {
        let active = active(size, SHARES[row]);
        let first = SHARES.iter().position(|&other| self::active(size, other) == active);
        cells.get(&(size, active)).filter(|_| first == Some(row))
    };
    Some(html! {
        div .wide { table {
            @for (row, share) in SHARES.into_iter().enumerate().rev() { tr {
                th { @if row == 0 { "one" } @else { ((100.0 * share) as u32) " %" } }
                @for &size in &sizes {
                    @if let Some(cell) = stands(row, size).and_then(shown) { (cell) } @else { td {} }
                }
            } }
            tr { th { "fds" } @for size in &sizes { th .cell { (size) } } }
        } }
    })
}

/// The cheapest call, and how much longer the next one takes; undecided without blocks enough, or where
/// the interval holds one.
fn shown(turns: &Turns) -> Option<Markup> {
    let median = |own: &BTreeMap<usize, f64>| {
        statistics::median(own.values().copied()).unwrap_or(f64::INFINITY)
    };
    let mut calls: Vec<_> = turns.iter().map(|(call, own)| (median(own), *call, own)).collect();
    calls.sort_by(|a, b| a.0.total_cmp(&b.0));
    let &(cost, first, own) = calls.first()?;
    let next = calls.get(1).map(|(_, next, theirs)| {
        let both = theirs.iter().filter_map(|(block, turn)| Some((turn / own.get(block)?).ln()));
        let logs: Vec<f64> = both.collect();
        (next, statistics::ratio(&logs), logs.len())
    });
    let decided = next.is_none_or(|(_, ratio, blocks)| blocks >= FEWEST_BLOCKS && ratio.low > 1.0);
    let (class, name) = if decided { (first, first) } else { ("open", "undecided") };
    Some(html! {
        td class={ "cell " (class) } data-winner=(name) {
            (name) br; (time(cost))
            @if let Some((next, Ratio { value, low, high }, _)) = next {
                br; (format!("{next} \u{d7}{} [{low:.2}, {high:.2}]", times(value)))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_winner_needs_blocks_and_an_interval() {
        let turns = |costs: [(f64, f64); 4], blocks: usize| -> Turns {
            let of = |pick: fn(&(f64, f64)) -> f64| {
                costs.iter().take(blocks).map(pick).enumerate().collect::<BTreeMap<_, _>>()
            };
            Turns::from([("poll", of(|cost| cost.0)), ("epoll", of(|cost| cost.1))])
        };
        let clear = [(100.0, 300.0), (110.0, 310.0), (90.0, 280.0), (100.0, 305.0)];
        let told = |turns: &Turns| shown(turns).unwrap().into_string();
        assert!(told(&turns(clear, 4)).contains("data-winner=\"poll\""));
        assert!(told(&turns(clear, 3)).contains("undecided"), "too few blocks");
        let tie = [(100.0, 90.0), (100.0, 120.0), (110.0, 100.0), (90.0, 101.0)];
        assert!(told(&turns(tie, 4)).contains("undecided"));
    }
}
