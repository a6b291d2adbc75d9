//! Museum, b09: an fd is closed while it is registered, and its number is given out again.
//!
//! ```text
//! REACTOR_TRACE=b09.trace cargo run --example b09_reused_fd
//! cargo run -p trace -- lint b09.trace
//! cargo run --example b09_reused_fd -- fixed
//! ```
//!
//! Symptom: a client is woken for bytes that are not there, again and again, and nobody can make it
//! stop. epoll watches connections, not numbers: it goes on as long as a copy of the fd is open
//! anywhere, and by then the number means somebody else. Lint: `closed-fd`. The selectors of this
//! workspace cannot get there, because their keys own what they watch; so this is epoll, bare.

use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};

use examples::command_line::fixed;
use examples::console::all_said;
use examples::{say, told};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use selectors_core::{EVENT_READ, Readiness};

fn main() -> io::Result<()> {
    let fixed = fixed();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut first_peer = TcpStream::connect(listener.local_addr()?)?;
    let _second_peer = TcpStream::connect(listener.local_addr()?)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    told::begin("epoll");

    let (first, _from) = told::accept(&listener)?;
    watch(&epoll, &first)?;
    // A child process has one, a half for writing has one, a log has one.
    let _copy = first.try_clone()?;
    if fixed {
        // The fix: unregister first, close afterwards.
        epoll::delete(&epoll, &first)?;
        told::forgotten(first.as_raw_fd());
    }
    drop(first);

    let (second, _from) = told::accept(&listener)?;
    watch(&epoll, &second)?;
    first_peer.write_all(b"to the first, who has closed")?;
    let mut vain = 0;
    for _ in 0..3 {
        for number in turn(&epoll)? {
            assert_eq!(number, second.as_raw_fd(), "the kernel took the lowest");
            match told::read(&second, &mut [0; 64]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => vain += 1,
                read => say!("it has read {}", read?),
            }
        }
    }
    say!("the second client was woken {vain} times for bytes of the first");
    all_said()
}

/// Watches a client by the number of its fd: that is all that comes back.
fn watch(epoll: &OwnedFd, client: &TcpStream) -> io::Result<()> {
    client.set_nonblocking(true)?;
    let number = epoll::EventData::new_u64(client.as_raw_fd().unsigned_abs().into());
    epoll::add(epoll, client, number, epoll::EventFlags::IN)?;
    told::watched(client, EVENT_READ);
    Ok(())
}

/// Who is ready, by number.
fn turn(epoll: &OwnedFd) -> io::Result<Vec<i32>> {
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };
    let mut events: Vec<epoll::Event> = Vec::with_capacity(8);
    told::asleep(2, Some(std::time::Duration::from_millis(20)));
    epoll::wait(epoll, spare_capacity(&mut events), Some(&pause))?;
    // Copied out one by one: the kernel's structure is packed.
    let numbers = events.iter().map(|event| event.data.u64() as i32);
    let numbers: Vec<i32> = numbers.collect();
    let ready = numbers.iter().map(|fd| (*fd, Readiness::READABLE));
    told::awake(&ready.collect::<Vec<_>>());
    Ok(numbers)
}
