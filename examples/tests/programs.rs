//! The programs of `programs/`, with clients and servers that are not ours: python3 and curl, where
//! they are installed, and std's blocking sockets everywhere.

mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;

use program::{GUARD, Program, Signal, command};

/// An example that serves at a free port, told by its first argument.
fn server(name: &str, arguments: &str) -> (Program, SocketAddr) {
    Program::listening(command(name, &format!("127.0.0.1:0 {arguments}")))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    let guarded = stream.set_read_timeout(Some(GUARD));
    guarded.expect("a guard against hanging");
    stream
}

fn stop(server: Program) {
    server.signal(Signal::INT);
    server.finish().assert_success();
}

/// What a foreign program says, given its input; `None` where it is not installed, which the test
/// then says.
fn foreign(program: &str, arguments: &[&str], input: &str) -> Option<String> {
    if Command::new(program).arg("--version").output().is_err() {
        println!("{program} is not installed: that part is left out");
        return None;
    }
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it is installed");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program} failed: {output:?}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

fn python(script: &str, address: SocketAddr) -> Option<String> {
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    foreign("python3", &["-", &ip, &port], script)
}

fn curl(url: &str) -> Option<String> {
    let arguments = ["--silent", "--show-error", "--fail", "--noproxy", "*"];
    foreign("curl", &[&arguments[..], &[url]].concat(), "")
}

#[test]
fn every_program_is_short_and_says_how_it_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/programs");
    let table = include_str!("../README.md");
    let mut programs = 0;
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.extension() != Some("rs".as_ref()) {
            continue;
        }
        programs += 1;
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name");
        let text = std::fs::read_to_string(&path).expect("it can be read");
        assert!(text.lines().count() < 140, "{name}");
        let head = text.lines().take_while(|line| line.starts_with("//!"));
        let told =
            head.filter(|line| line.contains(&format!("cargo run --release --example {name}")));
        assert_eq!(told.count(), 1, "{name}");
        assert!(table.contains(&format!("`programs/{name}.rs`")), "{name}");
    }
    assert!(programs >= 6);
}

/// Reads lines until one is `expected`.
#[track_caller]
fn hear(reader: &mut BufReader<TcpStream>, expected: &str) {
    let mut line = String::new();
    while line.trim_end() != expected {
        line.clear();
        let length = reader.read_line(&mut line).expect("the server answers");
        assert_ne!(length, 0, "the end instead of {expected:?}");
    }
}

fn member(address: SocketAddr, name: &str) -> (TcpStream, BufReader<TcpStream>) {
    let mut stream = connect(address);
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    hear(&mut reader, "your name?");
    writeln!(stream, "{name}").expect("the server reads");
    (stream, reader)
}

#[test]
fn chat_carries_lines_to_all_others() {
    let (server, address) = server("chat", "");
    let (mut ann, mut heard_by_ann) = member(address, "ann");
    let (mut bob, mut heard_by_bob) = member(address, "bob");
    hear(&mut heard_by_ann, "* bob is here");
    ann.write_all(b"hello, ").expect("sent");
    ann.write_all(b"bob\n").expect("sent");
    hear(&mut heard_by_bob, "ann: hello, bob");
    // No text at all harms nobody.
    bob.write_all(b"\xff\xfe\n").expect("sent");
    hear(&mut heard_by_ann, "bob: \u{fffd}\u{fffd}");
    let script = "import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
f = s.makefile('rw')
assert f.readline() == 'your name?\\n'
print('python', file=f, flush=True)
print('hello from afar', file=f, flush=True)
";
    if python(script, address).is_some() {
        hear(&mut heard_by_ann, "python: hello from afar");
        hear(&mut heard_by_ann, "* python is gone");
    }
    drop((bob, heard_by_bob));
    hear(&mut heard_by_ann, "* bob is gone");
    stop(server);
}

