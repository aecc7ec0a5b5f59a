//! `weir parser`: the parsers of a server, in versions that never change.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::Verdict;
use super::client::{
    Client, Connection, Problem, lines_of, member, read, read_rows, read_text, short_time, table,
};
use crate::console::{Console, Failure};
use crate::store::Visible;

const PARSERS: &str = "/api/governance/parsers";
/// As much as the API takes.
const PROGRAM_BYTES_MAX: u64 = 4 << 20;

pub(super) const EXAMPLES: &str = "\
Examples:
  weir parser create agent-audit.weir             under the name that the program gives itself
  weir parser add agent-audit new.weir --activate sources that follow it use it from now on
  weir parser versions agent-audit
  weir parser activate agent-audit 1              back to an earlier version
  weir parser show agent-audit --program > agent-audit.weir

What does not compile is not kept; what fails its tests is kept and cannot be activated.
WEIR_URL and WEIR_API_KEY say which server, and as whom.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a parser from a program; it becomes active if its tests pass
    #[command(after_help = EXAMPLES)]
    Create(Create),
    /// List parsers
    #[command(after_help = EXAMPLES)]
    List(Output),
    /// Show a parser, or its program
    #[command(after_help = EXAMPLES)]
    Show(Show),
    /// List its versions, newest first
    #[command(after_help = EXAMPLES)]
    Versions(One),
    /// Add a version
    #[command(after_help = EXAMPLES)]
    Add(Add),
    /// Make a version the one that sources follow
    #[command(after_help = EXAMPLES)]
    Activate(Activate),
    /// Archive a parser that no source uses
    #[command(after_help = EXAMPLES)]
    Archive(One),
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// As JSON, a list as NDJSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The parser, by name or id
    parser: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The program; `-` for standard input
    #[arg(value_name = "FILE")]
    program: PathBuf,
    /// Another name than the program gives itself
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The parser, by name or id
    parser: String,
    /// The program's text
    #[arg(long, conflicts_with = "json")]
    program: bool,
    /// Of this version [default: the active one]
    #[arg(long, value_name = "N", requires = "program")]
    version: Option<u32>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The parser, by name or id
    parser: String,
    /// The program, whose `version` is greater than all before; `-` for standard input
    #[arg(value_name = "FILE")]
    program: PathBuf,
    /// Make it the one that sources follow
    #[arg(long)]
    activate: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Activate {
    /// The parser, by name or id
    parser: String,
    /// Which version
    version: u32,
    #[command(flatten)]
    output: Output,
}

/// What is shown of a parser.
#[derive(Debug, Deserialize)]
pub(super) struct ServedParser {
    pub(super) id: String,
    name: String,
    description: String,
    active_version: Option<u32>,
    latest_version: u32,
    updated_at: String,
}

/// What is shown of a version.
#[derive(Debug, Deserialize)]
struct Version {
    version: u32,
    definition: String,
    tests: u32,
    #[serde(default)]
    test_failures: Vec<TestFailure>,
    plan_hash: String,
    created_at: String,
}

#[derive(Debug, Deserialize)]
struct TestFailure {
    name: String,
    line: u32,
    message: String,
}

/// The parser that an argument names, by its id or name.
pub(super) fn find(client: &Client, named: &str) -> Result<ServedParser, Problem> {
    if named.parse::<uuid::Uuid>().is_ok() {
        let json = client.get(&format!("{PARSERS}/{named}"))?;
        return read(member(&json, "parser")?.get());
    }
    let parsers: Vec<ServedParser> = read_rows(&client.list(PARSERS, usize::MAX)?)?;
    let found = parsers.into_iter().find(|parser| parser.name == named);
    found.ok_or_else(|| Failure::Problem(format!("Parser `{named}` not found")).into())
}

pub(super) fn run(console: Console, command: &Command) -> Result<Verdict, Failure> {
    let (ended, program) = match command {
        Command::Create(arguments) => (create(console, arguments), Some(&arguments.program)),
        Command::List(arguments) => (list(console, arguments), None),
        Command::Show(arguments) => (show(console, arguments), None),
        Command::Versions(arguments) => (versions(console, arguments), None),
        Command::Add(arguments) => (add(console, arguments), Some(&arguments.program)),
        Command::Activate(arguments) => (activate(console, arguments), None),
        Command::Archive(arguments) => (archive(console, arguments), None),
    };
    ended.map_err(|problem| problem.end_about(console, program.map(PathBuf::as_path)))
}

fn create(console: Console, arguments: &Create) -> Result<Verdict, Problem> {
    let definition = read_text(&arguments.program, PROGRAM_BYTES_MAX)?;
    let client = arguments.output.connection.open()?;
    let mut body = json!({ "definition": definition, "description": arguments.description });
    if let Some(name) = &arguments.name {
        body["name"] = json!(name);
    }
    let json = client.post(PARSERS, &body)?;
    if arguments.output.json {
        console.result(format!("{json}\n"))?;
        return Ok(Verdict::Good);
    }
    let parser: ServedParser = read(member(&json, "parser")?.get())?;
    let version: Version = read(member(&json, "parser_version")?.get())?;
    console.result(format!(
        "parser {} ({}), version {}, {}\n",
        Visible(&parser.name),
        parser.id,
        version.version,
        if parser.active_version.is_some() { "active" } else { "not active: its tests fail" }
    ))?;
    Ok(say_tests(console, &version, &arguments.program))
}

