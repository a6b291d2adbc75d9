//! Loops that are not ours, seen from outside: the logs of `examples/traces/strace`, and what the book
//! says of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use trace::strace::{self, Loop};
use trace::{Step, html, lint};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces/strace")
}

/// The one loop of a log.
fn the_loop(name: &str) -> Loop {
    let log = fs::read_to_string(folder().join(format!("{name}.strace"))).expect("a log");
    let mut loops = strace::read(&log).expect("it waits");
    assert_eq!(loops.len(), 1, "{name}");
    loops.remove(0)
}

fn count(found: &Loop, is: impl Fn(&Step) -> bool) -> usize {
    found
        .trace
        .lines
        .iter()
        .filter(|line| is(&line.step))
        .count()
}

fn calls(found: &Loop, name: &str, result: &str) -> usize {
    count(
        found,
        |step| matches!(step, Step::Syscall { call, result: said, .. } if call == name && said == result),
    )
}

#[test]
fn nginx_watches_connections_by_edge_and_accepts_one_at_a_time() {
    let nginx = the_loop("nginx");
    let header = &nginx.trace.header;
    assert_eq!(
        (header.backend.as_str(), header.trigger.as_str()),
        ("epoll_wait", "edge")
    );
    assert_eq!(calls(&nginx, "accept", "ok"), 2);
    assert_eq!(calls(&nginx, "accept", "would_block"), 0);
    // Four requests and two ends, and no read in vain.
    assert_eq!(calls(&nginx, "recv", "ok"), 6);
    assert_eq!(calls(&nginx, "recv", "would_block"), 0);
    assert_eq!(calls(&nginx, "writev", "ok"), 4);
}

#[test]
fn redis_accepts_until_nobody_is_there_and_wakes_ten_times_a_second() {
    let redis = the_loop("redis");
    assert_eq!(redis.trace.header.trigger, "level");
    assert_eq!(calls(&redis, "accept", "ok"), 2);
    assert_eq!(calls(&redis, "accept", "would_block"), 1);
    assert_eq!(calls(&redis, "read", "would_block"), 0);
    let ticks = count(
        &redis,
        |step| matches!(step, Step::SelectBegin { timeout: Some(timeout), .. } if *timeout <= 100_000_000),
    );
    assert!(ticks > 10, "{ticks}");
    assert!(
        count(&redis, |step| matches!(
            step,
            Step::SelectBegin { timeout: None, .. }
        )) == 0
    );
}

#[test]
fn node_is_woken_by_its_threads_through_an_eventfd() {
    let node = the_loop("node");
    assert_eq!(node.trace.header.backend, "epoll_pwait");
    // Two files are read, in four steps each; each step of a thread ends with a write.
    let notified = count(&node, |step| *step == Step::Notify);
    assert!((4..=8).contains(&notified), "{notified}");
    let lines = &node.trace.lines;
    let eventfd = lines.iter().find(|line| line.what.contains("eventfd"));
    assert!(eventfd.is_some(), "strace -yy says what an fd is");
    // A wake comes after the wait has begun, or before it: never after it has ended.
    let told = lines.windows(2).all(|pair| pair[0].t <= pair[1].t);
    assert!(told);
}

#[test]
fn asyncio_is_woken_by_its_threads_through_a_pair_of_sockets() {
    let asyncio = the_loop("asyncio");
    assert_eq!(asyncio.trace.header.trigger, "level");
    assert!(count(&asyncio, |step| *step == Step::Notify) >= 1);
    let looks = count(&asyncio, |step| {
        matches!(
            step,
            Step::SelectBegin {
                timeout: Some(0),
                ..
            }
        )
    });
    assert!(looks * 2 > asyncio.waits, "{looks} of {}", asyncio.waits);
}

#[test]
fn tokio_watches_everything_by_edge_and_never_reads_its_eventfd() {
    let tokio = the_loop("tokio");
    assert_eq!(tokio.trace.header.trigger, "edge");
    // One file is read, by one thread in one go.
    assert_eq!(count(&tokio, |step| *step == Step::Notify), 1);
    assert_eq!(calls(&tokio, "accept", "ok"), 2);
    assert_eq!(calls(&tokio, "accept", "would_block"), 1);
    // Each connection is tried once before anything has come; after a short read nobody asks again.
    assert_eq!(calls(&tokio, "recv", "would_block"), 2);
    assert_eq!(calls(&tokio, "recv", "ok"), 6);
    assert_eq!(calls(&tokio, "send", "ok"), 4);
    assert_eq!(calls(&tokio, "read", "ok"), 0);
    // It adds to its epoll set by one number, and waits by another: everybody is known all the same.
    let known = |step: &Step| match step {
        Step::SelectEnd { ready } => ready.iter().all(|(fd, _)| *fd < 4),
        _ => true,
    };
    assert!(tokio.trace.lines.iter().all(|line| known(&line.step)));
}

