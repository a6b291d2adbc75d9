//! The judge of exercise 1: runs both servers and writes down what they do.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::verdict::failed;
use crate::{Judged, Wrong};

/// Compares two predictions with what happens.
///
/// # Errors
///
/// The first place at which one is off, and why.
pub fn judge(blocking: &[&str; 9], threads: &[&str; 9]) -> Judged {
    let happened = one_after_another().map_err(failed("running the server of step 1"))?;
    compare("step 1, one thread", blocking, &happened)?;
    let happened = all_at_once().map_err(failed("running the server of step 2"))?;
    compare("step 2, a thread for each client", threads, &happened)
}

fn compare(server: &str, predicted: &[&str; 9], happened: &[String]) -> Judged {
    let pairs = predicted.iter().zip(happened).zip(1..);
    for ((predicted, happened), place) in pairs {
        if predicted != happened {
            return Err(Wrong::new(format!(
                "{server}, event {place}: you say \"{predicted}\", and the server did \
                 \"{happened}\". Up to there it is right. Where does each thread stand at that \
                 moment, and which call would let it go on?"
            )));
        }
    }
    Ok(())
}

/// What the clients do in step 1 needs no answer to go on: the kernel keeps it all.
fn one_after_another() -> io::Result<Vec<String>> {
    let (address, log) = serve(|client, log| client(log))?;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(TcpStream::connect(address)?);
    }
    for (client, word) in clients.iter_mut().zip(["a", "b", "c"]).rev() {
        client.write_all(word.as_bytes())?;
    }
    drop(clients);
    Ok(log.iter().take(9).collect())
}

/// Here each step waits for what it leads to.
fn all_at_once() -> io::Result<Vec<String>> {
    let (address, log) = serve(|client, log| {
        thread::spawn(move || client(log));
    })?;
    let mut happened = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(TcpStream::connect(address)?);
        happened.extend(log.recv());
    }
    for (client, word) in clients.iter_mut().zip(["a", "b", "c"]).rev() {
        client.write_all(word.as_bytes())?;
        happened.extend(log.recv());
    }
    for client in clients {
        drop(client);
        happened.extend(log.recv());
    }
    Ok(happened)
}

type Client = Box<dyn FnOnce(Sender<String>) + Send>;

/// An echo server for three clients that tells what it does; `run` decides where a client is
/// served.
fn serve(
    run: impl Fn(Client, Sender<String>) + Send + 'static,
) -> io::Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (log, events) = channel();
    thread::spawn(move || {
        for name in ["A", "B", "C"] {
            let Ok((stream, _from)) = listener.accept() else {
                return;
            };
            tell(&log, "accept", name);
            run(Box::new(move |log| echo(stream, name, &log)), log.clone());
        }
    });
    Ok((address, events))
}

fn echo(mut stream: TcpStream, name: &str, log: &Sender<String>) {
    let mut buffer = [0; 16];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        // A client that has left needs no answer; that it got one is what counts here.
        let _ = stream.write_all(&buffer[..length]);
        tell(log, "answer", name);
    }
    tell(log, "end", name);
}

fn tell(log: &Sender<String>, what: &str, name: &str) {
    // The judge has gone if it has heard enough.
    let _ = log.send(format!("{what} {name}"));
}
