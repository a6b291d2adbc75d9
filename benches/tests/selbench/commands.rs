//! `selbench` in the hands of a stranger: its exit codes, its files, wrong files, wrong names. Every answer
//! says what is wrong and what to do, with the exit code of the guide.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{files, quiet, selbench, write};
use benches::method::results;

/// A ring of two sizes on two subjects: four slices.
const RING: &str = "ring --registered 2,4 --ms 3 --subjects bare-epoll,ours-epoll";

#[test]
fn wrong_words_end_with_64_and_are_explained() {
    let text_file = files("words")("notes.txt");
    std::fs::write(&text_file, "nothing").unwrap();
    let own = env!("CARGO_BIN_EXE_selbench");
    let list = "no subject is named nobody";
    for (words, wrong) in [
        ("nonsense", "unrecognized subcommand"),
        ("", "Usage"),
        ("echo --server 192.0.2.1:80", "not on the loopback"),
        ("fair --server 192.0.2.1:80", "not on the loopback"),
        ("echo --placement spin-spin --subjects ours", "ours sleeps"),
        ("echo --subjects ours-spin", "ours-spin spins"),
        ("ring --subjects nobody", list),
        ("capacity --subjects nobody", list),
        ("ring --blocks 0", "zero for non-zero type"),
        ("ring --json nowhere/x", "'--json <FILE>': there is no folder nowhere"),
        ("ring --csv nowhere/x", "'--csv <FILE>': there is no folder nowhere"),
        ("ring --html /tmp", "'--html <FILE>': this is a folder: give the name of a file"),
        ("ring --ms 0", "zero for non-zero type"),
        ("ring --budget 0", "zero for non-zero type"),
        ("ring --registered -1", "unexpected argument"),
        ("ring --registered 1.5", "'1.5' for '--registered <N,...>': it is no whole number"),
        ("ring --registered x", "it is no whole number"),
        ("ring --registered 8,0", "it is below 1"),
        ("ring --active 0", "it is below 1"),
        ("echo --connections 0", "it is below 1"),
        ("echo --size 0", "it is below 1"),
        ("echo --depth 0", "it is below 1"),
        ("load --rates 0", "it is below 1"),
        ("echo --server 127.0.0.1:1", "127.0.0.1:1: nobody listens there (connection refused)"),
        ("report /nonexistent.json", "cannot be read"),
        ("compare ours-epoll ours", "ours is a runtime; ours-epoll is a selector"),
        ("compare ours-epoll nobody", "nobody is no subject, no file and no git revision here"),
        ("compare ./nowhere OWN", "./nowhere is a path, and there is no such file"),
        ("compare OWN NOTES", "is a file, but no program"),
        ("compare OWN OWN --subject nobody", "--subject nobody"),
        ("compare ours", "<B>"),
        ("compare ours tokio --sizes 0", "zero for non-zero type"),
        ("matrix huge", "smoke, quick, full"),
        ("advise --connections 0 --active 1", "0 is not in"),
        ("advise --connections 10 --active 11", "--active 11 is more than"),
    ] {
        let words = words.replace("OWN", own).replace("NOTES", &text_file);
        let (code, text) = selbench(&words);
        let hidden =
            [own, text_file.as_str()].iter().fold(text, |text, path| text.replace(path, "P"));
        assert_eq!(code, Some(64), "{words}: {hidden}");
        assert!(hidden.contains(wrong), "{words} says {wrong}: {hidden}");
    }
}

#[test]
fn every_page_of_help_begins_with_what_it_is_about_and_names_its_values() {
    let page = |words: &str| {
        let (code, text) = selbench(words);
        assert_eq!(code, Some(0), "{words}: {text}");
        text
    };
    let begin = "Latency of selectors, and of the loops built on them, under load.";
    for words in ["--help", "-h", "help"] {
        assert!(page(words).starts_with(begin), "{words}: {}", page(words));
    }
    // What the program says of a command is what the command says of itself, and no other does.
    let whole = page("--help");
    let list = whole.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut listed: Vec<(String, String)> = Vec::new();
    for line in list.lines() {
        match (line.trim_start().split_once("  "), listed.last_mut()) {
            (Some((name, about)), _) if !line.starts_with("   ") => {
                listed.push((name.to_owned(), about.trim().to_owned()));
            }
            (_, Some((_, about))) => *about += &format!(" {}", line.trim()),
            _ => panic!("{list}"),
        }
    }
    assert_eq!(listed.pop().unwrap().0, "help");
    for (place, (name, about)) in listed.iter().enumerate() {
        assert!(listed[..place].iter().all(|other| other.1 != *about), "{name}: {about}");
        for help in ["--help", "-h"] {
            let text = page(&format!("{name} {help}"));
            let (first, rest) = text.split_once("\n\n").unwrap();
            assert_eq!(first.split_whitespace().collect::<Vec<_>>().join(" "), *about, "{name}");
            assert!(rest.contains(&format!("Usage: selbench {name}")), "{text}");
            let values = rest.split('<').skip(1).filter_map(|rest| rest.split('>').next());
            for value in values {
                assert_eq!(value, value.to_uppercase(), "{name}: a value says what it is");
            }
        }
    }
    for workload in benches::workloads::ALL {
        let own = listed.iter().find(|(name, _)| name == workload.name()).unwrap();
        assert_eq!(own.1, workload.about, "{}", workload.name());
        let list = page(&format!("{} --subjects list", workload.name()));
        assert!(list.contains("  ours"), "{list}");
    }
    let (_, gates) = crate::support::run(env!("CARGO_BIN_EXE_gates"), &["--help"]);
    assert!(gates.starts_with("Instructions, system calls, allocations and memory"), "{gates}");
}

