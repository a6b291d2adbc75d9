//! A selector in a selector: the outer one watches the fd of the inner one, which is readable while
//! the inner one has something to report. A library can bring its own selector that way, and a
//! program can serve one group of fds before another.
//!
//!     cargo run -p selectors-core --example nested -- --selector select
//!
//! The inner one needs an fd of its own (epoll or kqueue), the outer one can be anything.

mod arguments;

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use selectors_core::{Backend, DefaultSelector, EVENT_READ, Token};

const USAGE: &str = "usage: nested [--selector NAME] [--self-test]";

/// Some sockets, watched together.
struct Group {
    selector: DefaultSelector<UnixStream, &'static str>,
    writers: Vec<UnixStream>,
}

impl Group {
    fn new(names: &[&'static str]) -> io::Result<Group> {
        let mut selector = DefaultSelector::new()?;
        let mut writers = Vec::new();
        for name in names {
            let (reader, writer) = UnixStream::pair()?;
            selector.register(reader, EVENT_READ, *name)?;
            writers.push(writer);
        }
        Ok(Group { selector, writers })
    }

    /// A handle of the selector's fd, for the outer selector to own. A borrow would keep the group
    /// from being asked.
    fn watchable(&self) -> io::Result<OwnedFd> {
        match self.selector.fileno() {
            Some(fd) => fd.try_clone_to_owned(),
            None => Err(io::Error::other(
                "the default selector has no fd on this system",
            )),
        }
    }

    /// Takes in what is there, without waiting.
    fn serve(&mut self, log: &mut Vec<String>) -> io::Result<()> {
        let mut ready = Vec::new();
        self.selector.select(&mut ready, Some(Duration::ZERO))?;
        for event in &ready {
            if let Some(key) = self.selector.get_key(event.token) {
                let mut buffer = [0; 64];
                let n = (&key.fileobj).read(&mut buffer)?;
                log.push(format!(
                    "{}: {}",
                    key.data,
                    String::from_utf8_lossy(&buffer[..n])
                ));
            }
        }
        Ok(())
    }
}

fn run(backend: Backend) -> io::Result<Vec<String>> {
    let mut urgent = Group::new(&["alarm"])?;
    let mut casual = Group::new(&["news", "weather"])?;
    let mut outer: DefaultSelector<OwnedFd, ()> = backend.selector()?;
    let first: Token = outer.register(urgent.watchable()?, EVENT_READ, ())?;
    let second: Token = outer.register(casual.watchable()?, EVENT_READ, ())?;

    casual.writers[0].write_all(b"nothing new")?;
    casual.writers[1].write_all(b"rain")?;
    urgent.writers[0].write_all(b"fire")?;

    let (mut log, mut ready) = (Vec::new(), Vec::new());
    while log.len() < 3 {
        outer.select(&mut ready, None)?;
        let is_ready = |token| ready.iter().any(|event| event.token == token);
        if is_ready(first) {
            urgent.serve(&mut log)?;
        } else if is_ready(second) {
            casual.serve(&mut log)?;
        }
    }
    // What is served is no longer ready, inside and so outside.
    outer.select(&mut ready, Some(Duration::ZERO))?;
    assert!(ready.is_empty());
    Ok(log)
}

fn main() -> io::Result<()> {
    let arguments = arguments::parse(USAGE);
    assert!(arguments.rest.is_empty(), "{USAGE}");
    let log = run(arguments.backend)?;
    for line in &log {
        println!("{line}");
    }
    if arguments.self_test {
        assert_eq!(log[0], "alarm: fire");
        assert_eq!(log.len(), 3);
        println!("in the right order, outer selector {}", arguments.backend);
    }
    Ok(())
}