#[test]
fn chat_shows_out_who_does_not_read() {
    let (server, address) = server("chat", "");
    let (_deaf, _unread) = member(address, "deaf");
    let (mut ann, mut heard_by_ann) = member(address, "ann");
    let (mut speaker, mut heard_by_speaker) = member(address, "speaker");
    hear(&mut heard_by_ann, "* speaker is here");
    let line = [b"x".repeat(1000), b"\n".to_vec()].concat();
    let mut is_gone = false;
    // Ann hears each part before the next is said, so that her queue never runs full, however slow
    // she is; what the kernel holds for the deaf one does at some time.
    while !is_gone {
        for _ in 0..100 {
            speaker.write_all(&line).expect("the server reads");
        }
        let mut heard = 0;
        while heard < 100 {
            let mut text = String::new();
            heard_by_ann.read_line(&mut text).expect("text");
            match text.trim_end() {
                "* deaf is gone" => is_gone = true,
                said => {
                    assert!(said.starts_with("speaker: x"), "{said:?}");
                    heard += 1;
                }
            }
        }
    }
    hear(&mut heard_by_speaker, "* deaf is gone");
    ann.write_all(b"peace\n").expect("sent");
    hear(&mut heard_by_speaker, "ann: peace");
    drop((speaker, heard_by_speaker));
    hear(&mut heard_by_ann, "* speaker is gone");
    stop(server);
}

/// More lines than a queue has room for, from several at once and in one piece each: who reads hears
/// all of them.
#[test]
fn chat_shows_out_nobody_who_reads() {
    const LINES: usize = 2000;
    let (server, address) = server("chat", "");
    let (_bob, mut heard_by_bob) = member(address, "bob");
    let mut enter = |name| {
        let speaker = member(address, name);
        hear(&mut heard_by_bob, &format!("* {name} is here"));
        speaker
    };
    // First they are all here, then they all speak.
    let speakers = ["ann", "cyd", "dan"].map(&mut enter);
    let speakers = speakers.map(|(mut stream, mut reader)| {
        let reading = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).expect("text");
        });
        let speaking = thread::spawn(move || {
            let lines: Vec<_> = (0..LINES).map(|line| format!("{line}\n")).collect();
            stream.write_all(lines.concat().as_bytes()).expect("sent");
            stream
        });
        (speaking, reading)
    });
    let mut next = [0; 3];
    while next != [LINES; 3] {
        let mut line = String::new();
        let length = heard_by_bob
            .read_line(&mut line)
            .expect("the server writes");
        assert_ne!(
            length, 0,
            "bob, who reads, was shown out after {next:?} lines"
        );
        let speaker = ["ann: ", "cyd: ", "dan: "];
        let said = (0..3).find_map(|at| Some((at, line.strip_prefix(speaker[at])?.trim_end())));
        if let Some((at, said)) = said {
            assert_eq!(said, next[at].to_string());
            next[at] += 1;
        }
    }
    stop(server);
    for (speaking, reading) in speakers {
        speaking.join().expect("no panic");
        reading.join().expect("no panic");
    }
}

#[test]
fn kv_serves_people_and_programs() {
    let (server, address) = server("kv", "");
    let mut stream = connect(address);
    // In two pieces, with two commands in the second.
    stream.write_all(b"SET gree").expect("sent");
    stream
        .write_all(b"ting hello\r\nget greeting\r\n")
        .expect("sent");
    let mut answer = [0; 16];
    stream.read_exact(&mut answer).expect("answered");
    assert_eq!(&answer, b"+OK\r\n$5\r\nhello\r\n");
    stream
        .write_all(b"GET\n*1\r\n$4\r\nPING\r\n*1\r\n!\r\n")
        .expect("sent");
    let mut rest = String::new();
    stream
        .read_to_string(&mut rest)
        .expect("answered, and then the end");
    let errors = "-ERR unknown command, or not its arguments\r\n+PONG\r\n\
                  -ERR no number, or too large\r\n";
    assert_eq!(rest, errors);

    let script = "import socket, sys
def command(*words):
    return b''.join([b'*%d\\r\\n' % len(words)] + [b'$%d\\r\\n%s\\r\\n' % (len(w), w) for w in words])
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
value = bytes(range(256)) * 300
# A pipeline; values are bytes, and may have lines of their own.
s.sendall(command(b'SET', b'k', value) + command(b'GET', b'k') + command(b'DEL', b'k', b'k', b'x')
          + command(b'GET', b'k'))
s.shutdown(socket.SHUT_WR)
answer = b''.join(iter(lambda: s.recv(65536), b''))
assert answer == b'+OK\\r\\n$76800\\r\\n' + value + b'\\r\\n:1\\r\\n$-1\\r\\n', answer[:100]
print('ok')
";
    let answer = python(script, address);
    assert!(answer.is_none_or(|answer| answer == "ok\n"));
    stop(server);
}

