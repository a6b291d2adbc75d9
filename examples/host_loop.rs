//! The runtime as a guest in somebody else's loop: a bare poll(2) that also has fds of its own.
//!
//! ```text
//! cargo run --release --example host_loop
//! ```
//!
//! So it is embedded in a toolkit, a game or an interpreter that already has a loop. The host needs
//! two things of its guest: an fd that becomes readable when there is something to do, and the
//! longest time that it may sleep. Needs a backend with an fd: epoll or kqueue.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use examples::{command_line, console, failure, say};
use executor::Runtime;
use executor::net::{TcpListener, TcpStream};
use executor::time::sleep;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// More than the thread has to say: the host's own fd ends first.
const ECHOES: usize = 20;

fn main() -> ExitCode {
    let [] = command_line::arguments("The runtime as a guest in somebody else's loop", []);
    failure::exit(run())
}

fn run() -> io::Result<()> {
    let guest = Runtime::new()?;
    let guest_fd = guest.reactor().host_fd()?;
    let conversation = guest.spawn(converse());

    // What the host itself waits for: a thread that says something now and then.
    let (mut input, mut output) = UnixStream::pair()?;
    let thread = thread::spawn(move || {
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(3));
            output.write_all(b".")?;
        }
        io::Result::Ok(())
    });

    let (mut heard, mut waits, mut input_has_ended) = (0, 0, false);
    while !input_has_ended || !conversation.is_finished() {
        let timeout = guest.next_timeout().map(timespec);
        let mut fds = vec![PollFd::new(&guest_fd, PollFlags::IN)];
        // poll(2) reports an end for ever, and would never sleep again: who has heard it stops asking.
        if !input_has_ended {
            fds.push(PollFd::new(&input, PollFlags::IN));
        }
        poll(&mut fds, timeout.as_ref())?;
        waits += 1;
        if fds.get(1).is_some_and(|fd| !fd.revents().is_empty()) {
            let length = input.read(&mut [0; 16])?;
            heard += length;
            input_has_ended = length == 0;
        }
        // Cheap if there is nothing to do, so there is no need to look whose turn it is.
        guest.turn(Some(Duration::ZERO))?;
    }
    thread.join().expect("the thread does not panic")?;
    let echoes = guest.block_on(conversation)???;
    say!("the host heard {heard} things, its guest {echoes} echoes, in {waits} waits");
    console::all_said()
}

/// What the guest does: an echo server and a client, with pauses.
async fn converse() -> io::Result<usize> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _from) = listener.accept().await?;
    executor::spawn(async move {
        let mut byte = [0];
        while server.read(&mut byte).await? != 0 {
            server.write_all(&byte).await?;
        }
        io::Result::Ok(())
    })
    .detach();
    for _ in 0..ECHOES {
        client.write_all(b"x").await?;
        client.read_exact(&mut [0]).await?;
        sleep(Duration::from_millis(1)).await;
    }
    Ok(ECHOES)
}

/// `None` would be for ever, so a time beyond the range is the longest there is.
fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec {
        tv_sec: i64::MAX as _,
        tv_nsec: 0,
    })
}
