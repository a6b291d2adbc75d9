//! The ranges of options that are numbers. What the kernel, or a cast on the way to it, would cut to
//! another number without a word is refused here, with the range.

use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Routers that a packet may go through, of IPv4: a byte as well, and none would be no packet.
pub(crate) const TTL: RangeInclusive<u32> = 1..=255;

/// The same for IPv6 and for groups, where none is "this host". The kernel takes -1 for "as usual", and
/// some systems the lowest byte alone.
pub(crate) const HOPS: RangeInclusive<u32> = 0..=255;

/// The kernel reads an int: a larger number would come round to a small one.
pub(crate) const BUFFER: RangeInclusive<usize> = 0..=i32::MAX as usize;

/// Some systems keep a short; nine hours are enough for everybody.
pub(crate) const LINGER: RangeInclusive<u64> = 0..=32_767;

/// Times of a keepalive, as Linux has them. For none at all nobody is asked.
pub(crate) const KEEPALIVE: RangeInclusive<u64> = 1..=32_767;

/// Questions of a keepalive, as Linux has them.
pub(crate) const RETRIES: RangeInclusive<u32> = 1..=127;

/// `value`, if it is one of `range`.
pub(crate) fn within<N: PartialOrd + Display>(range: RangeInclusive<N>, value: N) -> io::Result<N> {
    match range.contains(&value) {
        true => Ok(value),
        false => Err(refused(&range, "")),
    }
}

/// `duration` as the kernel counts, in whole seconds, if these are of `range`: a part of a second is a
/// whole one, for none would mean something else (refused by a keepalive, a reset by a linger).
pub(crate) fn seconds(range: RangeInclusive<u64>, duration: Duration) -> io::Result<Duration> {
    let part = u64::from(duration.subsec_nanos() > 0);
    match duration.as_secs().checked_add(part) {
        Some(seconds) if range.contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(refused(&range, " seconds")),
    }
}

fn refused<N: Display>(range: &RangeInclusive<N>, unit: &str) -> io::Error {
    let message = format!("the range is {} to {}{unit}", range.start(), range.end());
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