/// A server that answers with the number of bytes that came, once the client has ended.
fn counts(listener: TcpListener, clients: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for _ in 0..clients {
            let (mut stream, _) = listener.accept().expect("a client comes");
            let mut all = Vec::new();
            stream.read_to_end(&mut all).expect("until its end");
            write!(stream, "{} bytes", all.len()).expect("it still reads");
        }
    })
}

#[test]
fn proxy_passes_on_the_end_of_each_direction() {
    let behind = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let there = behind.local_addr().expect("bound");
    let counting = counts(behind, 2);
    let (mut server, address) = server("proxy", &there.to_string());
    for length in [3_000_000, 0] {
        let mut client = connect(address);
        client.write_all(&vec![7; length]).expect("sent");
        client.shutdown(Shutdown::Write).expect("open");
        let mut answer = String::new();
        client
            .read_to_string(&mut answer)
            .expect("the answer, and the end");
        assert_eq!(answer, format!("{length} bytes"));
        server.line_with(&format!(": {length} there, {} back", answer.len()));
    }
    counting.join().expect("no panic");
    // Nobody is there any more.
    let mut client = connect(address);
    assert_eq!(client.read(&mut [0]).expect("the end"), 0);
    server.line_with("refused");
    stop(server);
}

#[test]
fn proxy_lets_what_is_under_way_come_to_its_end() {
    let behind = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let there = behind.local_addr().expect("bound");
    let counting = counts(behind, 1);
    let (mut server, address) = server("proxy", &there.to_string());
    let mut client = connect(address);
    client.write_all(b"before").expect("sent");
    // It is let in before the signal comes.
    server.line_with("is let in");
    server.signal(Signal::INT);
    client.write_all(b"after").expect("sent");
    client.shutdown(Shutdown::Write).expect("open");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("the answer");
    assert_eq!(answer, "11 bytes");
    counting.join().expect("no panic");
    server.line_with("proxy: 1 ended, 0 cut off");
    server.finish().assert_success();
}

/// python's own HTTP server, behind nothing or behind the proxy.
fn python_http() -> Option<(Program, SocketAddr)> {
    foreign("python3", &["-c", ""], "")?;
    let script = "import http.server, os
os.chdir(os.environ['FOLDER'])
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
print('listening on %s:%d' % server.server_address, flush=True)
server.serve_forever()
";
    let mut command = Command::new("python3");
    let folder = format!("{}/programs", env!("CARGO_MANIFEST_DIR"));
    command.args(["-c", script]).env("FOLDER", folder);
    Some(Program::listening(command))
}

#[test]
fn proxy_stands_between_curl_and_a_server_in_python() {
    let Some((_behind, there)) = python_http() else {
        return;
    };
    let (server, address) = server("proxy", &there.to_string());
    if let Some(page) = curl(&format!("http://{address}/proxy.rs")) {
        assert_eq!(page, include_str!("../programs/proxy.rs"));
    }
    stop(server);
}

