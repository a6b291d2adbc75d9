//! What every example does with arguments: `--help` says what it is and how it is called, and what
//! cannot be is refused in words, before anything else.

mod program;

use std::collections::BTreeSet;

use program::run;

/// All examples of this package; those of the ecosystem where they are built.
fn examples() -> Vec<&'static str> {
    let manifest = include_str!("../Cargo.toml");
    let tables = manifest.split("[[example]]\n").skip(1);
    let built =
        tables.filter(|table| cfg!(feature = "ecosystem") || !table.contains("ecosystem\"]"));
    let names = built.filter_map(|table| table.strip_prefix("name = \"")?.split('"').next());
    let names: Vec<_> = names.collect();
    assert!(names.len() > 30, "{names:?}");
    names
}

/// One that needs a kernel that is not this one.
fn is_elsewhere(name: &str) -> bool {
    let of_linux = ["b02_armed_first", "b07_one_read", "b09_reused_fd"];
    cfg!(not(target_os = "linux")) && of_linux.contains(&name)
}

#[test]
fn help_says_what_it_is_and_how_it_is_called() {
    let mut told = BTreeSet::new();
    for name in examples().into_iter().filter(|name| !is_elsewhere(name)) {
        let outcome = run(name, "--help");
        outcome.assert_success();
        assert_eq!(outcome.stderr, "", "{name}");
        let (about, usage) = outcome.stdout.split_once("Usage: ").expect(name);
        assert!(usage.starts_with(name), "{outcome:#?}");
        assert!(!about.trim().is_empty(), "{outcome:#?}");
        // The pieces of the museum share a text.
        assert!(
            told.insert(about.to_owned()) || usage.contains("fixed"),
            "{outcome:#?}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_in_one_line_that_names_it() {
    for name in examples().into_iter().filter(|name| !is_elsewhere(name)) {
        // Whatever is wrong with a URL is told as what came of it.
        let wrong: &[_] = match name {
            "http_get" => &["--nonsense"],
            _ => &["--nonsense", "non!sense"],
        };
        for wrong in wrong {
            let outcome = run(name, wrong);
            let status = outcome.status.code();
            assert_eq!(status, Some(2), "{name} {wrong}: {outcome:#?}");
            assert_eq!(outcome.stdout, "", "{name} {wrong}: {outcome:#?}");
            // Those that clap ends by itself print a paragraph.
            let first = outcome.stderr.lines().next().unwrap_or_default();
            let told = first.starts_with("error: ") && first.contains(wrong);
            assert!(told, "{name} {wrong}: {outcome:#?}");
        }
    }
}

#[test]
fn programs_say_which_of_their_arguments_is_wrong() {
    for (program, arguments, told) in [
        ("proxy", "", "not provided: <HERE>; <THERE>"),
        ("proxy", "127.0.0.1:0", "<THERE>"),
        ("proxy", "127.0.0.1:0 nonsense", "nonsense"),
        ("http_get", "", "<URL>"),
        ("dns", "127.0.0.1:70000", "127.0.0.1:70000"),
        ("dns", "127.0.0.1:0 router.test", "router.test"),
        ("chat", "127.0.0.1:1x", "127.0.0.1:1x"),
        ("s06_backends", "127.0.0.1:0 iocp", "iocp"),
        ("s11_cancel", "127.0.0.1:0 soon", "soon"),
        ("b05_write_left_on", "fixt", "fixt"),
    ] {
        let outcome = run(program, arguments);
        let line = outcome.assert_failure(2);
        assert!(line.contains(told), "{program} {arguments}: {line}");
    }
}

#[test]
fn help_names_every_way_to_wait() {
    for name in ["echo", "echo_client", "probe"] {
        let help = run(name, "--help").stdout;
        for backend in ["select", "poll", "epoll", "uring"] {
            assert!(help.contains(backend), "{name}: {help}");
        }
    }
}

/// Those that differ can be started side by side without a thought; the echo servers, which do the
/// same, share port 7007.
#[test]
fn no_two_servers_that_differ_have_one_port() {
    let mut seen = BTreeSet::new();
    for name in examples().into_iter().filter(|name| !is_elsewhere(name)) {
        let help = run(name, "--help").stdout;
        let ports = help.split("[default: 127.0.0.1:").skip(1);
        let ports = ports.filter_map(|rest| rest.split(']').next().map(str::to_owned));
        for port in ports.filter(|port| port != "7007") {
            assert!(seen.insert(port), "{name}: {help}");
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
}

/// An error as people read it, and not as `Debug` prints it.
#[test]
fn an_address_that_is_not_ours_is_told_in_words() {
    // Nobody has this one: it is for documentation (RFC 5737).
    const ADDRESS: &str = "192.0.2.1:7099";
    let here = |name: &&str| examples().contains(name);
    let options = [
        "echo",
        "echo_callbacks",
        "thread_per_core",
        "http_hello",
        "axum_hello",
    ];
    let options = options.into_iter().chain(["tls_echo", "websocket_echo"]);
    let options = options.map(|name| (name, format!("--addr {ADDRESS}")));
    let plain = ["chat", "kv", "dns", "selectors_port"].map(|name| (name, ADDRESS.to_owned()));
    let proxy = ("proxy", format!("{ADDRESS} {ADDRESS}"));
    let all = options.chain(plain).chain([proxy]);
    for (name, arguments) in all.filter(|(name, _)| here(name)) {
        let outcome = run(name, &arguments);
        assert!(!outcome.status.success(), "{name}: {outcome:#?}");
        let said = &outcome.stderr;
        assert!(
            said.starts_with("error: ") && said.contains(ADDRESS),
            "{name}: {said}"
        );
        assert!(!said.contains("kind:"), "{name}: {said}");
    }
}
