//! Atomic read-modify-writes, by looking up what stands at each executed address.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;

/// What was found in each object file: taking one apart takes longer than most of what is counted.
static SEEN: Mutex<BTreeMap<String, BTreeSet<u64>>> = Mutex::new(BTreeMap::new());

/// Sums the executions of instructions that lock the bus: those with a `lock` prefix, and `xchg`
/// with memory, which locks without one.
pub(super) fn count(addresses: &BTreeMap<(String, u64), f64>) -> Result<f64, String> {
    let mut seen = SEEN.lock().expect("no panic under this lock");
    for (object, _) in addresses.keys().filter(|(object, _)| object.starts_with('/')) {
        if !seen.contains_key(object) {
            seen.insert(object.clone(), locking(object)?);
        }
    }
    let locks = |object: &String, address: &u64| {
        seen.get(object).is_some_and(|locking| locking.contains(address))
    };
    let locking = addresses.iter().filter(|((object, address), _)| locks(object, address));
    Ok(locking.map(|(_, count)| count).sum())
}

fn locking(object: &str) -> Result<BTreeSet<u64>, String> {
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
    let locks = instruction.starts_with("lock ") || exchange;
    u64::from_str_radix(address.trim(), 16).ok().filter(|_| locks)
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
