//! One line of strace: who called what, with which arguments, and what the kernel said.

use std::collections::HashMap;

/// A system call.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) thread: u32,
    /// When it began, in nanoseconds.
    pub(crate) t: u64,
    pub(crate) name: String,
    /// As strace prints them.
    pub(crate) args: String,
    /// `None` where the call has not come back, or answers no number.
    pub(crate) answer: Option<i64>,
    /// The name of its errno.
    pub(crate) error: Option<String>,
    /// What strace says behind the answer.
    pub(crate) said: String,
    /// How long it took, in nanoseconds, if the log has it.
    pub(crate) took: Option<u64>,
}

impl Call {
    /// The call that ends in this line. One that another thread's line comes between is put together
    /// from its two halves.
    pub(crate) fn parse(line: &str, unfinished: &mut HashMap<u32, (u64, String)>) -> Option<Call> {
        let (thread, rest) = thread(line.trim_end());
        let (time, rest) = rest.split_once(' ')?;
        let t = seconds(time)?;
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, (t, begun.to_owned()));
            return None;
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>")?;
            let (began, begun) = unfinished.remove(&thread)?;
            let mut call = Call::whole(thread, began, &format!("{begun}{end}"))?;
            call.took = call.took.or(t.checked_sub(began));
            return Some(call);
        }
        Call::whole(thread, t, rest)
    }

    fn whole(thread: u32, t: u64, text: &str) -> Option<Call> {
        let (name, rest) = text.split_once('(')?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        let (args, answer) = rest.rsplit_once(" = ")?;
        let args = args.trim_end().strip_suffix(')')?.to_owned();
        let (answer, took) = match answer.rsplit_once(" <") {
            Some((answer, took)) => (answer, took.strip_suffix('>').and_then(seconds)),
            None => (answer, None),
        };
        let (number, said) = answer.split_once(' ').unwrap_or((answer, ""));
        let digits = number.split('<').next().unwrap_or_default();
        let answer: Option<i64> = digits.parse().ok();
        let error = answer.filter(|answer| *answer == -1);
        let error = error
            .and_then(|_| said.split(' ').next())
            .map(str::to_owned);
        Some(Call {
            thread,
            t,
            name: name.to_owned(),
            args,
            answer,
            error,
            said: said.to_owned(),
            took,
        })
    }
}

/// `[pid 12] rest` or `12 rest`; a log of one thread has neither.
fn thread(line: &str) -> (u32, &str) {
    let inside = line
        .strip_prefix("[pid")
        .and_then(|rest| rest.split_once(']'));
    let (number, rest) = inside.or(line.split_once(' ')).unwrap_or(("", line));
    match number.trim().parse() {
        Ok(number) => (number, rest.trim_start()),
        Err(_) => (0, line),
    }
}

/// `1700000000.123456` in nanoseconds.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.is_empty() || part.len() > 9 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanos: u64 = format!("{part:0<9}").parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
}

/// `{tv_sec=1, tv_nsec=5}` or with `tv_usec`, in nanoseconds; `NULL` waits for ever.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let seconds: u64 = field(text, "tv_sec")?.parse().ok()?;
    let nanos = match (field(text, "tv_nsec"), field(text, "tv_usec")) {
        (Some(nanos), _) => nanos.parse().ok()?,
        (_, Some(micros)) => micros.parse::<u64>().ok()?.checked_mul(1_000)?,
        _ => 0,
    };
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// The parts of `a, [b, c], "d, e"` between commas that stand in no bracket and in no string.
pub(crate) fn arguments(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut begin, mut at) = (0_usize, 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            // What an fd is: brackets in it need not match.
            b'<' if at > 0 && bytes[at - 1].is_ascii_digit() => at = end_of_note(bytes, at),
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = text.get(begin..).unwrap_or_default().trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

/// The place of the `>` that ends what stands behind an fd. In brackets there may be arrows.
fn end_of_note(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..];
    let plain = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
    let end = match rest[..plain].contains(&b'[') {
        true => rest
            .windows(2)
            .position(|pair| pair == b"]>")
            .map_or(rest.len(), |at| at + 1),
        false => plain,
    };
    from + end
}

