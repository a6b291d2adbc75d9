//! Which backend and trigger to use here, measured: the server's CPU time for each message at the rate
//! that is asked for, with so many connections of which so many are active. Reasons are given, and what
//! cannot be decided is called so.

use std::time::{Duration, Instant};

use crate::Ending;
use benches::method::{Document, FEWEST_BLOCKS, Session, statistics};
use benches::report::times;
use benches::terminal::say;
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Connections that are open
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections: u64,
    /// How many of them have something to say at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    active: u64,
    /// Messages a second, on all active ones together
    #[arg(long, value_name = "N", default_value_t = 5000.0)]
    rate: f64,
    /// Seconds that it may take
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// A backend and trigger of ours: the runtime, in words, how it is chosen. The first is the default.
const CHOICES: [[&str; 3]; 4] = [
    ["ours", "epoll, edge-triggered", "the default: Runtime::builder() needs nothing"],
    ["ours-level", "epoll, level-triggered", ".backend(Backend::Epoll).trigger(Trigger::Level)"],
    ["ours-poll", "poll", ".backend(Backend::Poll)"],
    ["ours-select", "select", ".backend(Backend::Select)"],
];

/// The server's own work is what is compared, and no latency, which has the client's in it.
const COST: &str = "server_ns_per_message";

/// Measures, prints what was measured, and then the advice.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let &Options { connections, active, rate, .. } = options;
    let idle = connections.checked_sub(active).ok_or_else(|| {
        format!("--active {active} is more than there are: --connections {connections}")
    })?;
    let mut session = Session::begin(3.0)?;
    let time = Duration::from_secs(options.seconds);
    // A block that has begun is ended, and what the generator can do is asked first.
    (session.budget, session.deadline) = (Some(time.mul_f64(0.7)), Some(Instant::now() + time));
    let mut plan = crate::asked(&format!(
        "load --connections {active} --idle {idle} --rates {rate} --placement same-cpu --ms 200 --subjects {}",
        CHOICES.map(|choice| choice[0]).join(",")
    ))?;
    plan.points.iter_mut().for_each(|point| point.costs = vec![COST.to_owned()]);
    session.measure(&plan);
    let (document, ending) = crate::finish(session, &Default::default());
    say(format_args!("\n{}", advice(&document, options)));
    Ok(ending)
}

fn advice(document: &Document, options: &Options) -> String {
    let Options { connections, active, rate, .. } = options;
    let mut words = format!(
        "For {connections} connections of which {active} are active, at {rate} messages a second:\n"
    );
    let costs = CHOICES.map(|[subject, ..]| {
        let own = document.slices.iter().filter(|one| one.spec.subject == subject && one.valid());
        statistics::median(own.filter_map(|slice| slice.cost(COST))).unwrap_or_default()
    });
    let beside = |place: &usize| {
        let mut all = document.comparisons.iter().filter(|one| one.blocks >= FEWEST_BLOCKS);
        all.find(|one| one.subject == CHOICES[*place][0])
    };
    let others = 1..CHOICES.len();
    if !others.clone().all(|place| beside(&place).is_some()) {
        return words
            + "  too little could be measured for an advice: give it more --seconds, or less to do beside";
    }
    let decided = |place: &usize| beside(place).filter(|one| one.decides());
    // The default stays unless another is decidedly cheaper.
    let cheaper = others.filter(|place| decided(place).is_some_and(|one| one.ratio < 1.0));
    let best = cheaper.min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0);
    let [_, name, how] = CHOICES[best];
    words += &format!("  use {name} ({how})\n");
    for (place, [_, name, _]) in CHOICES.iter().enumerate() {
        let beside = match decided(&place) {
            _ if place == 0 => "what the others are compared with".to_owned(),
            Some(one) if one.ratio > 1.0 => {
                format!("{} times as much, decidedly", times(one.ratio))
            }
            Some(one) => format!("{} times less, decidedly", times(one.ratio)),
            None => "not decidedly different here".to_owned(),
        };
        let cost = costs[place] / 1e3;
        words +=
            &format!("  {name:24} {cost:8.2} us of the server's CPU for a message: {beside}\n");
    }
    let percent = costs[best] * rate / 1e7;
    words += &format!("  at that rate the server uses {percent:.0} % of a CPU\n");
    words + "  (The verdicts above say how sure that is; `compare` asks for one pair alone.)"
}

#[cfg(test)]
mod tests {
    use super::*;
    use benches::method::{Slice, compared};

    #[test]
    fn the_default_stays_unless_another_is_decidedly_cheaper() {
        let options = Options { connections: 9, active: 2, rate: 500.0, seconds: 1 };
        let said = |poll: f64| {
            let slice = |number: usize| {
                let (block, place) = (number / CHOICES.len(), number % CHOICES.len());
                let mut slice = Slice::default();
                (slice.spec.block, slice.spec.subject) = (block, CHOICES[place][0].to_owned());
                slice.spec.costs = vec![COST.to_owned()];
                slice.metric(COST, [1000.0, 1000.0, poll, 3000.0][place]);
                slice
            };
            let slices: Vec<Slice> = (0..5 * CHOICES.len()).map(slice).collect();
            let comparisons = compared::compare(&slices, 0.03).1;
            advice(&Document { slices, comparisons, ..Document::default() }, &options)
        };
        let cheap = said(500.0);
        assert!(cheap.contains("use poll (") && cheap.contains("2.0 times less"), "{cheap}");
        assert!(cheap.contains("0.50 us") && cheap.contains("3.0 times as much"), "{cheap}");
        assert!(said(1010.0).contains("use epoll, edge-triggered"), "{}", said(1010.0));
    }
}