#[test]
fn a_thread_may_wait_for_what_another_has_registered() {
    let log = "\
        7 1.0 clone3({flags=CLONE_VM|CLONE_FILES}, 88) = 8 <0.00001>\n\
        7 1.1 epoll_ctl(3, EPOLL_CTL_ADD, 4<anon_inode:[eventfd]>, {events=EPOLLIN|EPOLLET, data={u32=0, u64=0}}) = 0 <0.00001>\n\
        7 1.2 epoll_ctl(3, EPOLL_CTL_ADD, 5<TCP:[a]>, {events=EPOLLIN, data={u32=99, u64=4000000099}}) = 0 <0.00001>\n\
        8 1.3 epoll_wait(3, [{events=EPOLLIN, data={u32=99, u64=4000000099}}], 64, -1) = 1 <0.1>\n\
        8 1.5 accept4(5<TCP:[a]>, NULL, NULL, 0) = 6 <0.00001>\n\
        8 1.6 epoll_wait(3,  <unfinished ...>\n\
        7 1.7 write(4<anon_inode:[eventfd]>, \"\\1\", 8) = 8 <0.00001>\n\
        8 1.8 <... epoll_wait resumed>[{events=EPOLLIN, data={u32=0, u64=0}}], 64, -1) = 1 <0.2>\n";
    let found = strace::read(log).expect("it waits");
    let steps: Vec<String> = found[0]
        .trace
        .lines
        .iter()
        .map(|line| format!("{:?}", line.step))
        .filter(|step| !step.starts_with("SelectBegin"))
        .collect();
    assert_eq!(found[0].thread, 8);
    assert_eq!(steps[0], "SelectEnd { ready: [(0, \"R\")] }");
    assert!(
        steps[1].starts_with("Syscall { fd: 0, call: \"accept\""),
        "{steps:?}"
    );
    assert_eq!(steps[2..], ["Notify", "SelectEnd { ready: [(1, \"R\")] }"]);
}

