//! The open loop: latency at a given rate, measured from the moment each message was due.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{ARRIVALS, WIRE, Workload, apart};
use crate::method::{
    Clock, Connections, Meter, Open, Outcome, Phase, Plan, Reason, Recorder, Server, Session,
    Slice, Spec, checks, flag_if, histogram, refused, server,
};
use crate::report::{COUNT, Chart, Point, Shown, TIME, count, groups};
use crate::sys;

pub const WORKLOAD: Workload = Workload {
    parameters: &[
        WIRE,
        &[
            ARRIVALS,
            apart("rates", "", "Messages a second; in place of --percent"),
            apart("percent", "10,50,70,90,110", "Percent of the slowest's capacity"),
        ],
    ],
    costs: RESPONSES,
    least: 1000.0,
    offer: Some(offer),
    ..Workload::of_servers(
        Shown { caption, charts, ..Shown::table("load", "Latency under load", COLUMNS) },
        "Open loop against a server: latency at a given rate, from the intended time of sending",
        |spec| with_client(spec, Some(0), run),
    )
};

/// Percentiles of the response that verdicts are about, as far as noise leaves them; then what the
/// server used.
pub const RESPONSES: &[(&str, f64)] = &[
    ("response_p99_ns", 99.0),
    ("response_p90_ns", 90.0),
    ("response_p50_ns", 50.0),
    ("server_ns_per_message", 0.0),
];

const COLUMNS: &[(&str, &str, f64)] = &[
    ("p50 us", "response_p50_ns", 1e-3),
    ("p90 us", "response_p90_ns", 1e-3),
    ("p99 us", "response_p99_ns", 1e-3),
    ("max us", "response_max_ns", 1e-3),
    ("served/s", "rate", 1.0),
    ("srv ns", "server_ns_per_message", 1.0),
];

fn offer(session: &Session, plan: &Plan) -> Vec<Spec> {
    let asked = plan.apart("rates").iter().map(|&rate| [rate]).collect();
    at_rates(session, plan, ["rate"], asked, |slowest, _| {
        plan.apart("percent").iter().map(|&percent| [share(slowest, percent)]).collect()
    })
}

/// The points of a plan at each of the rates that are asked for, which have these names; if none are,
/// at those that `of` makes of the capacities of the slowest subject and of the fastest.
pub fn at_rates<const RATES: usize>(
    session: &Session,
    plan: &Plan,
    names: [&str; RATES],
    asked: Vec<[f64; RATES]>,
    of: impl Fn(f64, f64) -> Vec<[f64; RATES]>,
) -> Vec<Spec> {
    let mut points = Vec::new();
    for point in &plan.points {
        let rates = match asked.is_empty() {
            true => session.rates(&plan.subjects, &closed(point)).map(|both| of(both.0, both.1)),
            false => Some(asked.clone()),
        };
        for rates in rates.into_iter().flatten().filter(|rates| rates[0] >= 1.0) {
            let mut one = point.clone();
            names.into_iter().zip(rates).for_each(|(name, rate)| one.set(name, rate));
            points.push(one);
        }
    }
    points
}

/// A share of a capacity, in whole hundreds.
pub fn share(of: f64, percent: f64) -> f64 {
    (of * percent / 1e4).round() * 100.0
}

/// The closed loop at a point, which shows what can be done there at all.
fn closed(point: &Spec) -> Spec {
    let milliseconds = point.milliseconds.min(300);
    let mut echo = Spec { workload: "echo".to_owned(), milliseconds, ..point.clone() };
    echo.choices.clear();
    echo
}

/// Both ends, set up: a server, the generator's connections to it, and the clock.
pub struct Ends<'a> {
    pub spec: &'a Spec,
    pub server: &'a Server,
    pub client: &'a mut Connections,
    pub clock: Clock,
}

/// What ends a measurement: what the kernel refused in the middle (`io::Error`) is a flag of the slice.
pub type Trouble = Box<dyn std::error::Error>;

