//! Other programs as subjects: a `selbench` of another build, a git revision, a server.
//!
//! What measures must be the same on both sides, or what it measures must be. A slice of another
//! `selbench` is measured by that program; a server is measured by this one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::subjects;

/// A program that stands for a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Program {
    /// A `selbench`, which measures its own subject of the name that was asked for.
    Selbench(PathBuf),
    /// A server that says `port N` on its first line.
    Server(PathBuf),
}

impl Program {
    /// The programs that names stand for: paths, else git revisions, which are built.
    pub fn all(names: &[String]) -> Result<BTreeMap<String, Self>, String> {
        if let Some(problem) = unmatched(names) {
            return Err(problem);
        }
        names.iter().map(|name| Ok((name.clone(), Self::named(name)?))).collect()
    }

    fn named(word: &str) -> Result<Self, String> {
        let path = Path::new(word);
        if let Some(commit) = commit(word).filter(|_| !path.is_file()) {
            return built(&commit).map(Self::Selbench);
        }
        let path = path.canonicalize().map_err(|e| format!("{word}: {e}"))?;
        if !executable(&path) {
            return Err(format!(
                "{word} is a file, but no program: give a selbench or a server that may be \
                 executed; results are compared with gate, and drawn with report"
            ));
        }
        Ok(if is_selbench(&path) { Self::Selbench(path) } else { Self::Server(path) })
    }
}

/// What each name is, if one of them is no program, and what could be compared; names of this
/// program's own that are all of one kind never come here.
fn unmatched(names: &[String]) -> Option<String> {
    let what = |name: &str| match name {
        _ if subjects::selector(name).is_some() => "is a selector",
        _ if subjects::named(name).is_some() => "is a runtime",
        _ if Path::new(name).is_file() => "is a file",
        _ if commit(name).is_some() => "is a git revision",
        _ if name.contains('/') => "is a path, and there is no such file",
        _ => "is no subject, no file and no git revision here",
    };
    let program = |name: &String| Path::new(name).is_file() || commit(name).is_some();
    if names.iter().all(program) {
        return None;
    }
    let words: Vec<String> = names.iter().map(|name| format!("{name} {}", what(name))).collect();
    Some(format!(
        "{}. Two of a kind can be compared: two selectors (ring --subjects list shows them), two \
         runtimes (echo --subjects list), or two programs, each a path or a git revision",
        words.join("; ")
    ))
}

fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|facts| facts.permissions().mode() & 0o111 != 0)
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
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options", &asked])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// The `selbench` of a commit, installed below the target folder, where the next run finds it.
fn built(commit: &str) -> Result<PathBuf, String> {
    let top = run(Command::new("git").args(["rev-parse", "--show-toplevel"]))?;
    let kept = Path::new(top.trim()).join("target/selbench-revisions");
    let program = kept.join(commit).join("bin/selbench");
    if !program.is_file() {
        eprintln!("building revision {commit}");
        run(Command::new("cargo")
            .args(["install", "--locked", "-q", "--bin", "selbench", "--root"])
            .arg(kept.join(commit))
            .args(["--git", &format!("file://{}", top.trim()), "--rev", commit])
            .args(["--no-default-features", "--features", "selbench", "benches"]))?;
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        Err(format!("{command:?} failed: {}", words.trim()))
    }
}
