//! Each workload is run briefly, and what it tells must be true. Counts and shapes are asserted, times
//! never.

use std::process::Command;

use crate::support::{measure, metric, row};
use benches::method::{Process, histogram};
use benches::subjects;

#[test]
fn a_ring_counts_its_system_calls_exactly() {
    let subjects = "ours-epoll,bare-epoll,ours-epoll-oneshot,ours-poll";
    let slices = measure("ring", &format!("ring --registered 8 --ms 5 --subjects {subjects}"));
    assert_eq!(slices.len(), 4);
    for slice in &slices {
        let each = |name: &str| slice.system_calls.get(name).copied().unwrap_or(0.0);
        let changes = f64::from(u8::from(slice.spec.subject.ends_with("oneshot")));
        let calls = [each("wait"), each("read"), each("write"), each("change")];
        assert_eq!(calls, [1.0, 1.0, 1.0, changes], "{}", row(slice));
        assert_eq!(slice.spec.baseline, "ours-epoll", "whoever is named first is the baseline");
        assert!(slice.counts(), "counts mind no noise and no debug build: {:?}", slice.flags);
    }
}

#[test]
fn every_selector_changes_interests_and_has_all_cells_of_a_map() {
    for slice in measure("register", "register --registered 1,5 --ms 2") {
        assert!(metric(&slice, "ns_per_operation") > 0.0, "{}", row(&slice));
    }
    for slice in measure("map", "map --most 16 --ms 5") {
        // Sizes 1, 4 and 16 have 1, 4 and 6 different numbers of active fds.
        assert_eq!(slice.cells.len(), 11, "{}", row(&slice));
    }
}

#[test]
fn every_task_switches_as_often_as_it_is_asked_to() {
    for slice in measure("switch", "switch --tasks 10 --ms 5") {
        let switches = match slice.spec.choice("operation") {
            "spawn-join" => 10.0,
            _ => 100_000.0,
        };
        assert_eq!(metric(&slice, "switches"), switches, "{}", row(&slice));
        assert_eq!(slice.spec.baseline, "ours", "where nobody is named and nothing is bare");
        let allocated = metric(&slice, "allocations_per_task");
        if slice.spec.subject == "ours" {
            // It has the box of one that is over, if that one's type was the same, and ten thousand
            // switches ask for no memory.
            let same = slice.spec.choice("operation") != "ping-pong";
            let most = if same { 0.5 } else { 2.0 };
            assert!(allocated < most, "{}: {allocated}", row(&slice));
        } else {
            assert!(allocated >= 1.0, "{}: a task is on the heap", row(&slice));
        }
    }
}

#[test]
fn a_storm_of_timers_fires_all_of_them_and_no_sleep_ends_early() {
    for slice in measure("storm", "storm --timers 500,20000 --ms 5") {
        let asked = slice.spec.number("timers");
        assert_eq!(metric(&slice, "expired"), asked, "{}", row(&slice));
        for name in ["insert_ns", "reset_ns", "cancel_ns", "expire_ns"] {
            assert!(metric(&slice, name) >= 0.0, "{}: {name}", row(&slice));
        }
    }
    for slice in measure("overshoot", "overshoot --sleep-us 50,2000 --ms 20") {
        assert_eq!(metric(&slice, "early"), 0.0, "{}", row(&slice));
        let recorded = histogram::decode(&slice.histograms["overshoot"]).unwrap();
        assert_eq!(recorded.len() as f64, metric(&slice, "sleeps"));
        assert!(recorded.len() >= 10);
    }
}

#[test]
fn every_wake_arrives_and_is_written_once_at_most() {
    let words = "wake --senders 1,2 --burst 1,20 --placement same-cpu --ms 20";
    for slice in measure("wake", words) {
        let (senders, burst) = (slice.spec.count("senders"), slice.spec.number("burst"));
        let wakes = metric(&slice, "wakes");
        assert!(wakes >= burst, "{}: {wakes} wakes", row(&slice));
        let recorded = histogram::decode(&slice.histograms["wake"]).unwrap().len() as f64;
        if senders < 2 {
            assert_eq!(recorded, wakes, "{}", row(&slice));
        }
        let writes = metric(&slice, "writes_per_burst");
        // Plus what a stop that is under way asks for.
        assert!(writes <= burst + 0.5, "{}: {writes} a burst", row(&slice));
    }
}

#[test]
fn an_idle_server_of_ours_sleeps() {
    for slice in measure("idle", "idle --connections 50 --ms 50") {
        if slice.spec.subject.starts_with("ours") {
            assert_eq!(metric(&slice, "wakeups"), 0.0, "{}", row(&slice));
        }
        let restless = slice.flags.iter().any(|one| one.reason.code() == "restless");
        assert_eq!(restless, metric(&slice, "wakeups") > 0.0, "{}", row(&slice));
    }
}

