//! `weir quarantine`: the dead letters of a server's sources.

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Verdict;
use super::client::{
    Client, Connection, Problem, lines_of, member, read, read_rows, short_time, table,
};
use super::source;
use super::summary::grouped;
use crate::console::{Console, Failure};
use crate::store::Visible;

pub(super) const EXAMPLES: &str = "\
Examples:
  weir quarantine list copilot                    what is open, and which line of the parser refused it
  weir quarantine show copilot 17                 with the record, redacted as the parser says
  weir quarantine redrive copilot                 all that is open, under the parser as it is now
  weir quarantine redrive copilot 17 18
  weir quarantine discard copilot 17

Redriving stores each event once, however often it is done. It ends with status 1 if records stay open.
WEIR_URL and WEIR_API_KEY say which server, and as whom.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List a source's dead letters, newest first
    #[command(after_help = EXAMPLES)]
    List(List),
    /// Show one
    #[command(after_help = EXAMPLES)]
    Show(Show),
    /// Give records up
    #[command(after_help = EXAMPLES)]
    Discard(Discard),
    /// Map records again, under the source's current parser
    #[command(after_help = EXAMPLES)]
    Redrive(Redrive),
}

#[derive(Debug, Args)]
struct Output {
    /// As JSON, a list as NDJSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The source, by name or id
    source: String,
    /// In which state
    #[arg(long, value_name = "STATE", default_value = "open")]
    state: State,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The source, by name or id
    source: String,
    /// The record's id
    id: u64,
    /// The whole record as it came; needs the permission quarantine:raw
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Discard {
    /// The source, by name or id
    source: String,
    /// The records' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<u64>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(super) struct Redrive {
    /// The source, by name or id
    source: String,
    /// The records' ids [default: all that are open]
    #[arg(value_name = "ID")]
    ids: Vec<u64>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Open,
    Redriven,
    Discarded,
    All,
}

/// What is shown of a dead letter.
#[derive(Debug, Deserialize)]
struct Letter {
    id: String,
    parser_version: Option<u32>,
    program_line: Option<u32>,
    target: String,
    object_key: String,
    byte_offset: u64,
    record_index: u64,
    reason_code: String,
    message: String,
    raw: String,
    raw_encoding: String,
    state: String,
    created_at: String,
}

/// What a redrive came to, summed over its requests.
#[derive(Debug, Default, Deserialize, serde::Serialize)]
struct Redriven {
    redriven: u64,
    still_rejected: u64,
    events: u64,
    duplicates: u64,
    conflicts: u64,
    failed: Vec<Value>,
    failed_count: u64,
    #[serde(skip_serializing)]
    next_cursor: Option<String>,
    #[serde(skip_serializing)]
    has_more: bool,
}

pub(super) fn run(console: Console, command: &Command) -> Result<Verdict, Failure> {
    let ended = match command {
        Command::List(arguments) => list(console, arguments),
        Command::Show(arguments) => show(console, arguments),
        Command::Discard(arguments) => discard(console, arguments),
        Command::Redrive(arguments) => redrive(console, arguments),
    };
    ended.map_err(|problem| problem.end(console))
}

fn path(client: &Client, source: &str) -> Result<String, Problem> {
    Ok(format!("{}/quarantine", source::path(client, source)?))
}

fn list(console: Console, arguments: &List) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = path(&client, &arguments.source)?;
    let state = match arguments.state {
        State::All => String::new(),
        state => format!("?state={}", format!("{state:?}").to_lowercase()),
    };
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let rows = client.list(&format!("{path}{state}"), limit)?;
    if arguments.output.json {
        console.result(lines_of(&rows))?;
        return Ok(Verdict::Good);
    }
    let letters: Vec<Letter> = read_rows(&rows)?;
    if letters.is_empty() {
        console.note("no dead letters");
        return Ok(Verdict::Good);
    }
    let rows = letters.into_iter().map(|letter| {
        let line = letter.program_line.map_or_else(String::new, |line| line.to_string());
        let place = format!("{}#{}", letter.object_key, letter.record_index);
        let created = short_time(Some(&letter.created_at));
        [letter.id, created, letter.reason_code, line, place, letter.message]
    });
    console.result(table(["ID", "CREATED", "CODE", "LINE", "RECORD", ""], rows.collect()))?;
    Ok(Verdict::Good)
}

