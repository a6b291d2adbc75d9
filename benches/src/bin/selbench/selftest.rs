//! Whether this machine can be trusted, and for what: every honesty check, run once.

use std::time::{Duration, Instant};

use benches::selbench::checks::{Flag, Reason};
use benches::selbench::placement::Placement;
use benches::selbench::schema::{Slice, Spec, Workload};
use benches::selbench::server;
use benches::sys;

use crate::arguments::{Common, Fault, Selftest};
use crate::{Ending, plan, slices};

/// Messages a second in the tests of the generator: far below anyone's capacity.
const RATE: f64 = 5000.0;
/// Fewer where the generator's own lateness is looked for: it must not drown in the server's.
const LAG_RATE: f64 = 500.0;
/// Attempts of a check that a busy machine can disturb.
const ATTEMPTS: usize = 3;

/// Runs all checks and says in words what they mean.
pub(crate) fn run(options: &Selftest) -> Result<Ending, String> {
    let mut good = true;
    let say = |name: &str, flags: &[Flag], words: String| {
        let failed: Vec<&Flag> = flags
            .iter()
            .filter(|flag| flag.reason.invalidates())
            .collect();
        println!(
            "{} {name:22} {words}",
            if failed.is_empty() { "ok  " } else { "FAIL" }
        );
        for flag in failed {
            println!("       {}: {}", flag.reason.code(), flag.detail);
        }
    };
    let mut noisy = Vec::new();
    let clock = clock();
    good &= clock.0.is_empty();
    say("clock", &clock.0, clock.1);
    if sys::cpus_online() < 2 {
        println!("     one CPU: only one-thread and same-cpu are possible");
    }
    for (name, fault, spec) in tests() {
        let breaks = options.fault.is_some_and(|asked| Some(asked) == fault);
        let usual = options.fault.is_none();
        if !usual && !breaks {
            continue;
        }
        let expected = fault.filter(|_| breaks).map(code);
        let slice = attempt(&if breaks { broken(spec, fault) } else { spec }, expected)?;
        let (noise, real): (Vec<Flag>, Vec<Flag>) = slice.flags.iter().cloned().partition(is_noise);
        good &= !real.iter().any(|flag| flag.reason.invalidates());
        say(name, &real, summary(&slice));
        noisy.extend(noise);
    }
    if options.fault.is_none() {
        let found = headroom()?;
        good &= found.0.is_empty();
        say("generator headroom", &found.0, found.1);
    }
    println!();
    noisy.sort_by_key(|flag| flag.reason);
    noisy.dedup_by_key(|flag| flag.reason);
    for flag in &noisy {
        println!("noise: {}: {}", flag.reason.code(), flag.detail);
    }
    println!("{}", words(good, &noisy));
    Ok(if good { Ending::Good } else { Ending::Invalid })
}

fn is_noise(flag: &Flag) -> bool {
    matches!(
        flag.reason,
        Reason::NoisySteal
            | Reason::NoisyForeign
            | Reason::NoisyPressure
            | Reason::NoisySwitches
            | Reason::DebugBuild
    )
}

fn words(good: bool, noisy: &[Flag]) -> &'static str {
    match (good, noisy.is_empty()) {
        (true, true) => {
            "The method works and the machine is quiet: counts, ratios and latencies can be trusted."
        }
        (true, false) => {
            "The method works, but the machine was not quiet: trust counts, and paired ratios with \
             their intervals; rows with noise are marked invalid."
        }
        (false, _) => "A check failed: do not quote latencies from this machine before it passes.",
    }
}

/// What is run, and which fault is to be found by it.
fn tests() -> Vec<(&'static str, Option<Fault>, Spec)> {
    let common = common();
    let numbers = |connections: f64, rate: f64, stop: f64| {
        [
            ("connections", connections),
            ("depth", 1.0),
            ("idle", 0.0),
            ("size", 64.0),
            ("rate", rate),
            ("stop_ms", stop),
        ]
    };
    let load = |connections: f64, rate: f64, stop: f64| {
        let mut spec = plan::point(
            Workload::Load,
            Placement::SplitSpin,
            &common,
            &numbers(connections, rate, stop),
            &[("arrivals", "even")],
        );
        server::NULL.clone_into(&mut spec.subject);
        spec
    };
    let mut echo = plan::point(
        Workload::Echo,
        Placement::SameCpu,
        &common,
        &numbers(8.0, 0.0, 0.0)[..4],
        &[],
    );
    server::NULL.clone_into(&mut echo.subject);
    let mut verified = echo.clone();
    verified.parameters.insert("size".to_owned(), 1024.0);
    vec![
        (
            "generator lag",
            Some(Fault::SleepingGenerator),
            load(64.0, LAG_RATE, 0.0),
        ),
        (
            "omission canary",
            Some(Fault::CorrectedHistogram),
            load(8.0, RATE, 100.0),
        ),
        ("Little's law", None, echo),
        ("payload verified", Some(Fault::DroppedReply), verified),
    ]
}

