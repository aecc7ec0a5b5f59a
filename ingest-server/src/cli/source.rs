//! `weir source`: ingestion sources of a server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{
    Client, Connection, Problem, lines_of, member, read, read_rows, read_text, short_time, table,
};
use super::summary::grouped;
use super::{Verdict, ingest, parser};
use crate::console::{Console, Failure};
use crate::store::Visible;

/// Where the API has them.
pub(super) const SOURCES: &str = "/api/governance/ingestion-sources";
/// A configuration, or credentials, are no larger.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// A run that is waited for is asked about this often.
const ASKED_EVERY: Duration = Duration::from_millis(250);

pub(super) const EXAMPLES: &str = "\
Examples:
  weir source create copilot --type s3_custom --parser agent-audit \\
      --pull-config bucket.json --every 60 --credentials aws.json
  weir source create hooks --type http_custom --parser agent-audit
  weir source update copilot --disable
  weir source pull copilot --wait
  weir source rotate hooks                        a new secret for its webhook, shown once

bucket.json: {\"adapter\": \"s3_polling\", \"bucket\": \"acme-audit\", \"prefix\": \"copilot/\"}
aws.json:    {\"access_key_id\": \"...\", \"secret_access_key\": \"...\"}

Credentials come from files or from the environment, never from the command line.
WEIR_URL and WEIR_API_KEY say which server, and as whom.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a source; its webhook's secret is shown only now
    #[command(after_help = EXAMPLES)]
    Create(Box<Create>),
    /// List sources
    #[command(after_help = ingest::LIST_EXAMPLES)]
    List(ingest::ListArguments),
    /// Show a source
    #[command(after_help = EXAMPLES)]
    Show(One),
    /// Change a source; what is not named stays, and its cursor does not move
    #[command(after_help = EXAMPLES)]
    Update(Box<Update>),
    /// Give its webhook a new secret, shown only now; the prior ones last 24 hours
    #[command(after_help = EXAMPLES)]
    Rotate(One),
    /// Poll it now
    #[command(after_help = EXAMPLES)]
    Pull(Pull),
    /// List its runs, newest first
    #[command(after_help = EXAMPLES)]
    Runs(Runs),
    /// Take it out of service for good; its events stay, its name is free
    #[command(after_help = EXAMPLES)]
    Archive(One),
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The source, by name or id
    source: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What sources are made with and what changes of them.
#[derive(Debug, Args)]
struct Fields {
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How records come [default: what the type does]
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,
    /// The parser, by name or id
    #[arg(long, value_name = "PARSER")]
    parser: Option<String>,
    /// A version of the parser [default: the active one, whichever that is]
    #[arg(long, value_name = "N")]
    parser_version: Option<u32>,
    /// What to poll: a file with JSON; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pull_config: Option<PathBuf>,
    /// When to poll, as five fields of cron in UTC
    #[arg(long, value_name = "CRON", conflicts_with = "every")]
    schedule: Option<String>,
    /// When to poll: every so many seconds
    #[arg(long, value_name = "SECONDS")]
    every: Option<u32>,
    /// Credentials: a file with a JSON object of texts; `-` for standard input
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// A credential from a variable of the environment; may be repeated
    #[arg(long, value_name = "NAME=VARIABLE", value_parser = pair)]
    credential_from_env: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Its name, unique among the living ones
    name: String,
    /// What kind it is: s3_custom, http_custom, langsmith_engine ...
    #[arg(long = "type", value_name = "TYPE")]
    source_type: String,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    /// The source, by name or id
    source: String,
    /// Another name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Take nothing more from it, until it is enabled
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Undo that
    #[arg(long)]
    enable: bool,
    /// Follow the parser's active version
    #[arg(long, conflicts_with = "parser_version")]
    follow_active: bool,
    /// Map nothing any more: keep bodies as they come
    #[arg(long, conflicts_with_all = ["parser", "parser_version"])]
    no_parser: bool,
    /// Poll nothing any more
    #[arg(long, conflicts_with_all = ["pull_config", "schedule", "every"])]
    no_pull_config: bool,
    /// Have no schedule but that of the configuration
    #[arg(long, conflicts_with_all = ["schedule", "every"])]
    no_schedule: bool,
    /// Forget a credential; may be repeated
    #[arg(long, value_name = "NAME")]
    remove_credential: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Pull {
    /// The source, by name or id
    source: String,
    /// Wait until the run has ended; one that failed ends with status 1
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Runs {
    /// The source, by name or id
    source: String,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Push,
    Pull,
    Both,
}

/// What is shown of a source.
#[derive(Debug, Deserialize)]
pub(super) struct ServedSource {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) source_type: String,
    status: String,
    pub(super) mode: String,
    pub(super) last_event_at: Option<String>,
    archived_at: Option<String>,
    description: String,
    parser_id: Option<String>,
    parser_version: Option<u32>,
    pull_config: Option<Value>,
    pull_schedule: Option<String>,
    poll_every_sec: Option<u32>,
    has_credentials: bool,
    secret_prefix: String,
    prior_secret_expires_at: Option<String>,
    cursor: Option<String>,
    created_at: String,
}

/// What is shown of a run.
#[derive(Debug, Deserialize)]
struct Run {
    id: String,
    trigger: String,
    started_at: String,
    status: String,
    objects_read: u64,
    records_read: u64,
    events_written: u64,
    duplicates: u64,
    error_count: u64,
    error_code: Option<String>,
    error_message: Option<String>,
}

impl ServedSource {
    pub(super) fn status(&self) -> &str {
        if self.archived_at.is_some() { "archived" } else { &self.status }
    }
}

/// `NAME=VARIABLE`
fn pair(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, variable)) if !name.is_empty() && !variable.is_empty() => {
            Ok((name.to_owned(), variable.to_owned()))
        }
        _ => Err("write NAME=VARIABLE: the value is in the variable".to_owned()),
    }
}

