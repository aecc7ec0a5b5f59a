//! `weir ingest tail`: the newest events of a server, or of a store's file.
//!
//! With `--follow` the stream is taken up again behind the last sequence that was shown, whenever it breaks. Sequences
//! follow the commits, so nothing is left out and nothing shown twice, however often that happens.

use std::borrow::Cow;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use weir_engine::decimal::Decimal;

use super::Verdict;
use super::client::{Client, Connection, Problem, next_line, read};
use super::source::find;
use crate::console::{Console, Failure};
use crate::store::{EventLine, Store};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir ingest tail copilot                        the newest 50 events of a source, by its name or id
  weir ingest tail copilot --follow               and what comes from now on
  weir ingest tail copilot --limit 5 --json | jq .ocsf
  weir ingest tail --store events.db              of the file that `weir run --store` writes

A line is: time, type, action -> target, cost, input/output tokens. `--json` gives whole events.
WEIR_URL and WEIR_API_KEY say which server, and as whom.";

/// The first pause before a stream is asked for again; it doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// As much is written at once.
const WRITTEN_BYTES: usize = 64 << 10;
/// As many events are asked for at once.
const PAGE_ROWS: usize = 200;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The source, by name or id
    #[arg(required_unless_present = "store")]
    source: Option<String>,
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go on as events are stored
    #[arg(long, short, conflicts_with = "store")]
    follow: bool,
    /// Whole events, as NDJSON
    #[arg(long)]
    json: bool,
    /// Read a store's file, and ask no server
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "api_key_file"])]
    store: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn tail(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    match (&arguments.store, &arguments.source) {
        (Some(store), source) => tail_file(console, arguments, store, source.as_deref()),
        (None, source) => {
            let client = arguments.connection.open()?;
            let source = source.as_deref().unwrap_or_default();
            tail_server(console, arguments, &client, source).map_err(|problem| problem.end(console))
        }
    }
}

fn tail_file(
    console: Console,
    arguments: &Arguments,
    path: &Path,
    source: Option<&str>,
) -> Result<Verdict, Failure> {
    let store = Store::open_read_only(path).map_err(Failure::problem)?;
    if let Some(name) = source {
        let sources = store.sources().map_err(Failure::problem)?;
        if !sources.iter().any(|source| source.name == name) {
            console.note("IngestionSource not found");
            return Ok(Verdict::ProblemsFound);
        }
    }
    let events = store.tail(source, usize::from(arguments.limit)).map_err(Failure::problem)?;
    if events.is_empty() {
        console.note("no events yet; `weir run PROGRAM INPUT --store FILE` brings some");
    }
    let mut text = Vec::new();
    for event in &events {
        match arguments.json {
            true => event.write_json(&mut text),
            false => text.extend_from_slice(event.line().as_bytes()),
        }
        text.push(b'\n');
    }
    console.result(text)?;
    Ok(Verdict::Good)
}

fn tail_server(
    console: Console,
    arguments: &Arguments,
    client: &Client,
    source: &str,
) -> Result<Verdict, Problem> {
    let Some(id) = find(client, source)? else {
        console.note("IngestionSource not found");
        return Ok(Verdict::ProblemsFound);
    };
    let mut shown = Shown { console, json: arguments.json, last: 0, text: Vec::new() };
    match newest(client, &id, usize::from(arguments.limit)) {
        Ok(events) => events.iter().try_for_each(|event| shown.event(event.get().as_bytes()))?,
        Err(problem) if problem.status() == Some(404) => {
            console.note("IngestionSource not found");
            return Ok(Verdict::ProblemsFound);
        }
        Err(problem) => return Err(problem),
    }
    shown.flush()?;
    match (arguments.follow, shown.last) {
        (false, 0) => {
            console.note("no events yet; `weir ingest health` says how the source is");
            Ok(Verdict::Good)
        }
        (false, _) => Ok(Verdict::Good),
        (true, _) => follow(client, &id, &mut shown).map(|()| Verdict::Good),
    }
}