/// Starts the server, opens the connections that `spec` asks for, of which the server must accept
/// `more` than it says, or any number of them, one after the other, and lets `run` measure.
pub fn with_client(
    spec: &Spec,
    more: Option<usize>,
    run: impl FnOnce(&mut Ends<'_>, &mut Outcome) -> Result<(), Trouble>,
) -> Result<Outcome, String> {
    let all = |more| spec.count("connections").max(1) + spec.count("idle") + more;
    let server = Server::start(spec, more.map_or(0, all))?;
    // Only matters to a generator that sleeps: it then wakes as soon as the kernel can.
    let _ = nix::sys::prctl::set_timerslack(1);
    if spec.fault.as_deref() == Some("few-files") {
        sys::limit_open_files(Some(32)).map_err(|error| error.to_string())?;
    }
    let clock = Clock::begin();
    let mut outcome = Outcome::default();
    let mut client = match Connections::open(server.address, spec, clock) {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(refused(&error));
            return Ok(outcome);
        }
    };
    let mut ends = Ends { spec, server: &server, client: &mut client, clock };
    match run(&mut ends, &mut outcome) {
        Ok(()) => {}
        Err(trouble) => match trouble.downcast::<io::Error>() {
            Ok(error) => outcome.flags.push(refused(&error)),
            Err(words) => return Err(words.to_string()),
        },
    }
    if client.errors > 0 {
        let words = format!("{} replies were not what was sent", client.errors);
        outcome.flag(Reason::Errors, words);
    }
    // Before the connections close: it would take a reset ill.
    drop(server);
    Ok(outcome)
}

pub fn warm_up(duration: Duration) -> Duration {
    (duration / 4).min(Duration::from_secs(1))
}

fn run(ends: &mut Ends<'_>, outcome: &mut Outcome) -> Result<(), Trouble> {
    let (spec, duration) = (ends.spec, ends.spec.duration());
    let warm_up = warm_up(duration);
    let rate = spec.number("rate").max(1.0);
    let depth = spec.count("depth").max(1);
    let under_way = (ends.client.active() * depth) as f64;
    let meter = Meter::begin(ends.server);
    let stopping = match (spec.number("stop_ms"), ends.server.id()) {
        (pause, Some(pid)) if pause > 0.0 => Some(server::stop_once(
            pid,
            (spec.placement.server_cpu(), warm_up + duration / 4),
            Duration::from_secs_f64(pause / 1e3),
        )),
        _ => None,
    };
    let mut open = Open::new(spec, ends.clock, warm_up, &[Phase { rate, duration }]);
    let interval = (1e9 / rate * ends.client.active() as f64) as u64;
    open.recorder.break_on_purpose(spec.fault.as_deref(), interval);
    let ended = open.run(ends.client, depth);
    let (elapsed, messages) = (duration + warm_up, open.number as f64);
    meter.end(elapsed, messages, "server_ns_per_message", outcome);
    outcome.metric("offered", rate);
    outcome.metric("client_cpu", 1.0 - open.idle_ns as f64 / 1e9 / elapsed.as_secs_f64());
    judge(ends.client, &open, outcome);
    if let Some(stopping) = stopping {
        let stopped = stopping
            .join()
            .map_err(|_| "the thread that stops the server panicked".to_owned())?
            .map_err(|error| format!("the server cannot be stopped: {error}"))?;
        let stopped = stopped.as_secs_f64();
        outcome.metric("stopped_ms", stopped * 1e3);
        let longer = |histogram: &Histogram<u64>, seconds: f64| {
            histogram.count_between((seconds * 1e9) as u64, u64::MAX) as f64
        };
        let Recorder { response, service, .. } = &open.recorder;
        let [response, service] = [response, service].map(|one| move |x| longer(one, x));
        outcome.flags.extend(checks::canary(rate, stopped, under_way, response, service));
    }
    open.recorder.tell(duration, outcome)?;
    Ok(ended?)
}

/// Few samples, lag, backlog, replies that never came.
pub fn judge(client: &Connections, open: &Open, outcome: &mut Outcome) {
    let recorder = &open.recorder;
    let p99 = |histogram: &Histogram<u64>| histogram.value_at_percentile(99.0) as f64;
    if histogram::percentile(&recorder.response, 99.0).is_none() {
        let words = format!("{} replies are too few for p99", recorder.response.len());
        outcome.flag(Reason::FewSamples, words);
    }
    outcome.flags.extend(checks::generator_lag(p99(&recorder.lag), p99(&recorder.response)));
    let unsent = open.unsent;
    outcome.metric("unsent", unsent as f64);
    outcome.flags.extend(flag_if(unsent > 0, Reason::Backlog, || {
        format!("{unsent} messages were due and not sent when the time was over")
    }));
    let lost = client.under_way();
    outcome.flags.extend(flag_if(lost > 0, Reason::Lost, || format!("{lost} replies never came")));
}

