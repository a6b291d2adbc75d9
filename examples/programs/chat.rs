//! A chat: what one says, all the others hear. Lines of text over TCP, for any client that has them.
//!
//! ```text
//! cargo run --release --example chat                       # or with an address: -- 0.0.0.0:7010
//! nc 127.0.0.1 7010                                        # in another terminal, and another
//! ```
//!
//! Each member is a task that reads, and a task that writes what waits in the member's queue. Who does
//! not read lets that queue run full, and is shown out: nobody waits for the slowest.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::io;
use std::rc::Rc;

use async_channel::Sender;
use executor::net::{TcpListener, TcpStream};
use executor::signal::ctrl_c;
use futures_lite::future::or;
use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// Bytes of a line; a longer one arrives in pieces.
const LINE: u64 = 1024;
/// Lines that may wait for a member who does not read.
const WAITING: usize = 256;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7010".to_owned());
    executor::block_on(or(serve(address), ctrl_c()))?
}

async fn serve(address: String) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("chat: listening on {}", listener.local_addr()?);
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
    /// To everybody but the one who says it. Whose queue is full is shown out.
    fn say(&self, speaker: u64, line: String) {
        let line = Rc::<str>::from(line);
        self.members.borrow_mut().retain(|number, queue| {
            let heard = *number == speaker || queue.try_send(Rc::clone(&line)).is_ok();
            if !heard {
                queue.close();
            }
            heard
        });
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
    room.members.borrow_mut().insert(number, queue.clone());
    room.say(number, format!("* {name} is here\n"));

    let talk = async {
        while let Some(line) = next_line(&mut lines).await? {
            room.say(number, format!("{name}: {line}\n"));
        }
        Ok(())
    };
    let hear = async {
        while let Ok(line) = waiting.recv().await {
            stream.write_all(line.as_bytes()).await?;
        }
        Ok(())
    };
    let shown_out = async {
        queue.closed().await;
        Ok(())
    };
    // Whichever comes first ends the other two.
    let left = or(or(talk, hear), shown_out).await;
    room.members.borrow_mut().remove(&number);
    room.say(number, format!("* {name} is gone\n"));
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
