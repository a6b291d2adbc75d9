//! Programs of the ladder and of the museum, run and recorded.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long the end of an exchange is waited for; what is recorded by then is shown.
const GUARD: Duration = Duration::from_secs(10);
/// A page with more events than this says nothing more.
const EVENTS: usize = 400;

/// Builds the examples and finds them.
#[derive(Debug)]
pub struct Programs(PathBuf);

impl Programs {
    /// Builds them as this program was built.
    ///
    /// # Errors
    ///
    /// Cargo cannot be run, or does not succeed.
    pub fn build() -> io::Result<Programs> {
        let own = env::current_exe()?;
        let folder = own.parent().unwrap_or(Path::new("."));
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args([
            "build",
            "--quiet",
            "-p",
            "examples",
            "-p",
            "trace",
            "--examples",
        ]);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        match cargo.status()?.success() {
            true => Ok(Programs(folder.join("examples"))),
            false => Err(io::Error::other("the examples do not build")),
        }
    }

    /// Has one await recorded: the page with its captions.
    ///
    /// # Errors
    ///
    /// It cannot be run, or fails.
    pub fn one_await(&self, page: &Path) -> io::Result<()> {
        let mut command = Command::new(self.0.join("see"));
        command
            .args(["await", "--output"])
            .arg(page)
            .stdout(Stdio::null());
        match command.status()?.success() {
            true => Ok(()),
            false => Err(io::Error::other("`see await` failed")),
        }
    }

    /// Runs a museum piece to its end; the answer is its trace.
    ///
    /// # Errors
    ///
    /// It cannot be run, or fails.
    pub fn piece(&self, name: &str) -> io::Result<String> {
        let file = Scratch::new(name)?;
        let mut command = Command::new(self.0.join(name));
        command.env("REACTOR_TRACE", &file.0).stdout(Stdio::null());
        match command.status()?.success() {
            true => Ok(short(&fs::read_to_string(&file.0)?, 0)),
            false => Err(io::Error::other(format!("{name} failed"))),
        }
    }

    /// Runs a step while two clients talk to it; the answer is its trace.
    ///
    /// # Errors
    ///
    /// It cannot be run, or does not answer.
    pub fn step(&self, name: &str, arguments: &[&str]) -> io::Result<String> {
        let file = Scratch::new(name)?;
        let mut command = Command::new(self.0.join(name));
        command
            .arg("127.0.0.1:0")
            .args(arguments)
            .env("REACTOR_TRACE", &file.0)
            .env_remove("SELECTOR")
            .stdout(Stdio::piped());
        let mut server = Running(command.spawn()?, None);
        let address = server.address()?;
        let mut first = TcpStream::connect(&address)?;
        exchange(&mut first, b"hello")?;
        pause();
        let mut second = TcpStream::connect(&address)?;
        // s07 serves one client after another, and writes down the end of one when it sleeps in
        // the next one's name.
        let one_by_one = name == "s07_waker";
        if !one_by_one {
            exchange(&mut second, b"hi")?;
            pause();
        }
        exchange(&mut first, b"again")?;
        pause();
        drop(first);
        pause();
        let mut last = second;
        if one_by_one {
            exchange(&mut last, b"hi")?;
            pause();
            drop(last);
            last = TcpStream::connect(&address)?;
            exchange(&mut last, b"bye")?;
            pause();
        }
        // s11 sends those away who say nothing for too long.
        let patient = name == "s11_cancel";
        if patient {
            last.read_to_end(&mut Vec::new())?;
        }
        drop(last);
        let deadline = Instant::now() + GUARD;
        loop {
            let text = fs::read_to_string(&file.0).unwrap_or_default();
            let over = if patient { is_done } else { is_end };
            let ends = text.lines().filter(|line| over(line)).count();
            if ends >= 2 || Instant::now() > deadline {
                // Everything before the first client is the same.
                let came = text
                    .lines()
                    .position(|line| line.contains("\"result\":\"ok\""));
                return Ok(short(&text, came.unwrap_or(0).saturating_sub(30)));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Lets the server fall asleep, as it would between two words of a person. Nothing depends on it but
/// how the picture looks.
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

fn is_end(line: &str) -> bool {
    let none = [",", "}"].map(|end| format!("\"n\":0{end}"));
    line.contains("\"call\":\"recv\"") && none.iter().any(|none| line.contains(none))
}

fn is_done(line: &str) -> bool {
    line.contains("\"e\":\"done\"")
}

fn exchange(stream: &mut TcpStream, word: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(GUARD))?;
    stream.write_all(word)?;
    stream.read_exact(&mut vec![0; word.len()])
}

/// The header, and so many whole lines from `from` on.
fn short(trace: &str, from: usize) -> String {
    let whole = trace
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let mut lines = whole.clone();
    let header = lines.next().unwrap_or_default();
    let from = from.saturating_sub(1);
    header.to_owned() + &lines.skip(from).take(EVENTS).collect::<String>()
}

/// A program that is ended when nobody needs it any more, and its output: a program that cannot
/// print what it has to say ends early.
struct Running(Child, Option<BufReader<ChildStdout>>);

impl Running {
    /// Where it listens, as it says itself.
    fn address(&mut self) -> io::Result<String> {
        let stdout = self.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stdout = self.1.insert(BufReader::new(stdout));
        let mut line = String::new();
        while stdout.read_line(&mut line)? > 0 {
            if let Some(address) = line.trim_end().strip_prefix("listening on ") {
                return Ok(address.to_owned());
            }
            line.clear();
        }
        Err(io::Error::other("it ended without listening"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file that goes when it is no longer needed.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> io::Result<Scratch> {
        let folder = env::temp_dir().join(format!("book-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Scratch(folder.join(name)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The folder goes with the last file in it.
        let _ = fs::remove_file(&self.0);
        let _ = self.0.parent().map(fs::remove_dir);
    }
}
