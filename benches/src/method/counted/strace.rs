//! System calls by name, from `strace -c -f`.

use std::process::Command;

use super::{Counts, Lengths, Work, written};

/// System calls per operation, by name, on all threads of the subject.
pub fn strace(subject: &str, work: Work, lengths: Lengths) -> Result<Counts, String> {
    let (short, long, operations) = lengths.of(work, |length| run(subject, work, length))?;
    let more = long.into_iter().map(|(name, count)| {
        let before = short.get(&name).copied().unwrap_or(0.0);
        (name, (count - before) / operations)
    });
    Ok(more.filter(|(_, each)| *each != 0.0).collect())
}

fn run(subject: &str, work: Work, length: u64) -> Result<Counts, String> {
    let text = written("strace", |table| {
        let mut wrapper = Command::new("strace");
        wrapper.args(["-c", "-f", "-o"]).arg(table);
        work.run(subject, length, Some(wrapper)).map(drop)
    });
    Ok(parse(&text?))
}

/// Reads the table: `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn parse(text: &str) -> Counts {
    text.lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let name = *columns.last()?;
            let calls: f64 = columns.get(3)?.parse().ok()?;
            (name != "total").then(|| (name.to_owned(), calls))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_table_is_read_with_and_without_errors() {
        let calls = parse(
            "% time     seconds  usecs/call     calls    errors syscall\n\
             ------ ----------- ----------- --------- --------- ----------------\n \
             60.00    0.000060           1        60           sendto\n \
             40.00    0.000040           1        40        12 recvfrom\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             100.00    0.000100           1       100        12 total\n",
        );
        assert_eq!(calls.get("sendto"), Some(&60.0));
        assert_eq!(calls.get("recvfrom"), Some(&40.0));
        assert_eq!(calls.len(), 2);
    }
}