#[test]
fn http_get_fetches_from_a_server_in_python() {
    let Some((_server, address)) = python_http() else {
        return;
    };
    let length = include_str!("../programs/dns.rs").len();
    let urls = format!("http://{address}/dns.rs http://{address}/nothing http://{address}");
    let outcome = program::run("http_get", &urls);
    outcome.assert_success();
    let said = |line: String| outcome.stdout.lines().any(|said| said.starts_with(&line));
    assert!(
        said(format!("200 {length} bytes http://{address}/dns.rs")),
        "{outcome:#?}"
    );
    assert!(said("404 ".to_owned()), "{outcome:#?}");
    assert_eq!(outcome.stdout.lines().count(), 3, "{outcome:#?}");
}

#[test]
fn http_get_says_what_is_wrong_with_an_answer() {
    let answers = [
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", "200 13 bytes"),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
            "204 0 bytes",
        ),
        (
            "HTTP/1.0 200 OK\r\ncontent-length: 9\r\n\r\ncut",
            "unexpected end of file",
        ),
        ("HTTP/1.0 200 OK\r\n", "the head of the answer has no end"),
        ("SSH-2.0-server\r\n", "the answer is no HTTP"),
        ("", "the head of the answer has no end"),
    ];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = thread::spawn(move || {
        for (answer, _) in answers {
            let (mut stream, _) = listener.accept().expect("a client comes");
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).expect("a request");
            }
            stream.write_all(answer.as_bytes()).expect("it reads");
        }
    });
    for (answer, said) in answers {
        let outcome = program::run("http_get", &format!("http://{address}/"));
        assert!(outcome.stdout.contains(said), "{answer:?}: {outcome:#?}");
        assert_eq!(
            outcome.status.success(),
            said.ends_with(" bytes"),
            "{answer:?}"
        );
    }
    serving.join().expect("no panic");
    let outcome = program::run("http_get", "https://localhost/ http://[::1");
    assert_eq!(outcome.status.code(), Some(1), "{outcome:#?}");
}

/// A server that answers a request with this, and then resets the connection or ends it.
fn answers(answer: &'static [u8], resets: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client comes");
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            seen.extend(byte);
        }
        stream.write_all(answer).expect("it reads");
        if resets {
            // What was written is taken before the reset comes, or else there is nothing to cut.
            thread::sleep(std::time::Duration::from_millis(100));
            let rude = socket2::Socket::from(stream);
            let lingers = rude.set_linger(Some(std::time::Duration::ZERO));
            lingers.expect("a socket can linger");
        }
    });
    address
}

#[test]
fn http_get_tells_of_the_others_when_one_is_reset_in_the_middle_of_a_line() {
    let good = answers(b"HTTP/1.0 200 OK\r\n\r\nhello", false);
    let bad = answers(b"HTTP/1.0 20", true);
    let outcome = program::run("http_get", &format!("http://{bad}/ http://{good}/"));
    let line = outcome.assert_failure(1);
    assert!(line.ends_with("1 of 2 failed"), "{outcome:#?}");
    assert!(outcome.stdout.contains("200 5 bytes"), "{outcome:#?}");
    assert!(
        outcome.stdout.contains(&format!("http://{bad}/")),
        "{outcome:#?}"
    );
}

fn labels(name: &str) -> Vec<u8> {
    let labels = name
        .split('.')
        .map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([vec![0]]).flatten().collect()
}