/// It measures less where the machine is busy, and then says so with a 2; it never falls over.
#[test]
fn a_preset_goes_through_and_leaves_its_files() {
    let path = files("preset");
    let (code, told) = selbench(&format!("matrix smoke --out {}", path("")));
    assert!(matches!(code, Some(0 | 2)), "{told}");
    let document = results::read(&path("results.json")).unwrap();
    assert!(!document.slices.is_empty(), "{told}");
    assert!(["results.csv", "report.html"].iter().all(|name| Path::new(&path(name)).exists()));
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let path = files("unreadable");
    let mut document = quiet("unreadable-ring", RING);
    write(&path("good.json"), &document);
    document.schema = "selbench-v9".to_owned();
    write(&path("v9.json"), &document);
    let newer = serde_json::json!({"schema": benches::method::SCHEMA, "slices": 1});
    write(&path("newer.json"), &newer);
    let good = std::fs::read_to_string(path("good.json")).unwrap();
    // A later version has fields of other kinds: the version is looked at first.
    let other =
        good.replace("selbench-v3", "selbench-v7").replace("\"slices\": [", "\"slices\": [1,");
    let damaged = good.replace("\"slices\": [", "\"slices\": [1,");
    for (name, text) in [
        ("empty.json", ""),
        ("results.csv", "workload,subject\nring,ours-epoll\n"),
        ("cut.json", &good[..good.len() / 2]),
        ("other.json", "{\"name\": \"package\"}"),
        ("v7.json", &other),
        ("damaged.json", &damaged),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    std::fs::write(path("picture.json"), [0x89, b'P', 0xff, 0xfe]).unwrap();
    for (name, wrong, remedy) in [
        ("nowhere.json", "cannot be read", "is the name right?"),
        ("", "cannot be read", "give the file in it"),
        ("picture.json", "cannot be read", "in JSON"),
        ("empty.json", "is empty", "run it again"),
        ("results.csv", "is not JSON", "--json FILE"),
        ("cut.json", "cut short", "--json FILE"),
        ("other.json", "no result of selbench", "--json FILE"),
        ("v9.json", "selbench-v9", "measure again"),
        ("v7.json", "selbench-v7", "measure again"),
        ("newer.json", "not as this program knows it", "measure again"),
        ("damaged.json", "was edited, or damaged", "measure again"),
    ] {
        let (wrong_path, html) = (path(name), path("never.html"));
        for words in [
            format!("report {wrong_path} -o {html}"),
            format!("gate {wrong_path} {}", path("good.json")),
            format!("gate {} {wrong_path}", path("good.json")),
        ] {
            let (code, text) = selbench(&words);
            assert_eq!(code, Some(64), "{words}: {text}");
            for word in [&*wrong_path, wrong, remedy] {
                assert!(text.contains(word), "{words} says {word}: {text}");
            }
        }
        assert!(!Path::new(&html).exists(), "no report of {name}");
    }
}

#[test]
fn a_server_that_is_none_makes_invalid_rows() {
    let server = ["/bin/true", "/usr/bin/true"].into_iter().find(|path| Path::new(path).exists());
    let server = server.expect("every system has it");
    let (code, text) = selbench(&format!("compare {server} {server} --sizes 1 --blocks 1 --ms 5"));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("0 of 3 slices are valid"), "{text}");
}

#[test]
fn a_point_whose_time_is_used_up_ends_after_five_blocks() {
    let json = files("budget")("ring.json");
    let words =
        "ring --registered 8 --ms 150 --no-floor --subjects bare-epoll,ours-epoll --budget 1";
    let (_, text) = selbench(&format!("{words} --json {json}"));
    let document = results::read(&json).unwrap_or_else(|problem| panic!("{problem}: {text}"));
    assert_eq!(document.slices.len(), 10);
    assert!(!document.interrupted, "a used-up share is no interruption");
}

#[test]
fn what_was_measured_before_ctrl_c_is_written() {
    let json = files("interrupted")("ring.json");
    // Far more than anybody waits for.
    let words =
        "ring --registered 1,2 --subjects bare-epoll --blocks 2000 --ms 1 --no-floor --json";
    let mut child = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(words.split(' ').chain([json.as_str()]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "0/4000 ring socketpair active=1 registered=1 writes=100 one-thread\n");
    // Until something is measured there is nothing to keep: its slices come and go as its children.
    let slices = format!("/proc/{0}/task/{0}/children", child.id());
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 5 {
        let children = std::fs::read_to_string(&slices).unwrap_or_default();
        seen.extend(children.split_whitespace().map(str::to_owned));
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    child.wait().unwrap();
    assert!(rest.contains("written: "), "{rest}");
    let document = results::read(&json).unwrap();
    assert!(document.interrupted);
    assert!((3..4000).contains(&document.slices.len()), "{} slices", document.slices.len());
}
