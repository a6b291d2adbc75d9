//! `compare` of programs: servers, `selbench` binaries, and git revisions of a project whose
//! `selbench` answers what it is told to.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::folder;
use benches::method::{Document, results};

fn compare(within: &Path, words: &[&str]) -> Document {
    let json = within.join("compared.json");
    let output = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .arg("compare")
        .args(words)
        .args(["--json", "compared.json"])
        .current_dir(within)
        .output()
        .unwrap();
    let problem = text(&output);
    results::read(json.to_str().unwrap()).unwrap_or_else(|error| panic!("{error}: {problem}"))
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn a_selbench_binary_measures_its_own_subjects_and_a_server_is_measured() {
    let folder = folder("programs");
    let selbench = env!("CARGO_BIN_EXE_selbench");
    let copy = folder.join("copy");
    fs::copy(selbench, &copy).unwrap();
    let few = ["--blocks", "1", "--ms", "20", "--sizes", "2", "--no-floor"];
    let copy = copy.to_str().unwrap();
    let rings = compare(&folder, &[&[copy, selbench, "--subject", "ours-poll"][..], &few].concat());
    assert_eq!(rings.slices.len(), 2);
    for slice in &rings.slices {
        assert!([copy, selbench].contains(&slice.spec.subject.as_str()));
        assert!(slice.metrics["ns_per_event"] > 0.0);
    }
    let server = folder.join("server").to_str().unwrap().to_owned();
    crate::support::server(&server, "bare");
    let echoes = compare(&folder, &[&[&*server, selbench][..], &few].concat());
    assert_eq!(echoes.slices.len(), 2);
    for slice in &echoes.slices {
        assert!(slice.metrics["replies"] > 0.0, "{slice:?}");
    }
}

/// A project without dependencies, whose `selbench` says that an event costs so much.
const MANIFEST: &str = "[package]\nname = \"benches\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
    [features]\ndefault = []\nselbench = []\n[[bin]]\nname = \"selbench\"\npath = \"main.rs\"\n[workspace]\n";
const LOCK: &str = "version = 3\n\n[[package]]\nname = \"benches\"\nversion = \"0.0.0\"\n";

fn program(nanoseconds: u32) -> String {
    format!(
        r#"fn main() {{
    let spec = std::env::args().nth(2).unwrap();
    println!("{{{{\"spec\":{{spec}},\"metrics\":{{{{\"ns_per_event\":{nanoseconds}}}}},\"quiet\":\
        {{{{\"steal_percent\":0,\"foreign_percent\":0,\
        \"involuntary_per_second\":0}}}},\"flags\":[]}}}}");
}}
"#
    )
}

fn git(within: &Path, words: &[&str]) -> Option<()> {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
        .args(words)
        .current_dir(within)
        .output()
        .ok()?;
    assert!(output.status.success(), "git {words:?}: {}", text(&output));
    Some(())
}

#[test]
fn revisions_are_built_and_compared() {
    let folder = folder("revisions");
    if git(&folder, &["init", "-q"]).is_none() {
        println!("skipped: git cannot be started");
        return;
    }
    fs::write(folder.join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(folder.join("Cargo.lock"), LOCK).unwrap();
    fs::write(folder.join(".gitignore"), "target\n").unwrap();
    for (tag, nanoseconds) in [("old", 100), ("new", 200)] {
        fs::write(folder.join("main.rs"), program(nanoseconds)).unwrap();
        git(&folder, &["add", "."]);
        git(&folder, &["commit", "-q", "-m", tag]);
        git(&folder, &["tag", tag]);
    }
    let document = compare(&folder, &["new", "old", "--subject", "ours-epoll", "--sizes", "1"]);
    let find =
        |subject: &str| document.comparisons.iter().find(|one| one.subject == subject).unwrap();
    assert!((find("new").ratio - 2.0).abs() < 1e-9, "{:?}", find("new"));
    assert_eq!(find("new").verdict.words(0.03), "slower");
    assert!((find("old'").ratio - 1.0).abs() < 1e-9, "the A/A run");
    assert_eq!(document.noise_floor, Some(0.0));
}
