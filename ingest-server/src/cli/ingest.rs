//! `weir ingest list` and `weir ingest health`.

use std::fmt::Write as _;

use clap::Args;
use serde::Deserialize;

use super::Verdict;
use super::client::{Client, Connection, Problem, lines_of, read, read_rows, short_time, table};
use super::source::{SOURCES, ServedSource, find};
use super::summary::grouped;
use crate::console::{Console, Failure};
use crate::store::Visible;

pub(super) const LIST_EXAMPLES: &str = "\
Examples:
  weir ingest list
  weir ingest list --all                          archived sources, too
  weir ingest list --json | jq -r .name

WEIR_URL and WEIR_API_KEY say which server, and as whom.";

pub(super) const HEALTH_EXAMPLES: &str = "\
Examples:
  weir ingest health copilot
  weir ingest health copilot --json | jq .health.quarantined

WEIR_URL and WEIR_API_KEY say which server, and as whom.";

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Archived sources, too
    #[arg(long)]
    all: bool,
    /// As NDJSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(super) struct HealthArguments {
    /// The source, by name or id
    source: String,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn list(console: Console, arguments: &ListArguments) -> Result<Verdict, Failure> {
    let client = arguments.connection.open()?;
    let all = if arguments.all { "?include_archived=true" } else { "" };
    let text = client.list(&format!("{SOURCES}{all}"), usize::MAX).and_then(|rows| {
        if arguments.json {
            return Ok(lines_of(&rows));
        }
        let sources: Vec<ServedSource> = read_rows(&rows)?;
        if sources.is_empty() {
            console.note("no sources yet; `weir source create` makes one");
            return Ok(String::new());
        }
        let rows = sources.into_iter().map(|source| {
            let status = source.status().to_owned();
            [source.name, source.source_type, status, short_time(source.last_event_at.as_deref())]
        });
        Ok(table(["NAME", "TYPE", "STATUS", "LAST EVENT"], rows.collect()))
    });
    console.result(text.map_err(|problem| problem.end(console))?)?;
    Ok(Verdict::Good)
}

pub(super) fn health(console: Console, arguments: &HealthArguments) -> Result<Verdict, Failure> {
    let client = arguments.connection.open()?;
    match ask_health(&client, arguments) {
        Ok(Some(text)) => {
            console.result(text)?;
            Ok(Verdict::Good)
        }
        Ok(None) => {
            console.note("IngestionSource not found");
            Ok(Verdict::ProblemsFound)
        }
        Err(problem) => Err(problem.end(console)),
    }
}

fn ask_health(client: &Client, arguments: &HealthArguments) -> Result<Option<String>, Problem> {
    let Some(id) = find(client, &arguments.source)? else { return Ok(None) };
    let json = match client.get(&format!("{SOURCES}/{id}/health")) {
        Err(problem) if problem.status() == Some(404) => return Ok(None),
        json => json?,
    };
    match arguments.json {
        true => Ok(Some(format!("{json}\n"))),
        false => Ok(Some(read::<SourceHealth>(&json)?.text())),
    }
}

#[derive(Deserialize)]
struct SourceHealth {
    source: ServedSource,
    health: Health,
}

#[derive(Deserialize)]
struct Health {
    events_24h: u64,
    events_7d: u64,
    events_30d: u64,
    last_success_at: Option<String>,
    parse_error_rate: f64,
    quarantined: u64,
    lag_seconds: Option<u64>,
    consecutive_errors: u32,
    last_error: Option<LastError>,
    silent_empty: bool,
    never_scheduled: bool,
    #[serde(default)]
    objects_failing: u64,
}

#[derive(Deserialize)]
struct LastError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl SourceHealth {
    fn text(&self) -> String {
        let Self { source, health } = self;
        let name = Visible(&source.name);
        let mut text = format!("{name} ({}, {})\n", source.source_type, source.status());
        let mut line = |name: &str, value: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<14}{value}");
        };
        let Health { events_24h, events_7d, events_30d, .. } = *health;
        line(
            "events",
            format!(
                "{} in 24 hours, {} in 7 days, {} in 30 days",
                grouped(events_24h),
                grouped(events_7d),
                grouped(events_30d)
            ),
        );
        line("last event", short_time(source.last_event_at.as_deref()));
        if source.mode != "push" {
            line("last success", short_time(health.last_success_at.as_deref()));
        }
        line("lag", health.lag_seconds.map_or_else(|| "nothing came yet".to_owned(), duration));
        let refused = health.parse_error_rate * 100.0;
        line("refused", format!("{refused:.2} % of the records of the last 24 hours"));
        line("dead letters", format!("{} open", grouped(health.quarantined)));
        if health.objects_failing > 0 {
            let count = grouped(health.objects_failing);
            line("objects", format!("{count} cannot be read and are tried again"));
        }
        if health.consecutive_errors > 0 {
            line("failed runs", format!("the last {}", grouped(health.consecutive_errors.into())));
        }
        if let Some(LastError { code, message }) = &health.last_error {
            line("last error", format!("{}: {}", Visible(code), Visible(message)));
        }
        if health.silent_empty {
            line("note", "its runs succeed and bring nothing: is the prefix right?".to_owned());
        }
        if health.never_scheduled {
            line("note", "nothing says when to poll it: give a schedule".to_owned());
        }
        text
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