/// The id of the source that an argument names: by its id, else the living one of the name, else the archived one that was
/// made last.
pub(super) fn find(client: &Client, named: &str) -> Result<Option<String>, Problem> {
    if named.parse::<uuid::Uuid>().is_ok() {
        return Ok(Some(named.to_owned()));
    }
    let rows = client.list(&format!("{SOURCES}?include_archived=true"), usize::MAX)?;
    let mut sources: Vec<ServedSource> = read_rows(&rows)?;
    sources.retain(|source| source.name == named);
    let living = sources.iter().find(|source| source.archived_at.is_none());
    Ok(living.or(sources.last()).map(|source| source.id.clone()))
}

/// The path of a source in the API.
pub(super) fn path(client: &Client, named: &str) -> Result<String, Problem> {
    match find(client, named)? {
        Some(id) => Ok(format!("{SOURCES}/{id}")),
        None => Err(Failure::Problem(format!("IngestionSource `{named}` not found")).into()),
    }
}

pub(super) fn run(console: Console, command: &Command) -> Result<Verdict, Failure> {
    let ended = match command {
        Command::List(arguments) => return ingest::list(console, arguments),
        Command::Create(arguments) => create(console, arguments),
        Command::Show(arguments) => show(console, arguments),
        Command::Update(arguments) => update(console, arguments),
        Command::Rotate(arguments) => rotate(console, arguments),
        Command::Pull(arguments) => pull(console, arguments),
        Command::Runs(arguments) => runs(console, arguments),
        Command::Archive(arguments) => archive(console, arguments),
    };
    ended.map_err(|problem| problem.end(console))
}

