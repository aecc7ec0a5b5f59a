//! Commands that ask a server: its REST API is all they know.
//!
//! Where the server is stands in `WEIR_URL` or `--url`, the key in `WEIR_API_KEY` or in a file; never on the command line,
//! which other users of the machine can read. What the API refuses becomes a line for each thing that is wrong.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};

use crate::console::{Console, Failure};
use crate::store::Visible;

const URL_VARIABLE: &str = "WEIR_URL";
const KEY_VARIABLE: &str = "WEIR_API_KEY";
const URL_DEFAULT: &str = "http://127.0.0.1:8080";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams say something every 15 seconds; whoever is silent for three times as long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// The largest answer: a page of events with large records.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
/// No key is longer.
const KEY_BYTES_MAX: u64 = 4096;
/// As many rows as the API gives at once.
const PAGE_ROWS: usize = 200;
/// What may stand in a part of a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Which server, and as whom.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct Connection {
    /// Where the server is [default: WEIR_URL, or http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// A file with the API key [default: the variable WEIR_API_KEY]
    #[arg(long, value_name = "FILE")]
    pub(super) api_key_file: Option<PathBuf>,
}

/// Speaks to a server.
pub(super) struct Client {
    agent: Agent,
    url: String,
    key: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Problem {
    /// The server was not reached, or the connection broke.
    Lost(String),
    /// The API says no.
    Refused(Refusal),
    /// Something here is wrong.
    Here(Failure),
}

/// What the API says when it says no.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    message: String,
    details: Vec<Value>,
}

type Result<T, E = Problem> = std::result::Result<T, E>;

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

/// A page of a list.
#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
    has_more: bool,
}

impl Connection {
    /// Makes a client. Asks nothing yet.
    pub(super) fn open(&self) -> Result<Client, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let url = self.url.clone().or_else(|| variable(URL_VARIABLE));
        let url = url.unwrap_or_else(|| URL_DEFAULT.to_owned());
        let key = match &self.api_key_file {
            Some(path) => read_key(path)?,
            None => variable(KEY_VARIABLE).ok_or_else(|| {
                Failure::Usage(format!(
                    "no API key: set {KEY_VARIABLE}, or give --api-key-file FILE; `weir serve` prints the first one when \
                     it first starts"
                ))
            })?,
        };
        Client::new(&url, key.trim())
    }
}

fn read_key(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::Usage(format!("`{}`: {error}", path.display()));
    let mut key = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(KEY_BYTES_MAX).read_to_string(&mut key).map_err(failed)?;
    Ok(key)
}

impl Client {
    pub(super) fn new(url: &str, key: &str) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/');
        let parsed = url::Url::parse(base).ok();
        let Some(parsed) = parsed.filter(|url| matches!(url.scheme(), "http" | "https")) else {
            return Err(Failure::Usage(format!("`{url}` is no URL such as {URL_DEFAULT}")));
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Failure::Usage("secrets do not belong into the URL".to_owned()));
        }
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Usage("the API key is empty, or no key".to_owned()));
        }
        let is_near = parsed.host().is_some_and(|host| match host {
            url::Host::Domain(name) => name == "localhost",
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        });
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A key is not carried on to wherever an answer points.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(SILENCE_MAX))
            .timeout_per_write(Some(SILENCE_MAX));
        let config = if is_near { config.proxy(None) } else { config };
        Ok(Self { agent: config.build().into(), url: base.to_owned(), key: key.to_owned() })
    }

    fn ask(&self, method: Method, path: &str, accept: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.key))
            .header("accept", accept)
            .header("x-weir-surface", "cli");
        let answer = match body {
            None => request.body(()).map_err(ureq::Error::from).and_then(|r| self.agent.run(r)),
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        answer.map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &ureq::Error) -> Problem {
        let cause = match error {
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        Problem::Lost(format!("{} cannot be reached: {cause}", self.url))
    }

    /// An answer's JSON text.
    fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<String> {
        let mut answer = self.ask(method, path, "application/json", body)?;
        let status = answer.status();
        if status.is_redirection() {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok());
            let to = to.map_or_else(String::new, |to| format!(" to {}", Visible(to)));
            let message = format!("{} redirects{to}: give the URL of the server itself", self.url);
            return Err(Problem::Refused(Refusal {
                status: status.as_u16(),
                message,
                ..Refusal::default()
            }));
        }
        let text = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(|error| self.lost(&error))?;
        match status.is_success() {
            true => Ok(text),
            false => Err(Problem::Refused(Refusal::read(status.as_u16(), &text))),
        }
    }

    pub(super) fn get(&self, path: &str) -> Result<String> {
        self.json(Method::GET, path, None)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<String> {
        self.json(Method::POST, path, Some(body))
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> Result<String> {
        self.json(Method::PATCH, path, Some(body))
    }

    pub(super) fn delete(&self, path: &str) -> Result<String> {
        self.json(Method::DELETE, path, None)
    }

    /// The first `rows_max` rows of a list, page by page; `path` may have a query.
    pub(super) fn list(&self, path: &str, rows_max: usize) -> Result<Vec<Box<RawValue>>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let limit = PAGE_ROWS.min(rows_max - rows.len());
            let mut query = format!("limit={limit}");
            if let Some(cursor) = &cursor {
                query = format!("{query}&cursor={}", encoded(cursor));
            }
            let sign = if path.contains('?') { '&' } else { '?' };
            let page: Page = read(&self.get(&format!("{path}{sign}{query}"))?)?;
            rows.extend(page.data);
            rows.truncate(rows_max);
            if !page.has_more || page.next_cursor.is_none() || rows.len() == rows_max {
                return Ok(rows);
            }
            cursor = page.next_cursor;
        }
    }

    /// A list that comes whole.
    pub(super) fn whole_list(&self, path: &str) -> Result<Vec<Box<RawValue>>> {
        let page: Page = read(&self.get(path)?)?;
        Ok(page.data)
    }

    /// Lines that come as they are made.
    pub(super) fn lines(&self, path: &str) -> Result<BufReader<impl Read + use<>>> {
        let mut answer = self.ask(Method::GET, path, "application/x-ndjson", None)?;
        let status = answer.status();
        if !status.is_success() {
            let text = answer.body_mut().read_to_string().map_err(|error| self.lost(&error))?;
            return Err(Problem::Refused(Refusal::read(status.as_u16(), &text)));
        }
        let reader = answer.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(BufReader::with_capacity(256 << 10, reader))
    }
}

