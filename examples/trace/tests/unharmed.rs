//! Nothing that watches may fail the program, or write where it was not asked to. The variables are
//! those of a whole process, so each test runs itself as a child.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use trace::{Step, Trace, lint};

/// Set for the child.
const CHILD: &str = "TRACE_TEST_CHILD";

/// A guard against hanging, not a measure of speed.
const GUARD: Duration = Duration::from_secs(120);

fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Does so much that the recorder has to write in the middle of it.
fn yields(times: u32) {
    executor::block_on(async move {
        let task = executor::spawn(async move {
            for _ in 0..times {
                executor::yield_now().await;
            }
        });
        task.await.expect("it does not panic");
    })
    .expect("the kernel waits");
}

/// The test of this name, as a child that writes a trace.
fn child(program: &Path, test: &str, file: &Path) -> Command {
    child_with("", program, test, file)
}

/// The same, with a redirection of the shell's.
fn child_with(redirection: &str, program: &Path, test: &str, file: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!(r#"exec "$0" "$@" {redirection}"#))
        .arg(program)
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(CHILD, "1")
        .env("REACTOR_TRACE", file);
    command
}

fn this_program() -> PathBuf {
    env::current_exe().expect("the test knows where it is")
}

fn run(test: &str, file: &Path) -> Output {
    let output = child(&this_program(), test, file).output();
    output.expect("it can be started")
}

fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("trace-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn read(file: &Path) -> Trace {
    let text = fs::read_to_string(file).expect("it was written");
    Trace::parse(&text).unwrap_or_else(|bad| panic!("{}: {bad}", file.display()))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_trace_and_not_the_program() {
    if is_child() {
        return yields(10_000);
    }
    let name = "a_full_disk_ends_the_trace_and_not_the_program";
    let output = run(name, Path::new("/dev/full"));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("the trace ends here").count(), 1, "{said}");
    // Where even that cannot be said, it is not said.
    for stderr in ["2>&-", "2>/dev/full"] {
        let output = child_with(stderr, &this_program(), name, Path::new("/dev/full"))
            .output()
            .expect("it can be started");
        assert!(output.status.success(), "{stderr}: {output:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_the_program_goes_on() {
    if is_child() {
        return yields(10);
    }
    let name = "a_file_that_cannot_be_written_is_told_and_the_program_goes_on";
    let output = run(name, Path::new("/no/such/folder/trace"));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("/no/such/folder/trace"), "{said}");
}

#[test]
fn a_trace_ends_at_its_limit_and_says_so() {
    if is_child() {
        return yields(20_000);
    }
    let folder = folder("limit");
    let file = folder.join("run.trace");
    let name = "a_trace_ends_at_its_limit_and_says_so";
    let output = child(&this_program(), name, &file)
        .env("REACTOR_TRACE_LIMIT", "64K")
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("its limit of 65536 bytes"), "{said}");
    let length = fs::metadata(&file).expect("it was written").len();
    assert!((60_000..=65_536 + 200).contains(&length), "{length}");
    let last = read(&file).lines.pop().expect("it has lines").step;
    assert!(
        matches!(
            last,
            Step::Recorder {
                limit: Some(65_536),
                ..
            }
        ),
        "{last:?}"
    );
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn a_limit_that_is_no_number_is_told_and_the_trace_is_written() {
    if is_child() {
        return yields(10);
    }
    let folder = folder("no-limit");
    let file = folder.join("run.trace");
    let name = "a_limit_that_is_no_number_is_told_and_the_trace_is_written";
    let output = child(&this_program(), name, &file)
        .env("REACTOR_TRACE_LIMIT", "a lot")
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("\"a lot\""), "{said}");
    assert!(!read(&file).lines.is_empty());
    fs::remove_dir_all(folder).expect("ours");
}

/// A program that never sleeps is killed, as by somebody who is tired of waiting, when its trace
/// says what is wanted.
fn killed_when(test: &str, mut wanted: impl FnMut(&Trace) -> bool) {
    let folder = folder(test);
    let file = folder.join("run.trace");
    let mut child = child(&this_program(), test, &file)
        .stdout(Stdio::null())
        .spawn()
        .expect("it can be started");
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if Trace::parse(&text).is_ok_and(|trace| wanted(&trace)) {
            break;
        }
        assert!(begun.elapsed() < GUARD, "{text}");
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it runs");
    child.wait().expect("ours");
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn a_poll_that_never_comes_back_is_in_the_trace_and_is_told() {
    if is_child() {
        let forever = async { thread::sleep(2 * GUARD) };
        executor::block_on(forever).expect("never");
    }
    let name = "a_poll_that_never_comes_back_is_in_the_trace_and_is_told";
    killed_when(name, |trace| {
        let hits = lint::all(trace);
        hits.iter().any(|hit| hit.lint == "long-poll")
    });
}

#[test]
fn a_program_that_does_little_and_never_sleeps_has_its_records_in_the_trace() {
    if is_child() {
        executor::block_on(async {
            loop {
                thread::sleep(Duration::from_millis(20));
                executor::yield_now().await;
            }
        })
        .expect("never");
    }
    let name = "a_program_that_does_little_and_never_sleeps_has_its_records_in_the_trace";
    killed_when(name, |trace| {
        let polls = trace.lines.iter();
        polls
            .filter(|line| matches!(line.step, Step::PollEnd { .. }))
            .count()
            >= 3
    });
}

#[test]
fn a_child_of_fork_writes_nothing_into_the_trace_of_its_parent() {
    if is_child() {
        return forks();
    }
    let folder = folder("fork");
    let file = folder.join("run.trace");
    let output = run(
        "a_child_of_fork_writes_nothing_into_the_trace_of_its_parent",
        &file,
    );
    assert!(output.status.success(), "{output:?}");
    let trace = read(&file);
    let spawns = |line: &&trace::Line| matches!(line.step, Step::Spawn { .. });
    assert_eq!(trace.lines.iter().filter(spawns).count(), 2);
    // Each later than the one before, and from one process.
    assert!(trace.lines.windows(2).all(|pair| pair[0].t <= pair[1].t));
    // The runtime that the child makes has a trace of its own, under its own number.
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("ours")
        .map(|file| {
            file.expect("readable")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names[1].starts_with("run.trace.") && names[1].ends_with(".2"),
        "{names:?}"
    );
    assert!(names[1].len() > "run.trace.2".len(), "{names:?}");
    fs::remove_dir_all(folder).expect("ours");
}

fn forks() {
    let runtime = executor::Runtime::new().expect("a runtime");
    let spawn_and_run = || {
        let task = runtime.spawn(executor::yield_now());
        runtime
            .block_on(task)
            .expect("the kernel waits")
            .expect("it does not panic");
    };
    spawn_and_run();
    // SAFETY: "in a multithreaded process the child may only call async-signal-safe functions": the
    // other threads only wait, but for the recorder's, whose lock the child does not wait for; and
    // the C library keeps its own locks in order.
    #[expect(unsafe_code, reason = "there is no safe fork")]
    let forked = unsafe { fork() }.expect("a child");
    match forked {
        ForkResult::Child => {
            for _ in 0..3_000 {
                spawn_and_run();
            }
            drop(runtime);
            yields(10);
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            let ended = waitpid(child, None).expect("ours");
            assert_eq!(ended, WaitStatus::Exited(child, 0));
            spawn_and_run();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_set_user_id_program_ignores_the_variable() {
    if is_child() {
        if selectors_core::sys::process::is_secure_execution() {
            println!("secure");
        }
        return yields(10);
    }
    let name = "a_set_user_id_program_ignores_the_variable";
    let folder = folder("secure");
    let program = folder.join("program");
    // By somebody else: a file that this process has open to write, a child of another test may have
    // open as well, and then nobody may run it.
    let copied = Command::new("cp")
        .args([&this_program(), &program])
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).expect("ours");
    if chown(&program, Some(65_534), None).is_err() {
        eprintln!("skipped: only the administrator can give a program away");
        return fs::remove_dir_all(folder).expect("ours");
    }
    for (mode, is_secure) in [(0o755, false), (0o4755, true)] {
        fs::set_permissions(&program, Permissions::from_mode(mode)).expect("ours");
        let file = folder.join(format!("{mode:o}.trace"));
        let output = child(&program, name, &file)
            .output()
            .expect("it can be started");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        if is_secure && !said.contains("secure\n") {
            eprintln!("skipped: the kernel gives no rights to programs here");
            continue;
        }
        assert_eq!(file.exists(), !is_secure, "{mode:o}");
    }
    fs::remove_dir_all(folder).expect("ours");
}