#[test]
fn dns_answers_for_its_names_and_no_others() {
    let (server, address) = server("dns", "router.test=10.0.0.1 host.test=10.0.0.2");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    client
        .set_read_timeout(Some(GUARD))
        .expect("a guard against hanging");
    client.connect(address).expect("bound");
    let query = |name: &str, kind: u8| {
        let head = [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        [&head[..], &labels(name), &[0, kind, 0, 1]].concat()
    };
    let ask = |query: &[u8]| {
        client.send(query).expect("sent");
        let mut answer = [0; 512];
        let length = client.recv(&mut answer).expect("answered");
        answer[..length].to_vec()
    };
    let answer = ask(&query("Router.TEST", 1));
    assert_eq!(answer[..8], [0xab, 0xcd, 0x85, 0, 0, 1, 0, 1]);
    assert!(answer.ends_with(&[0, 0, 0, 60, 0, 4, 10, 0, 0, 1]));
    // An address of version 6: there is none, and that is no error.
    assert_eq!(ask(&query("host.test", 28))[2..8], [0x85, 0, 0, 1, 0, 0]);
    assert_eq!(ask(&query("nobody.test", 1))[2..8], [0x85, 3, 0, 1, 0, 0]);
    // Cut anywhere it is an error, or too short for one; and an answer is not answered.
    let whole = query("host.test", 1);
    for length in 0..whole.len() {
        client.send(&whole[..length]).expect("sent");
        if length >= 12 {
            let mut answer = [0; 512];
            assert_eq!(client.recv(&mut answer).expect("answered"), 12);
            assert_eq!(answer[..6], [0xab, 0xcd, 0x85, 1, 0, 0]);
        }
    }
    let mut said = whole.clone();
    said[2] |= 0x80;
    client.send(&said).expect("sent");
    assert_eq!(ask(&whole)[..4], [0xab, 0xcd, 0x85, 0]);

    if let Some(host) = dig(address) {
        assert_eq!(host, "10.0.0.2\n");
    }
    let script = "import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
name = b''.join(bytes([len(l)]) + l for l in b'router.test'.split(b'.')) + b'\\0'
s.sendto(struct.pack('>6H', 7, 0x100, 1, 0, 0, 0) + name + struct.pack('>2H', 1, 1),
         (sys.argv[1], int(sys.argv[2])))
answer = s.recv(512)
print(struct.unpack('>6H', answer[:12]), socket.inet_ntoa(answer[-4:]))
";
    let answer = python(script, address);
    assert!(answer.is_none_or(|said| said == "(7, 34048, 1, 1, 0, 0) 10.0.0.1\n"));
    stop(server);
}

fn dig(address: SocketAddr) -> Option<String> {
    let port = address.port().to_string();
    let arguments = ["@127.0.0.1", "-p", &port, "+short", "host.test"];
    foreign("dig", &arguments, "")
}

/// One conversation with the port and with its original: a client sees no difference.
#[test]
fn selectors_port_does_what_its_original_does() {
    let (ported, address) = server("selectors_port", "");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/selectors_port.py");
    let original = foreign("python3", &["-c", ""], "").map(|_| {
        let mut command = Command::new("python3");
        command.args([script, "127.0.0.1", "0"]);
        Program::listening(command)
    });
    let both = [Some((ported, address)), original];
    for (_server, address) in both.into_iter().flatten() {
        let mut idle = connect(address);
        let mut client = connect(address);
        for message in ["hello", "World 123", "x"] {
            client.write_all(message.as_bytes()).expect("sent");
            let mut answer = vec![0; message.len()];
            client.read_exact(&mut answer).expect("answered");
            assert_eq!(answer, message.to_uppercase().as_bytes());
        }
        // More than the kernel's buffers hold, from one who reads late; and the end after it.
        let mut writer = client.try_clone().expect("a second handle");
        let sent = vec![b'a'; 12 << 20];
        let writing = thread::spawn(move || {
            writer.write_all(&sent).expect("all is taken in the end");
            writer.shutdown(Shutdown::Write).expect("open");
        });
        idle.write_all(b"still here").expect("sent");
        idle.read_exact(&mut [0; 10])
            .expect("nobody waits for the slowest");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("no reset");
        writing.join().expect("no panic");
        assert_eq!(answer.len(), 12 << 20);
        assert!(answer.iter().all(|byte| *byte == b'A'));
        let rude = socket2::Socket::from(idle);
        rude.set_linger(Some(std::time::Duration::ZERO))
            .expect("a socket can linger");
        drop(rude);
        let mut after = connect(address);
        after.write_all(b"ok").expect("sent");
        after
            .read_exact(&mut [0; 2])
            .expect("a reset harms nobody else");
    }
}
