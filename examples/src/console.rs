//! Printing that survives a reader who has seen enough.

/// Prints a line to standard output, like `println!`, but without a panic when the reader is gone
/// (`echo | head -1`): a server does not stop because nobody looks.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
