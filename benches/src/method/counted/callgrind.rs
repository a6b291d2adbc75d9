//! User instructions, from `valgrind --tool=callgrind`, down to the single instruction.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::{Lengths, Work, locked, written};
use crate::subjects;

/// What one operation executes in user space, on all threads of the subject: instructions, and of them the
/// atomic read-modify-writes (`lock`-prefixed instructions and exchanges with memory).
pub fn callgrind(subject: &str, work: Work, lengths: Lengths) -> Result<[f64; 2], String> {
    if subjects::named(subject).is_some_and(|subject| subject.ring) {
        return Err("no instructions are counted, because valgrind hangs in a ring".to_owned());
    }
    let run = |length| -> Result<_, String> {
        let run = parse(&written("callgrind", |out| profile(subject, work, length, out))?);
        Ok((run.values().sum::<f64>(), locked::count(&run)?))
    };
    let (short, long, operations) = lengths.of(work, run)?;
    Ok([(long.0 - short.0) / operations, (long.1 - short.1) / operations])
}

/// Leaves in `out` what callgrind has counted; `callgrind_annotate` shows it.
pub fn profile(subject: &str, work: Work, length: u64, out: &Path) -> Result<(), String> {
    let mut wrapper = Command::new("valgrind");
    wrapper
        .args(["--quiet", "--tool=callgrind", "--dump-instr=yes"])
        .args(["--compress-pos=no", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", out.display()));
    work.run(subject, length, Some(wrapper)).map(drop)
}

/// Executions by object file and address, from the format that callgrind's manual describes: `ob=` says
/// where the cost lines after it lie; the line after `calls=` is the callee's inclusive cost, which its
/// own lines already hold.
fn parse(text: &str) -> BTreeMap<(String, u64), f64> {
    let mut run = BTreeMap::new();
    let (mut object, mut inclusive) = ("", false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if line.starts_with("calls=") {
            inclusive = true;
        } else if let Some(address) = line.strip_prefix("0x") {
            let mut columns = address.split_whitespace();
            let address = columns.next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let count = columns.nth(1).and_then(|count| count.parse::<f64>().ok());
            if let (Some(address), Some(count), false) =
                (address, count, std::mem::take(&mut inclusive))
            {
                *run.entry((object.to_owned(), address)).or_default() += count;
            }
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_callees_cost_is_counted_once() {
        let run = parse(
            "events: Ir\n\
             ob=/bin/x\nfl=x.rs\nfn=main\n0x10 1 5\ncfn=leaf\ncalls=2 0x20\n0x12 2 14\n\
             fn=leaf\n0x20 9 14\n",
        );
        assert_eq!(run.get(&("/bin/x".to_owned(), 0x20)), Some(&14.0));
        assert!(!run.contains_key(&("/bin/x".to_owned(), 0x12)));
    }
}