/// As strace 6.1 shows it: the list of answers is in memory, and the time is behind a pointer.
#[test]
fn a_ring_is_handed_requests_and_waited_for() {
    let ring = "3<anon_inode:[io_uring]>";
    let mut log = format!(
        "578 1.0 io_uring_enter({ring}, 2, 0, 0, NULL, 0) = 2 <0.000031>\n\
         578 1.1 io_uring_enter({ring}, 1, 1, IORING_ENTER_GETEVENTS, NULL, 8) = 1 <0.5>\n\
         578 1.7 io_uring_enter({ring}, 0, 1, IORING_ENTER_GETEVENTS|IORING_ENTER_EXT_ARG, 0x7f45, 24) = -1 ETIME (Timer expired) <0.01>\n\
         578 1.8 io_uring_enter({ring}, 0, 0, IORING_ENTER_GETEVENTS, NULL, 8) = 0 <0.00001>\n"
    );
    for n in 0..20 {
        log += &format!(
            "578 2.{n:02} io_uring_enter({ring}, 0, 1, IORING_ENTER_GETEVENTS, NULL, 8) = 0 <0.001>\n"
        );
    }
    let found = strace::read(&log).expect("it waits");
    let trace = &found[0].trace;
    assert_eq!(
        (trace.header.backend.as_str(), found[0].waits),
        ("io_uring_enter", 23)
    );
    let told: Vec<String> = trace.lines[..9]
        .iter()
        .map(|line| match &line.step {
            Step::Syscall { fd, call, n, .. } => format!("{call} on {fd}: {n:?}"),
            Step::SelectBegin { timeout, .. } => format!("waits {timeout:?}"),
            Step::SelectEnd { ready } => format!("{ready:?}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told[..8],
        [
            "io_uring_enter on 0: Some(2)",
            "io_uring_enter on 0: Some(1)",
            "waits None",
            "[(0, \"R\")]",
            "waits Some(10000000)",
            "[]",
            "waits Some(0)",
            "[]",
        ]
    );
    // Answers are read without a call, so that nothing is done about them is not known.
    assert_eq!(lint::all(trace), []);
}

#[test]
fn nothing_is_suspicious_in_famous_loops_and_each_becomes_a_page() {
    for name in ["nginx", "redis", "node", "asyncio", "tokio"] {
        let found = the_loop(name);
        assert_eq!(lint::all(&found.trace), [], "{name}");
        let text = found.trace.text();
        let page =
            html::page(&[(name.into(), text)], Path::new(".")).expect("it reads its own text");
        assert!(page.contains("TCP:["), "{name}");
    }
}

/// A loop that spins over a hang-up, blocks in a sleep, and reads by level until it hears EAGAIN.
#[test]
fn what_is_wrong_with_a_loop_is_found_from_outside() {
    let mut log = String::from(
        "5 1.0 epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=4, u64=4}}) = 0 <0.00001>\n",
    );
    let mut at = 1.1;
    let mut line = |text: &str| {
        log += &format!("5 {at:.6} {text}\n");
        at += 0.001;
    };
    for _ in 0..20 {
        line("epoll_wait(3, [{events=EPOLLIN, data={u32=4, u64=4}}], 64, -1) = 1 <0.000010>");
        line("read(4, \"x\"..., 4096) = 1 <0.000010>");
        line("read(4, 0x7f, 4096) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>");
    }
    line("clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=300000000}, NULL) = 0 <0.300100>");
    for _ in 0..20 {
        line(
            "epoll_wait(3, [{events=EPOLLIN|EPOLLHUP, data={u32=4, u64=4}}], 64, -1) = 1 <0.000010>",
        );
    }
    let found = strace::read(&log).expect("it waits");
    let kinds: Vec<&str> = lint::all(&found[0].trace)
        .iter()
        .map(|hit| hit.lint)
        .collect();
    assert_eq!(kinds, ["read-again", "blocking-call", "spin"]);
}

#[test]
fn poll_and_select_are_understood() {
    let log = "poll_wait\n\
               1.0 poll([{fd=3<TCP:[a->b]>, events=POLLIN}, {fd=4, events=POLLOUT}], 2, 1000) = 1 ([{fd=3<TCP:[a->b]>, revents=POLLIN|POLLHUP}])\n\
               1.5 poll([{fd=3<TCP:[a->b]>, events=POLLIN|POLLOUT}], 1, -1) = 0 (Timeout)\n\
               2.0 select(6, [3<TCP:[a->b]> 5], [5], NULL, {tv_sec=1, tv_usec=500000}) = 2 (in [3<TCP:[a->b]>], out [5], left {tv_sec=1, tv_usec=0})\n\
               2.5 select(6, [3], NULL, NULL, NULL) = 1 (in [3])\n";
    let found = strace::read(log).expect("it waits");
    let told: Vec<String> = found[0]
        .trace
        .lines
        .iter()
        .map(|line| format!("{:?}", line.step))
        .collect();
    for wanted in [
        "Register { fd: 0, events: \"R\" }",
        "Register { fd: 1, events: \"W\" }",
        "SelectBegin { timeout: Some(1000000000), keys: 2, room: None }",
        "SelectEnd { ready: [(0, \"RH\")] }",
        "Unregister { fd: 1 }",
        "Modify { fd: 0, events: \"RW\" }",
        "SelectBegin { timeout: Some(1500000000), keys: 2, room: None }",
        "SelectEnd { ready: [(0, \"R\"), (2, \"W\")] }",
        "SelectEnd { ready: [(0, \"R\")] }",
    ] {
        assert!(
            told.iter().any(|step| step == wanted),
            "{wanted} is not in {told:#?}"
        );
    }
}

#[test]
fn the_command_writes_a_page_and_says_why_it_does_not() {
    let page = std::env::temp_dir().join(format!("strace-{}.html", std::process::id()));
    let run = |log: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
        command.arg("strace").arg(log).arg("-o").arg(&page);
        let output = command.output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("text"))
    };
    let (status, said) = run(&folder().join("redis.strace"));
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("redis 1313: ") && said.contains("0 lint hits"),
        "{said}"
    );
    assert!(
        fs::read_to_string(&page)
            .expect("it said so")
            .contains("127.0.0.1:18081")
    );
    fs::remove_file(&page).expect("ours");
    let (status, said) = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("strace -f -ttt -T -yy"), "{said}");
    // strace's own `-o` is the log, so it is a likely slip; a log is not written over, by no name.
    fs::copy(folder().join("redis.strace"), &page).expect("a copy");
    let link = page.with_extension("link");
    fs::hard_link(&page, &link).expect("one file system");
    for log in [&page, &link] {
        let (status, said) = run(log);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("would be lost"), "{said}");
        assert_eq!(
            fs::read(&page).ok(),
            fs::read(folder().join("redis.strace")).ok()
        );
    }
    fs::remove_file(&page).expect("ours");
    fs::remove_file(&link).expect("ours");
}

#[test]
fn a_log_with_names_of_any_bytes_is_read_and_no_loops_are_refused() {
    let log = std::env::temp_dir().join(format!("bytes-{}.strace", std::process::id()));
    let text = b"7 1.0 openat(AT_FDCWD, \"\xff\xfe\", O_RDONLY) = 3</\xff>\n\
        7 1.1 poll([{fd=3</\xff>, events=POLLIN}], 1, -1) = 1 ([{fd=3</\xff>, revents=POLLIN}])\n\
        7 1.2 poll([{fd=3</\xff>, events=POLLIN}], 1, 5) = 0 (Timeout)\n";
    fs::write(&log, text).expect("it can be written");
    let run = |loops: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
        command.args(["strace", "--loops", loops]).arg(&log);
        let output = command.output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("text"))
    };
    let (status, said) = run("1");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(" 7: 2 waits"), "{said}");
    let (status, said) = run("0");
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("'0'") && said.contains("1.."), "{said}");
    fs::remove_file(log.with_extension("strace.html")).expect("ours");
    fs::remove_file(&log).expect("ours");
}