impl Fields {
    /// As the API wants them: only what is given.
    fn body(&self, client: &Client) -> Result<Map<String, Value>, Problem> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("description", self.description.clone().map(Value::from));
        put("mode", self.mode.map(|mode| json!(format!("{mode:?}").to_lowercase())));
        put("parser_version", self.parser_version.map(Value::from));
        put("pull_schedule", self.schedule.clone().map(Value::from));
        put("poll_every_sec", self.every.map(Value::from));
        if let Some(parser) = &self.parser {
            put("parser_id", Some(parser::find(client, parser)?.id.into()));
        }
        if let Some(path) = &self.pull_config {
            let text = read_text(path, FILE_BYTES_MAX)?;
            let config = serde_json::from_str(&text)
                .map_err(|error| Failure::Problem(format!("`{}`: {error}", path.display())))?;
            put("pull_config", Some(config));
        }
        let credentials = self.credentials()?;
        if !credentials.is_empty() {
            put("credentials", Some(json!(credentials)));
        }
        Ok(body)
    }

    fn credentials(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut credentials = BTreeMap::new();
        if let Some(path) = &self.credentials {
            let text = read_text(path, FILE_BYTES_MAX)?;
            // The text is not shown: it holds secrets.
            credentials = serde_json::from_str(&text).map_err(|error| {
                Failure::Problem(format!(
                    "`{}` is no JSON object of texts: line {}, column {}",
                    path.display(),
                    error.line(),
                    error.column()
                ))
            })?;
        }
        for (name, variable) in &self.credential_from_env {
            let value = std::env::var(variable).map_err(|_| {
                Failure::Usage(format!("the variable `{variable}` is not set, or is no text"))
            })?;
            credentials.insert(name.clone(), value);
        }
        Ok(credentials)
    }
}

fn create(console: Console, arguments: &Create) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let mut body = arguments.fields.body(&client)?;
    body.insert("name".to_owned(), arguments.name.clone().into());
    body.insert("source_type".to_owned(), arguments.source_type.clone().into());
    let json = client.post(SOURCES, &body.into())?;
    say_with_secret(console, &arguments.output, &json)
}

fn rotate(console: Console, arguments: &One) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = path(&client, &arguments.source)?;
    let json = client.post(&format!("{path}/rotate"), &json!({}))?;
    say_with_secret(console, &arguments.output, &json)
}

/// Shows a source with its secret, this once.
fn say_with_secret(console: Console, output: &Output, json: &str) -> Result<Verdict, Problem> {
    if output.json {
        console.result(format!("{json}\n"))?;
        return Ok(Verdict::Good);
    }
    #[derive(Deserialize)]
    struct Made {
        ingestion_source: ServedSource,
        ingest_secret: String,
    }
    let Made { ingestion_source, ingest_secret } = read(json)?;
    console.result(format!(
        "{}\nThe webhook is /api/ingest/webhook/{}\nIts secret, shown only now:\n\n  {ingest_secret}\n",
        ingestion_source.text(),
        ingestion_source.id
    ))?;
    Ok(Verdict::Good)
}

fn show(console: Console, arguments: &One) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let json = client.get(&path(&client, &arguments.source)?)?;
    say(console, &arguments.output, &json)
}

fn update(console: Console, arguments: &Update) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = path(&client, &arguments.source)?;
    let mut body = arguments.fields.body(&client)?;
    let mut put = |is_given: bool, name: &str, value: Value| {
        if is_given {
            body.insert(name.to_owned(), value);
        }
    };
    put(arguments.name.is_some(), "name", json!(arguments.name));
    put(arguments.disable, "status", json!("disabled"));
    put(arguments.enable, "status", json!("active"));
    put(arguments.follow_active || arguments.no_parser, "parser_version", Value::Null);
    put(arguments.no_parser, "parser_id", Value::Null);
    put(arguments.no_pull_config, "pull_config", Value::Null);
    // A source has one schedule: giving one kind takes the other away.
    let (cron, every) = (arguments.fields.schedule.is_some(), arguments.fields.every.is_some());
    let none = arguments.no_schedule || arguments.no_pull_config;
    put(none || every, "pull_schedule", Value::Null);
    put(none || cron, "poll_every_sec", Value::Null);
    if !arguments.remove_credential.is_empty() {
        let credentials = body.entry("credentials").or_insert_with(|| json!({}));
        for name in &arguments.remove_credential {
            credentials[name.as_str()] = Value::Null;
        }
    }
    if body.is_empty() {
        return Err(Failure::Usage("nothing is to change: see --help".to_owned()).into());
    }
    let json = client.patch(&path, &body.into())?;
    say(console, &arguments.output, &json)
}

fn say(console: Console, output: &Output, json: &str) -> Result<Verdict, Problem> {
    let source = member(json, "ingestion_source")?.get();
    match output.json {
        true => console.result(format!("{source}\n"))?,
        false => console.result(read::<ServedSource>(source)?.text())?,
    }
    Ok(Verdict::Good)
}

