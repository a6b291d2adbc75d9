//! One listener, several processes: whoever is free accepts.
//!
//!     cargo run -p selectors-core --example shared_listener -- --selector epoll
//!
//! With epoll the workers register the listener with `EPOLLEXCLUSIVE`, so that a connection wakes
//! one of them and not all; the others wake all, and the slower ones find nothing to accept.
//! The listener is inherited as the workers' standard input: no unsafe code, no fd numbers.

mod arguments;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use selectors_core::{Backend, DefaultSelector, EVENT_READ};

const USAGE: &str = "usage: shared_listener [--selector NAME] [--self-test]";
const WORKERS: usize = 3;
const CONNECTIONS: usize = 60;

/// Says who it is to everybody who connects, until it is killed.
fn work(backend: Backend, name: &str) -> io::Result<()> {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut selector = watch(backend, listener)?;
    let mut ready = Vec::new();
    loop {
        selector.select(&mut ready, None)?;
        for event in &ready {
            let Some(key) = selector.get_key(event.token) else {
                continue;
            };
            match key.fileobj.accept() {
                // A client that has left again is no reason to stop.
                Ok((mut client, _)) => drop(client.write_all(name.as_bytes())),
                // Another worker was faster.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn watch(backend: Backend, listener: TcpListener) -> io::Result<DefaultSelector<TcpListener, ()>> {
    #[cfg(target_os = "linux")]
    if backend == Backend::Epoll {
        use selectors_core::{EpollFlags, EpollSelector, Interest};
        let mut selector = EpollSelector::new()?;
        let interest = Interest::new(EVENT_READ);
        selector.register_flags(listener, interest, EpollFlags::EXCLUSIVE, ())?;
        return Ok(selector.into_default());
    }
    let mut selector = backend.selector()?;
    selector.register(listener, EVENT_READ, ())?;
    Ok(selector)
}

/// The worker processes; killed when dropped, whatever happens.
struct Workers(Vec<Child>);

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            // It may have ended by itself; either way it is gone afterwards.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

fn main() -> io::Result<()> {
    let arguments = arguments::parse(USAGE);
    if let [verb, name] = &arguments.rest[..] {
        assert_eq!(verb, "work", "{USAGE}");
        return work(arguments.backend, name);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let mut workers = Workers(Vec::new());
    for number in 0..WORKERS {
        let inherited = OwnedFd::from(listener.try_clone()?);
        let worker = Command::new(std::env::current_exe()?)
            .args([
                "--selector",
                arguments.backend.name(),
                "work",
                &format!("worker {number}"),
            ])
            .stdin(Stdio::from(inherited))
            .spawn()?;
        workers.0.push(worker);
    }
    println!(
        "{WORKERS} workers on {address}, selector {}",
        arguments.backend
    );

    let mut served: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..CONNECTIONS {
        let mut greeting = String::new();
        TcpStream::connect(address)?.read_to_string(&mut greeting)?;
        *served.entry(greeting).or_default() += 1;
    }
    for (worker, connections) in &served {
        println!("{worker} served {connections}");
    }
    if arguments.self_test {
        assert_eq!(served.values().sum::<usize>(), CONNECTIONS);
        assert!(served.keys().all(|worker| worker.starts_with("worker ")));
    }
    Ok(())
}
