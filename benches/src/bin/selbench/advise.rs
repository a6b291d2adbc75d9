//! Which backend and trigger to use here, measured: the server's CPU time for each message at the rate
//! that is asked for, with so many connections of which so many are active; and the ring, which shows what
//! a wait costs without a network. Reasons are given, and what cannot be decided is called so.

use benches::method::schema::{Comparison, Document};
use benches::method::session::Session;
use benches::method::statistics;
use benches::report::words::times;
use clap::Args;

use crate::Ending;

#[derive(Args)]
pub(crate) struct Options {
    /// Connections that are open
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    connections: u64,
    /// How many of them have something to say at a time
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    active: u64,
    /// Messages a second, on all active ones together
    #[arg(long, default_value_t = 5000.0)]
    rate: f64,
    /// Seconds that it may take
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// Backends and triggers of ours: the runtime, its selector in the ring, how it is chosen, in words.
const CHOICES: [(&str, &str, &str, &str); 4] = [
    (
        "ours",
        "ours-epoll-edge",
        "epoll, edge-triggered",
        "the default: Runtime::builder() needs nothing",
    ),
    (
        "ours-level",
        "ours-epoll",
        "epoll, level-triggered",
        ".backend(Backend::Epoll).trigger(Trigger::Level)",
    ),
    ("ours-poll", "ours-poll", "poll", ".backend(Backend::Poll)"),
    (
        "ours-select",
        "ours-select",
        "select",
        ".backend(Backend::Select)",
    ),
];

/// Measures, prints what was measured, and then the advice.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let (open, active) = (options.connections, options.active.min(options.connections));
    let mut session = Session::begin(3.0)?;
    let third = std::time::Duration::from_secs(options.seconds) / 3;
    session.budget = Some(third);
    let begin = std::time::Instant::now();
    let names =
        |which: fn(&(&'static str, &'static str, &'static str, &'static str)) -> &'static str| {
            CHOICES.iter().map(which).collect::<Vec<_>>().join(",")
        };
    let writes = (20 * active).clamp(200, 2000).max(active);
    let ring = format!(
        "ring --registered {open} --active {active} --writes {writes} --ms 60 --blocks 8 --subjects {}",
        names(|choice| choice.1)
    );
    // What is lockstep here is what is busiest: each wait finds all the active ones ready.
    let share = 100.0 * active as f64 / open as f64;
    let busy = format!(
        "scaling --connections {open} --active-percent {share} --ms 60 --blocks 8 --subjects {}",
        names(|choice| choice.0)
    );
    let load = format!(
        "load --connections {active} --idle {} --rates {} --placement same-cpu --ms 250 --blocks 8 --subjects {}",
        open - active,
        options.rate,
        names(|choice| choice.0)
    );
    // Each has its third, however busy the machine is: what is quick first.
    for (number, line) in [ring, busy, load].into_iter().enumerate() {
        session.deadline = Some(begin + third * (number as u32 + 1));
        let (workload, mut asked) = crate::asked(&line)?;
        crate::measure(&mut session, workload, &mut asked);
    }
    let (document, ending) = crate::finish(session, &Default::default())?;
    println!("\n{}", advice(&document, options));
    Ok(ending)
}

/// The medians of a metric of each choice, over the valid slices of a workload.
fn medians(document: &Document, workload: &str, metric: &str) -> Vec<Option<f64>> {
    let of = |choice: &(&str, &str, &str, &str)| {
        let slices = document
            .slices
            .iter()
            .filter(|slice| slice.spec.workload == workload);
        let own =
            slices.filter(|slice| [choice.0, choice.1].contains(&slice.spec.subject.as_str()));
        let costs: Vec<f64> = own
            .filter(|slice| slice.valid())
            .filter_map(|one| one.cost(metric))
            .collect();
        (!costs.is_empty()).then(|| statistics::median(&costs))
    };
    CHOICES.iter().map(of).collect()
}

/// Whether a choice is decidedly cheaper than the default in a workload, or dearer.
fn decided<'a>(document: &'a Document, workload: &str, choice: usize) -> Option<&'a Comparison> {
    let names = [CHOICES[choice].0, CHOICES[choice].1];
    let of_it = |one: &&Comparison| {
        one.point.starts_with(workload) && names.contains(&one.subject.as_str()) && one.decides()
    };
    document.comparisons.iter().find(of_it)
}

fn advice(document: &Document, options: &Options) -> String {
    let Options {
        connections,
        active,
        rate,
        ..
    } = options;
    let load = medians(document, "load", "server_ns_per_message");
    let ring = medians(document, "ring", "ns_per_event");
    let busy = medians(document, "scaling", "server_ns_per_echo");
    let mut words = format!(
        "For {connections} connections of which {active} are active, at {rate} messages a second:\n"
    );
    // By what the server used at that rate, and where that is not told by the ring.
    let (costs, workload, unit) = if load.iter().all(Option::is_some) {
        (&load, "load", "of the server's CPU for a message")
    } else if busy.iter().all(Option::is_some) {
        (
            &busy,
            "scaling",
            "of the server's CPU for an echo in lockstep",
        )
    } else {
        (&ring, "ring", "for an event of the ring")
    };
    let best = |choices: &mut dyn Iterator<Item = usize>| {
        choices
            .filter(|&choice| costs[choice].is_some())
            .min_by(|&a, &b| {
                costs[a]
                    .unwrap_or(f64::MAX)
                    .total_cmp(&costs[b].unwrap_or(f64::MAX))
            })
    };
    let Some(cheapest) = best(&mut (0..CHOICES.len())) else {
        return words + "  nothing could be measured, so there is no advice; see the flags above";
    };
    // The default stays unless another is decidedly cheaper.
    let cheaper =
        |choice: &usize| decided(document, workload, *choice).is_some_and(|one| one.ratio < 1.0);
    let choice = best(&mut (1..CHOICES.len()).filter(cheaper)).unwrap_or(0);
    let (_, _, name, how) = CHOICES[choice];
    words += &format!("  use {name} ({how})\n");
    for (place, (_, _, name, _)) in CHOICES.iter().enumerate() {
        let Some(cost) = costs[place] else { continue };
        let beside = match decided(document, workload, place) {
            _ if place == 0 => "what the others are compared with".to_owned(),
            Some(one) if one.ratio > 1.0 => {
                format!("{} times as much, decidedly", times(one.ratio))
            }
            Some(one) => format!("{} times less, decidedly", times(one.ratio)),
            None => "not decidedly different here".to_owned(),
        };
        words += &format!("  {name:24} {:8.2} us {unit}: {beside}\n", cost / 1e3);
    }
    if cheapest != choice {
        words += "  the cheapest of the medians is another, but nothing decides that it is\n";
    }
    if let (Some(cost), "load") = (costs[choice], workload) {
        words += &format!(
            "  at that rate the server uses {:.0} % of a CPU\n",
            cost * rate / 1e7
        );
    }
    let times_of = |costs: &[Option<f64>], place: usize| Some(costs[place]? / costs[0]?);
    for (costs, what) in [
        (&busy, "with all active ones ready at once"),
        (&ring, "for a wait, a read and a write alone"),
    ] {
        if let (Some(poll), Some(select)) = (times_of(costs, 2), times_of(costs, 3)) {
            words += &format!("  {what} poll costs {poll:.2} and select {select:.2} of epoll\n");
        }
    }
    words + "  (The verdicts above say how sure that is; `compare` asks for one pair alone.)"
}