fn archive(console: Console, arguments: &One) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let json = client.delete(&path(&client, &arguments.source)?)?;
    match arguments.output.json {
        true => console.result(format!("{json}\n"))?,
        false => {
            console.note(&format!("{} is archived; its events stay", Visible(&arguments.source)))
        }
    }
    Ok(Verdict::Good)
}

fn pull(console: Console, arguments: &Pull) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = path(&client, &arguments.source)?;
    let begun = client.post(&format!("{path}/pull"), &json!({}))?;
    let mut run = member(&begun, "pull_run")?.get().to_owned();
    if arguments.wait {
        let id = read::<Run>(&run)?.id;
        loop {
            let rows = client.list(&format!("{path}/pull-runs"), 20)?;
            let runs: Vec<Run> = read_rows(&rows)?;
            let at = runs.iter().position(|run| run.id == id);
            match at {
                Some(at) if runs[at].status != "running" => {
                    run = rows[at].get().to_owned();
                    break;
                }
                Some(_) => thread::sleep(ASKED_EVERY),
                None => return Err(Failure::Problem("the run is not listed".to_owned()).into()),
            }
        }
    }
    let parsed: Run = read(&run)?;
    let verdict = Verdict::of(parsed.status != "failed");
    match arguments.output.json {
        true => console.result(format!("{run}\n"))?,
        false => console.result(runs_table(vec![parsed]))?,
    }
    Ok(verdict)
}

fn runs(console: Console, arguments: &Runs) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let path = path(&client, &arguments.source)?;
    let rows = client.list(&format!("{path}/pull-runs"), arguments.limit.into())?;
    if arguments.output.json {
        console.result(lines_of(&rows))?;
        return Ok(Verdict::Good);
    }
    match read_rows(&rows)? {
        runs if runs.is_empty() => console.note("it was never polled"),
        runs => console.result(runs_table(runs))?,
    }
    Ok(Verdict::Good)
}

fn runs_table(runs: Vec<Run>) -> String {
    let head =
        ["STARTED", "TRIGGER", "STATUS", "OBJECTS", "RECORDS", "EVENTS", "REPEATS", "ERRORS", ""];
    let rows = runs.into_iter().map(|run| {
        let error = match (run.error_code, run.error_message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (code, message) => code.or(message).unwrap_or_default(),
        };
        [
            short_time(Some(&run.started_at)),
            run.trigger,
            run.status,
            grouped(run.objects_read),
            grouped(run.records_read),
            grouped(run.events_written),
            grouped(run.duplicates),
            grouped(run.error_count),
            error,
        ]
    });
    table(head, rows.collect())
}

impl ServedSource {
    fn text(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
        row("name", self.name.clone());
        row("id", self.id.clone());
        row("type", self.source_type.clone());
        row("status", self.status().to_owned());
        row("mode", self.mode.clone());
        if !self.description.is_empty() {
            row("description", self.description.clone());
        }
        if let Some(parser) = &self.parser_id {
            let version = self.parser_version.map_or_else(
                || "active version".to_owned(),
                |version| format!("version {version}"),
            );
            row("parser", format!("{parser}, {version}"));
        }
        if let Some(config) = &self.pull_config {
            row("pull_config", config.to_string());
            let schedule = match (&self.pull_schedule, self.poll_every_sec) {
                (Some(cron), _) => cron.clone(),
                (None, Some(seconds)) => format!("every {seconds} s"),
                (None, None) => "that of the configuration".to_owned(),
            };
            row("schedule", schedule);
        }
        row("credentials", if self.has_credentials { "kept" } else { "none" }.to_owned());
        row("secret", format!("{}...", self.secret_prefix));
        if let Some(until) = &self.prior_secret_expires_at {
            row("prior secrets", format!("until {}", short_time(Some(until))));
        }
        if let Some(cursor) = &self.cursor {
            row("cursor", cursor.clone());
        }
        row("last event", short_time(self.last_event_at.as_deref()));
        row("created", short_time(Some(&self.created_at)));
        let text = table(["", ""], rows);
        // The head is empty.
        text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }
}