type Answer = Result<Response<Body>>;

/// Reads a line without its end; `None` at the end of the stream. A line that is cut off is none.
pub(super) fn next_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
) -> std::io::Result<Option<()>> {
    line.clear();
    reader.by_ref().take(ANSWER_BYTES_MAX).read_until(b'\n', line)?;
    Ok(match line.pop() {
        Some(b'\n') => Some(()),
        _ => None,
    })
}

impl Refusal {
    fn read(status: u16, text: &str) -> Self {
        #[derive(Deserialize)]
        struct Envelope {
            error: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            code: String,
            message: String,
            #[serde(default)]
            details: Vec<Value>,
        }
        match serde_json::from_str::<Envelope>(text) {
            Ok(Envelope { error }) => {
                Self { status, code: error.code, message: error.message, details: error.details }
            }
            // A proxy in between, or no weir at all.
            Err(_) => Self {
                status,
                message: format!("the answer is HTTP {status}, and not that of weir"),
                ..Self::default()
            },
        }
    }

    /// Says what is wrong: fields, diagnostics and tests one a line.
    fn say(&self, console: Console, program: Option<&Path>) {
        let text = |detail: &Value, name: &str| {
            detail[name].as_str().map(|text| Visible(text).to_string()).unwrap_or_default()
        };
        let file =
            program.map_or_else(|| "definition".to_owned(), |path| path.display().to_string());
        match self.code.as_str() {
            "invalid_fields" if !self.details.is_empty() => {
                for detail in &self.details {
                    match (text(detail, "field"), text(detail, "message")) {
                        (field, message) if field.is_empty() => console.error(&message),
                        (field, message) => console.error(&format!("{field}: {message}")),
                    }
                }
            }
            "parser_compile_error" if !self.details.is_empty() => {
                for detail in &self.details {
                    let (line, column) = (&detail["line"], &detail["col"]);
                    let (code, message) = (text(detail, "code"), text(detail, "message"));
                    let severity = detail["severity"].as_str().unwrap_or("error");
                    console.note(&format!("{file}:{line}:{column}: {severity}[{code}]: {message}"));
                    for part in ["help", "note"].map(|part| (part, text(detail, part))) {
                        if let (part, text) = part
                            && !text.is_empty()
                        {
                            console.note(&format!("  {part}: {text}"));
                        }
                    }
                }
            }
            "parser_tests_failed" => {
                console.error(&self.message());
                for detail in &self.details {
                    let name = text(detail, "name");
                    console.note(&format!("{file}:{}: the test \"{name}\" fails", detail["line"]));
                    let message = detail["message"].as_str().unwrap_or_default();
                    for line in message.lines() {
                        console.note(&format!("  {}", Visible(line)));
                    }
                }
            }
            _ => console.error(&self.message()),
        }
    }

