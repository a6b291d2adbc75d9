//! A chat: what one says, all the others hear. Lines of text over TCP, for any client that has them.
//!
//! ```text
//! cargo run --release --example chat                       # or with an address: -- 0.0.0.0:7010
//! nc 127.0.0.1 7010                                        # in another terminal, and another
//! ```
//!
//! Each member has a queue, and what waits in it is written all at once. Who says more than others can
//! read waits for room in their queues; who does not read what has waited for five seconds is shown
//! out. So nobody waits for longer than that, and nobody is shown out because somebody else says much.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use async_channel::Sender;
use examples::{command_line, failure, say};
use executor::net::{TcpListener, TcpStream};
use executor::signal::ctrl_c;
use executor::time::timeout;
use futures_lite::future::or;
use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// Bytes of a line; a longer one arrives in pieces.
const LINE: u64 = 1024;
/// Lines that may wait for a member, and how long they may take to be read.
const WAITING: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let about = "A chat: what one says, all the others hear";
    let [address] = command_line::arguments(about, [("ADDRESS", "127.0.0.1:7010")]);
    failure::exit(executor::block_on(or(serve(address), ctrl_c())).flatten())
}

async fn serve(address: String) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    say!("chat: listening on {}", listener.local_addr()?);
    let room = Rc::new(Room::default());
    for number in 0.. {
        let (stream, _from) = listener.accept().await?;
        let room = Rc::clone(&room);
        executor::spawn(async move {
            // A connection that breaks is a member who leaves.
            let _ = attend(room, number, stream).await;
        })
        .detach();
    }
    Ok(())
}

/// Everybody who is here: a queue of lines for each.
#[derive(Default)]
struct Room {
    members: RefCell<BTreeMap<u64, Sender<Rc<str>>>>,
}

impl Room {
    /// To everybody but the one who says it, and who waits for those whose queues are full.
    async fn say(&self, speaker: u64, line: String) {
        let line = Rc::<str>::from(line);
        let all = self.members.borrow().clone();
        for (_, queue) in all.into_iter().filter(|(number, _)| *number != speaker) {
            // An error: this one is gone by now.
            let _ = queue.send(Rc::clone(&line)).await;
        }
    }
}

/// One member, from the name to the goodbye.
async fn attend(room: Rc<Room>, number: u64, stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"your name?\n").await?;
    let mut lines = BufReader::new(&stream);
    let Some(name) = next_line(&mut lines).await? else {
        return Ok(());
    };
    let (queue, waiting) = async_channel::bounded(WAITING);
    room.members.borrow_mut().insert(number, queue);

    let talk = async {
        room.say(number, format!("* {name} is here\n")).await;
        while let Some(line) = next_line(&mut lines).await? {
            room.say(number, format!("{name}: {line}\n")).await;
        }
        Ok(())
    };
    // Goes on while `talk` waits for others: two who wait for each other both read on.
    let hear = async {
        while let Ok(line) = waiting.recv().await {
            let mut text = line.as_bytes().to_vec();
            while let Ok(line) = waiting.try_recv() {
                text.extend(line.bytes());
            }
            timeout(PATIENCE, stream.write_all(&text)).await??;
        }
        Ok(())
    };
    // Whichever comes first ends the other.
    let left = or(talk, hear).await;
    room.members.borrow_mut().remove(&number);
    // Nobody waits any more for room in this queue.
    drop(waiting);
    room.say(number, format!("* {name} is gone\n")).await;
    left
}

/// The next line without its end; `None` once the peer sends no more.
async fn next_line(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    match reader.take(LINE).read_until(b'\n', &mut line).await? {
        0 => Ok(None),
        _ => Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned())),
    }
}
