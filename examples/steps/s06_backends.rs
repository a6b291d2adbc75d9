//! Step 6 of 12: the same program, and the backend is an argument: select, poll or epoll.
//!
//! ```text
//! cargo run --example s06_backends                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what changes with poll and epoll?

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;

use examples::command_line::arguments;
use examples::{say, told};
use selectors_core::{Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, Token};

// ANCHOR: client
/// A client, and what was read from it and not yet sent back.
struct Client {
    stream: Rc<TcpStream>,
    unsent: Vec<u8>,
}
// ANCHOR_END: client

// ANCHOR: data
type Selector = DefaultSelector<Rc<dyn AsFd>, Callback>;

/// The data of a key: what to do when it is ready. False: the key is done with.
struct Callback(Rc<Function>);

type Function = dyn Fn(&mut Selector, Token) -> io::Result<bool>;
// ANCHOR_END: data

fn main() -> io::Result<()> {
    let about = "Step 6 of 12: the backend is an argument";
    // ANCHOR: choose
    let named = [("ADDRESS", "127.0.0.1:7007"), ("BACKEND", "default")];
    let [address, name] = arguments(about, named);
    let mut selector: Selector = Backend::from_name(&name)?.selector()?;
    // ANCHOR_END: choose
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    told::begin(selector.backend().name());
    say!("listening on {}", listener.local_addr()?);
    let listener = Rc::new(listener);
    let fd = Rc::clone(&listener);
    let callback = Callback(Rc::new(move |selector, _| accept(&listener, selector)));
    told::watched(&fd, EVENT_READ);
    selector.register(fd, EVENT_READ, callback)?;
    loop {
        turn(&mut selector)?;
    }
}

// ANCHOR: accept
fn accept(listener: &TcpListener, selector: &mut Selector) -> io::Result<bool> {
    let (stream, _from) = told::accept(listener)?;
    stream.set_nonblocking(true)?;
    let client = Client {
        stream: Rc::new(stream),
        unsent: Vec::new(),
    };
    let fd = Rc::clone(&client.stream);
    let client = RefCell::new(client);
    let callback = Callback(Rc::new(move |selector, token| {
        client.borrow_mut().serve(selector, token)
    }));
    told::watched(&fd, EVENT_READ);
    selector.register(fd, EVENT_READ, callback)?;
    Ok(true)
}
// ANCHOR_END: accept

impl Client {
    // ANCHOR: serve
    /// One system call, and then the interest follows what is left to do.
    fn serve(&mut self, selector: &mut Selector, token: Token) -> io::Result<bool> {
        let stays = self.advance()?;
        let idle = self.unsent.is_empty();
        let events = if idle { EVENT_READ } else { EVENT_WRITE };
        selector.modify(token, events)?;
        told::changed(token.fd(), Some(events));
        Ok(stays)
    }
    // ANCHOR_END: serve

    /// Sends what is left, or else reads something new. False: the client has gone.
    fn advance(&mut self) -> io::Result<bool> {
        if self.unsent.is_empty() {
            let mut buffer = [0; 4096];
            let length = told::read(&self.stream, &mut buffer)?;
            self.unsent.extend_from_slice(&buffer[..length]);
            return Ok(length != 0);
        }
        let sent = told::write(&self.stream, &self.unsent)?;
        self.unsent.drain(..sent);
        Ok(true)
    }
}

// ANCHOR: turn
/// One turn of the loop: sleeps until somebody is ready, and calls back all who are.
fn turn(selector: &mut Selector) -> io::Result<()> {
    let mut ready = Vec::new();
    told::asleep(selector.get_map().len(), None);
    selector.select(&mut ready, None)?;
    told::ready(&ready);
    for event in &ready {
        // A callback before this one may have unregistered the key.
        let Some(key) = selector.get_key(event.token) else {
            continue;
        };
        let callback = Rc::clone(&key.data.0);
        match callback(selector, event.token) {
            Ok(true) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The key comes back with all that is in it; dropping it closes the socket.
            Ok(false) | Err(_) => {
                told::forgotten(event.token.fd());
                drop(selector.unregister(event.token)?);
            }
        }
    }
    Ok(())
}
// ANCHOR_END: turn
