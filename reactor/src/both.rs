//! Two futures at once, where one alone might wait for the other for ever: the pipes of a child that
//! fills both, the directions of a connection.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// What both end with, or the first error of either; the other is then given up.
pub(crate) async fn both<A, B>(
    one: impl Future<Output = io::Result<A>>,
    other: impl Future<Output = io::Result<B>>,
) -> io::Result<(A, B)> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        advance(one.as_mut(), &mut first, cx)?;
        advance(other.as_mut(), &mut second, cx)?;
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready(Ok((a, b))),
            half => {
                (first, second) = half;
                Poll::Pending
            }
        }
    })
    .await
}

/// Polls one of them, unless it is over.
fn advance<T>(
    future: Pin<&mut impl Future<Output = io::Result<T>>>,
    over: &mut Option<T>,
    cx: &mut Context<'_>,
) -> io::Result<()> {
    if over.is_none() {
        if let Poll::Ready(output) = future.poll(cx) {
            *over = Some(output?);
        }
    }
    Ok(())
}
