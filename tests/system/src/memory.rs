//! How much memory a process needs.

use std::process::Child;
use std::thread;
use std::time::Duration;

/// What the whole process may need, whatever the size of the object: 120 MiB.
pub const MEMORY_BYTES_MAX: u64 = 120 << 20;

/// The largest memory that the process had so far, in bytes; nothing once it has ended.
pub fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

/// Watches a process until it ends; gives the most memory that it had, in bytes.
pub fn watch(process: &Child) -> thread::JoinHandle<u64> {
    let process = process.id();
    thread::spawn(move || {
        let mut most = 0;
        while let Some(now) = peak(process) {
            most = most.max(now);
            thread::sleep(Duration::from_millis(5));
        }
        most
    })
}
