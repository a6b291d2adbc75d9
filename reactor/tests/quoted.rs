//! What users and peers have written is quoted in an error so that it stays one line and moves no cursor.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use reactor::net::{
    TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket, UnixStream,
    abstract_address, lookup_host,
};
use reactor::process;
use selectors_core::Backend;

/// A line, a screen that is cleared, and letters that run backwards.
const EVIL: &str = "no\nsuch\r\u{1b}[2J\u{9b}1m\u{202e}name";

/// Both forms of the error.
#[track_caller]
fn is_one_plain_line<T>(answer: Result<T, impl std::error::Error>) {
    let Err(error) = answer else {
        panic!("it is answered");
    };
    for text in [error.to_string(), format!("{error:?}")] {
        let obeyed = |letter: char| letter.is_control() || letter == '\u{202e}';
        assert!(!text.contains(obeyed), "{text:?}");
        assert!(
            text.contains("no\\nsuch") || text.contains("no\\\\nsuch"),
            "{text}"
        );
    }
}

#[test]
fn what_others_have_written_is_escaped_in_every_error() -> io::Result<()> {
    executor::block_on(async {
        is_one_plain_line(lookup_host((EVIL, 80)).await);
        is_one_plain_line(TcpStream::connect((EVIL, 80)).await);
        is_one_plain_line(TcpListener::bind((EVIL.to_owned(), 80)).await);
        is_one_plain_line(UdpSocket::bind(format!("{EVIL}:80")).await);

        let missing = Path::new("/nowhere").join(EVIL);
        // No text at all, as paths may be.
        let bytes = [b"/nowhere/", EVIL.as_bytes(), b"\xff"].concat();
        let too_long = PathBuf::from(format!("/{EVIL}").repeat(10));
        for path in [&missing, Path::new(OsStr::from_bytes(&bytes)), &too_long] {
            is_one_plain_line(UnixStream::connect(path).await);
            is_one_plain_line(UnixSocket::new()?.connect(path).await);
            is_one_plain_line(UnixSocket::new()?.bind(path));
            is_one_plain_line(UnixListener::bind(path));
            is_one_plain_line(UnixDatagram::bind(path));
            let datagrams = UnixDatagram::unbound()?;
            is_one_plain_line(datagrams.connect(path));
            is_one_plain_line(datagrams.send_to(b"x", path).await);
            is_one_plain_line(datagrams.try_send_to(b"x", path));
            is_one_plain_line(process::spawn(&mut Command::new(path)));
            is_one_plain_line(process::output(&mut Command::new(path)).await);
            is_one_plain_line(process::spawn(Command::new("true").current_dir(path)));
        }
        let nobody = abstract_address(EVIL)?;
        is_one_plain_line(UnixStream::connect_addr(&nobody).await);
        is_one_plain_line(UnixDatagram::unbound()?.connect_addr(&nobody));
        let taken = UnixListener::bind_addr(&nobody)?;
        is_one_plain_line(UnixListener::bind_addr(&nobody));
        drop(taken);

        let panicked = executor::spawn(async { panic!("{EVIL}") }).await;
        is_one_plain_line(panicked.map(|never: ()| never));
        is_one_plain_line(Backend::from_name(EVIL));
        Ok(())
    })?
}

/// A path is shown as `Debug` shows it.
#[test]
fn no_source_shows_a_path_as_it_is() -> io::Result<()> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for sources in ["selectors-core/src", "reactor/src", "executor/src"] {
        let mut folders = vec![crates.join(sources)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                match path.extension() {
                    _ if path.ends_with("src/tests") => {}
                    _ if path.is_dir() => folders.push(path),
                    // It asks the kernel for a file of a number.
                    Some(rs) if rs == "rs" && !path.ends_with("trace/held_up.rs") => {
                        let shows = fs::read_to_string(&path)?.contains(".display()");
                        assert!(!shows, "{path:?}");
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}
