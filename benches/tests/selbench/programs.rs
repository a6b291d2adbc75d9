//! `compare` of programs: servers, `selbench` binaries, and git revisions of a project whose `selbench`
//! answers what it is told to.

use std::fs;
use std::process::Command;

use crate::support::{files, selbench};
use benches::method::{Document, results};

fn compare(json: &str, words: &str) -> Document {
    let (_, text) = selbench(&format!("compare {words} --json {json}"));
    results::read(json).unwrap_or_else(|problem| panic!("{problem}: {text}"))
}

#[test]
fn a_selbench_binary_measures_its_own_subjects_and_a_server_is_measured() {
    let path = files("programs");
    let (own, copy) = (env!("CARGO_BIN_EXE_selbench"), path("copy"));
    fs::copy(own, &copy).unwrap();
    let few = "--blocks 1 --ms 20 --sizes 2 --no-floor";
    let rings = compare(&path("rings.json"), &format!("{copy} {own} --subject ours-poll {few}"));
    assert_eq!(rings.slices.len(), 2);
    for slice in &rings.slices {
        assert!([&*copy, own].contains(&slice.spec.subject.as_str()));
        assert!(slice.metrics["ns_per_event"] > 0.0);
    }
    let server = path("server");
    crate::support::server(&server, "bare");
    let echoes = compare(&path("echoes.json"), &format!("{server} {own} {few}"));
    assert_eq!(echoes.slices.len(), 2);
    for slice in &echoes.slices {
        assert!(slice.metrics["replies"] > 0.0, "{slice:?}");
    }
}

/// A project without dependencies, whose `selbench` says that an event costs so much.
const MANIFEST: &str = "[package]\nname = \"benches\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
    [features]\nselbench = []\n[[bin]]\nname = \"selbench\"\npath = \"main.rs\"\n[workspace]\n";
const LOCK: &str = "version = 3\n\n[[package]]\nname = \"benches\"\nversion = \"0.0.0\"\n";
const ANSWERS: &str = r#"fn main() {
    let spec = std::env::args().nth(2).unwrap();
    let quiet = r"{`steal_percent`:0,`foreign_percent`:0,`involuntary_per_second`:0}";
    let rest = r"`metrics`:{`ns_per_event`:COST},`flags`:[],`quiet`:".to_owned() + quiet;
    println!("{{\"spec\":{spec},{}}}", rest.replace('`', "\""));
}
"#;

#[test]
fn revisions_are_built_and_the_verdict_is_that_of_what_they_told() {
    let folder = crate::support::folder("revisions");
    let run = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).current_dir(&folder).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {words:?}: {text}");
    };
    run("git", &["init", "-q"]);
    fs::write(folder.join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(folder.join("Cargo.lock"), LOCK).unwrap();
    for (tag, cost) in [("old", "100"), ("new", "200")] {
        fs::write(folder.join("main.rs"), ANSWERS.replace("COST", cost)).unwrap();
        run("git", &["add", "Cargo.toml", "Cargo.lock", "main.rs"]);
        let me = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
        run("git", &[&me[..], &["commit", "-q", "-m", tag]].concat());
        run("git", &["tag", tag]);
    }
    let words = "compare new old --subject ours-epoll --sizes 1 --json compared.json";
    run(env!("CARGO_BIN_EXE_selbench"), &words.split(' ').collect::<Vec<_>>());
    let document = results::read(folder.join("compared.json").to_str().unwrap()).unwrap();
    let find =
        |subject: &str| document.comparisons.iter().find(|one| one.subject == subject).unwrap();
    assert!((find("new").ratio - 2.0).abs() < 1e-9, "{:?}", find("new"));
    assert_eq!(find("new").verdict.words(0.03), "slower");
    assert!((find("old'").ratio - 1.0).abs() < 1e-9, "the A/A run");
    assert_eq!(document.noise_floor, Some(0.0));
}
