//! Is the trace true? The system calls that it tells of, and what select answered, beside what
//! strace saw in the same run. Linux only, and skipped where strace may not look.
#![cfg(target_os = "linux")]

mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::{env, fs, thread, time};

use program::{Program, executable};
use trace::{Step, Trace};

/// A call and its answer, as both can tell it: the number if it is known, WouldBlock as -1.
type Told = (String, Option<i64>);

/// The calls of a trace, and its selects.
fn told(text: &str) -> Vec<Told> {
    let trace = Trace::parse(text).expect("our own trace is understood");
    let calls = trace.lines.into_iter().filter_map(|line| match line.step {
        Step::Syscall {
            call, result, n, ..
        } => {
            let answer = match (result.as_str(), n) {
                ("would_block", _) => Some(-1),
                (_, n) => n.and_then(|n| n.try_into().ok()),
            };
            Some((call, answer))
        }
        Step::SelectEnd { ready } => Some(("select".to_owned(), ready.len().try_into().ok())),
        _ => None,
    });
    calls.collect()
}

/// The same calls in what strace wrote: `123 recvfrom(7, "hello", ...) = 5`.
fn seen(text: &str) -> Vec<Told> {
    let names = [
        ("accept4(", "accept"),
        ("recvfrom(", "recv"),
        ("sendto(", "send"),
        ("epoll_wait(", "select"),
        ("epoll_pwait(", "select"),
        ("epoll_pwait2(", "select"),
    ];
    // Before it listens, the program tries out whether there is an epoll here at all.
    let (_, text) = text.split_once("listen(").unwrap_or_default();
    let calls = text.lines().filter_map(|line| {
        let (_, name) = names.iter().find(|(call, _)| line.contains(call))?;
        let answer = line.rsplit_once(" = ")?.1;
        let number = answer.split_whitespace().next()?.parse().ok();
        Some(((*name).to_owned(), number))
    });
    calls.collect()
}

#[test]
fn the_trace_tells_the_system_calls_that_strace_saw() {
    let folder = env::temp_dir().join(format!("truth-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (traced, straced) = (folder.join("trace"), folder.join("strace"));
    let strace = |args: &[&str]| {
        let mut command = Command::new("strace");
        // As a grandchild: then the program is our child, and ends with the test.
        command.arg("-D").arg("-o").arg(&straced).args(args);
        command
    };
    if !strace(&["true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("skipped: no strace here, or it may not look");
        return;
    }
    let mut command = strace(&["-e", "trace=listen,accept4,recvfrom,sendto,/epoll_.*wait.*"]);
    command
        .arg(executable("s12_crates"))
        .arg("127.0.0.1:0")
        .env("REACTOR_TRACE", &traced);
    let (program, address) = Program::listening(command);
    for words in [&["one", "two"][..], &["three"]] {
        let mut client = TcpStream::connect(address).expect("it listens");
        for word in words {
            client.write_all(word.as_bytes()).expect("it reads");
            let mut answer = vec![0; word.len()];
            client.read_exact(&mut answer).expect("it answers");
        }
    }
    // The recorder writes before each sleep: two clients have gone when two reads have said 0.
    let deadline = time::Instant::now() + time::Duration::from_secs(60);
    let told = loop {
        let told = told(&fs::read_to_string(&traced).expect("it was written"));
        let gone = told
            .iter()
            .filter(|(call, answer)| call == "recv" && *answer == Some(0));
        if gone.count() == 2 {
            break told;
        }
        assert!(time::Instant::now() < deadline, "{told:?}");
        thread::sleep(time::Duration::from_millis(10));
    };
    drop(program);
    let seen = loop {
        let seen = seen(&fs::read_to_string(&straced).expect("strace wrote it"));
        if seen.len() >= told.len() {
            break seen;
        }
        assert!(time::Instant::now() < deadline, "{seen:?} {told:?}");
        thread::sleep(time::Duration::from_millis(10));
    };
    // Two accepts, three words, two ends, and the sleeps before them, which two may share.
    assert!(told.len() >= 14, "{told:?}");
    for (told, seen) in told.iter().zip(&seen) {
        assert_eq!(told.0, seen.0);
        // What a whole write moved is not told; everything else is, to the byte.
        if told.1.is_some() {
            assert_eq!(told.1, seen.1, "{}", told.0);
        }
    }
    fs::remove_dir_all(folder).expect("ours");
}
