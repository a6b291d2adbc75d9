//! A chat server with callbacks: the data of each key is the function that handles its events.
//!
//!     cargo run -p selectors-core --example chat_callbacks -- --selector poll 127.0.0.1:7000
//!     nc 127.0.0.1 7000                        # in two other terminals
//!
//! What one client says, the others hear. Nothing here blocks but `select`.

mod arguments;

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use selectors_core::{Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, Error, Readiness, Token};

const USAGE: &str = "usage: chat_callbacks [--selector NAME] [--self-test] [ADDRESS]";

/// A client that does not read has to leave once so much waits for it.
const PATIENCE: usize = 1 << 20;

/// Everything that the selector watches.
enum Socket {
    Listener(TcpListener),
    Client(TcpStream),
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Listener(listener) => listener.as_fd(),
            Socket::Client(client) => client.as_fd(),
        }
    }
}

/// What to do when a key is ready.
type Callback = fn(&mut Chat, Token, Readiness) -> io::Result<()>;

struct Chat {
    selector: DefaultSelector<Socket, Callback>,
    /// What waits to be written to each client.
    outgoing: HashMap<Token, Vec<u8>>,
    /// How many have come.
    joined: usize,
}

impl Chat {
    fn new(backend: Backend, listener: TcpListener) -> io::Result<Chat> {
        listener.set_nonblocking(true)?;
        let mut selector = backend.selector()?;
        selector.register(
            Socket::Listener(listener),
            EVENT_READ,
            Chat::accept as Callback,
        )?;
        Ok(Chat {
            selector,
            outgoing: HashMap::new(),
            joined: 0,
        })
    }

    /// Serves until `is_over` says so.
    fn run(&mut self, is_over: impl Fn(&Chat) -> bool) -> io::Result<()> {
        let mut ready = Vec::new();
        while !is_over(self) {
            self.selector.select(&mut ready, None)?;
            for event in &ready {
                // A callback before may have closed this one.
                let Some(key) = self.selector.get_key(event.token) else {
                    continue;
                };
                let callback = key.data;
                callback(self, event.token, event.readiness)?;
            }
        }
        Ok(())
    }

    fn accept(&mut self, token: Token, _: Readiness) -> io::Result<()> {
        let Some(Socket::Listener(listener)) = self.selector.get_key(token).map(|key| &key.fileobj)
        else {
            return Ok(());
        };
        let client = match listener.accept() {
            Ok((client, _)) => client,
            // The client is gone already, or the hint was wrong.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        client.set_nonblocking(true)?;
        let callback = Chat::talk as Callback;
        let token = self
            .selector
            .register(Socket::Client(client), EVENT_READ, callback)?;
        self.outgoing.insert(token, Vec::new());
        self.joined += 1;
        Ok(())
    }

    fn talk(&mut self, token: Token, readiness: Readiness) -> io::Result<()> {
        if readiness.is_readable() {
            let mut buffer = [0; 4096];
            let Some(client) = self.client(token) else {
                return Ok(());
            };
            match (&mut &*client).read(&mut buffer) {
                Ok(0) => return self.leave(token),
                Ok(n) => self.tell_others(token, &buffer[..n])?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.leave(token),
            }
        }
        if readiness.is_writable() {
            self.write(token)
        } else {
            Ok(())
        }
    }

    fn tell_others(&mut self, speaker: Token, words: &[u8]) -> io::Result<()> {
        let others: Vec<Token> = self
            .outgoing
            .keys()
            .copied()
            .filter(|other| *other != speaker)
            .collect();
        for other in others {
            if let Some(waiting) = self.outgoing.get_mut(&other) {
                waiting.extend_from_slice(words);
            }
            self.write(other)?;
        }
        Ok(())
    }

    /// Writes what waits, and watches for WRITE only while something does.
    fn write(&mut self, token: Token) -> io::Result<()> {
        let Some(mut waiting) = self.outgoing.get_mut(&token).map(std::mem::take) else {
            return Ok(());
        };
        while !waiting.is_empty() {
            let Some(client) = self.client(token) else {
                return Ok(());
            };
            match (&mut &*client).write(&waiting) {
                Ok(n) => drop(waiting.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.leave(token),
            }
        }
        if waiting.len() > PATIENCE {
            return self.leave(token);
        }
        let interest = if waiting.is_empty() {
            EVENT_READ
        } else {
            EVENT_READ | EVENT_WRITE
        };
        self.outgoing.insert(token, waiting);
        Ok(self.selector.modify(token, interest)?)
    }

    fn leave(&mut self, token: Token) -> io::Result<()> {
        self.outgoing.remove(&token);
        match self.selector.unregister(token) {
            Ok(_) | Err(Error::NotRegistered(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn client(&self, token: Token) -> Option<&TcpStream> {
        match &self.selector.get_key(token)?.fileobj {
            Socket::Client(client) => Some(client),
            Socket::Listener(_) => None,
        }
    }
}

fn main() -> io::Result<()> {
    let arguments = arguments::parse(USAGE);
    if arguments.self_test {
        return self_test(arguments.backend);
    }
    let address = arguments
        .rest
        .first()
        .map_or("127.0.0.1:7000", String::as_str);
    let listener = TcpListener::bind(address)?;
    let chat = Chat::new(arguments.backend, listener);
    println!("chat on {address}, selector {}", arguments.backend);
    chat?.run(|_| false)
}

/// Three clients: each waits until it is heard by the others, then all leave.
fn self_test(backend: Backend) -> io::Result<()> {
    const CLIENTS: usize = 3;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut chat = Chat::new(backend, listener)?;
    let satisfied = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let satisfied = &satisfied;
                scope.spawn(move || speak_and_listen(number, CLIENTS, address, satisfied))
            })
            .collect();
        chat.run(|chat| chat.joined == CLIENTS && chat.outgoing.is_empty())?;
        for client in clients {
            client.join().expect("a client panicked")?;
        }
        println!("{CLIENTS} clients heard each other, selector {backend}");
        Ok(())
    })
}

fn speak_and_listen(
    number: usize,
    clients: usize,
    address: SocketAddr,
    satisfied: &AtomicUsize,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(std::time::Duration::from_millis(10)))?;
    // Connected is not accepted, and who comes late has missed the first words: greet until
    // everybody has heard everybody. One letter per client.
    let mut heard: HashSet<u8> = HashSet::new();
    while satisfied.load(Ordering::SeqCst) < clients {
        stream.write_all(&[b'a' + number as u8])?;
        let mut buffer = [0; 256];
        let before = heard.len();
        match stream.read(&mut buffer) {
            Ok(n) => heard.extend(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if before < clients - 1 && heard.len() == clients - 1 {
            satisfied.fetch_add(1, Ordering::SeqCst);
        }
    }
    assert!(
        !heard.contains(&(b'a' + number as u8)),
        "nobody hears himself"
    );
    Ok(())
}
