//! Overload: a calm rate, then for a while more than the server can do, then the calm rate again.
//!
//! Two things are told. The *goodput* is how many replies a second come during the overload: a
//! good server keeps doing as much as it can. The *time to recover* is how long after the overload
//! messages still wait for the queue that it left behind. The queue alone takes as long as
//! arithmetic says (`drain_ms`): what was left over, divided by what the goodput has to spare
//! beside the calm rate. A server that needs longer than that has been hurt by the overload.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Ends, Trouble, WIRE, Workload, apart, load};
use crate::method::open::Answer;
use crate::method::{
    Meter, Open, Outcome, Phase, Plan, Reason, Session, Spec, histogram, statistics,
};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    parameters: &[
        WIRE,
        &[
            apart("percent", "150", "Percent of the fastest subject's capacity: too much for all"),
            apart("calm", "", "Messages a second before and after; with --peak, for --percent"),
            apart("peak", "", "Messages a second during the overload"),
        ],
    ],
    costs: &[("recover_ms", 100.0)],
    least: 1.0,
    offer: Some(offer),
    ..Workload::of_servers(
        Shown::table("overload", "Overload and recovery", COLUMNS),
        "More than anyone can do for --ms, before that as long and after it four times as long half of \
         the slowest capacity: goodput, and the time to recover",
        |spec| load::with_client(spec, Some(0), run),
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("goodput/s", "goodput", 1.0),
    ("calm99 us", "calm_p99_ns", 1e-3),
    ("recover ms", "recover_ms", 1.0),
    ("drain ms", "drain_ms", 1.0),
];

/// Percent of the slowest capacity that is offered before and after.
const CALM: f64 = 50.0;
/// The calm after is this many times as long as the overload, so that the queue can drain.
const AFTERMATH: u32 = 4;
/// The course is looked at in windows of so many nanoseconds.
const WINDOW: u64 = 20_000_000;

fn offer(session: &Session, plan: &Plan) -> Vec<Spec> {
    let given = plan.apart("calm").iter().zip(plan.apart("peak"));
    let given = given.map(|(&calm, &peak)| [calm, peak]).collect();
    load::at_rates(session, plan, ["rate", "peak"], given, |slowest, fastest| {
        let peaks = plan.apart("percent").iter().map(|&percent| load::share(fastest, percent));
        peaks.map(|peak| [load::share(slowest, CALM), peak]).collect()
    })
}

fn run(ends: &mut Ends<'_>, outcome: &mut Outcome) -> Result<(), Trouble> {
    let Ends { spec, server, clock, .. } = *ends;
    let (rate, peak) = (spec.number("rate").max(1.0), spec.number("peak").max(1.0));
    let duration = spec.duration();
    let warm_up = load::warm_up(duration);
    let calm = |duration| Phase { rate, duration };
    let phases = [calm(duration), Phase { rate: peak, duration }, calm(AFTERMATH * duration)];
    let meter = Meter::begin(server);
    let mut open = Open::new(spec, clock, warm_up, &phases);
    let messages = (rate * 5.0 + peak) * duration.as_secs_f64();
    open.answers = Some(Vec::with_capacity(messages as usize + 1));
    let ended = open.run(ends.client, spec.count("depth").max(1));
    let (elapsed, sent) = (warm_up + (2 + AFTERMATH) * duration, open.number as f64);
    meter.end(elapsed, sent, "server_ns_per_message", outcome);
    load::judge(ends.client, &open, outcome);
    outcome.metric("offered", rate);
    outcome.metric("peak", peak);
    let answers = open.answers.take().unwrap_or_default();
    let begins = open.measured_from + duration.as_nanos() as u64;
    let over = begins..begins + duration.as_nanos() as u64;
    tell(&answers, over, rate, peak, outcome);
    open.recorder.tell(phases.iter().map(|phase| phase.duration).sum(), outcome)?;
    Ok(ended?)
}

/// What the answers say of an overload of `peak` messages a second that lasted `over`, with `rate` before
/// and after it.
fn tell(answers: &[Answer], over: Range<u64>, rate: f64, peak: f64, outcome: &mut Outcome) {
    let seconds = (over.end - over.start) as f64 / 1e9;
    let done = answers.iter().filter(|answer| over.contains(&answer.came)).count() as f64;
    let goodput = done / seconds;
    outcome.metric("goodput", goodput);
    if goodput > rate {
        let left_over = (peak * seconds - done).max(0.0);
        outcome.metric("drain_ms", left_over / (goodput - rate) * 1e3);
    }
    let mut calm = histogram::new();
    // The responses after the overload, in windows of the time at which they were due.
    let mut windows = BTreeMap::<u64, Vec<f64>>::new();
    for Answer { due, came } in answers {
        if *due < over.start {
            histogram::record(&mut calm, came - due);
        } else if let Some(after) = due.checked_sub(over.end) {
            windows.entry(after / WINDOW).or_default().push((came - due) as f64);
        }
    }
    if calm.is_empty() {
        return;
    }
    let usual = calm.value_at_percentile(99.0) as f64;
    outcome.metric("calm_p99_ns", usual);
    // The median, for a stall of the machine in a window is no queue.
    let mut windows = windows.into_iter();
    let gone = |times| statistics::median(times).is_some_and(|median| median <= 2.0 * usual);
    match windows.find_map(|(window, times)| gone(times).then_some(window)) {
        Some(window) => outcome.metric("recover_ms", ((window + 1) * WINDOW) as f64 / 1e6),
        None => {
            let words = "the queue of the overload was not gone when the time was over";
            outcome.flag(Reason::Backlog, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that takes exactly 100 us for each message, one after the other, and messages at
    /// 5000 a second, then at 15000 for 200 ms, then at 5000 again.
    fn queue() -> (Vec<Answer>, Range<u64>) {
        let over = 200_000_000..400_000_000;
        let (mut due, mut free, mut answers) = (0, 0, Vec::new());
        while due < 3 * over.end {
            free = free.max(due) + 100_000;
            answers.push(Answer { due, came: free });
            due += if over.contains(&due) { 66_667 } else { 200_000 };
        }
        (answers, over)
    }

    #[test]
    fn a_queue_is_gone_when_arithmetic_says_and_one_that_stays_is_a_backlog() {
        let (mut answers, over) = queue();
        let mut outcome = Outcome::default();
        tell(&answers, over.clone(), 5000.0, 15000.0, &mut outcome);
        assert!(outcome.flags.is_empty(), "{:?}", outcome.flags);
        let figure = |name: &str| outcome.metrics[name];
        assert!((figure("goodput") - 10_000.0).abs() < 100.0);
        // 1000 messages are left over, and 5000 a second are to spare.
        assert!((figure("drain_ms") - 200.0).abs() < 5.0);
        let windows = (figure("recover_ms") - figure("drain_ms")) / 20.0;
        assert!((-0.5..=1.5).contains(&windows), "{:?}", outcome.metrics);

        for answer in answers.iter_mut().filter(|answer| answer.due >= over.end) {
            answer.came = answer.due + 50_000_000;
        }
        let mut outcome = Outcome::default();
        tell(&answers, over, 5000.0, 15000.0, &mut outcome);
        assert_eq!(outcome.flags[0].reason, Reason::Backlog);
        assert!(!outcome.metrics.contains_key("recover_ms"));
    }
}