fn show(console: Console, arguments: &Show) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = path(&client, &arguments.source)?;
    let raw = if arguments.raw { "?raw=true" } else { "" };
    let json = client.get(&format!("{path}/{}{raw}", arguments.id))?;
    let letter = member(&json, "quarantined_record")?.get();
    match arguments.output.json {
        true => console.result(format!("{letter}\n"))?,
        false => console.result(read::<Letter>(letter)?.text())?,
    }
    Ok(Verdict::Good)
}

impl Letter {
    fn text(&self) -> String {
        let program = match (self.parser_version, self.program_line) {
            (Some(version), Some(line)) => format!("version {version}, line {line}"),
            (Some(version), None) => format!("version {version}"),
            (None, _) => "none".to_owned(),
        };
        let rows = vec![
            ["id".to_owned(), self.id.clone()],
            ["state".to_owned(), self.state.clone()],
            ["reason".to_owned(), format!("{} {}", self.reason_code, self.message)],
            ["target".to_owned(), self.target.clone()],
            ["parser".to_owned(), program],
            ["object".to_owned(), self.object_key.clone()],
            ["record".to_owned(), format!("{}, at byte {}", self.record_index, self.byte_offset)],
            ["created".to_owned(), short_time(Some(&self.created_at))],
        ];
        let head = match self.raw_encoding.as_str() {
            "base64" => " (base64)",
            _ => "",
        };
        let raw = self.raw.lines().map(|line| format!("  {}\n", Visible(line)));
        let text = table(["", ""], rows);
        let (_, facts) = text.split_once('\n').unwrap_or_default();
        format!("{facts}\nThe record{head}:\n\n{}", raw.collect::<String>())
    }
}

fn discard(console: Console, arguments: &Discard) -> Result<Verdict, Problem> {
    let client = arguments.connection.open()?;
    let path = path(&client, &arguments.source)?;
    for id in &arguments.ids {
        client.delete(&format!("{path}/{id}"))?;
        console.note(&format!("{id} is discarded"));
    }
    Ok(Verdict::Good)
}

fn redrive(console: Console, arguments: &Redrive) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = format!("{}/redrive", path(&client, &arguments.source)?);
    let mut sum = Redriven::default();
    let mut body = Map::new();
    if !arguments.ids.is_empty() {
        let ids = arguments.ids.iter().map(u64::to_string);
        body.insert("record_ids".to_owned(), json!(ids.collect::<Vec<_>>()));
    }
    loop {
        let done: Redriven = read(&client.post(&path, &body.clone().into())?)?;
        sum.redriven += done.redriven;
        sum.still_rejected += done.still_rejected;
        sum.events += done.events;
        sum.duplicates += done.duplicates;
        sum.conflicts += done.conflicts;
        sum.failed_count += done.failed_count;
        sum.failed.extend(done.failed);
        let Some(cursor) = done.next_cursor.filter(|_| done.has_more) else { break };
        body.insert("cursor".to_owned(), json!(cursor));
    }
    let stays = sum.still_rejected + sum.conflicts + sum.failed_count;
    if arguments.output.json {
        console.result(format!("{}\n", json!(sum)))?;
        return Ok(Verdict::of(stays == 0));
    }
    console.result(format!(
        "{} records redriven: {} events, {} of them stored already\n",
        grouped(sum.redriven),
        grouped(sum.events + sum.duplicates),
        grouped(sum.duplicates)
    ))?;
    for (count, what) in [
        (sum.still_rejected, "are refused again"),
        (sum.conflicts, "conflict with stored events (R1401)"),
        (sum.failed_count, "could not be tried"),
    ] {
        if count > 0 {
            console.note(&format!("{} {what}", grouped(count)));
        }
    }
    for failed in &sum.failed {
        let text = |name: &str| failed[name].as_str().unwrap_or_default();
        console.note(&format!("  {}: {}", Visible(text("id")), Visible(text("message"))));
    }
    Ok(Verdict::of(stays == 0))
}