/// Slices of the set-up that ran first: curves over the rate are of one.
fn of_one_set_up<'a>(slices: &[&'a Slice]) -> Vec<&'a Slice> {
    let set_up = |slice: &Slice| {
        let of = |name| slice.spec.count(name);
        let placement = slice.spec.placement;
        (["connections", "idle", "size", "depth"].map(of), placement, slice.spec.choices.clone())
    };
    let Some(first) = slices.first() else {
        return Vec::new();
    };
    groups::those(slices, |slice| set_up(slice) == set_up(first))
}

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let shown = of_one_set_up(slices);
    let metrics = [("p99", "response_p99_ns"), ("p50", "response_p50_ns")];
    let x = COUNT.of("offered messages a second, the same for everyone");
    let y = TIME.of("response time");
    let offered =
        Chart::new("Over the offered load", x, y, groups::percentiles(&shown, "rate", metrics));
    let rates = groups::values(shown.iter().map(|slice| slice.spec.number("rate")));
    let middle = rates.get(rates.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let here = groups::those(&shown, |slice| slice.spec.number("rate") == middle);
    let title = format!("The whole distribution at {}/s", count(middle));
    let distribution = groups::distributions(&here, "response");
    vec![offered, Chart::new(title, groups::BEYOND, y, distribution)]
}

/// A curve is past its knee where it is so many times as high as at the lowest rate.
const BENT: f64 = 3.0;

/// Between which rates the p99 of a subject leaves the flat part, in words. Nothing is said past a point
/// that is not to be believed: the knee may be there.
fn knee(subject: &str, points: &[Point]) -> String {
    let valid: Vec<&Point> = points.iter().take_while(|point| point.valid).collect();
    let Some(first) = valid.first() else {
        return format!("{subject}: no rate is valid, so no knee is stated. ");
    };
    let bent = valid.iter().position(|point| point.y > BENT * first.y);
    let last = count(valid.last().map_or(first.x, |point| point.x));
    match bent {
        Some(place) => {
            let [from, to] = [place.saturating_sub(1), place].map(|place| count(valid[place].x));
            format!(
                "{subject}: p99 is above {BENT} times that of the lowest rate between {from} and {to}/s. "
            )
        }
        None => format!("{subject}: no knee up to {last}/s, the last valid one. "),
    }
}

fn caption(slices: &[&Slice]) -> String {
    let shown = of_one_set_up(slices);
    let knees: String = groups::by_subject(&shown)
        .into_iter()
        .map(|(subject, group)| {
            let told = groups::curve(&group, "rate", "response_p99_ns");
            // Where no p99 could be told the knee may be as well.
            let all = groups::curve(&group, "rate", "offered").into_iter();
            let at = |x: f64| told.iter().find(|point| point.x == x).copied();
            let points = all.map(|point| at(point.x).unwrap_or(Point { valid: false, ..point }));
            knee(subject, &points.collect::<Vec<_>>())
        })
        .collect();
    format!(
        "From the intended time of sending. Flat, then a knee: beyond the capacity the queue grows for as \
         long as the run lasts, so those points (flag backlog) say nothing but that. {knees}In the \
         distribution a step is a stall that this share of the messages met."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knee_is_stated_only_where_all_points_before_it_are_valid() {
        let points = |valid: [bool; 4]| -> Vec<Point> {
            let y = [1e5, 1.2e5, 1.5e5, 9e5];
            (0..4)
                .map(|at| Point { x: 1000.0 * (at + 1) as f64, y: y[at], valid: valid[at] })
                .collect()
        };
        let said = |valid| knee("ours", &points(valid));
        assert!(said([true; 4]).contains("between 3000 and 4000/s"), "{}", said([true; 4]));
        let open = said([true, true, false, true]);
        assert!(open.contains("no knee up to 2000/s, the last valid one"), "{open}");
        assert!(said([false, true, true, true]).contains("no rate is valid"));
    }
}
