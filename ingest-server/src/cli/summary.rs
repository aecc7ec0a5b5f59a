//! What a run came to: for people, and as JSON.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::pipeline::{Sink, Totals};

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) elapsed: Duration,
    /// Of all threads of this process since it started.
    cpu_seconds: f64,
    /// The most memory this process ever had, where the system tells.
    peak_rss_bytes: Option<u64>,
}

impl Cost {
    pub(super) fn since(begin: Instant) -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Self {
            elapsed: begin.elapsed(),
            cpu_seconds: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
            peak_rss_bytes: peak_rss_bytes(),
        }
    }

    /// Something in a second, 0 if it took no time.
    fn rate(&self, count: f64) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { count / seconds } else { 0.0 }
    }

    /// Megabytes in a second.
    pub(super) fn mb_per_second(&self, bytes: u64) -> f64 {
        self.rate(bytes as f64 / 1e6)
    }

    /// Whole things in a second.
    pub(super) fn per_second(&self, count: u64) -> u64 {
        self.rate(count as f64).round() as u64
    }
}

/// Linux shows it in `/proc`.
fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A summary of a few lines.
pub(super) fn summary(sink: &Sink, cost: &Cost, rejects_shown: bool) -> String {
    let totals = sink.totals();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} records: {} mapped to {} events, {} dropped, {} rejected{}",
        grouped(totals.records),
        grouped(totals.mapped),
        grouped(totals.events),
        grouped(totals.dropped),
        grouped(totals.rejects()),
        codes(totals)
    );
    let _ = writeln!(
        text,
        "{}{} in {:.1} s, {:.0} MB/s",
        megabytes(totals.bytes),
        stored(totals),
        cost.elapsed.as_secs_f64(),
        cost.mb_per_second(totals.bytes)
    );
    if totals.ambiguous_times > 0 {
        let _ = writeln!(
            text,
            "{} records with a local time that there was twice; the earlier instant was taken",
            grouped(totals.ambiguous_times)
        );
    }
    if sink.is_stored() {
        let appended = &totals.appended;
        let _ = writeln!(
            text,
            "stored {} events ({} a second), {} duplicates, {} conflicts; {} objects read, {} skipped",
            grouped(appended.stored),
            grouped(cost.per_second(appended.stored)),
            grouped(appended.duplicates),
            grouped(appended.conflicts),
            grouped(totals.objects),
            grouped(totals.objects_skipped)
        );
    } else if totals.rejects() > 0 && !rejects_shown {
        text.push_str("see refused records with --rejects FILE\n");
    }
    text
}

fn codes(totals: &Totals) -> String {
    if totals.rejected.is_empty() {
        return String::new();
    }
    let codes = totals.rejected.iter();
    let codes: Vec<_> =
        codes.map(|(code, count)| format!("{} {}", code.as_str(), grouped(*count))).collect();
    format!(" ({})", codes.join(", "))
}

fn stored(totals: &Totals) -> String {
    match totals.bytes == totals.bytes_stored {
        true => String::new(),
        false => format!(" ({} compressed)", megabytes(totals.bytes_stored)),
    }
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{} bytes", grouped(bytes)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// `1,234,567`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The statistics of `--stats`.
pub(super) fn stats(sink: &Sink, cost: &Cost) -> Value {
    let totals = sink.totals();
    let rejected: serde_json::Map<_, _> = totals
        .rejected
        .iter()
        .map(|(code, count)| (code.as_str().to_owned(), Value::from(*count)))
        .collect();
    let stored = sink.is_stored().then(|| {
        json!({
            "stored": totals.appended.stored,
            "duplicates": totals.appended.duplicates,
            "conflicts": totals.appended.conflicts,
        })
    });
    json!({
        "objects": totals.objects,
        "objects_skipped": totals.objects_skipped,
        "objects_resumed": totals.objects_resumed,
        "objects_failed": totals.objects_failed,
        "records": totals.records,
        "mapped": totals.mapped,
        "dropped": totals.dropped,
        "rejected": rejected,
        "events": totals.events,
        "ambiguous_times": totals.ambiguous_times,
        "skipped_values": totals.skipped_values,
        "bytes": totals.bytes,
        "bytes_stored": totals.bytes_stored,
        "store": stored,
        "seconds": cost.elapsed.as_secs_f64(),
        "cpu_seconds": cost.cpu_seconds,
        "mb_per_second": cost.mb_per_second(totals.bytes),
        "peak_rss_bytes": cost.peak_rss_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_and_time_are_measured() {
        let cost = Cost::since(Instant::now());
        assert!(cost.peak_rss_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(cost.cpu_seconds > 0.0);
    }
}
