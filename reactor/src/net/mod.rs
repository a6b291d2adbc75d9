//! TCP sockets that wait for readiness instead of blocking the thread.
//!
//! Every method takes `&self`: one task may read while another writes. What a dropped operation
//! undoes is said at each method; in short, no byte moves except in the poll that says so.

mod addresses;
mod split;
mod tcp_listener;
mod tcp_stream;

pub use addresses::{Lookup, ToSocketAddrs};
pub use split::{ReadHalf, WriteHalf};
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
