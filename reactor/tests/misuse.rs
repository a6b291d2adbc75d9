//! What is made outside of a reactor is refused before anything is done, and the refusal names the
//! caller's line.
#![cfg(unix)]

use std::future::Future;
use std::os::unix::net as unix;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::{fs, net, path::PathBuf};

use reactor::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use reactor::{Async, process, signal};
use selectors_core::sys::fault;

fn socket_file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("misuse-{name}-{}", std::process::id()))
}

fn poll_once<T>(future: impl Future<Output = T>) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// One test, because the panic hook is the process's.
#[test]
fn misuse_is_refused_before_anything_is_done_and_names_the_caller() {
    let said = Arc::new(Mutex::new(String::new()));
    let hears = Arc::clone(&said);
    panic::set_hook(Box::new(move |panic| {
        *hears.lock().unwrap() = panic.to_string();
    }));
    let refused = |what: &str, misuse: &mut dyn FnMut()| {
        let before = fault::total();
        catch_unwind(AssertUnwindSafe(misuse)).expect_err(what);
        assert_eq!(fault::total(), before, "{what} makes system calls first");
        let said = said.lock().unwrap();
        assert!(said.contains("no reactor on this thread"), "{what}: {said}");
        assert!(said.contains("misuse.rs"), "{what}: {said}");
    };

    let child = socket_file("child");
    refused("spawn", &mut || {
        drop(process::spawn(Command::new("touch").arg(&child)));
    });
    refused("output", &mut || {
        poll_once(process::output(Command::new("touch").arg(&child)));
    });
    refused("Signals", &mut || {
        drop(signal::Signals::new([signal::consts::SIGUSR2]));
    });
    refused("ctrl_c", &mut || {
        poll_once(signal::ctrl_c());
    });

    let file = socket_file("file");
    refused("UnixListener", &mut || {
        drop(UnixListener::bind(&file));
    });
    refused("UnixDatagram", &mut || {
        drop(UnixDatagram::bind(&file));
    });
    assert!(!file.exists());
    refused("unbound", &mut || {
        drop(UnixDatagram::unbound());
    });
    refused("pair", &mut || {
        drop(UnixStream::pair());
    });
    refused("datagram pair", &mut || {
        drop(UnixDatagram::pair());
    });
    refused("unix connect", &mut || {
        poll_once(UnixStream::connect(&file));
    });

    refused("bind", &mut || {
        poll_once(TcpListener::bind("127.0.0.1:0"));
    });
    refused("options", &mut || {
        poll_once(TcpListener::options().bind("127.0.0.1:0"));
    });
    refused("connect", &mut || {
        poll_once(TcpStream::connect("127.0.0.1:1"));
    });
    refused("name", &mut || {
        poll_once(TcpStream::connect("localhost:1"));
    });
    refused("udp", &mut || {
        poll_once(UdpSocket::bind("127.0.0.1:0"));
    });

    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = || net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    refused("tcp from_std", &mut || {
        drop(TcpStream::from_std(stream()));
    });
    refused("listener from_std", &mut || {
        drop(TcpListener::from_std(listener.try_clone().unwrap()));
    });
    // The mode is shared with the clone, and is as it was.
    let _near = stream();
    listener.accept().unwrap();
    let udp = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    refused("udp from_std", &mut || {
        drop(UdpSocket::from_std(udp.try_clone().unwrap()));
    });
    let pair = || unix::UnixStream::pair().unwrap().0;
    refused("unix from_std", &mut || {
        drop(UnixStream::from_std(pair()));
    });
    refused("Async::new", &mut || {
        drop(Async::new(pair()));
    });
    refused("Async::nonblocking", &mut || {
        drop(Async::nonblocking(pair()));
    });

    // Started and refused afterwards, it would be there by now or soon.
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(fs::metadata(&child).is_err());
}
