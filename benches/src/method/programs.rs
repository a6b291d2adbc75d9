//! Other programs as subjects: a `selbench` of another build, a git revision, a server.
//!
//! What measures must be the same on both sides, or what it measures must be. A slice of another
//! `selbench` is measured by that program; a server is measured by this one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::subjects;
use crate::terminal::tell;

/// A program that stands for a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Program {
    /// A `selbench`, which measures its own subject of the name that was asked for.
    Selbench(PathBuf),
    /// A server that says `port N` on its first line.
    Server(PathBuf),
}

impl Program {
    /// The programs that paths and git revisions stand for; names of this program's own that are all of one kind never
    /// come here.
    pub fn all(names: &[String]) -> Result<BTreeMap<String, Self>, String> {
        let program = |name: &String| Path::new(name).is_file() || commit(name).is_some();
        if names.iter().all(program) {
            return names.iter().map(|name| Ok((name.clone(), Self::named(name)?))).collect();
        }
        let what = |name: &String| match name.as_str() {
            own if subjects::selector(own).is_some() => "is a selector",
            own if subjects::named(own).is_some() => "is a runtime",
            path if Path::new(path).is_file() => "is a file",
            word if commit(word).is_some() => "is a git revision",
            path if path.contains('/') => "is a path, and there is no such file",
            _ => "is no subject, no file and no git revision here",
        };
        let words: Vec<String> =
            names.iter().map(|name| format!("{name} {}", what(name))).collect();
        Err(format!(
            "{}. Two of a kind can be compared: two selectors (ring --subjects list shows them), two \
             runtimes (echo --subjects list), or two programs, each a path or a git revision",
            words.join("; ")
        ))
    }

    fn named(word: &str) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("{word}: {error}");
        if let Some(commit) = commit(word).filter(|_| !Path::new(word).is_file()) {
            return built(&commit).map(Self::Selbench);
        }
        let path = Path::new(word).canonicalize().map_err(told)?;
        if path.metadata().map_err(told)?.permissions().mode() & 0o111 == 0 {
            return Err(format!(
                "{word} is a file, but no program: give a selbench or a server that may be \
                 executed; results are compared with gate, and drawn with report"
            ));
        }
        Ok(if is_selbench(&path) { Self::Selbench(path) } else { Self::Server(path) })
    }
}

/// Asks a program for its version; one that does not answer in time counts as a server, and is stopped.
fn is_selbench(path: &Path) -> bool {
    let mut asking = Command::new("timeout");
    let asking = asking.args(["--kill-after=1", "3"]).arg(path).arg("--version");
    let output = asking.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.starts_with(b"selbench "))
}

/// The full name of the commit that `word` means here.
fn commit(word: &str) -> Option<String> {
    let asked = format!("{word}^{{commit}}");
    let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &asked];
    run(Command::new("git").args(words)).ok()
}

/// The `selbench` of a commit, installed below the target folder, where the next run finds it.
fn built(commit: &str) -> Result<PathBuf, String> {
    let top = run(Command::new("git").args(["rev-parse", "--show-toplevel"]))?;
    let kept = Path::new(&top).join("target/selbench-revisions").join(commit);
    let program = kept.join("bin/selbench");
    if !program.is_file() {
        tell(format_args!("building revision {commit}"));
        run(Command::new("cargo")
            .args(["install", "--locked", "-q", "--bin", "selbench", "--root"])
            .arg(&kept)
            .args(["--git", &format!("file://{top}"), "--rev", commit])
            .args(["--no-default-features", "--features", "selbench", "benches"]))?;
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
