//! User instructions, from `valgrind --tool=callgrind`, down to the single instruction.

use std::collections::BTreeMap;
use std::process::Command;

use super::{Lengths, Work, locked, written};
use crate::subjects;

/// What one operation executes in user space, on all threads of the subject.
pub struct Profile {
    pub instructions: f64,
    /// Atomic read-modify-writes: `lock`-prefixed instructions and exchanges with memory.
    pub locked: f64,
    /// Instructions of each function itself, most first; what is inlined counts for its caller.
    pub functions: Vec<(String, f64)>,
    /// The same by source line, if the program was built with line tables.
    pub lines: Vec<(String, f64)>,
}

/// Executions of one run: by function, and by address in each object file.
#[derive(Default)]
struct Run {
    functions: BTreeMap<String, f64>,
    lines: BTreeMap<String, f64>,
    addresses: BTreeMap<(String, u64), f64>,
}

pub fn callgrind(subject: &str, work: Work, lengths: Lengths) -> Result<Profile, String> {
    if subjects::named(subject).is_some_and(|subject| subject.ring) {
        return Err("no instructions are counted, because valgrind hangs in a ring".to_owned());
    }
    let (short, long, operations) = lengths.of(work, |length| run(subject, work, length))?;
    let sum = |run: &Run| run.addresses.values().sum::<f64>();
    let locked = |run: &Run| locked::count(&run.addresses);
    Ok(Profile {
        instructions: (sum(&long) - sum(&short)) / operations,
        locked: (locked(&long)? - locked(&short)?) / operations,
        functions: most_first(&long.functions, &short.functions, operations),
        lines: most_first(&long.lines, &short.lines, operations),
    })
}

/// What the long run executed more than the short one, by name, for each operation.
fn most_first(
    long: &BTreeMap<String, f64>,
    short: &BTreeMap<String, f64>,
    operations: f64,
) -> Vec<(String, f64)> {
    let more = |name: &String, count: f64| count - short.get(name).copied().unwrap_or(0.0);
    let mut list: Vec<(String, f64)> = long
        .iter()
        .map(|(name, &count)| (name.clone(), more(name, count) / operations))
        .filter(|(_, count)| count.abs() >= 0.01)
        .collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    list
}

fn run(subject: &str, work: Work, length: u64) -> Result<Run, String> {
    let text = written("callgrind", |out| {
        let mut wrapper = Command::new("valgrind");
        wrapper
            .args(["--quiet", "--tool=callgrind", "--dump-instr=yes"])
            .args(["--compress-pos=no", "--compress-strings=no"])
            .arg(format!("--callgrind-out-file={}", out.display()));
        work.run(subject, length, Some(wrapper)).map(drop)
    });
    Ok(parse(&text?))
}

/// Reads the format that callgrind's manual describes: `ob=`, `fn=` and the three that name a
/// file (`fl=`, and `fi=` and `fe=` around what is inlined) say where the cost lines after them
/// lie; the line after `calls=` is the callee's inclusive cost, which its own lines
/// already hold.
fn parse(text: &str) -> Run {
    let mut run = Run::default();
    let (mut object, mut function, mut file) = (String::new(), String::new(), String::new());
    let mut inclusive = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            name.clone_into(&mut object);
        } else if let Some(name) = line.strip_prefix("fn=") {
            name.clone_into(&mut function);
        } else if let Some(name) = ["fl=", "fi=", "fe="].iter().find_map(|p| line.strip_prefix(p)) {
            name.clone_into(&mut file);
        } else if line.starts_with("calls=") {
            inclusive = true;
        } else if let Some(address) = line.strip_prefix("0x") {
            if std::mem::take(&mut inclusive) {
                continue;
            }
            let mut columns = address.split_whitespace();
            let address = columns.next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let number = columns.next().unwrap_or("0");
            let count = columns.next().and_then(|count| count.parse::<f64>().ok());
            if let (Some(address), Some(count)) = (address, count) {
                *run.functions.entry(function.clone()).or_default() += count;
                if number != "0" {
                    *run.lines.entry(format!("{file}:{number}")).or_default() += count;
                }
                *run.addresses.entry((object.clone(), address)).or_default() += count;
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
        assert_eq!(run.functions.get("main"), Some(&5.0));
        assert_eq!(run.functions.get("leaf"), Some(&14.0));
        assert_eq!(run.addresses.get(&("/bin/x".to_owned(), 0x20)), Some(&14.0));
        assert!(!run.addresses.contains_key(&("/bin/x".to_owned(), 0x12)));
    }
}
