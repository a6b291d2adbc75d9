//! Servers of other makes: C on libevent and libuv, Python on asyncio and uvloop.
//!
//! Each is a small echo server beside this file, as its library's users write one: it says its port,
//! accepts and echoes until it is killed. What it needs is looked for when it is started; C is
//! compiled then, into the folder for temporary files, once for each source.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::Subject;

pub(super) const LIBEVENT: Subject = foreign(
    "libevent",
    "libevent, bufferevent (C, from Debian's package)",
    |_| become_(c(LIBEVENT_C, "event")),
    || c_is_missing("event2/event.h", "libevent-dev"),
);

pub(super) const LIBUV: Subject = foreign(
    "libuv",
    "libuv, uv_read_start and uv_try_write (C, from Debian's package)",
    |_| become_(c(LIBUV_C, "uv")),
    || c_is_missing("uv.h", "libuv1-dev"),
);

pub(super) const ASYNCIO: Subject = foreign(
    "asyncio",
    "Python's asyncio, a Protocol",
    |_| become_(Ok(python("asyncio"))),
    || python_is_missing("asyncio", "python3"),
);

/// libuv below Python's interface.
pub(super) const UVLOOP: Subject = foreign(
    "uvloop",
    "Python's uvloop, the same Protocol",
    |_| become_(Ok(python("uvloop"))),
    || python_is_missing("uvloop", "python3-uvloop"),
);

const LIBEVENT_C: &str = include_str!("libevent.c");
const LIBUV_C: &str = include_str!("libuv.c");
const PYTHON: &str = include_str!("asyncio.py");

/// On demand, for it is another process: no allocator of ours counts in it.
const fn foreign(
    name: &'static str,
    about: &'static str,
    serve: fn(usize),
    missing: fn() -> Option<String>,
) -> Subject {
    Subject { missing, inside: false, ..Subject::new(name, about, serve).on_demand() }
}

/// Puts the program in the place of this process, so that its id and its CPU time are the server's.
fn become_(program: Result<Command, String>) {
    let problem = match program {
        Ok(mut program) => program.exec().to_string(),
        Err(problem) => problem,
    };
    panic!("the server cannot be started: {problem}");
}

/// Compiles a source against a library, unless that has been done.
fn c(source: &str, library: &str) -> Result<Command, String> {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    let program = std::env::temp_dir().join(format!("selbench-{library}-{:x}", hasher.finish()));
    if !program.exists() {
        let text = program.with_extension("c");
        std::fs::write(&text, source).map_err(|error| format!("{}: {error}", text.display()))?;
        // Two that start at once must not run half a program.
        let part = program.with_extension(std::process::id().to_string());
        let compiler = Command::new("cc")
            .args(["-O2", "-o"])
            .args([&part, &text])
            .arg(format!("-l{library}"))
            .status();
        if !compiler.map_err(|error| format!("cc: {error}"))?.success() {
            return Err(format!("{} does not compile", text.display()));
        }
        std::fs::rename(&part, &program).map_err(|error| error.to_string())?;
    }
    Ok(Command::new(program))
}

fn python(kind: &str) -> Command {
    let mut command = Command::new(interpreter());
    command.args(["-c", PYTHON, kind]);
    command
}

/// The system's Python, for which the packages are, and any other where it has none.
fn interpreter() -> PathBuf {
    let own = PathBuf::from("/usr/bin/python3");
    if own.exists() { own } else { "python3".into() }
}

fn c_is_missing(header: &str, package: &str) -> Option<String> {
    let found = ["/usr/include", "/usr/local/include"].map(|folder| format!("{folder}/{header}"));
    let here = found.iter().any(|path| std::path::Path::new(path).exists());
    (!here || !runs(Command::new("cc").arg("--version")))
        .then(|| format!("apt-get install gcc {package}"))
}

fn python_is_missing(module: &str, package: &str) -> Option<String> {
    let here = runs(Command::new(interpreter()).args(["-c", &format!("import {module}")]));
    (!here).then(|| format!("apt-get install {package}"))
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
