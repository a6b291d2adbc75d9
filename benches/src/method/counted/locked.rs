//! Atomic read-modify-writes, by looking up what stands at each executed address.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;

/// What was found in each object file: taking one apart takes longer than most of what is counted.
static SEEN: Mutex<BTreeMap<String, Vec<u64>>> = Mutex::new(BTreeMap::new());

/// Sums the executions of instructions that lock the bus: those with a `lock` prefix, and `xchg`
/// with memory, which locks without one.
pub(super) fn count(addresses: &BTreeMap<(String, u64), f64>) -> Result<f64, String> {
    let objects: BTreeSet<&str> = addresses
        .keys()
        .map(|(object, _)| object.as_str())
        .filter(|object| object.starts_with('/'))
        .collect();
    let mut sum = 0.0;
    let mut seen = SEEN.lock().expect("no panic under this lock");
    for object in objects {
        if !seen.contains_key(object) {
            seen.insert(object.to_owned(), locking(object)?);
        }
        for &address in &seen[object] {
            sum += addresses.get(&(object.to_owned(), address)).copied().unwrap_or(0.0);
        }
    }
    Ok(sum)
}

fn locking(object: &str) -> Result<Vec<u64>, String> {
    let output = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn", object])
        .output()
        .map_err(|error| format!("objdump: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(locking_address).collect())
}

/// The address of a disassembled line, if it locks: `  1a2b:\tlock cmpxchg %ecx,(%rdi)`.
fn locking_address(line: &str) -> Option<u64> {
    let (address, instruction) = line.split_once(":\t")?;
    let exchange = instruction.starts_with("xchg") && instruction.contains('(');
    if instruction.starts_with("lock ") || exchange {
        u64::from_str_radix(address.trim(), 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::locking_address;

    #[test]
    fn only_what_locks_the_bus_counts() {
        assert_eq!(locking_address("  1a2b:\tlock cmpxchg %ecx,(%rdi)"), Some(0x1a2b));
        assert_eq!(locking_address("  1a2c:\txchg   %eax,0x8(%rdi)"), Some(0x1a2c));
        assert_eq!(locking_address("  1a2d:\txchg   %ax,%ax"), None);
        assert_eq!(locking_address("  1a2e:\tmov    %eax,(%rdi)"), None);
    }
}