/// Says which of a version's own tests fail.
fn say_tests(console: Console, version: &Version, program: &std::path::Path) -> Verdict {
    for TestFailure { name, line, message } in &version.test_failures {
        let file = program.display();
        console.note(&format!("{file}:{line}: the test \"{}\" fails", Visible(name)));
        for line in message.lines() {
            console.note(&format!("  {}", Visible(line)));
        }
    }
    Verdict::of(version.test_failures.is_empty())
}

fn list(console: Console, arguments: &Output) -> Result<Verdict, Problem> {
    let rows = arguments.connection.open()?.list(PARSERS, usize::MAX)?;
    if arguments.json {
        console.result(lines_of(&rows))?;
        return Ok(Verdict::Good);
    }
    let parsers: Vec<ServedParser> = read_rows(&rows)?;
    if parsers.is_empty() {
        console.note("no parsers yet; `weir parser create FILE` makes one");
        return Ok(Verdict::Good);
    }
    let rows = parsers.into_iter().map(|parser| {
        let active = parser.active_version.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let latest = parser.latest_version.to_string();
        [parser.name, active, latest, short_time(Some(&parser.updated_at)), parser.id]
    });
    console.result(table(["NAME", "ACTIVE", "LATEST", "UPDATED", "ID"], rows.collect()))?;
    Ok(Verdict::Good)
}

fn show(console: Console, arguments: &Show) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let parser = find(&client, &arguments.parser)?;
    if arguments.program {
        let wanted = arguments.version.or(parser.active_version).unwrap_or(parser.latest_version);
        let rows = client.whole_list(&format!("{PARSERS}/{}/versions", parser.id))?;
        let versions: Vec<Version> = read_rows(&rows)?;
        let Some(found) = versions.into_iter().find(|version| version.version == wanted) else {
            return Err(Failure::Problem(format!("there is no version {wanted}")).into());
        };
        console.result(found.definition)?;
        return Ok(Verdict::Good);
    }
    if arguments.output.json {
        let json = client.get(&format!("{PARSERS}/{}", parser.id))?;
        console.result(format!("{}\n", member(&json, "parser")?.get()))?;
        return Ok(Verdict::Good);
    }
    let active = parser.active_version.map_or_else(|| "none".to_owned(), |n| n.to_string());
    let mut text = format!("{} ({})\n", Visible(&parser.name), parser.id);
    if !parser.description.is_empty() {
        text.push_str(&format!("  {}\n", Visible(&parser.description)));
    }
    text.push_str(&format!(
        "  active version {active}, latest {}, updated {}\n",
        parser.latest_version,
        short_time(Some(&parser.updated_at))
    ));
    console.result(text)?;
    Ok(Verdict::Good)
}

fn versions(console: Console, arguments: &One) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let parser = find(&client, &arguments.parser)?;
    let rows = client.whole_list(&format!("{PARSERS}/{}/versions", parser.id))?;
    if arguments.output.json {
        console.result(lines_of(&rows))?;
        return Ok(Verdict::Good);
    }
    let versions: Vec<Version> = read_rows(&rows)?;
    let rows = versions.into_iter().map(|version| {
        let is_active = parser.active_version == Some(version.version);
        let tests = match version.test_failures.len() {
            0 => format!("{} pass", version.tests),
            failed => format!("{failed} of {} fail", version.tests),
        };
        let hash = version.plan_hash.chars().take(12).collect();
        let active = if is_active { "active" } else { "" };
        let created = short_time(Some(&version.created_at));
        [version.version.to_string(), tests, created, hash, active.to_owned()]
    });
    console.result(table(["VERSION", "TESTS", "CREATED", "PLAN", ""], rows.collect()))?;
    Ok(Verdict::Good)
}

fn add(console: Console, arguments: &Add) -> Result<Verdict, Problem> {
    let definition = read_text(&arguments.program, PROGRAM_BYTES_MAX)?;
    let client = arguments.output.connection.open()?;
    let parser = find(&client, &arguments.parser)?;
    let path = format!("{PARSERS}/{}/versions", parser.id);
    let body = json!({ "definition": definition, "activate": arguments.activate });
    let json = client.post(&path, &body)?;
    let version: Version = read(member(&json, "parser_version")?.get())?;
    match arguments.output.json {
        true => console.result(format!("{json}\n"))?,
        false => console.result(format!(
            "parser {}, version {}, {}\n",
            Visible(&parser.name),
            version.version,
            if arguments.activate { "active" } else { "not active yet" }
        ))?,
    }
    Ok(say_tests(console, &version, &arguments.program))
}

fn activate(console: Console, arguments: &Activate) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let parser = find(&client, &arguments.parser)?;
    let path = format!("{PARSERS}/{}/versions/{}/activate", parser.id, arguments.version);
    let json = client.post(&path, &json!({}))?;
    match arguments.output.json {
        true => console.result(format!("{}\n", member(&json, "parser")?.get()))?,
        false => console.result(format!(
            "parser {}, version {}, active\n",
            Visible(&parser.name),
            arguments.version
        ))?,
    }
    Ok(Verdict::Good)
}

fn archive(console: Console, arguments: &One) -> Result<Verdict, Problem> {
    let client = arguments.output.connection.open()?;
    let parser = find(&client, &arguments.parser)?;
    let json = client.delete(&format!("{PARSERS}/{}", parser.id))?;
    match arguments.output.json {
        true => console.result(format!("{json}\n"))?,
        false => console.note(&format!("{} is archived", Visible(&parser.name))),
    }
    Ok(Verdict::Good)
}
