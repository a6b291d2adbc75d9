//! Servers that are wrong on purpose, to see that the checks find it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use clap::ValueEnum;

use super::LOOPBACK;
use super::serve::say_port;

/// Every so many reads it does what it does wrong.
const SELDOM: u64 = 300;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Wrong {
    Drops,
    Alters,
    Resets,
    Sleeps,
}

impl Wrong {
    pub fn subject(self) -> String {
        format!("faulty-{self:?}").to_lowercase()
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|wrong| wrong.subject() == name)
    }
}

/// Echoes, a thread a connection, and not always as it should.
pub fn serve(wrong: Wrong) -> Result<(), String> {
    let listener = TcpListener::bind(LOOPBACK).map_err(|error| error.to_string())?;
    say_port(listener.local_addr().map_err(|e| e.to_string())?.port());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || echo(stream, wrong));
    }
    Ok(())
}

fn echo(mut stream: TcpStream, wrong: Wrong) {
    let mut buffer = [0; 4096];
    for number in 1_u64.. {
        let count = match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let now = number.is_multiple_of(SELDOM);
        match wrong {
            Wrong::Drops if now => continue,
            Wrong::Alters if now => buffer[count - 1] ^= 1,
            Wrong::Resets if now => {
                // Without lingering the kernel answers what is under way with a reset.
                let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                return;
            }
            Wrong::Sleeps => std::thread::sleep(Duration::from_millis(20)),
            _ => {}
        }
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}
