//! The targets: what weir has to reach beside the others in the same run, whatever the machine.

use crate::report::{Report, Table};

/// A peer takes at least so many times the time of weir.
struct Target {
    format: &'static str,
    peer: &'static str,
    times: f64,
}

const fn target(format: &'static str, peer: &'static str, times: f64) -> Target {
    Target { format, peer, times }
}

const TARGETS: [Target; 11] = [
    target("ndjson", "sonic-get-many", 2.8),
    target("ndjson", "vrl", 25.0),
    target("ndjson", "duckdb", 7.0),
    target("ndjson", "chdb", 7.0),
    target("array", "sonic-get-many", 2.8),
    target("array", "vrl", 25.0),
    target("array", "duckdb", 7.0),
    target("array", "chdb", 7.0),
    target("csv", "simd-csv", 1.4),
    target("csv", "csv-core", 2.8),
    target("csv", "duckdb", 8.0),
];

/// One way takes at most so many times the time of another.
struct Limit {
    peer: &'static str,
    other: &'static str,
    times: f64,
}

const LIMITS: [Limit; 3] = [
    Limit { peer: "weir-gzip", other: "gunzip", times: 1.25 },
    Limit { peer: "weir-zstd", other: "unzstd", times: 1.45 },
    // Two threads reach 0.95 of two runs side by side.
    Limit { peer: "weir-threads", other: "weir-pair", times: 1.0 / 0.95 },
];

/// What was missed, in words; what was not measured is not missed.
pub(crate) fn missed(report: &Report) -> Vec<String> {
    report.tables.iter().flat_map(|table| missed_in(report, table)).collect()
}

fn missed_in(report: &Report, table: &Table) -> Vec<String> {
    let mut missed = Vec::new();
    for Target { format, peer, times } in TARGETS {
        // Where keys are shuffled, others lose more.
        let times =
            if report.shape == "shuffled" && peer == "sonic-get-many" { 2.9 } else { times };
        let ratio = table.line(peer).and_then(|line| table.ratio(line));
        if let Some(ratio) = ratio
            && format == table.format
            && ratio < times
        {
            missed
                .push(format!("{}: {peer} takes {ratio:.2} times weir, not {times}", table.title));
        }
    }
    for Limit { peer, other, times } in LIMITS {
        let seconds = |peer| table.line(peer)?.best_s();
        if let (Some(a), Some(b)) = (seconds(peer), seconds(other))
            && a / b > times
        {
            missed.push(format!(
                "{}: {peer} takes {:.2} times {other}, over {times:.2}",
                table.title,
                a / b
            ));
        }
    }
    missed
}
