//! Overload: a calm rate, then for a while more than the server can do, then the calm rate again.
//!
//! Two things are told. The *goodput* is how many replies a second come during the overload: a
//! good server keeps doing as much as it can. The *time to recover* is how long after the overload
//! messages still wait for the queue that it left behind. The queue alone takes as long as
//! arithmetic says (`drain_ms`): what was left over, divided by what the goodput has to spare
//! beside the calm rate. A server that needs longer than that has been hurt by the overload.

use super::{Ends, Trouble, WIRE, Workload, apart, load};
use crate::method::open::Answer;
use crate::method::{
    Open, Outcome, Phase, Plan, Reason, Session, Spec, Watch, checks, histogram, server,
};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    parameters: &[
        WIRE,
        &[
            apart(
                "percent",
                "150",
                "Percent of the fastest subject's capacity: too much for everyone",
            ),
            apart(
                "calm",
                "",
                "Messages a second before and after; with --peak in place of --percent",
            ),
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

/// The points with the rates that are asked for, or with half of the slowest capacity and each
/// percentage of the fastest.
fn offer(session: &Session, plan: &Plan) -> Vec<Spec> {
    let mut points = Vec::new();
    for point in &plan.points {
        let share = |of: f64, percent: f64| (of * percent / 1e4).round() * 100.0;
        let rates: Vec<(f64, f64)> = match (plan.apart("calm"), plan.apart("peak")) {
            ([calm, ..], [peak, ..]) => vec![(*calm, *peak)],
            _ => {
                let both = session.rates(&plan.subjects, &load::closed(point));
                let (slowest, fastest) = both.unwrap_or((0.0, 0.0));
                let calm = share(slowest, CALM);
                let peaks = plan.apart("percent").iter();
                peaks.map(|&percent| (calm, share(fastest, percent))).collect()
            }
        };
        points.extend(rates.into_iter().filter(|rates| rates.0 >= 1.0).map(|(calm, peak)| {
            let mut one = point.clone();
            one.set("rate", calm);
            one.set("peak", peak);
            one
        }));
    }
    points
}

fn run(ends: &mut Ends<'_>, outcome: &mut Outcome) -> Result<(), Trouble> {
    let Ends { spec, server, clock, .. } = *ends;
    let (rate, peak) = (spec.number("rate").max(1.0), spec.number("peak").max(1.0));
    let duration = spec.duration();
    let warm_up = load::warm_up(duration);
    let calm = |duration| Phase { rate, duration };
    let phases = [calm(duration), Phase { rate: peak, duration }, calm(AFTERMATH * duration)];
    let watch = Watch::begin(server.id().as_slice());
    let when = (spec.placement.server_cpu(), warm_up + duration);
    let busy = server.id().map(|pid| server::busy(pid, when, duration));
    let mut open = Open::new(spec, clock, warm_up, &phases);
    let messages = (rate * 5.0 + peak) * duration.as_secs_f64();
    open.answers = Some(Vec::with_capacity(messages as usize + 1));
    let ended = open.run(ends.client, spec.count("depth").max(1));
    outcome.watched = Some(watch.end());
    load::judge(ends.client, &open, outcome);
    if let Some(busy) = busy {
        let panicked = |_| "the thread that watches the server panicked".to_owned();
        if let Ok(busy) = busy.join().map_err(panicked)? {
            outcome.metric("server_cpu", busy);
            outcome.flags.extend(checks::server_bound(busy, 1.0));
        }
    }
    outcome.metric("offered", rate);
    outcome.metric("peak", peak);
    let answers = open.answers.take().unwrap_or_default();
    let begins = open.measured_from + duration.as_nanos() as u64;
    let ends = begins + duration.as_nanos() as u64;
    Course { answers: &answers, begins, ends }.tell(rate, peak, outcome);
    open.recorder.tell(phases.iter().map(|phase| phase.duration).sum(), outcome)?;
    Ok(ended?)
}

struct Course<'a> {
    answers: &'a [Answer],
    begins: u64,
    ends: u64,
}

impl Course<'_> {
    fn tell(&self, rate: f64, peak: f64, outcome: &mut Outcome) {
        let seconds = (self.ends - self.begins) as f64 / 1e9;
        let came = |from: u64, to: u64| {
            let within = |answer: &&Answer| answer.came >= from && answer.came < to;
            self.answers.iter().filter(within).count() as f64
        };
        let done = came(self.begins, self.ends);
        let goodput = done / seconds;
        outcome.metric("goodput", goodput);
        let left_over = (peak * seconds - done).max(0.0);
        if goodput > rate {
            outcome.metric("drain_ms", left_over / (goodput - rate) * 1e3);
        }
        let Some(usual) = self.usual() else { return };
        outcome.metric("calm_p99_ns", usual);
        match self.recovered(2.0 * usual) {
            Some(after) => outcome.metric("recover_ms", after as f64 / 1e6),
            None => {
                let words = "the queue of the overload was not gone when the time was over";
                outcome.flag(Reason::Backlog, words);
            }
        }
    }

    fn usual(&self) -> Option<f64> {
        let mut calm = histogram::new();
        for answer in self.answers.iter().filter(|answer| answer.due < self.begins) {
            histogram::record(&mut calm, answer.came - answer.due);
        }
        (!calm.is_empty()).then(|| calm.value_at_percentile(99.0) as f64)
    }

    /// Nanoseconds from the end of the overload to the end of the first window whose messages, by
    /// the time at which they were due, have a median of at most `bound`. The median, for a stall
    /// of the machine in a window is no queue.
    fn recovered(&self, bound: f64) -> Option<u64> {
        let mut windows: Vec<Vec<u64>> = Vec::new();
        for answer in self.answers.iter().filter(|answer| answer.due >= self.ends) {
            let window = ((answer.due - self.ends) / WINDOW) as usize;
            if windows.len() <= window {
                windows.resize_with(window + 1, Vec::new);
            }
            windows[window].push(answer.came - answer.due);
        }
        let calm = |responses: &mut Vec<u64>| {
            responses.sort_unstable();
            let middle = responses.get(responses.len() / 2);
            middle.is_some_and(|&middle| middle as f64 <= bound)
        };
        let first = windows.iter_mut().position(calm)?;
        Some((first as u64 + 1) * WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that takes exactly 100 us for each message, one after the other, and messages at
    /// 5000 a second, then at 15000 for 200 ms, then at 5000 again.
    fn queue() -> (Vec<Answer>, u64, u64) {
        let (begins, ends, over) = (200_000_000, 400_000_000, 1_200_000_000);
        let (mut due, mut free, mut answers) = (0, 0, Vec::new());
        while due < over {
            free = free.max(due) + 100_000;
            answers.push(Answer { due, came: free });
            due += if (begins..ends).contains(&due) { 66_667 } else { 200_000 };
        }
        (answers, begins, ends)
    }

    #[test]
    fn a_queue_is_gone_when_arithmetic_says() {
        let (answers, begins, ends) = queue();
        let course = Course { answers: &answers, begins, ends };
        let mut outcome = Outcome::default();
        course.tell(5000.0, 15000.0, &mut outcome);
        assert!(outcome.flags.is_empty(), "{:?}", outcome.flags);
        let figure = |name: &str| outcome.metrics[name];
        assert!((figure("goodput") - 10_000.0).abs() < 100.0);
        // 1000 messages are left over, and 5000 a second are to spare.
        assert!((figure("drain_ms") - 200.0).abs() < 5.0);
        let windows = (figure("recover_ms") - figure("drain_ms")) / 20.0;
        assert!((-0.5..=1.5).contains(&windows), "{:?}", outcome.metrics);
    }

    #[test]
    fn a_queue_that_stays_is_a_backlog() {
        let (mut answers, begins, ends) = queue();
        for answer in answers.iter_mut().filter(|answer| answer.due >= ends) {
            answer.came = answer.due + 50_000_000;
        }
        let course = Course { answers: &answers, begins, ends };
        let mut outcome = Outcome::default();
        course.tell(5000.0, 15000.0, &mut outcome);
        assert_eq!(outcome.flags[0].reason, Reason::Backlog);
        assert!(!outcome.metrics.contains_key("recover_ms"));
    }
}
