//! The parts, each of which proves what it says: bytes are compared, clocks are read.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use std::{env, fs, future, process, thread};

use executor::net::{Stream, StreamSocket, TcpListener, TcpStream, UdpSocket};
use executor::net::{UnixListener, UnixStream};
use executor::time::{interval, sleep};
use futures_util::future::try_join;

/// Bytes that each end of a connection sends: more than the kernel keeps, so writes wait as well.
const BYTES: usize = 1 << 20;

/// Sleeps of whole and of broken milliseconds, none of which may be early.
pub(crate) async fn timers() -> io::Result<()> {
    for micros in [0, 1, 100, 250, 999, 1000, 1500, 2000, 3750] {
        let (asked, start) = (Duration::from_micros(micros), Instant::now());
        sleep(asked).await;
        let slept = start.elapsed();
        expect(slept >= asked, || {
            format!("a sleep of {asked:?} took {slept:?}")
        })?;
    }
    let (period, start) = (Duration::from_micros(700), Instant::now());
    let mut ticks = interval(period);
    for _ in 0..5 {
        ticks.tick().await;
    }
    let took = start.elapsed();
    expect(took >= 4 * period, || {
        format!("five ticks of {period:?} in {took:?}")
    })
}

/// A thread wakes a task that sleeps; each wake has to arrive before the next is made.
pub(crate) async fn wakes() -> io::Result<()> {
    const WAKES: usize = 50;
    let (sent, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let wake = {
        let (sent, seen) = (Arc::clone(&sent), Arc::clone(&seen));
        move |waker: Waker| {
            for wake in 1..=WAKES {
                // Now and then the loop has gone to sleep by then, now and then not.
                thread::sleep(Duration::from_micros(20 * (wake as u64 % 8)));
                sent.store(wake, Ordering::Release);
                waker.wake_by_ref();
                while seen.load(Ordering::Acquire) != wake {
                    thread::yield_now();
                }
            }
        }
    };
    let mut wake = Some(wake);
    let mut thread = None;
    future::poll_fn(|cx| {
        if let Some(wake) = wake.take() {
            let waker = cx.waker().clone();
            match thread::Builder::new().spawn(move || wake(waker)) {
                Ok(started) => thread = Some(started),
                Err(refused) => return Poll::Ready(Err(refused)),
            }
        }
        let sent = sent.load(Ordering::Acquire);
        seen.store(sent, Ordering::Release);
        match sent {
            WAKES => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    })
    .await?;
    match thread.map(thread::JoinHandle::join) {
        Some(Err(_)) => Err(io::Error::other("the waking thread panicked")),
        _ => Ok(()),
    }
}

/// Listens, connects, and lets both ends send at the same time.
pub(crate) async fn tcp() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    for _ in 0..4 {
        let connect = TcpStream::connect(listener.local_addr()?);
        let (near, (far, from)) = try_join(connect, listener.accept()).await?;
        expect(from == near.local_addr()?, || {
            "a stranger connected".to_owned()
        })?;
        near.set_nodelay(true)?;
        converse(&near, &far).await?;
    }
    Ok(())
}

/// The same over a file, and over a pair without a name.
pub(crate) async fn unix() -> io::Result<()> {
    let file = Gone(env::temp_dir().join(format!("probe-{}.socket", process::id())));
    // One that was killed, and had the same number, has left its own.
    let _ = fs::remove_file(&file.0);
    let listener = UnixListener::bind(&file.0)?;
    let connect = UnixStream::connect(&file.0);
    let (near, (far, _)) = try_join(connect, listener.accept()).await?;
    converse(&near, &far).await?;
    let (near, far) = UnixStream::pair()?;
    converse(&near, &far).await
}

/// Datagrams with addresses and without, each answered before the next.
pub(crate) async fn udp() -> io::Result<()> {
    let near = UdpSocket::bind("127.0.0.1:0").await?;
    let far = UdpSocket::bind("127.0.0.1:0").await?;
    let mut buffer = [0; 2048];
    for length in [0, 1, 700, 1400] {
        let datagram: Vec<u8> = (0..length).map(|place| byte(7, place)).collect();
        near.send_to(&datagram, far.local_addr()?).await?;
        let (_, from) = far.recv_from(&mut buffer).await?;
        expect(buffer[..length] == datagram, || {
            format!("a datagram of {length} bytes came as another")
        })?;
        far.connect(from).await?;
        far.send(&buffer[..length]).await?;
        near.recv(&mut buffer).await?;
        expect(buffer[..length] == datagram, || {
            format!("a datagram of {length} bytes came back as another")
        })?;
    }
    Ok(())
}

/// Both ends send [`BYTES`] bytes, and each byte that comes is compared by its place.
async fn converse<S: StreamSocket>(near: &Stream<S>, far: &Stream<S>) -> io::Result<()> {
    let there = try_join(send(near, 1), receive(far, 1));
    let back = try_join(send(far, 2), receive(near, 2));
    try_join(there, back).await.map(|_| ())
}

async fn send<S: StreamSocket>(stream: &Stream<S>, seed: u64) -> io::Result<()> {
    let bytes: Vec<u8> = (0..BYTES).map(|place| byte(seed, place)).collect();
    let (mut sent, mut turn) = (0, 0);
    while sent < BYTES {
        let rest = &bytes[sent..BYTES.min(sent + 20_000)];
        let (first, second) = rest.split_at(rest.len() / 3);
        turn += 1;
        sent += match turn % 2 {
            0 => stream.write(rest).await?,
            _ => {
                let slices = [IoSlice::new(first), IoSlice::new(second)];
                stream.write_vectored(&slices).await?
            }
        };
    }
    stream.shutdown(Shutdown::Write)
}

async fn receive<S: StreamSocket>(stream: &Stream<S>, seed: u64) -> io::Result<()> {
    let (mut first, mut second) = (vec![0; 5_000], vec![0; 10_000]);
    let (mut place, mut turn) = (0, 0);
    loop {
        turn += 1;
        let received = match turn % 2 {
            0 => stream.read(&mut first).await?,
            _ => {
                let mut slices = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
                stream.read_vectored(&mut slices).await?
            }
        };
        for &got in first.iter().chain(&second).take(received) {
            let right = byte(seed, place);
            expect(got == right, || {
                format!("byte {place} is {got:#04x} and should be {right:#04x}")
            })?;
            place += 1;
        }
        if received == 0 {
            return expect(place == BYTES, || format!("{place} of {BYTES} bytes came"));
        }
    }
}

/// The byte at this place of a stream: repeats after a prime number of them.
fn byte(seed: u64, place: usize) -> u8 {
    ((place % 65_521) as u64)
        .wrapping_mul(0x9e37_79b9 + 2 * seed)
        .to_be_bytes()[4]
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> io::Result<()> {
    match holds {
        true => Ok(()),
        false => Err(io::Error::other(otherwise())),
    }
}

/// A file that is removed at the end, whichever way it ends.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        // The listener may have done so itself.
        let _ = fs::remove_file(&self.0);
    }
}
