//! A DNS responder: answers for the names of its command line, and for no others.
//!
//! ```text
//! cargo run --release --example dns -- 127.0.0.1:7053 router.test=10.0.0.1 host.test=10.0.0.2
//! dig @127.0.0.1 -p 7053 router.test                       # in another terminal
//! ```
//!
//! Addresses (A) over UDP, as RFC 1035 has it. A query that cannot be read is answered as such, and
//! what is no query is not answered, so that two servers do not talk to each other for ever.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use clap::Parser;
use examples::address::Address;
use examples::{command_line, failure, say};
use executor::net::UdpSocket;
use executor::signal::ctrl_c;
use futures_lite::future::or;

/// What a query may have without extensions, and how much of that its head is.
const LONGEST: usize = 512;
const HEADER: usize = 12;

/// Names in lower case, as labels with their lengths before them.
type Zone = HashMap<Vec<u8>, Ipv4Addr>;

/// A DNS responder: answers for the names of its command line, and for no others
#[derive(Parser)]
struct Args {
    /// Where to answer
    #[arg(default_value = "127.0.0.1:7053")]
    address: Address,
    /// What to answer with, such as router.test=10.0.0.1
    #[arg(value_name = "NAME=IP", value_parser = parse)]
    names: Vec<(Vec<u8>, Ipv4Addr)>,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(|Args { address, names }| {
        let zone = names.into_iter().collect();
        Ok(executor::block_on(or(serve(address, zone), ctrl_c()))??)
    }))
}

fn parse(entry: &str) -> Result<(Vec<u8>, Ipv4Addr), &'static str> {
    let (name, address) = entry.split_once('=').ok_or("expected NAME=IP")?;
    let mut labels = Vec::new();
    for label in name.trim_end_matches('.').split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err("a part of a name has 1 to 63 bytes");
        }
        labels.push(label.len() as u8);
        labels.extend(label.to_ascii_lowercase().bytes());
    }
    let address = address.parse().map_err(|_| "expected an IPv4 address");
    Ok((labels, address?))
}

async fn serve(address: Address, zone: Zone) -> io::Result<()> {
    let socket = UdpSocket::bind(address.as_str()).await?;
    let address = socket.local_addr()?;
    say!("dns: listening on {address}, {} names", zone.len());
    let mut query = [0; LONGEST];
    loop {
        let (received, from) = socket.recv_from(&mut query).await?;
        if let Some(answer) = answer(&zone, &query[..received.len()]) {
            // A client that cannot be reached is not our affair.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// What is sent back; nothing for what is no query.
fn answer(zone: &Zone, query: &[u8]) -> Option<Vec<u8>> {
    let flags = *query.get(2).filter(|_| query.len() >= HEADER)?;
    // The highest bit says that it is an answer.
    if flags & 0x80 != 0 {
        return None;
    }
    let opcode = flags & 0x78;
    let (code, asked, address) = match question(query) {
        _ if opcode != 0 => (4, None, None), // not implemented
        None => (1, None, None),             // a format error
        Some((name, kind)) => match zone.get(&name.to_ascii_lowercase()) {
            None => (3, Some((name, kind)), None), // no such name
            // Other types than addresses of the Internet it has none of: no error.
            found => {
                let wanted = matches!(kind, [0, 1 | 255, 0, 1]);
                (0, Some((name, kind)), found.filter(|_| wanted))
            }
        },
    };

    let mut out = query[..2].to_vec();
    // An answer, by who knows best, to what was asked; "recursion desired" is repeated.
    out.extend([0x84 | opcode | flags & 1, code]);
    for present in [asked.is_some(), address.is_some(), false, false] {
        out.extend([0, u8::from(present)]);
    }
    if let Some((name, kind)) = asked {
        out.extend(name.iter().chain(&[0]).chain(&kind));
    }
    if let Some(address) = address {
        // The name is the one at the end of the header; then type A, Internet, and four bytes.
        out.extend([0xc0, HEADER as u8, 0, 1, 0, 1]);
        // To be remembered for a minute.
        out.extend([0, 0, 0, 60, 0, 4]);
        out.extend(address.octets());
    }
    Some(out)
}

/// The labels of the name, and type and class; `None` unless it is one whole question.
fn question(query: &[u8]) -> Option<(&[u8], [u8; 4])> {
    if query[4..6] != [0, 1] {
        return None;
    }
    let mut at = HEADER;
    loop {
        match *query.get(at)? {
            0 => break,
            length @ 1..64 => at += 1 + usize::from(length),
            // A question has nothing before it to point to.
            _ => return None,
        }
    }
    let kind = query.get(at + 1..at + 5)?.try_into().ok()?;
    Some((&query[HEADER..at], kind))
}
