//! Which backend and trigger to use here, measured: the server's CPU time for each message at the rate
//! that is asked for, with so many connections of which so many are active; and the ring, which shows what
//! a wait costs without a network. Reasons are given, and what cannot be decided is called so.

use std::time::{Duration, Instant};

use crate::Ending;
use benches::method::{Comparison, Document, FEWEST_BLOCKS, Session, statistics};
use benches::report::times;
use clap::Args;

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

/// A backend and trigger of ours: the runtime, its selector in the ring, in words, how it is chosen.
type Choice = (&'static str, &'static str, &'static str, &'static str);

const CHOICES: [Choice; 4] = [
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
    ("ours-select", "ours-select", "select", ".backend(Backend::Select)"),
];

const WORKLOADS: [(&str, &str, &str); 3] = [
    ("ring", "ns_per_event", "for an event of the ring"),
    ("scaling", "server_ns_per_echo", "of the server's CPU for an echo in lockstep"),
    ("load", "server_ns_per_message", "of the server's CPU for a message"),
];

/// Measures, prints what was measured, and then the advice.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let (open, active) = (options.connections, options.active.min(options.connections));
    let mut session = Session::begin(3.0)?;
    let time = Duration::from_secs(options.seconds);
    let begin = Instant::now();
    let names = |which: fn(&Choice) -> &'static str| CHOICES.map(|one| which(&one)).join(",");
    let (selectors, runtimes) = (names(|one| one.1), names(|one| one.0));
    let writes = (20 * active).clamp(200, 2000).max(active);
    // What is lockstep is what is busiest: each wait finds all the active ones ready.
    let (share, idle) = (100.0 * active as f64 / open as f64, open - active);
    let rate = options.rate;
    let lines = [
        format!(
            "ring --registered {open} --active {active} --writes {writes} --ms 60 --subjects {selectors}"
        ),
        format!(
            "scaling --connections {open} --active-percent {share} --ms 60 --subjects {runtimes}"
        ),
        format!(
            "load --connections {active} --idle {idle} --rates {rate} --placement same-cpu --ms 100 \
             --subjects {runtimes}"
        ),
    ];
    // Each has its share, however busy the machine is: what is quick first.
    for ((line, (_, metric, _)), until) in lines.iter().zip(WORKLOADS).zip([0.2, 0.5, 1.0]) {
        session.deadline = Some(begin + time.mul_f64(until));
        let mut plan = crate::asked(&format!("{line} --blocks 6"))?;
        // The server's own work is what is compared, and no latency, which has the client's in it.
        plan.points.iter_mut().for_each(|point| point.costs = vec![metric.to_owned()]);
        session.measure(&plan);
    }
    let (document, ending) = crate::finish(session, &Default::default())?;
    println!("\n{}", advice(&document, options));
    Ok(ending)
}

/// The medians of a metric of each choice, over the valid slices of a workload.
fn medians(document: &Document, workload: &str, metric: &str) -> [Option<f64>; 4] {
    CHOICES.map(|choice| {
        let slices = document.slices.iter().filter(|slice| slice.spec.workload == workload);
        let own =
            slices.filter(|slice| [choice.0, choice.1].contains(&slice.spec.subject.as_str()));
        let costs: Vec<f64> =
            own.filter(|slice| slice.valid()).filter_map(|one| one.cost(metric)).collect();
        (!costs.is_empty()).then(|| statistics::median(&costs))
    })
}

fn beside<'a>(document: &'a Document, workload: &str, choice: usize) -> Option<&'a Comparison> {
    let names = [CHOICES[choice].0, CHOICES[choice].1];
    document.comparisons.iter().find(|one| {
        let of_it = one.point.starts_with(workload) && names.contains(&one.subject.as_str());
        of_it && one.blocks >= FEWEST_BLOCKS
    })
}

fn advice(document: &Document, options: &Options) -> String {
    let Options { connections, active, rate, .. } = options;
    let mut words = format!(
        "For {connections} connections of which {active} are active, at {rate} messages a second:\n"
    );
    // By what the server used at that rate; where too few blocks have that by the next best.
    let told = |place: &usize| {
        (1..CHOICES.len()).all(|choice| beside(document, WORKLOADS[*place].0, choice).is_some())
    };
    let Some(by) = [2, 1, 0].into_iter().find(told) else {
        return words
            + "  too little could be measured for an advice: give it more --seconds, or less to do beside";
    };
    let (workload, metric, unit) = WORKLOADS[by];
    let costs = medians(document, workload, metric);
    let decided = |choice: usize| beside(document, workload, choice).filter(|one| one.decides());
    // The default stays unless another is decidedly cheaper.
    let cheaper = |choice: &usize| decided(*choice).is_some_and(|one| one.ratio < 1.0);
    let cost = |choice: &usize| costs[*choice].unwrap_or(f64::MAX);
    let by_cost = |a: &usize, b: &usize| cost(a).total_cmp(&cost(b));
    let choice = (1..CHOICES.len()).filter(cheaper).min_by(by_cost).unwrap_or(0);
    let (_, _, name, how) = CHOICES[choice];
    words += &format!("  use {name} ({how})\n");
    for (place, (_, _, name, _)) in CHOICES.iter().enumerate() {
        let beside = match decided(place) {
            _ if place == 0 => "what the others are compared with".to_owned(),
            Some(one) if one.ratio > 1.0 => {
                format!("{} times as much, decidedly", times(one.ratio))
            }
            Some(one) => format!("{} times less, decidedly", times(one.ratio)),
            None => "not decidedly different here".to_owned(),
        };
        words += &format!("  {name:24} {:8.2} us {unit}: {beside}\n", cost(&place) / 1e3);
    }
    if by == 2 {
        let percent = cost(&choice) * rate / 1e7;
        words += &format!("  at that rate the server uses {percent:.0} % of a CPU\n");
    }
    words + "  (The verdicts above say how sure that is; `compare` asks for one pair alone.)"
}
