//! Command lines that ask for what cannot be: one clear line that says what is valid, status 2.

mod program;

use std::net::TcpListener;
use std::process::Command;

use program::{Program, command, executable, run};

const SERVERS: [&str; 2] = ["echo", "echo_callbacks"];
const ALL: [&str; 3] = ["echo", "echo_callbacks", "echo_client"];

/// One line, status 2, and every one of these in it.
#[track_caller]
fn assert_refused(example: &str, arguments: &str, told: &[&str]) {
    let outcome = run(example, arguments);
    let line = outcome.assert_failure(2);
    for text in told {
        assert!(
            line.contains(text),
            "no {text:?} from `{example} {arguments}`: {line}"
        );
    }
    assert_eq!(outcome.stdout, "", "nothing but the error");
}

#[test]
fn an_unknown_backend_is_answered_with_the_valid_ones() {
    for example in ALL {
        let told = ["iocp", "default", "select", "poll"];
        assert_refused(example, "--selector iocp", &told);
        #[cfg(target_os = "linux")]
        assert_refused(example, "--selector iocp", &["epoll"]);
    }
}

#[test]
fn an_unknown_backend_in_the_variable_is_answered_alike() {
    for example in ALL {
        let mut command = command(example, "");
        command.env("SELECTOR", "Epoll2");
        let outcome = Program::start(command).finish();
        let line = outcome.assert_failure(2);
        for text in ["variable SELECTOR", "Epoll2", "default", "select", "poll"] {
            assert!(line.contains(text), "no {text:?} from {example}: {line}");
        }
    }
}

#[test]
fn a_variable_that_is_empty_or_in_capitals_is_understood() {
    for name in ["", "POLL", "Default"] {
        let mut command = command("echo", "--demo");
        command.env("SELECTOR", name);
        Program::start(command).finish().assert_success();
    }
}

#[test]
fn an_argument_overrides_a_bad_variable() {
    let mut command = command("echo", "--demo --selector poll");
    command.env("SELECTOR", "nonsense");
    Program::start(command).finish().assert_success();
}

#[test]
fn an_unknown_trigger_is_answered_with_the_valid_ones() {
    for example in ["echo", "echo_client"] {
        assert_refused(
            example,
            "--trigger both",
            &["both", "auto", "level", "edge"],
        );
    }
}

#[test]
fn a_trigger_that_the_backend_lacks_is_refused() {
    for example in ["echo", "echo_client"] {
        let told = ["poll", "edge", "--trigger level"];
        assert_refused(example, "--selector poll --trigger edge", &told);
    }
}

#[test]
fn a_bad_address_is_answered_with_a_good_one() {
    for example in ALL {
        for bad in [
            "nowhere",
            "127.0.0.1",
            "127.0.0.1:99999",
            "1.2.3.400:80",
            ":80",
        ] {
            assert_refused(
                example,
                &format!("--addr {bad}"),
                &[bad, "--addr", "127.0.0.1:7007"],
            );
        }
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = taken.local_addr().expect("it is bound").to_string();
    for example in SERVERS {
        let told = [address.as_str(), "in use", "--addr"];
        assert_refused(example, &format!("--addr {address}"), &told);
    }
}

#[test]
fn a_size_that_is_no_size_is_answered_with_valid_ones() {
    for bad in ["big", "0", "-5", "9..3", "1..", "100M", "1.5"] {
        let arguments = format!("--size={bad}");
        assert_refused(
            "echo_client",
            &arguments,
            &["--size", bad, "1 to 64M", "1..64k"],
        );
    }
}

#[test]
fn counts_out_of_range_are_answered_with_the_range() {
    for option in ["connections", "messages", "timeout"] {
        for bad in ["0", "99999999999", "many"] {
            let flag = format!("--{option}");
            let arguments = format!("{flag} {bad}");
            assert_refused("echo_client", &arguments, &[flag.as_str(), bad]);
        }
    }
    assert_refused("echo_client", "--connections 0", &["1..=1000000"]);
    assert_refused("echo", "--grace -1", &["--grace", "-1"]);
}

#[test]
fn a_flag_that_does_not_exist_is_answered_with_one_that_does() {
    assert_refused("echo", "--adr 127.0.0.1:0", &["--adr", "--addr"]);
    assert_refused(
        "echo_client",
        "--connectoins 5",
        &["--connectoins", "--connections"],
    );
    assert_refused("echo_callbacks", "surplus", &["surplus"]);
}

#[test]
fn more_connections_than_open_files_are_refused_with_what_to_do() {
    let mut shell = Command::new("sh");
    let script = "ulimit -n 200 && exec \"$0\" \"$@\"";
    shell
        .args(["-c", script])
        .arg(executable("echo_client"))
        .args(["--connections", "500"]);
    shell.env_remove("SELECTOR");
    let outcome = Program::start(shell).finish();
    let line = outcome.assert_failure(2);
    for text in [
        "500 connections",
        "may have 200",
        "ulimit -Hn",
        "at most 168 connections",
    ] {
        assert!(line.contains(text), "no {text:?} in {line}");
    }
}

#[test]
fn help_is_no_error_and_names_every_option() {
    let options = |example| match example {
        "echo" => vec!["--addr", "--selector", "--trigger", "--grace", "--demo"],
        "echo_client" => vec!["--addr", "--connections", "--messages", "--size", "--seed"],
        _ => vec!["--addr", "--selector"],
    };
    for example in ALL {
        let outcome = run(example, "--help");
        outcome.assert_success();
        assert_eq!(outcome.stderr, "");
        for option in options(example) {
            assert!(
                outcome.stdout.contains(option),
                "no {option} in the help of {example}"
            );
        }
    }
}
