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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections: u64,
    /// How many of them have something to say at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    active: u64,
    /// Messages a second, on all active ones together
    #[arg(long, value_name = "N", default_value_t = 5000.0)]
    rate: f64,
    /// Seconds that it may take
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// A backend and trigger of ours: the runtime, its selector in the ring, in words, how it is chosen.
type Choice = [&'static str; 4];

const CHOICES: [Choice; 4] = [
    [
        "ours",
        "ours-epoll-edge",
        "epoll, edge-triggered",
        "the default: Runtime::builder() needs nothing",
    ],
    [
        "ours-level",
        "ours-epoll",
        "epoll, level-triggered",
        ".backend(Backend::Epoll).trigger(Trigger::Level)",
    ],
    ["ours-poll", "ours-poll", "poll", ".backend(Backend::Poll)"],
    ["ours-select", "ours-select", "select", ".backend(Backend::Select)"],
];

/// What says most comes first; on a busy machine it may be missing.
const WORKLOADS: [[&str; 3]; 3] = [
    ["load", "server_ns_per_message", "of the server's CPU for a message"],
    ["scaling", "server_ns_per_echo", "of the server's CPU for an echo in lockstep"],
    ["ring", "ns_per_event", "for an event of the ring"],
];

/// Measures, prints what was measured, and then the advice.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let (open, active) = (options.connections, options.active.min(options.connections));
    let mut session = Session::begin(3.0)?;
    let time = Duration::from_secs(options.seconds);
    let begin = Instant::now();
    let [runtimes, selectors] = [0, 1].map(|which| CHOICES.map(|choice| choice[which]).join(","));
    let writes = (20 * active).clamp(200, 2000).max(active);
    // What is lockstep is what is busiest: each wait finds all the active ones ready.
    let (share, idle) = (100.0 * active as f64 / open as f64, open - active);
    let rate = options.rate;
    let lines = [
        format!(
            "load --connections {active} --idle {idle} --rates {rate} --placement same-cpu --ms 100 \
             --subjects {runtimes}"
        ),
        format!(
            "scaling --connections {open} --active-percent {share} --ms 60 --subjects {runtimes}"
        ),
        format!(
            "ring --registered {open} --active {active} --writes {writes} --ms 60 --subjects {selectors}"
        ),
    ];
    // Each has its share, however busy the machine is: what is quick first.
    for ((line, [_, metric, _]), until) in lines.iter().zip(WORKLOADS).rev().zip([0.2, 0.5, 1.0]) {
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

/// The median cost of each choice in a workload, and how it compares with the default; nothing if one
/// of them has too few blocks.
fn told<'a>(
    document: &'a Document,
    [workload, metric, _]: [&str; 3],
) -> Option<Vec<(f64, Option<&'a Comparison>)>> {
    let choice = |choice: &Choice| {
        let own = |subject: &String| choice[..2].contains(&subject.as_str());
        let slices = document.slices.iter().filter(|slice| slice.spec.workload == workload);
        let slices = slices.filter(|slice| own(&slice.spec.subject) && slice.valid());
        let costs: Vec<f64> = slices.filter_map(|slice| slice.cost(metric)).collect();
        let beside = document.comparisons.iter().find(|one| {
            one.point.starts_with(workload) && own(&one.subject) && one.blocks >= FEWEST_BLOCKS
        });
        let enough = choice == &CHOICES[0] || beside.is_some();
        (enough && !costs.is_empty()).then(|| (statistics::median(&costs), beside))
    };
    CHOICES.iter().map(choice).collect()
}

fn advice(document: &Document, options: &Options) -> String {
    let Options { connections, active, rate, .. } = options;
    let mut words = format!(
        "For {connections} connections of which {active} are active, at {rate} messages a second:\n"
    );
    let by = WORKLOADS.into_iter().find_map(|one| Some((one, told(document, one)?)));
    let Some(([workload, _, unit], told)) = by else {
        return words
            + "  too little could be measured for an advice: give it more --seconds, or less to do beside";
    };
    let decided = |place: usize| told[place].1.filter(|one| one.decides());
    // The default stays unless another is decidedly cheaper.
    let cheaper = (1..CHOICES.len()).filter(|&at| decided(at).is_some_and(|one| one.ratio < 1.0));
    let best = cheaper.min_by(|&a, &b| told[a].0.total_cmp(&told[b].0)).unwrap_or(0);
    let [_, _, name, how] = CHOICES[best];
    words += &format!("  use {name} ({how})\n");
    for (place, [_, _, name, _]) in CHOICES.iter().enumerate() {
        let beside = match decided(place) {
            _ if place == 0 => "what the others are compared with".to_owned(),
            Some(one) if one.ratio > 1.0 => {
                format!("{} times as much, decidedly", times(one.ratio))
            }
            Some(one) => format!("{} times less, decidedly", times(one.ratio)),
            None => "not decidedly different here".to_owned(),
        };
        words += &format!("  {name:24} {:8.2} us {unit}: {beside}\n", told[place].0 / 1e3);
    }
    if workload == "load" {
        let percent = told[best].0 * rate / 1e7;
        words += &format!("  at that rate the server uses {percent:.0} % of a CPU\n");
    }
    words + "  (The verdicts above say how sure that is; `compare` asks for one pair alone.)"
}
