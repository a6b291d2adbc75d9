//! The checks of honesty: each finds one reason why a row is not to be believed.

use super::{Flag, Nature, Placement, Quiet, Reason, Spec, flag_if};

/// What else the machine did, and the share of the slice that it may have been in; none if the
/// machine was quiet.
///
/// Where both ends share one CPU the scheduler must switch between them; where both sleep a thread
/// that is woken waits for a moment. That is the workload's doing and nobody's noise.
pub fn noise(quiet: &Quiet, spec: &Spec) -> (Vec<Flag>, f64) {
    let shared = spec.placement == Placement::SameCpu;
    let sleeps = shared || spec.placement == Placement::Split;
    let Quiet { steal_percent: steal, foreign_percent: foreign, waited_percent: waited, .. } =
        *quiet;
    let switches = quiet.involuntary_per_second;
    let flags: Vec<Flag> = [
        flag_if(steal > 0.5, Reason::NoisySteal, || format!("{steal:.1} % stolen")),
        flag_if(foreign > 3.0, Reason::NoisyForeign, || format!("{foreign:.1} % foreign CPU")),
        flag_if(waited > 1.0 && !sleeps, Reason::NoisyPressure, || {
            format!("{waited:.1} % of the time the measuring thread waited for its CPU")
        }),
        flag_if(switches > 100.0 && !shared, Reason::NoisySwitches, || {
            format!("{switches:.0} involuntary switches a second")
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    if flags.is_empty() {
        return (flags, 0.0);
    }
    // At the worst all that others did was done on the one CPU that matters.
    let cpus = crate::sys::cpus_online() as f64;
    let waited = if sleeps { 0.0 } else { waited };
    let percent = cpus * (steal + foreign) + waited;
    // A CPU that is taken away a hundred times a second and given back at once is no quiet one.
    (flags, (percent / 100.0).clamp(0.001, 1.0))
}

/// The highest percentile that may be told of a slice of which this share may be others' work: at
/// most a quarter of what lies beyond it is then theirs. All of them, if there was no noise.
pub fn told_up_to(share: f64) -> f64 {
    (100.0 * (1.0 - 4.0 * share)).max(0.0)
}

/// Judges noise by what is measured: it never touches counts, it makes the intervals of paired work
/// wide, and it is in the times of a client and a server, of which what is `left` is told.
pub fn judge_noise(mut flags: Vec<Flag>, nature: Nature, left: bool) -> Vec<Flag> {
    for flag in &mut flags {
        flag.label |= nature != Nature::Timed || left;
    }
    flags
}

/// What a slice knows without having been noisy. The kernel counts full queues of the whole machine:
/// where nothing is timed the connections come one after the other, so the queue is another program's.
pub fn always(quiet: &Quiet, nature: Nature) -> impl Iterator<Item = Flag> {
    let overflows = quiet.accept_overflows;
    let full = flag_if(overflows > 0.0, Reason::ResourceWall, || {
        format!("{overflows:.0} connections found a full queue of accept")
    });
    let debug = cfg!(debug_assertions);
    let debug = flag_if(debug, Reason::DebugBuild, || "not an optimised build".to_owned());
    full.map(|full| Flag { label: nature != Nature::Timed, ..full }).into_iter().chain(debug)
}

/// Rows beyond this share of what the generator can do are marked.
pub const MOST_OF_THE_GENERATOR: f64 = 0.7;

/// Whether the generator can do more than it did: `null_rate` is what it reaches where everything
/// is answered at once.
pub fn headroom(null_rate: f64, rate: f64) -> Option<Flag> {
    let share = rate / null_rate;
    flag_if(share > MOST_OF_THE_GENERATOR, Reason::Headroom, || {
        format!("{rate:.0}/s is {:.0} % of what the generator can: {null_rate:.0}/s", 100.0 * share)
    })
}

/// Whether the server was the limit of a closed loop; else who was.
pub fn server_bound(server_cpu: f64, client_cpu: f64) -> Option<Flag> {
    flag_if(server_cpu < 0.9, Reason::NotServerBound, || {
        let limiter = if client_cpu >= 0.9 { "the client" } else { "waking up" };
        let [server, client] = [server_cpu, client_cpu].map(|share| 100.0 * share);
        format!("limited by {limiter}: server {server:.0} % busy, client {client:.0} %")
    })
}

/// Whether the generator was punctual, in nanoseconds.
pub fn generator_lag(lag_p99: f64, response_p99: f64) -> Option<Flag> {
    flag_if(lag_p99 > 0.1 * response_p99, Reason::GeneratorLag, || {
        let [lag, response] = [lag_p99, response_p99].map(|ns| ns / 1e3);
        format!("sent {lag:.1} us late at p99, responses have {response:.1} us")
    })
}

/// Little's law: messages under way are rate times latency. Seconds, and messages a second.
pub fn little(under_way: f64, rate: f64, mean_latency: f64) -> Option<Flag> {
    let found = rate * mean_latency;
    flag_if((under_way - found).abs() / under_way > 0.02, Reason::Little, || {
        format!("rate x latency = {found:.2}, under way are {under_way}")
    })
}

/// Responses longer than `x` after a stop of `stop` seconds at `rate`: those that were due in the
/// stop and at least `x` before its end.
pub fn ramp(rate: f64, stop: f64, x: f64) -> f64 {
    rate * (stop - x).max(0.0)
}

/// The coordinated-omission canary: `response` and `service` tell how many were longer than so
/// many seconds. The response must show the ramp within 5 % of the messages that were due in the
/// stop; the service must not: only the `under_way` messages were really in the server.
pub fn canary(
    rate: f64,
    stop: f64,
    under_way: f64,
    response: impl Fn(f64) -> f64,
    service: impl Fn(f64) -> f64,
) -> Vec<Flag> {
    let mut flags = Vec::new();
    let due = rate * stop;
    for x in [0.25, 0.5, 0.75].map(|share| share * stop) {
        let (expected, found, slow, ms) = (ramp(rate, stop, x), response(x), service(x), x * 1e3);
        flags.extend(flag_if((found - expected).abs() > 0.05 * due, Reason::Canary, || {
            format!("{found:.0} responses longer than {ms:.0} ms, the ramp has {expected:.0}")
        }));
        flags.extend(flag_if(slow > 2.0 * under_way, Reason::Canary, || {
            format!(
                "{slow:.0} service times longer than {ms:.0} ms, but {under_way:.0} were under way"
            )
        }));
    }
    flags
}

/// How much a scan of many must cost beside one of few, where the ends of a curve are 64 times
/// apart or more: far less than any kernel's scan does.
const RISE: f64 = 2.0;

/// The shape of a cost curve over N, in order of N: `select` and `poll` must rise, `epoll` must
/// stay within 2.5 times.
pub fn shape(name: &str, costs: &[(usize, f64)]) -> Option<Flag> {
    let scans = name.contains("poll") && !name.contains("epoll") && name != "polling"
        || name.contains("select");
    let (first, last) = (costs.first()?, costs.last()?);
    if !scans {
        let ratio = last.1 / first.1;
        return flag_if(ratio > 2.5, Reason::Shape, || {
            format!("{name} grows {ratio:.1} times from N={} to {}", first.0, last.0)
        });
    }
    // Neighbours may tie at small N, where the fixed cost rules: 10 % down is no tie.
    if let Some(pair) = costs.windows(2).find(|pair| pair[1].1 < 0.9 * pair[0].1) {
        let words = format!("{name} is cheaper at N={} than at {}", pair[1].0, pair[0].0);
        return Some(Flag::new(Reason::Shape, words));
    }
    let flat = last.0 >= 64 * first.0 && last.1 < RISE * first.1;
    flag_if(flat, Reason::Shape, || {
        format!("{name} costs at N={} what it costs at {}", last.0, first.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_disturbance_has_its_code_and_a_placement_excuses_what_it_does_itself() {
        let loud = Quiet {
            steal_percent: 0.6,
            foreign_percent: 3.1,
            waited_percent: 1.1,
            involuntary_per_second: 101.0,
            accept_overflows: 1.0,
        };
        let codes = |loud: &Quiet, placement| -> String {
            let spec = Spec { placement, ..Spec::default() };
            let flags = noise(loud, &spec).0.into_iter();
            flags.map(|flag| flag.reason.code().replace("noisy-", "")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(codes(&loud, Placement::OneThread), "steal foreign pressure switches");
        assert_eq!(codes(&loud, Placement::Split), "steal foreign switches");
        assert_eq!(codes(&loud, Placement::SameCpu), "steal foreign");
        let full = |nature| always(&loud, nature).next().unwrap();
        assert_eq!(full(Nature::Timed).reason, Reason::ResourceWall);
        assert!(full(Nature::Timed).invalidates() && !full(Nature::Counted).invalidates());
    }

    #[test]
    fn noise_leaves_counts_and_pairs_alone_and_takes_percentiles_from_above() {
        let share = |waited_percent| {
            let quiet = Quiet { waited_percent, ..Quiet::default() };
            noise(&quiet, &Spec { placement: Placement::SplitSpin, ..Spec::default() }).1
        };
        assert_eq!(told_up_to(share(0.9)), 100.0, "a quiet machine");
        // 6 ms of 500.
        assert!((90.0..99.0).contains(&told_up_to(share(1.2))), "p90, and no p99");
        assert_eq!(told_up_to(share(60.0)), 0.0, "nothing");
        let invalid = |nature, left| {
            let flags =
                vec![Flag::new(Reason::NoisyForeign, ""), Flag::new(Reason::NoisySteal, "")];
            judge_noise(flags, nature, left).iter().filter(|flag| flag.invalidates()).count()
        };
        assert_eq!(invalid(Nature::Counted, false) + invalid(Nature::Paired, false), 0);
        assert_eq!((invalid(Nature::Timed, true), invalid(Nature::Timed, false)), (0, 2));
    }

    #[test]
    fn what_is_as_it_should_be_is_not_flagged_and_what_is_not_is() {
        assert!(little(50.0, 100_000.0, 500e-6).is_none());
        assert_eq!(little(50.0, 100_000.0, 400e-6).unwrap().reason, Reason::Little);

        let ramp_of = |x: f64| ramp(5000.0, 0.1, x);
        assert!(canary(5000.0, 0.1, 8.0, ramp_of, |_| 8.0).is_empty());
        assert!(!canary(5000.0, 0.1, 8.0, |_| 8.0, |_| 8.0).is_empty());
        assert!(!canary(5000.0, 0.1, 8.0, ramp_of, ramp_of).is_empty());

        let rising = [(1, 150.0), (100, 4_000.0), (8192, 900_000.0)];
        let flat = [(1, 180.0), (100, 190.0), (8192, 230.0)];
        let falling = [(1, 150.0), (100, 120.0), (8192, 230.0)];
        for (name, costs) in [("ours-poll", rising), ("ours-epoll", flat), ("polling", flat)] {
            assert!(shape(name, &costs).is_none(), "{name}");
        }
        for (name, costs) in [("ours-poll", falling), ("ours-poll", flat), ("bare-epoll", rising)] {
            assert!(shape(name, &costs).is_some(), "{name}");
        }
    }
}
