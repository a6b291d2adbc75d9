//! The client: many connections at once, each sends, and compares what comes back byte by byte.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::JoinHandle;
use executor::net::TcpStream;
use executor::time::timeout;
use fastrand::Rng;
use futures_util::future::try_join;
use futures_util::stream::{FuturesUnordered, TryStreamExt};
use hdrhistogram::Histogram;

use crate::failure::Failure;
use crate::payload::{Pool, Size};
use crate::report::Report;

/// Bytes that are read and compared at a time.
const CHUNK: usize = 16 << 10;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `HOST:PORT` of the server.
    pub server: String,
    /// Connections, all open at the same time.
    pub connections: u64,
    /// Messages on each, one after another: the next is sent when the last has come back.
    pub messages: u64,
    /// How long each message is.
    pub size: Size,
    /// The same seed sends the same bytes.
    pub seed: u64,
    /// How long to wait for a connection, and for a message to come back.
    pub patience: Duration,
}

/// The client while it runs.
pub struct Client {
    plan: Plan,
    pool: Pool,
    /// Makes one generator for each connection, so that their order of work does not matter.
    random: Rng,
    messages: Cell<u64>,
    bytes: Cell<u64>,
    latency: RefCell<Histogram<u64>>,
    /// When the first message was sent.
    start: Cell<Option<Instant>>,
}

impl Client {
    /// A client that has not begun.
    pub fn new(plan: Plan) -> Rc<Client> {
        let mut random = Rng::with_seed(plan.seed);
        Rc::new(Client {
            pool: Pool::new(&mut random, plan.size.clone()),
            plan,
            random,
            messages: Cell::new(0),
            bytes: Cell::new(0),
            latency: RefCell::new(up_to_an_hour()),
            start: Cell::new(None),
        })
    }

    /// Messages that have come back so far.
    pub fn messages(&self) -> u64 {
        self.messages.get()
    }

    /// Does all of the plan, or stops at the first thing that is wrong.
    ///
    /// # Errors
    ///
    /// What went wrong first, with the number of the connection and the offset in its stream.
    pub async fn run(self: &Rc<Self>) -> Result<Report, Failure> {
        // First they are all open, then they all work.
        let mut random = self.random.clone();
        let connecting = FuturesUnordered::new();
        for number in 1..=self.plan.connections {
            let connect = Rc::clone(self).connect(number, random.fork());
            connecting.push(finish(executor::spawn(connect)));
        }
        let connections: Vec<Connection> = connecting.try_collect().await?;

        self.start.set(Some(Instant::now()));
        let mut working = FuturesUnordered::new();
        for connection in connections {
            working.push(finish(executor::spawn(connection.work())));
        }
        while working.try_next().await?.is_some() {}

        Ok(self.report())
    }

    /// What has been measured so far: every message that is counted has come back as it was sent.
    pub fn report(&self) -> Report {
        Report {
            connections: self.plan.connections,
            messages: self.messages.get(),
            bytes: self.bytes.get(),
            elapsed: self
                .start
                .get()
                .map_or(Duration::ZERO, |start| start.elapsed()),
            latency: self.latency.borrow().clone(),
        }
    }

    async fn connect(self: Rc<Self>, number: u64, random: Rng) -> Result<Connection, Failure> {
        let server = self.plan.server.as_str();
        let connected = TcpStream::connect_timeout(server, self.plan.patience).await;
        let stream = connected.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Failure::failed(format_args!(
                "nobody listens on {server}; start the server first: \
                 cargo run --release --example echo -- --addr {server}"
            )),
            _ => Failure::failed(format_args!("connection {number}: {error}")),
        })?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            client: self,
            number,
            stream,
            random,
            offset: 0,
        })
    }
}

/// Nanoseconds, exact to three digits; longer ones count as an hour.
fn up_to_an_hour() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("the bounds are in order")
}

