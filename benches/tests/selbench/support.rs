//! What the tests of the programs share: they are run, in folders of their own, and their results read.
//! Figures are never asserted: tests run on busy machines and in debug builds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use benches::method::{Document, Slice, results};

/// Exit code, and everything that was printed.
pub(crate) fn run(program: &str, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program).args(words).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// The same of `selbench`, in one line of words.
pub(crate) fn selbench(words: &str) -> (Option<i32>, String) {
    run(env!("CARGO_BIN_EXE_selbench"), &words.split_whitespace().collect::<Vec<_>>())
}

/// A folder of this test's own; removed by the next run of the same test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The same, and the files in it by their names.
pub(crate) fn files(name: &str) -> impl Fn(&str) -> String + use<> {
    let folder = folder(name);
    move |name| folder.join(name).to_str().unwrap().to_owned()
}

/// Runs a workload, one block and no A/A pair, and reads what it wrote; the name is the test's own.
pub(crate) fn document(name: &str, words: &str) -> Document {
    let path = files(name)("results.json");
    let (_, text) = selbench(&format!("{words} --blocks 1 --no-floor --json {path}"));
    let document = results::read(&path).unwrap_or_else(|problem| panic!("{problem}: {text}"));
    assert!(!document.slices.is_empty(), "{name} measured something: {text}");
    document
}

/// A short run of each workload, in words of the command line.
const RUNS: [&str; 15] = [
    "ring --registered 1,8,64 --ms 3 --subjects ours-epoll,ours-poll",
    "map --most 16 --ms 10 --subjects ours-epoll,ours-poll",
    "register --registered 10 --ms 3 --subjects ours-epoll,ours-poll",
    "echo --subjects ours --connections 2 --ms 50 --placement same-cpu",
    "load --subjects bare,ours --rates 1000,3000 --connections 4 --ms 300 --placement same-cpu",
    "capacity --subjects bare,ours --connections 4 --ms 10 --placement same-cpu",
    "fair --subjects ours --connections 2 --rate 1000 --ms 50 --placement same-cpu",
    "overload --subjects bare,ours --connections 4 --calm 500 --peak 2000 --ms 200 --placement same-cpu",
    "switch --subjects ours --tasks 4 --ms 3",
    "storm --subjects ours --timers 100,1000,5000 --ms 5",
    "overshoot --subjects ours --sleep-us 50 --ms 10",
    "scaling --subjects bare,ours --connections 1,10 --ms 5",
    "wake --subjects ours --senders 1 --burst 1,20 --placement same-cpu --ms 20",
    "churn --subjects bare,ours --connections 2 --ms 100",
    "idle --subjects ours --connections 10,20 --ms 5",
];

/// What each workload wrote, by its name; each is run once.
pub(crate) fn runs() -> &'static [(&'static str, Document)] {
    static ALL: OnceLock<Vec<(&str, Document)>> = OnceLock::new();
    let run = |words: &&'static str| {
        let name = words.split(' ').next().unwrap();
        (name, document(&format!("run-{name}"), words))
    };
    ALL.get_or_init(|| RUNS.iter().map(run).collect())
}

/// The slices of that, none of which went wrong.
pub(crate) fn measure(name: &str, words: &str) -> Vec<Slice> {
    let slices = document(name, words).slices;
    for slice in &slices {
        // Full queues are counted for the whole machine: others may have had them.
        for code in ["errors", "lost"] {
            let wrong = slice.flags.iter().find(|flag| flag.reason.code() == code);
            assert!(wrong.is_none(), "{} {wrong:?}", row(slice));
        }
    }
    slices
}

/// A document whose slices are valid, whatever this machine and build are: they only carry numbers.
pub(crate) fn quiet(name: &str, words: &str) -> Document {
    let mut document = document(name, words);
    for slice in &mut document.slices {
        slice.flags.clear();
    }
    // Those follow from the slices.
    document.comparisons.clear();
    document.noise_floor = None;
    document
}

/// Writes results.
pub(crate) fn write(path: &str, document: &impl serde::Serialize) {
    std::fs::write(path, results::text(document).unwrap()).unwrap();
}

/// What a message about a slice begins with.
pub(crate) fn row(slice: &Slice) -> String {
    format!("{} on {}", slice.spec.point(), slice.spec.subject)
}

/// A metric of a slice, which it must have.
pub(crate) fn metric(slice: &Slice, name: &str) -> f64 {
    let value = slice.metrics.get(name).copied();
    value.unwrap_or_else(|| panic!("{} has no {name}: {:?}", row(slice), slice.metrics))
}

/// A program that says where it listens, which its version is no answer to: a subject of ours.
pub(crate) fn server(path: &str, subject: &str) {
    use std::os::unix::fs::PermissionsExt;
    let own = env!("CARGO_BIN_EXE_selbench");
    let script =
        format!("#!/bin/sh\n[ \"$1\" ] && exit 1\nexec '{own}' subject serve {subject} 100\n");
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