fn common() -> Common {
    Common {
        subjects: Vec::new(),
        blocks: 1,
        ms: 800,
        threshold: 3.0,
        seed: 1,
        no_floor: true,
        json: None,
        csv: None,
        hgrm: None,
        html: None,
    }
}

/// The same with its fault.
fn broken(mut spec: Spec, fault: Option<Fault>) -> Spec {
    match fault {
        Some(Fault::SleepingGenerator) => spec.fault = Some("sleeping-generator".to_owned()),
        Some(Fault::CorrectedHistogram) => spec.fault = Some("corrected-histogram".to_owned()),
        Some(Fault::DroppedReply) => server::FAULTY.clone_into(&mut spec.subject),
        None => {}
    }
    spec
}

/// What a fault must be found as.
fn code(fault: Fault) -> &'static [Reason] {
    match fault {
        Fault::SleepingGenerator => &[Reason::GeneratorLag],
        Fault::CorrectedHistogram => &[Reason::Canary],
        Fault::DroppedReply => &[Reason::Errors, Reason::Lost],
    }
}

/// A busy machine can make the generator late, or so late that a fault drowns in it: only what
/// fails each time has failed, and a fault may be found at any time.
fn attempt(spec: &Spec, expected: Option<&[Reason]>) -> Result<Slice, String> {
    let mut last = slices::measure(spec)?;
    for _ in 1..ATTEMPTS {
        let done = match expected {
            Some(codes) => last.flags.iter().any(|flag| codes.contains(&flag.reason)),
            None => last
                .flags
                .iter()
                .all(|flag| is_noise(flag) || !flag.reason.invalidates()),
        };
        if done {
            break;
        }
        last = slices::measure(spec)?;
    }
    Ok(last)
}

fn summary(slice: &Slice) -> String {
    let figure = |name: &str| slice.metrics.get(name).copied().unwrap_or(0.0);
    match slice.spec.workload {
        Workload::Load if slice.metrics.contains_key("stopped_ms") => format!(
            "stopped {:.1} ms: response p90 {:.1} ms, service p90 {:.3} ms",
            figure("stopped_ms"),
            figure("response_p90_ns") / 1e6,
            figure("service_p90_ns") / 1e6
        ),
        Workload::Load => format!(
            "lag at most {:.1} us, response at most {:.1} us at {:.0}/s",
            figure("lag_max_ns") / 1e3,
            figure("response_max_ns") / 1e3,
            figure("rate")
        ),
        _ => format!(
            "{:.0} replies, rate x latency / under way = {:.3}",
            figure("replies"),
            figure("little")
        ),
    }
}

/// The null server must take 1.5 times the rate that the other checks use, and by far more.
fn headroom() -> Result<(Vec<Flag>, String), String> {
    let Some((_, _, mut spec)) = tests().into_iter().next() else {
        return Err("there is no test of the generator".to_owned());
    };
    spec.workload = Workload::Echo;
    spec.parameters.insert("depth".to_owned(), 4.0);
    let slice = slices::measure(&spec)?;
    let rate = slice.metrics.get("rate").copied().unwrap_or(0.0);
    let flags = benches::selbench::checks::headroom(rate, RATE);
    Ok((
        flags.into_iter().collect(),
        format!(
            "{rate:.0}/s against the null server: loads up to {:.0}/s",
            rate / 1.5
        ),
    ))
}

/// What reading the clock costs, whether it ever goes back, also from one CPU to the next.
fn clock() -> (Vec<Flag>, String) {
    const READS: u32 = 200_000;
    let begin = Instant::now();
    let mut last = begin;
    let mut back = 0;
    for _ in 0..READS {
        let now = Instant::now();
        back += u32::from(now < last);
        last = now;
    }
    let each = begin.elapsed().as_nanos() as f64 / f64::from(READS);
    // From CPU to CPU: what is read later must not be earlier.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = Instant::now();
            for step in 0..200 {
                if sys::pin_to_cpu(step % sys::cpus_online()).is_err() {
                    break;
                }
                let now = Instant::now();
                back += u32::from(now < last);
                last = now;
            }
        });
    });
    let histogram_cost = {
        let mut histogram = benches::selbench::histogram::new();
        let begin = Instant::now();
        for value in 0..u64::from(READS) {
            benches::selbench::histogram::record(&mut histogram, 1000 + value % 5000);
        }
        begin.elapsed().as_nanos() as f64 / f64::from(READS)
    };
    let coarse = {
        let begin = Instant::now();
        while begin.elapsed() == Duration::ZERO {}
        begin.elapsed()
    };
    let bad = back > 0 || each > 500.0 || coarse > Duration::from_micros(10);
    let flags = benches::selbench::checks::flag_if(bad, Reason::Clock, || {
        format!("went back {back} times, a read costs {each:.0} ns, a step is {coarse:?}")
    });
    (
        flags.into_iter().collect(),
        format!("a read costs {each:.0} ns, a record {histogram_cost:.0} ns, never back"),
    )
}