/// The members of `[a, b]`; also of `([a, b])`, as strace repeats a list behind an answer.
pub(crate) fn list(text: &str) -> Vec<&str> {
    let begin = text.find('[').map_or(text.len(), |at| at + 1);
    let end = text.rfind(']').unwrap_or(begin).max(begin);
    arguments(&text[begin..end])
}

/// The value of a member of `{name=value, ...}`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let members = arguments(inside).into_iter();
    let mut values = members.filter_map(|member| member.split_once('='));
    values
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// `5<TCP:[1.2.3.4:5->6.7.8.9:10]>`: the number, and what it is.
pub(crate) fn fd_of(text: &str) -> Option<(u32, String)> {
    let (number, what) = text.split_once('<').unwrap_or((text, ""));
    let what = what.strip_suffix('>').unwrap_or(what);
    Some((number.parse().ok()?, what.to_owned()))
}

/// The number in what epoll gives back: `{u32=4, u64=4}`, `0x4` or `4`.
pub(crate) fn unquoted(data: &str) -> String {
    let data = field(data, "u32").unwrap_or(data);
    match data.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).map_or(String::new(), |n| n.to_string()),
        None => data.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_interrupted_by_another_thread_is_put_together() {
        let mut unfinished = HashMap::new();
        let first = "8 5.000001 epoll_wait(3<anon_inode:[eventpoll]>,  <unfinished ...>";
        assert_eq!(Call::parse(first, &mut unfinished), None);
        let other = "9 5.1 write(4<anon_inode:[eventfd]>, \"\\1\\0, \\\"\", 8) = 8";
        let write = Call::parse(other, &mut unfinished).expect("a call");
        assert_eq!(arguments(&write.args).len(), 3);
        let second = "8 5.25 <... epoll_wait resumed>[], 1, -1)      = 0";
        let wait = Call::parse(second, &mut unfinished).expect("a call");
        assert_eq!(
            (wait.t, wait.answer, wait.took),
            (5_000_001_000, Some(0), Some(249_999_000))
        );
        assert_eq!(
            arguments(&wait.args),
            ["3<anon_inode:[eventpoll]>", "[]", "1", "-1"]
        );
    }

    #[test]
    fn what_an_fd_is_may_hold_arrows_commas_and_brackets() {
        let args = "[{fd=7<UNIX-STREAM:[12->13, \"/a]b\"]>, events=POLLIN}], 1, 500";
        let parts = arguments(args);
        assert_eq!(parts[1..], ["1", "500"]);
        let record = list(parts[0])[0];
        let (fd, what) = field(record, "fd").and_then(fd_of).expect("an fd");
        assert_eq!((fd, what.as_str()), (7, "UNIX-STREAM:[12->13, \"/a]b\"]"));
        assert_eq!(field(record, "events"), Some("POLLIN"));
    }

    #[test]
    fn nothing_that_a_log_says_is_too_strange() {
        for line in [
            "",
            " ",
            "+++ exited with 0 +++",
            "1",
            "1 2",
            "1 2.5 x(",
            "1 2.5 x() = ",
            "[pid",
            "[pid 7] 1.2 f(\"",
            "1 99999999999999999999.5 f() = 0",
            "1 1.5 --- SIGINT {si_signo=SIGINT} ---",
            "1 1.5 f(3<[, ]) = 4<",
            "1 1.5 <... f resumed>) = 0",
            "1 1.5 é(ü) = ß",
            "1 1.5 f(\"\\",
        ] {
            let call = Call::parse(line, &mut HashMap::new());
            if let Some(call) = call {
                let _ = (
                    arguments(&call.args),
                    list(&call.said),
                    duration(&call.args),
                );
            }
        }
    }
}