    fn message(&self) -> String {
        let message = Visible(&self.message);
        match (self.status, self.code.as_str()) {
            (401, _) => format!("{message} (is the key that of this server?)"),
            (_, "") => message.to_string(),
            (_, code) => format!("{message} ({})", Visible(code)),
        }
    }
}

impl Problem {
    /// Says what is wrong, and how the command ends.
    pub(super) fn end(self, console: Console) -> Failure {
        self.end_about(console, None)
    }

    /// The same, about a program in a file.
    pub(super) fn end_about(self, console: Console, program: Option<&Path>) -> Failure {
        match self {
            Self::Here(failure) => failure,
            Self::Lost(problem) => Failure::Problem(format!(
                "{problem}; is `weir serve` running? {URL_VARIABLE} says where"
            )),
            Self::Refused(refusal) => {
                refusal.say(console, program);
                Failure::Said
            }
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }
}

/// Reads what the API answers.
pub(super) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        Problem::Here(Failure::Problem(format!("the server's answer is not understood: {error}")))
    })
}

/// Reads rows of a list.
pub(super) fn read_rows<T: DeserializeOwned>(rows: &[Box<RawValue>]) -> Result<Vec<T>> {
    rows.iter().map(|row| read(row.get())).collect()
}

/// Rows of a list as NDJSON, as they came.
pub(super) fn lines_of(rows: &[Box<RawValue>]) -> String {
    rows.iter().map(|row| format!("{}\n", row.get())).collect()
}

/// A part of a path or query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A text that came in one JSON object's member: `{"parser": {...}}` to `{...}`.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Result<&'a RawValue> {
    let mut members: std::collections::HashMap<&str, &'a RawValue> = read(json)?;
    members.remove(name).ok_or_else(|| {
        Problem::Here(Failure::Problem(format!("the server's answer has no `{name}`")))
    })
}

/// Reads a file that a flag names, or standard input for `-`.
pub(super) fn read_text(path: &Path, bytes_max: u64) -> Result<String, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| Failure::Problem(format!("`{shown}`: {error}"));
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(bytes_max + 1).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = File::open(path).map_err(failed)?;
        file.take(bytes_max + 1).read_to_string(&mut text).map_err(failed)?;
    }
    if text.len() as u64 > bytes_max {
        return Err(Failure::Problem(format!("`{shown}` is larger than {bytes_max} bytes")));
    }
    Ok(text)
}

/// Rows under a head, in columns. What comes from outside is made visible.
pub(super) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let head = head.map(str::to_owned);
    let rows = rows.into_iter().map(|row| row.map(|cell| Visible(&cell).to_string()));
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A time to the second, or `never`.
pub(super) fn short_time(time: Option<&str>) -> String {
    match time.and_then(|time| time.parse::<jiff::Timestamp>().ok()) {
        Some(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        None => time.unwrap_or("never").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_server_is_refused_before_anything_is_sent() {
        for url in ["", "127.0.0.1:8080", "ftp://x", "http://user:pw@x", "http://"] {
            assert!(matches!(Client::new(url, "wk_x"), Err(Failure::Usage(_))), "{url}");
        }
        for key in ["", "two words", "line\nend", "schlüssel"] {
            assert!(matches!(Client::new(URL_DEFAULT, key), Err(Failure::Usage(_))), "{key}");
        }
        let client = Client::new("https://weir.example/base/", "wk_x").unwrap();
        assert_eq!(client.url, "https://weir.example/base");
    }

    #[test]
    fn refusals_are_read_whoever_makes_them() {
        let text = r#"{"error":{"type":"conflict","code":"name_taken","message":"taken"}}"#;
        assert_eq!(Refusal::read(409, text).message(), "taken (name_taken)");
        assert_eq!(
            Refusal::read(502, "<html>").message(),
            "the answer is HTTP 502, and not that of weir"
        );
    }

    #[test]
    fn lines_that_are_cut_off_do_not_count() {
        let mut reader: &[u8] = b"one\n\ntw";
        let mut line = Vec::new();
        assert!(next_line(&mut reader, &mut line).unwrap().is_some());
        assert_eq!(line, b"one");
        assert!(next_line(&mut reader, &mut line).unwrap().is_some());
        assert_eq!(line, b"");
        assert!(next_line(&mut reader, &mut line).unwrap().is_none());
    }

    #[test]
    fn columns_stand_below_each_other_and_show_what_is_hidden() {
        let rows = vec![["a\u{1b}[2J".to_owned(), "1".to_owned()], ["b".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "N"], rows), "NAME        N\na\\u{1b}[2J  1\nb\n");
    }
}
