//! Why a row is not to be believed: one code for each reason, as section "honesty" of the guide
//! lists them.

use serde::{Deserialize, Serialize};

use super::placement::Placement;
use super::quiet::Quiet;
use super::schema::Workload;

/// A reason code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The generator can send less than 1.5 times what was asked of it.
    Headroom,
    /// A closed loop in which the server had time to rest: something else is the limit.
    NotServerBound,
    /// The generator was late by more than a tenth of what it reports.
    GeneratorLag,
    /// Messages were due that were never sent: the rate was above the capacity.
    Backlog,
    /// Rate times latency is not the number of messages under way.
    Little,
    /// A server that stood still for 100 ms is not seen as the analysis says.
    Canary,
    /// The clock is coarse, slow or goes back.
    Clock,
    /// The hypervisor took more than 0.5 % of the time.
    NoisySteal,
    /// Other processes used more than 3 % of the machine.
    NoisyForeign,
    /// The measuring thread, which never sleeps, was kept waiting for its CPU more than 1 % of the
    /// time.
    NoisyPressure,
    /// The measuring thread lost its CPU to another process more than a hundred times a second.
    NoisySwitches,
    /// A reset, a short count, a wrong byte or a wrong order.
    Errors,
    /// Replies that never came.
    Lost,
    /// Files ran out, or the queue of accept was full.
    ResourceWall,
    /// Local ports ran out, or most of them are kept in `TIME_WAIT`.
    Ports,
    /// A curve that cannot be: cheaper with more, or epoll that grows.
    Shape,
    /// The rate that a search found did not hold when it was run again.
    Unconfirmed,
    /// Not an optimised build.
    DebugBuild,
    /// A server that woke up while nothing happened on its connections.
    Restless,
    /// Fewer than 100 samples lie beyond the percentile that is asked for.
    FewSamples,
}

impl Reason {
    /// As in JSON and tables.
    pub fn code(self) -> &'static str {
        match self {
            Self::Headroom => "headroom",
            Self::NotServerBound => "not-server-bound",
            Self::GeneratorLag => "generator-lag",
            Self::Backlog => "backlog",
            Self::Little => "little",
            Self::Canary => "canary",
            Self::Clock => "clock",
            Self::NoisySteal => "noisy-steal",
            Self::NoisyForeign => "noisy-foreign",
            Self::NoisyPressure => "noisy-pressure",
            Self::NoisySwitches => "noisy-switches",
            Self::Errors => "errors",
            Self::Lost => "lost",
            Self::ResourceWall => "resource-wall",
            Self::Ports => "ports",
            Self::Shape => "shape",
            Self::Unconfirmed => "unconfirmed",
            Self::DebugBuild => "debug-build",
            Self::Restless => "restless",
            Self::FewSamples => "few-samples",
        }
    }

    /// Whether a row with it is invalid; otherwise it is a label that belongs beside the figure.
    pub fn invalidates(self) -> bool {
        !matches!(
            self,
            Self::NotServerBound | Self::Restless | Self::FewSamples
        )
    }
}

/// A reason and its figures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Flag {
    /// The code.
    pub reason: Reason,
    /// What was found, in words.
    pub detail: String,
}

/// A flag if `failed`.
pub fn flag_if(failed: bool, reason: Reason, detail: impl FnOnce() -> String) -> Option<Flag> {
    failed.then(|| Flag {
        reason,
        detail: detail(),
    })
}

