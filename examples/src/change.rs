//! A change of a server's load, and when one is worth a line.

use std::fmt;

use indicatif::{DecimalBytes, HumanCount};

use crate::words::plural;

/// A rate has changed when it is off by this part: one line per change of load, not per wobble.
const NOTABLE: f64 = 0.25;

/// The load after it has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Connections that are open.
    pub open: u64,
    /// Messages a second.
    pub messages: f64,
    /// Bytes a second, in each direction.
    pub bytes: f64,
}

impl Change {
    /// Whether somebody who was told of `before` should be told of this, too.
    pub fn differs_from(&self, before: &Change) -> bool {
        let larger = self.messages.max(before.messages);
        self.open != before.open
            || (self.messages == 0.0) != (before.messages == 0.0)
            || (self.messages - before.messages).abs() > NOTABLE * larger
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = plural(self.open, "connection");
        write!(
            f,
            "{:>6} {connections} open, ",
            HumanCount(self.open).to_string()
        )?;
        if self.messages == 0.0 {
            return f.write_str("idle");
        }
        let messages = self.messages.round().max(1.0) as u64;
        let word = plural(messages, "message");
        write!(
            f,
            "{} {word}/s, {}/s",
            HumanCount(messages),
            DecimalBytes(self.bytes as u64)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    const STEADY: Change = Change {
        open: 3,
        messages: 1000.0,
        bytes: 64_000.0,
    };

    #[test]
    fn a_wobble_of_the_rate_is_no_change_of_load() {
        assert!(
            !Change {
                messages: 1200.0,
                ..STEADY
            }
            .differs_from(&STEADY)
        );
        assert!(
            Change {
                messages: 1500.0,
                ..STEADY
            }
            .differs_from(&STEADY)
        );
        assert!(
            Change {
                messages: 700.0,
                ..STEADY
            }
            .differs_from(&STEADY)
        );
    }

    #[test]
    fn connections_and_silence_are_changes() {
        assert!(Change { open: 4, ..STEADY }.differs_from(&STEADY));
        assert!(
            Change {
                messages: 0.0,
                ..STEADY
            }
            .differs_from(&STEADY)
        );
        assert!(STEADY.differs_from(&Change {
            messages: 0.0,
            ..STEADY
        }));
    }
}