#[test]
fn an_open_loop_answers_every_message_and_tells_what_was_served_in_time() {
    let words = "load --subjects bare,ours --rates 2000 --connections 4 --idle 5 --ms 400";
    for slice in measure("load", &format!("{words} --arrivals even,poisson --placement same-cpu")) {
        let response = histogram::decode(&slice.histograms["response"]).unwrap();
        // Due in 400 ms at 2000 a second, give or take those at the ends, or ten standard deviations;
        // what was late was sent afterwards all the same, and was not served in time.
        let room = if slice.spec.choice("arrivals") == "even" { 2 } else { 283 };
        assert!(response.len().abs_diff(800) <= room, "{} replies", response.len());
        assert!(metric(&slice, "rate") <= 2010.0 + 2.5 * room as f64, "{}", row(&slice));
        let service = histogram::decode(&slice.histograms["service"]).unwrap();
        assert!(service.max() <= response.max(), "service is a part of response");
    }
}

#[test]
fn echoes_of_every_size_are_verified_and_what_the_generator_can_do_is_beside_them() {
    let words = "echo --subjects ours --size 1,1024,16384 --connections 3 --depth 3 --ms 100";
    let slices = measure("echo", words);
    assert_eq!(slices.len(), 3);
    for slice in slices {
        assert!(metric(&slice, "replies") > 0.0);
        assert!(metric(&slice, "generator_percent") > 0.0, "{}", row(&slice));
    }
}

const FEW: &str = "--connections 4 --subjects bare,ours --placement same-cpu";

#[test]
fn the_open_loop_is_asked_for_fairness_for_an_overload_and_for_a_capacity() {
    for slice in measure("fair", &format!("fair --ms 200 --rate 500 {FEW}")) {
        assert!(metric(&slice, "bulk_mb_per_second") > 0.0 && metric(&slice, "replies") > 0.0);
        assert!(["alone", "response"].iter().all(|name| slice.histograms.contains_key(*name)));
    }
    for slice in measure("overload", &format!("overload --ms 100 --calm 200 --peak 2000 {FEW}")) {
        assert!(metric(&slice, "goodput") > 0.0, "{}", row(&slice));
    }
    // A goal that every machine meets: what limits is the backlog alone.
    for slice in measure("capacity", &format!("capacity --ms 40 --goal-us 30000000 {FEW}")) {
        let unconfirmed = slice.flags.iter().any(|flag| flag.reason.code() == "unconfirmed");
        match slice.metrics.get("rate") {
            Some(&rate) => {
                let probes = slice.probes.iter();
                let good = probes.filter(|probe| probe.met && probe.rate == rate);
                assert!(good.count() >= 2, "{:?}", slice.probes);
            }
            None => assert!(unconfirmed, "{slice:?}"),
        }
    }
}

#[test]
fn connections_that_come_and_go_are_all_served() {
    let words = "churn --connections 4 --ms 40 --subjects bare,ours,ours-select,tokio";
    let slices = measure("churn", words);
    let closes = |name: &str| slices.iter().filter(|one| one.spec.choice("close") == name).count();
    assert_eq!(closes("fin"), closes("rst"));
    for slice in &slices {
        let told = histogram::decode(&slice.histograms["exchange"]).unwrap();
        assert!(told.len() as f64 >= metric(slice, "connections_served"), "{}", row(slice));
    }
}

#[test]
fn a_server_of_any_make_that_is_here_echoes_and_its_cpu_is_counted() {
    let foreign = ["libevent", "libuv", "asyncio", "uvloop", "compio", "compio-uring", "monoio"];
    let here =
        foreign.map(subjects::named).into_iter().flatten().filter(subjects::subject::Subject::here);
    let names: Vec<&str> = here.map(|subject| subject.name).collect();
    if names.is_empty() {
        println!("skipped: none is here");
        return;
    }
    let words = format!("--connections 2 --subjects {} --ms 100", names.join(","));
    for slice in measure("foreign", &format!("load --rates 200 --placement same-cpu {words}")) {
        assert!(metric(&slice, "server_ns_per_message") > 0.0, "{}", row(&slice));
    }
    measure("foreign-churn", &format!("churn {words}"));
}

#[test]
fn the_cpu_of_a_server_that_is_named_is_the_servers_and_not_foreign() {
    // The project's own server as somebody else would run it: with a port, and without us knowing it.
    let mut command = Command::new(env!("CARGO_BIN_EXE_selbench"));
    let server = Process::server(command.args(["subject", "serve", "ours", "0"])).unwrap();
    let address = format!("127.0.0.1:{}", server.port);
    for workload in ["echo", "load --rates 200", "churn --close rst"] {
        let words = format!("{workload} --server {address} --connections 2 --ms 100");
        for slice in measure("elsewhere", &format!("{words} --placement same-cpu")) {
            assert_eq!(slice.spec.subject, address);
            // It is only known of a process that is seen, and what is seen is ours.
            let used = slice.metrics.keys().any(|name| name.starts_with("server_"));
            assert!(used, "{}: {:?}", row(&slice), slice.metrics);
        }
    }
}