/// Whether the machine was quiet. Where both ends share one CPU the scheduler must switch between
/// them; where both sleep a thread that is woken waits for a moment; and a cascade closes all fds
/// that it opened, which the kernel cleans up in a thread of its own on the same CPU. That is the
/// workload's doing and nobody's noise.
pub fn quiet(quiet: &Quiet, placement: Placement, workload: Workload) -> Vec<Flag> {
    let shared = placement == Placement::SameCpu || workload == Workload::Cascade;
    let sleeps = shared || placement == Placement::Split;
    let Quiet {
        steal_percent: steal,
        foreign_percent: foreign,
        pressure_percent: _,
        waited_percent: waited,
        involuntary_per_second: switches,
        accept_overflows: overflows,
    } = *quiet;
    [
        flag_if(steal > 0.5, Reason::NoisySteal, || {
            format!("{steal:.1} % stolen")
        }),
        flag_if(foreign > 3.0, Reason::NoisyForeign, || {
            format!("{foreign:.1} % foreign CPU")
        }),
        flag_if(waited > 1.0 && !sleeps, Reason::NoisyPressure, || {
            format!("{waited:.1} % of the time the measuring thread waited for its CPU")
        }),
        flag_if(switches > 100.0 && !shared, Reason::NoisySwitches, || {
            format!("{switches:.0} involuntary switches a second")
        }),
        flag_if(overflows > 0.0, Reason::ResourceWall, || {
            format!("{overflows:.0} connections found a full queue of accept")
        }),
        flag_if(cfg!(debug_assertions), Reason::DebugBuild, || {
            "not an optimised build".to_owned()
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether the generator can do more than was asked: `null_rate` is what it reaches against the
/// null server.
pub fn headroom(null_rate: f64, rate: f64) -> Option<Flag> {
    flag_if(null_rate < 1.5 * rate, Reason::Headroom, || {
        let ratio = null_rate / rate;
        format!("the null server gives {null_rate:.0}/s, only {ratio:.2} times {rate:.0}/s")
    })
}

/// Whether the server was the limit of a closed loop; else who was.
pub fn server_bound(server_cpu: f64, client_cpu: f64) -> Option<Flag> {
    flag_if(server_cpu < 0.9, Reason::NotServerBound, || {
        let limiter = if client_cpu >= 0.9 {
            "the client"
        } else {
            "waking up"
        };
        format!(
            "limited by {limiter}: server {:.0} % busy, client {:.0} %",
            100.0 * server_cpu,
            100.0 * client_cpu
        )
    })
}

/// Whether the generator was punctual, in nanoseconds.
pub fn generator_lag(lag_p99: f64, response_p99: f64) -> Option<Flag> {
    flag_if(lag_p99 > 0.1 * response_p99, Reason::GeneratorLag, || {
        format!(
            "sent {:.1} us late at p99, responses have {:.1} us",
            lag_p99 / 1e3,
            response_p99 / 1e3
        )
    })
}

/// Little's law: messages under way are rate times latency. Seconds, and messages a second.
pub fn little(under_way: f64, rate: f64, mean_latency: f64) -> Option<Flag> {
    let found = rate * mean_latency;
    let error = (under_way - found).abs() / under_way;
    flag_if(error > 0.02, Reason::Little, || {
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
    for share in [0.25, 0.5, 0.75] {
        let x = share * stop;
        let (expected, found) = (ramp(rate, stop, x), response(x));
        flags.extend(flag_if(
            (found - expected).abs() > 0.05 * due,
            Reason::Canary,
            || {
                format!(
                    "{found:.0} responses longer than {:.0} ms, the ramp has {expected:.0}",
                    x * 1e3
                )
            },
        ));
        let slow = service(x);
        flags.extend(flag_if(slow > 2.0 * under_way, Reason::Canary, || {
            format!(
                "{slow:.0} service times longer than {:.0} ms, but {under_way:.0} were under way",
                x * 1e3
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
    if scans {
        // Neighbours may tie at small N, where the fixed cost rules: 10 % down is no tie.
        let fall = costs.windows(2).find(|pair| pair[1].1 < 0.9 * pair[0].1);
        let falls = fall.and_then(|pair| {
            flag_if(true, Reason::Shape, || {
                format!("{name} is cheaper at N={} than at {}", pair[1].0, pair[0].0)
            })
        });
        let flat = last.0 >= 64 * first.0 && last.1 < RISE * first.1;
        return falls.or_else(|| {
            flag_if(flat, Reason::Shape, || {
                format!("{name} costs at N={} what it costs at {}", last.0, first.0)
            })
        });
    }
    flag_if(last.1 > 2.5 * first.1, Reason::Shape, || {
        let ratio = last.1 / first.1;
        format!(
            "{name} grows {ratio:.1} times from N={} to {}",
            first.0, last.0
        )
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
            pressure_percent: 99.0,
            waited_percent: 1.1,
            involuntary_per_second: 101.0,
            accept_overflows: 1.0,
        };
        let codes = |loud: &Quiet, placement| -> Vec<&str> {
            let flags = quiet(loud, placement, Workload::Echo)
                .into_iter()
                .map(|flag| flag.reason);
            let flags = flags.filter(|&reason| reason != Reason::DebugBuild);
            flags.map(Reason::code).collect()
        };
        assert_eq!(
            codes(&loud, Placement::OneThread),
            [
                "noisy-steal",
                "noisy-foreign",
                "noisy-pressure",
                "noisy-switches",
                "resource-wall"
            ]
        );
        assert_eq!(
            codes(&loud, Placement::Split),
            [
                "noisy-steal",
                "noisy-foreign",
                "noisy-switches",
                "resource-wall"
            ]
        );
        assert_eq!(
            codes(&loud, Placement::SameCpu),
            ["noisy-steal", "noisy-foreign", "resource-wall"]
        );
        let cascade = quiet(&loud, Placement::OneThread, Workload::Cascade);
        let found: Vec<Reason> = cascade.into_iter().map(|flag| flag.reason).collect();
        assert!(found.contains(&Reason::NoisyForeign));
        assert!(!found.contains(&Reason::NoisyPressure));
        let pressed = Quiet {
            pressure_percent: 99.0,
            ..Quiet::default()
        };
        assert!(codes(&pressed, Placement::OneThread).is_empty());
    }

    #[test]
    fn little_finds_a_latency_that_is_not_the_clients() {
        assert!(little(50.0, 100_000.0, 500e-6).is_none());
        assert_eq!(
            little(50.0, 100_000.0, 400e-6).unwrap().reason,
            Reason::Little
        );
    }

    #[test]
    fn the_canary_sings_for_a_ramp_and_not_for_omission() {
        let ramp_of = |x: f64| ramp(5000.0, 0.1, x);
        assert!(canary(5000.0, 0.1, 8.0, ramp_of, |_| 8.0).is_empty());
        assert!(!canary(5000.0, 0.1, 8.0, |_| 8.0, |_| 8.0).is_empty());
        assert!(!canary(5000.0, 0.1, 8.0, ramp_of, ramp_of).is_empty());
    }

    #[test]
    fn shapes_know_who_scans() {
        let rising = [(1, 150.0), (100, 4_000.0), (8192, 900_000.0)];
        let flat = [(1, 180.0), (100, 190.0), (8192, 230.0)];
        let falling = [(1, 150.0), (100, 120.0), (8192, 230.0)];
        assert!(shape("ours-poll", &rising).is_none());
        assert!(shape("ours-poll", &falling).is_some());
        assert!(shape("ours-poll", &flat).is_some());
        assert!(shape("ours-epoll", &flat).is_none());
        assert!(shape("polling", &flat).is_none());
        assert!(shape("bare-epoll", &rising).is_some());
    }
}
