//! Server CPU per echo against the bare loop: paired within blocks, interleaved, bootstrapped.

use std::collections::BTreeMap;

use benches::stats;
use benches::subjects::BARE;
use benches::timed::{self, Slice};

use crate::arguments::Arguments;
use crate::sheet::{Figure, Sheet};

/// Measures the rows `echo-cpu-*`.
///
/// A block runs every subject in a fresh process, then every subject again in the reverse order,
/// so that a drift of the machine meets all alike. The bare loop stands in each block twice, and
/// the ratio of its two places is the noise that the run could not exclude.
pub(crate) fn measure(arguments: &Arguments, sheet: &mut Sheet) {
    let sizes: [(usize, &str); 4] = [
        (1, "echo-cpu-1"),
        (64, "echo-cpu-64"),
        (1000, "echo-cpu-1000"),
        (9000, "echo-cpu-9000"),
    ];
    for (connections, row) in sizes {
        let wanted = arguments.wants_row(row);
        if !wanted || (arguments.quick && connections > 64) {
            continue;
        }
        let slice = Slice {
            connections,
            active: connections,
            echoes: echoes(arguments, connections),
        };
        let blocks = if arguments.quick { 4 } else { 12 };
        match self::blocks(arguments, slice, blocks) {
            Ok(ratios) => enter(sheet, row, &ratios),
            Err(problem) => eprintln!("gates: {row}: {problem}"),
        }
    }
}

fn echoes(arguments: &Arguments, connections: usize) -> usize {
    let echoes = if arguments.quick { 20_000 } else { 60_000 };
    echoes.max(4 * connections)
}

/// The subject's name for the bare loop's second place in a block.
const AGAIN: &str = "bare again";

/// What the blocks told of one subject.
#[derive(Default)]
struct Told {
    /// The logarithm of its ratio to the bare loop, one a block.
    log_ratios: Vec<f64>,
    /// Nanoseconds of each slice.
    nanoseconds: Vec<f64>,
}

fn blocks(
    arguments: &Arguments,
    slice: Slice,
    blocks: usize,
) -> Result<BTreeMap<&'static str, Told>, String> {
    let mut places = vec![BARE];
    places.extend(
        arguments
            .subjects
            .iter()
            .map(|subject| subject.name)
            .filter(|&n| n != BARE),
    );
    places.push(AGAIN);
    let mut told: BTreeMap<&'static str, Told> = BTreeMap::new();
    for block in 0..blocks {
        eprintln!(
            "gates: CPU of {} connections, block {} of {blocks}",
            slice.connections,
            block + 1
        );
        // Another subject goes first in each block, but for the bare loop's two places.
        let inner = places.len() - 2;
        if inner > 0 {
            places[1..=inner].rotate_left(1);
        }
        let mut logs: BTreeMap<&'static str, f64> = BTreeMap::new();
        for &name in places.iter().chain(places.iter().rev()) {
            let subject = if name == AGAIN { BARE } else { name };
            let nanoseconds = timed::cpu_per_echo(subject, slice)?;
            told.entry(name).or_default().nanoseconds.push(nanoseconds);
            *logs.entry(name).or_default() += nanoseconds.ln() / 2.0;
        }
        let bare = f64::midpoint(logs[BARE], logs[AGAIN]);
        for (name, log) in logs {
            // The second place is compared with the first, everyone else with the mean of both.
            let against = if name == AGAIN {
                2.0 * bare - log
            } else {
                bare
            };
            let log_ratio = log - against;
            told.entry(name).or_default().log_ratios.push(log_ratio);
        }
    }
    Ok(told)
}

fn enter(sheet: &mut Sheet, row: &'static str, told: &BTreeMap<&'static str, Told>) {
    for (&name, told) in told {
        let ratio = stats::ratio(&told.log_ratios);
        let nanoseconds = stats::median(&told.nanoseconds);
        let interval = format!("[{:.3}, {:.3}], {nanoseconds:.0} ns", ratio.low, ratio.high);
        if name == BARE {
            sheet.enter(
                row,
                name,
                Figure {
                    value: 1.0,
                    note: format!("{nanoseconds:.0} ns"),
                },
            );
        } else {
            sheet.enter(
                row,
                name,
                Figure {
                    value: ratio.value,
                    note: interval,
                },
            );
        }
    }
}