/// The outcome of a task, whichever way it ended.
async fn finish<T>(task: JoinHandle<Result<T, Failure>>) -> Result<T, Failure> {
    task.await
        .unwrap_or_else(|ended| Err(Failure::failed(ended)))
}

/// One connection of the client.
struct Connection {
    client: Rc<Client>,
    /// From 1.
    number: u64,
    stream: TcpStream,
    random: Rng,
    /// Bytes of the earlier messages.
    offset: u64,
}

impl Connection {
    /// Sends all messages, then says that no more will come, and expects to hear the same.
    async fn work(mut self) -> Result<(), Failure> {
        let client = Rc::clone(&self.client);
        let patience = client.plan.patience;
        let mut buffer = vec![0; CHUNK.min(client.plan.size.longest())];
        for _ in 0..client.plan.messages {
            let message = client.pool.message(&mut self.random);
            let start = Instant::now();
            match timeout(patience, self.round_trip(message, &mut buffer)).await {
                Ok(done) => done?,
                Err(_) => return Err(self.wrong(0, format_args!("no answer in {patience:?}"))),
            }
            let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            client.latency.borrow_mut().saturating_record(nanos);
            client.messages.set(client.messages.get() + 1);
            client.bytes.set(client.bytes.get() + message.len() as u64);
            self.offset += message.len() as u64;
        }
        match timeout(patience, self.farewell(&mut buffer)).await {
            Ok(done) => done,
            Err(_) => Err(self.wrong(0, "the server does not close the connection")),
        }
    }

    /// Sends and receives at the same time: a long message does not fit into the buffers on the
    /// way, so somebody has to take out what the server sends back.
    async fn round_trip(&self, message: &[u8], buffer: &mut [u8]) -> Result<(), Failure> {
        let send = async {
            let sent = self.stream.write_all(message).await;
            sent.map_err(|error| {
                self.wrong(0, format_args!("the message could not be sent: {error}"))
            })
        };
        let receive = async {
            let mut received = 0;
            while received < message.len() {
                let room = buffer.len().min(message.len() - received);
                let read = self.stream.read(&mut buffer[..room]).await;
                let length = read.map_err(|error| self.wrong(received, error))?;
                if length == 0 {
                    return Err(self.wrong(received, "the server closed the connection"));
                }
                self.compare(
                    &message[received..received + length],
                    &buffer[..length],
                    received,
                )?;
                received += length;
            }
            Ok(())
        };
        try_join(send, receive).await.map(|_| ())
    }

    /// Every byte that comes back is looked at here.
    fn compare(&self, expected: &[u8], got: &[u8], received: usize) -> Result<(), Failure> {
        if expected == got {
            return Ok(());
        }
        let same = expected
            .iter()
            .zip(got)
            .take_while(|(expected, got)| expected == got)
            .count();
        let (expected, got) = (expected[same], got[same]);
        Err(self.wrong(
            received + same,
            format_args!("wrong byte: expected {expected:#04x}, got {got:#04x}"),
        ))
    }

    async fn farewell(&self, buffer: &mut [u8]) -> Result<(), Failure> {
        let closed = self.stream.shutdown(Shutdown::Write);
        closed.map_err(|error| self.wrong(0, error))?;
        match self.stream.read(buffer).await {
            Ok(0) => Ok(()),
            Ok(length) => {
                Err(self.wrong(0, format_args!("{length} bytes came that were never sent")))
            }
            Err(error) => Err(self.wrong(0, error)),
        }
    }

    /// What is wrong, and where.
    fn wrong(&self, received: usize, what: impl std::fmt::Display) -> Failure {
        let offset = self.offset + received as u64;
        let from = match self.stream.local_addr() {
            Ok(address) => format!(" (from {address})"),
            Err(_) => String::new(),
        };
        Failure::failed(format_args!(
            "connection {}{from}, offset {offset}: {what}",
            self.number
        ))
    }
}