/// The newest events, oldest first.
fn newest(
    client: &Client,
    id: &str,
    limit: usize,
) -> Result<Vec<Box<serde_json::value::RawValue>>, Problem> {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<Box<serde_json::value::RawValue>>,
        next_cursor: Option<String>,
    }
    let mut pages = Vec::new();
    let (mut wanted, mut before) = (limit, String::new());
    while wanted > 0 {
        let limit = wanted.min(PAGE_ROWS);
        let path = format!("/api/governance/ingestion-sources/{id}/events?limit={limit}{before}");
        let page: Page = read(&client.get(&path)?)?;
        wanted -= page.data.len().min(wanted);
        pages.push(page.data);
        let Some(cursor) = page.next_cursor else { break };
        before = format!("&before_sequence={cursor}");
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// The lines of the newest events, oldest first.
pub(super) fn newest_lines(
    client: &Client,
    id: &str,
    limit: usize,
) -> Result<Vec<String>, Problem> {
    let events = newest(client, id, limit)?;
    events.iter().map(|event| Ok(read::<Served<'_>>(event.get())?.line())).collect()
}

/// Shows what is committed from now on, until somebody ends it.
fn follow(client: &Client, id: &str, shown: &mut Shown) -> Result<(), Problem> {
    let mut pause = PAUSE_MIN;
    let mut is_lost = false;
    loop {
        let begun = shown.last;
        let path = format!(
            "/api/governance/ingestion-sources/{id}/events?follow=true&after_sequence={begun}"
        );
        let cause = match client.lines(&path) {
            Ok(lines) => {
                if std::mem::take(&mut is_lost) {
                    shown.console.note("connected again");
                }
                let cause = show(lines, shown)?;
                if shown.last > begun {
                    pause = PAUSE_MIN;
                }
                cause
            }
            Err(Problem::Lost(cause)) => cause,
            Err(Problem::Refused(refusal)) if refusal.status >= 500 || refusal.status == 429 => {
                format!("the server answers HTTP {}", refusal.status)
            }
            Err(problem) => return Err(problem),
        };
        if !std::mem::replace(&mut is_lost, true) {
            shown.console.note(&format!("the stream has ended ({cause}); trying again"));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Shows a stream to its end; says how that came.
fn show(mut lines: BufReader<impl std::io::Read>, shown: &mut Shown) -> Result<String, Problem> {
    let mut line = Vec::new();
    loop {
        // Nothing is held back while the server is waited for.
        if !lines.buffer().contains(&b'\n') {
            shown.flush()?;
        }
        match next_line(&mut lines, &mut line) {
            // A sign of life.
            Ok(Some(())) if line.is_empty() => {}
            Ok(Some(())) => shown.event(&line)?,
            Ok(None) => return Ok("the server closed it".to_owned()),
            Err(error) => return Ok(error.to_string()),
        }
    }
}

/// What was shown of a source.
struct Shown {
    console: Console,
    json: bool,
    /// The sequence of the last event.
    last: i64,
    /// What is still to be written.
    text: Vec<u8>,
}

/// What is shown of an event that a server gives.
#[derive(Deserialize)]
struct Served<'a> {
    sequence: i64,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    event_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ingested_at: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    target: Cow<'a, str>,
    #[serde(borrow)]
    cost_usd: Cow<'a, str>,
    tokens_input: i64,
    tokens_output: i64,
}

impl Shown {
    fn event(&mut self, json: &[u8]) -> Result<(), Problem> {
        let event: Served<'_> = serde_json::from_slice(json).map_err(|error| {
            Failure::Problem(format!("the server's answer is not understood: {error}"))
        })?;
        if event.sequence <= self.last {
            return Ok(());
        }
        self.last = event.sequence;
        match self.json {
            true => self.text.extend_from_slice(json),
            false => self.text.extend_from_slice(event.line().as_bytes()),
        }
        self.text.push(b'\n');
        if self.text.len() > WRITTEN_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if !self.text.is_empty() {
            self.console.result(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }
}

impl Served<'_> {
    fn line(&self) -> String {
        let line = EventLine {
            time: self.event_timestamp.as_deref().unwrap_or(&self.ingested_at),
            event_type: &self.event_type,
            action: &self.action,
            target: &self.target,
            cost: Decimal::parse(&self.cost_usd).unwrap_or_default(),
            tokens_input: self.tokens_input,
            tokens_output: self.tokens_output,
        };
        line.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_served_has_the_line_of_a_stored_one() {
        let json = r#"{"id":"x","sequence":7,"event_type":"api\u0007","event_timestamp":null,
            "ingested_at":"2026-01-02T03:04:05Z","action":"a","target":"\u202et","cost_usd":"0.01235",
            "tokens_input":1,"tokens_output":2,"extra":{"sequence":9}}"#;
        let served: Served<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(
            served.line(),
            "2026-01-02T03:04:05Z  api\\u{7}  a -> \\u{202e}t  $0.0124 1/2 tok"
        );
    }
}
