//! Patterns: how the parts are put together in a program that serves.
//!
//! This module holds no code. Each example runs as a test.
//!
//! # Accept loop
//!
//! A task for each connection. [`accept`](crate::net::TcpListener::accept) waits by itself when
//! the process is out of fds, so an error of it is one to stop for. The error of a connection ends
//! that connection.
//!
//! ```
//! use executor::net::{TcpListener, TcpStream};
//! use std::io;
//!
//! async fn serve(listener: TcpListener) -> io::Result<()> {
//!     loop {
//!         let (stream, from) = listener.accept().await?;
//!         executor::spawn(async move {
//!             if let Err(error) = attend(stream).await {
//!                 eprintln!("{from}: {error}");
//!             }
//!         })
//!         .detach();
//!     }
//! }
//!
//! async fn attend(stream: TcpStream) -> io::Result<()> {
//!     let mut name = [0; 5];
//!     stream.read_exact(&mut name).await?;
//!     stream.write_all(b"hello, ").await?;
//!     stream.write_all(&name).await
//! }
//!
//! executor::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let client = TcpStream::connect(listener.local_addr()?).await?;
//!     let _server = executor::spawn(serve(listener)).abort_on_drop();
//!     client.write_all(b"world").await?;
//!     let mut answer = [0; 12];
//!     client.read_exact(&mut answer).await?;
//!     assert_eq!(&answer, b"hello, world");
//!     io::Result::Ok(())
//! })??;
//! # io::Result::Ok(())
//! ```
//!
//! # Fan-out
//!
//! Many things at once, results in the order in which they come: a [`TaskSet`](crate::TaskSet).
//! Whoever leaves early, by `?` or because it is dropped itself, drops the set, and that aborts the
//! rest.
//!
//! ```
//! use executor::time::sleep;
//! use std::{io, time::Duration};
//!
//! async fn ask(server: u64) -> io::Result<u64> {
//!     sleep(Duration::from_millis(server)).await;
//!     Ok(server)
//! }
//!
//! /// The first answer; the other questions are taken back.
//! async fn first_of(servers: &[u64]) -> io::Result<Option<u64>> {
//!     let mut questions = executor::TaskSet::new();
//!     for server in servers {
//!         questions.spawn(ask(*server));
//!     }
//!     match questions.join_next().await {
//!         Some(answer) => answer?.map(Some),
//!         None => Ok(None),
//!     }
//! }
//!
//! let first = executor::block_on(first_of(&[500, 1, 1000]))??;
//! assert_eq!(first, Some(1));
//! # io::Result::Ok(())
//! ```
//!
//! # Timeouts
//!
//! [`timeout`](crate::time::timeout) drops what takes too long, and dropping is cancelling: each
//! method says in its documentation what that loses. A read loses nothing. A `write_all` may have
//! written a part, so the stream is good for nothing but closing after that.
//!
//! ```
//! use executor::net::{TcpListener, TcpStream};
//! use executor::time::timeout;
//! use std::{io, time::Duration};
//!
//! /// A line, or an error of kind `TimedOut`. One limit for the whole of it: a client that sends
//! /// one byte at a time gains nothing by that.
//! async fn request(stream: &TcpStream, limit: Duration) -> io::Result<Vec<u8>> {
//!     let mut line = Vec::new();
//!     let reading = async {
//!         let mut byte = [0];
//!         while stream.read(&mut byte).await? == 1 && byte != *b"\n" {
//!             line.push(byte[0]);
//!         }
//!         io::Result::Ok(())
//!     };
//!     timeout(limit, reading).await??;
//!     Ok(line)
//! }
//!
//! executor::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let client = TcpStream::connect(listener.local_addr()?).await?;
//!     let (server, _from) = listener.accept().await?;
//!     client.write_all(b"get it\nand th").await?;
//!     let limit = Duration::from_millis(5);
//!     assert_eq!(request(&server, limit).await?, b"get it");
//!     let error = request(&server, limit).await.unwrap_err();
//!     assert_eq!(error.kind(), io::ErrorKind::TimedOut);
//!     io::Result::Ok(())
//! })??;
//! # io::Result::Ok(())
//! ```
//!
//! # Back-pressure
//!
//! Within a connection it comes for free: who awaits `write_all` before the next `read` holds one
//! buffer, however slow the client. Across connections, say how many may be served at a time, and
//! leave the rest in the kernel's backlog.
//!
//! ```
//! use executor::net::{TcpListener, TcpStream};
//! use std::io;
//!
//! /// Serves `total` clients, `limit` at a time.
//! async fn serve(listener: TcpListener, limit: usize, total: usize) -> io::Result<usize> {
//!     let mut connections = executor::TaskSet::new();
//!     let mut most = 0;
//!     for _ in 0..total {
//!         if connections.len() == limit {
//!             connections.join_next().await;
//!         }
//!         let (stream, _from) = listener.accept().await?;
//!         connections.spawn(async move { stream.write_all(b"x").await });
//!         most = most.max(connections.len());
//!     }
//!     // Dropping the set would abort those that are still served.
//!     while connections.join_next().await.is_some() {}
//!     Ok(most)
//! }
//!
//! executor::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let server = executor::spawn(serve(listener, 2, 10));
//!     for _ in 0..10 {
//!         let client = TcpStream::connect(address).await?;
//!         client.read_exact(&mut [0]).await?;
//!     }
//!     assert!(server.await?? <= 2);
//!     io::Result::Ok(())
//! })??;
//! # io::Result::Ok(())
//! ```
//!
//! # Graceful stop
//!
//! Three steps: take nothing new, let what is under way come to its end, drop what takes too long.
//! [`Runtime::shutdown`](crate::Runtime::shutdown) does the second and the third. Tasks that serve
//! for ever wrap what they wait for in [`unless_stopping`](crate::unless_stopping), at a point where
//! nothing is half done; it costs a look at a flag. [`request_stop`](crate::request_stop) asks from
//! inside. (Feature `signal`: `executor::signal::ctrl_c` is what a program waits for first.)
//!
//! ```
//! use executor::{Runtime, unless_stopping};
//! use executor::net::{TcpListener, TcpStream};
//! use std::{io, time::Duration};
//!
//! async fn echo(stream: TcpStream) -> io::Result<()> {
//!     let mut buffer = [0; 4096];
//!     // Between two messages it may end; once it has read one, it answers.
//!     while let Some(read) = unless_stopping(stream.read(&mut buffer)).await {
//!         match read? {
//!             0 => break,
//!             length => stream.write_all(&buffer[..length]).await?,
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let runtime = Runtime::new()?;
//! let client = runtime.block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let client = TcpStream::connect(listener.local_addr()?).await?;
//!     let (stream, _from) = listener.accept().await?;
//!     executor::spawn(echo(stream)).detach();
//!     io::Result::Ok(client)
//! })??;
//! let stopped = runtime.shutdown(Duration::from_secs(1))?;
//! assert_eq!((stopped.ended, stopped.dropped), (1, 0));
//! # drop(client);
//! # io::Result::Ok(())
//! ```
