//! A key-value server that speaks the protocol of Redis: `PING`, `GET`, `SET` and `DEL`. One thread,
//! so the map needs no lock. Commands that come together are answered in one write.
//!
//! ```text
//! cargo run --release --example kv                         # or with an address: -- 0.0.0.0:7011
//! redis-cli -p 7011 set greeting hello                     # or: nc 127.0.0.1 7011
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Error, ErrorKind::InvalidData};
use std::process::ExitCode;
use std::rc::Rc;

use examples::{command_line, failure, say};
use executor::net::{TcpListener, TcpStream};
use executor::signal::ctrl_c;
use futures_lite::future::or;
use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

const LONGEST: usize = 1 << 20; // bytes of a key or a value

type Bytes = Vec<u8>;
type Store = HashMap<Bytes, Bytes>;

fn main() -> ExitCode {
    let about = "A key-value server that speaks the protocol of Redis";
    let [address] = command_line::arguments(about, [("ADDRESS", "127.0.0.1:7011")]);
    failure::exit(executor::block_on(or(serve(address), ctrl_c())).flatten())
}

async fn serve(address: String) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    say!("kv: listening on {}", listener.local_addr()?);
    let store = Rc::<RefCell<Store>>::default();
    loop {
        let (stream, _from) = listener.accept().await?;
        let store = Rc::clone(&store);
        // A client that breaks off is one who leaves.
        executor::spawn(async move { attend(&store, &stream).await.ok() }).detach();
    }
}

/// One client: reads commands, and writes the answers once no further command has arrived.
async fn attend(store: &RefCell<Store>, stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut answers = Vec::new();
    loop {
        // Commands that are here already are awaited without a wait: let others run in between.
        executor::consume_budget().await;
        match next_command(&mut reader).await {
            Ok(Some(command)) => answer(&mut store.borrow_mut(), &command, &mut answers),
            Ok(None) => return Ok(()),
            Err(error) => {
                let answer = format!("-ERR {error}\r\n").into_bytes();
                return stream.write_all(&[answers, answer].concat()).await;
            }
        }
        if reader.buffer().is_empty() || answers.len() > LONGEST {
            stream.write_all(&answers).await?;
            answers.clear();
        }
    }
}

/// `*2 $3 GET $1 a`, each on its line, as programs write it; or `GET a`, as people do.
async fn next_command(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Vec<Bytes>>> {
    let Some(line) = next_line(reader).await? else {
        return Ok(None);
    };
    let Some(count) = line.strip_prefix(b"*") else {
        let words = line.split(u8::is_ascii_whitespace).map(Bytes::from);
        return Ok(Some(words.filter(|word| !word.is_empty()).collect()));
    };
    let mut command = Vec::new();
    for _ in 0..number(count, 64)? {
        let line = next_line(reader).await?.unwrap_or_default();
        let digits = line.strip_prefix(b"$").unwrap_or_default();
        let mut word = vec![0; number(digits, LONGEST)? + 2];
        reader.read_exact(&mut word).await?;
        word.truncate(word.len() - 2);
        command.push(word);
    }
    Ok(Some(command))
}

/// The next line without its end; `None` once the client sends no more.
async fn next_line(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Bytes>> {
    let mut line = Vec::new();
    let mut reader = reader.take(LONGEST as u64);
    let length = reader.read_until(b'\n', &mut line).await?;
    Ok((length != 0).then(|| line.trim_ascii_end().to_vec()))
}

fn number(digits: &[u8], most: usize) -> io::Result<usize> {
    let text = String::from_utf8_lossy(digits);
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or(Error::new(InvalidData, "no number, or too large"))
}

fn answer(store: &mut Store, command: &[Bytes], out: &mut Bytes) {
    let name = command.first().map(|name| name.to_ascii_uppercase());
    match (name.as_deref(), command.get(1..).unwrap_or_default()) {
        (Some(b"PING"), []) => out.extend(b"+PONG\r\n"),
        (Some(b"GET"), [key]) => match store.get(key) {
            Some(value) => {
                let length = format!("${}\r\n", value.len());
                out.extend([length.as_bytes(), value, b"\r\n"].concat());
            }
            None => out.extend(b"$-1\r\n"),
        },
        (Some(b"SET"), [key, value]) => {
            store.insert(key.clone(), value.clone());
            out.extend(b"+OK\r\n");
        }
        (Some(b"DEL"), keys) => {
            let gone = keys.iter().filter(|key| store.remove(*key).is_some());
            out.extend(format!(":{}\r\n", gone.count()).bytes());
        }
        (None, _) => {}
        _ => out.extend(b"-ERR unknown command, or not its arguments\r\n"),
    }
}
