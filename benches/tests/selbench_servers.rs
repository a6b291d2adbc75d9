//! The workloads that ask something of the open loop, against ours and against a server of
//! another make: Python's asyncio.
//!
//! The figures themselves are never asserted: tests run on busy machines and in debug builds.

#![cfg(feature = "selbench")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use benches::selbench::histogram;
use benches::selbench::schema::{Document, Slice};

/// An echo server of Python's standard library; says its port, and ends with its input.
const ASYNCIO: &str = r#"
import asyncio, sys

async def echo(reader, writer):
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()

async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"#;

struct Python {
    child: Child,
    address: String,
}

impl Python {
    /// Nothing where there is no Python.
    fn start() -> Option<Self> {
        let started = Command::new("python3")
            .args(["-c", ASYNCIO])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                println!("skipped: python3 cannot be started: {error}");
                return None;
            }
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Some(Self {
            child,
            address: format!("127.0.0.1:{}", line.trim()),
        })
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures, and returns the slices.
fn measure(name: &str, words: &[&str]) -> Vec<Slice> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let json = folder.join(format!("{name}.json"));
    let _ = std::fs::remove_file(&json);
    let output = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(words)
        .args(["--blocks", "1", "--no-floor", "--placement", "same-cpu"])
        .args(["--json", json.to_str().unwrap()])
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = Document::read(json.to_str().unwrap());
    document
        .unwrap_or_else(|error| panic!("{error}: {problem}"))
        .slices
}

/// Nothing was wrong or lost, and these were told.
fn complete(slices: &[Slice], metrics: &[&str]) {
    assert!(!slices.is_empty());
    for slice in slices {
        let codes: Vec<_> = slice.flags.iter().map(|flag| flag.reason.code()).collect();
        for wrong in ["errors", "lost", "resource-wall"] {
            assert!(!codes.contains(&wrong), "{:?}", slice.flags);
        }
        for metric in metrics {
            let told = slice.metrics.get(*metric);
            assert!(
                told.is_some_and(|&value| value > 0.0),
                "{metric}: {slice:?}"
            );
        }
    }
}

const FEW: [&str; 4] = ["--connections", "4", "--subjects", "bare,ours"];

#[test]
fn fairness_is_measured_beside_a_bulk_stream() {
    let words = ["fair", "--ms", "200", "--rate", "500"];
    let slices = measure("fair", &[&words[..], &FEW].concat());
    assert_eq!(slices.len(), 2);
    complete(&slices, &["replies", "bulk_mb_per_second"]);
    let both = ["alone", "response"];
    assert!(
        both.iter()
            .all(|name| slices[0].histograms.contains_key(*name))
    );
}

#[test]
fn an_overload_tells_its_goodput() {
    let words = ["overload", "--ms", "100", "--calm", "200", "--peak", "2000"];
    let slices = measure("overload", &[&words[..], &FEW].concat());
    assert_eq!(slices.len(), 2);
    complete(&slices, &["goodput", "calm_p99_ns", "replies"]);
}

#[test]
fn a_search_runs_again_what_it_found() {
    // A goal that every machine meets: what limits is the backlog alone.
    let words = ["capacity", "--ms", "40", "--goal-us", "30000000"];
    let slices = measure("capacity", &[&words[..], &FEW].concat());
    assert_eq!(slices.len(), 2);
    complete(&slices, &[]);
    for slice in &slices {
        let again = slice.probes.iter().filter(|probe| probe.confirmation);
        match slice.metrics.get("rate") {
            Some(&rate) => {
                let good = again.filter(|probe| probe.met && probe.rate == rate);
                assert!(good.count() >= 2, "{:?}", slice.probes);
            }
            None => assert!(
                slice
                    .flags
                    .iter()
                    .any(|flag| flag.reason.code() == "unconfirmed")
            ),
        }
    }
}

#[test]
fn connections_that_come_and_go_are_all_served_in_every_manner() {
    let manners = [
        [
            "--accept-batch",
            "0,1",
            "--listeners",
            "1",
            "--backlog",
            "1024",
        ],
        ["--accept-batch", "0", "--listeners", "3", "--backlog", "64"],
    ];
    for (number, manner) in manners.iter().enumerate() {
        let words = ["churn", "--connections", "4", "--ms", "40"];
        let slices = measure(&format!("churn-{number}"), &[&words[..], manner].concat());
        let closes = |name: &str| {
            let of_it = slices.iter().filter(|one| one.spec.choice("close") == name);
            of_it.count()
        };
        assert_eq!(closes("fin"), closes("rst"));
        for subject in ["bare", "ours", "ours-select"] {
            assert!(slices.iter().any(|one| one.spec.subject == subject));
        }
        complete(&slices, &["connections_served", "first_byte_max_ns"]);
        for slice in &slices {
            let told = histogram::decode(&slice.histograms["first_byte"]).unwrap();
            let served = slice.metrics["connections_served"];
            assert!(told.len() as f64 >= served, "{served} served: {slice:?}");
        }
    }
}

#[test]
fn a_server_of_another_make_is_measured_by_every_workload() {
    let Some(python) = Python::start() else {
        return;
    };
    let server = [
        "--server",
        &python.address,
        "--connections",
        "2",
        "--ms",
        "100",
    ];
    let all: [(&str, &[&str], &[&str]); 6] = [
        ("churn", &[], &["connections_served"]),
        ("echo", &[], &["rate", "service_max_ns"]),
        ("load", &["--rates", "200"], &["response_max_ns"]),
        ("fair", &["--rate", "200"], &["bulk_mb_per_second"]),
        (
            "overload",
            &["--calm", "100", "--peak", "300"],
            &["goodput"],
        ),
        ("capacity", &["--goal-us", "30000000"], &[]),
    ];
    for (workload, more, metrics) in all {
        let words = [&[workload][..], &server, more].concat();
        let slices = measure(&format!("python-{workload}"), &words);
        assert_eq!(slices[0].spec.subject, python.address);
        complete(&slices, metrics);
    }
}
