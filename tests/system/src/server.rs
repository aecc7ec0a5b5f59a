//! A running `weir serve`, in a data folder of its own, and a client for it.
//!
//! ```no_run
//! use serde_json::json;
//! use weir_system_tests::server::Server;
//!
//! let server = Server::start();
//! let (status, made) = server.post(
//!     "/api/governance/ingestion-sources",
//!     &json!({ "name": "a", "source_type": "http_custom" }),
//! );
//! assert_eq!(status, 201, "{made}");
//! ```

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::binary::weir;

/// How long the server may take to start, to answer and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// The text of its file of settings.
    pub config: String,
    /// What starts it, with arguments: `strace -D -o FILE`. It must leave the process id to the server.
    pub wrapper: Vec<OsString>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
}

impl Launch {
    /// With these settings, as TOML.
    pub fn config(text: &str) -> Self {
        Self { config: text.to_owned(), ..Self::default() }
    }

    /// On a disk that is soon full: no file may grow beyond 3 MiB until [`Server::make_room`].
    pub fn on_small_disk(mut self) -> Self {
        // The signal that comes with the limit is ignored.
        let words = ["sh", "-c", "trap '' XFSZ; ulimit -S -f 6144; exec \"$@\"", "sh"];
        self.wrapper = words.map(Into::into).to_vec();
        self
    }
}

/// A running server; dropping it kills it.
pub struct Server {
    /// Where it listens; the same after a restart.
    pub address: SocketAddr,
    /// The administrator's API key.
    pub key: String,
    /// Requests go through it: clones of it share its connections.
    pub agent: Agent,
    launch: Launch,
    running: Option<Running>,
    folder: TempDir,
}

struct Running {
    process: Child,
    /// Kept open: a server that cannot print ends.
    _output: BufReader<ChildStdout>,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if it is empty.
    ///
    /// # Panics
    ///
    /// It is no JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client that takes every status as an answer.
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(PATIENCE));
    Agent::new_with_config(config.build())
}

impl Server {
    /// Starts one with its default settings.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Self {
        Self::launch(Launch::default())
    }

    /// Starts one.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn launch(launch: Launch) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let agent = agent();
        let mut server = Self { address, key: String::new(), agent, launch, running: None, folder };
        server.begin();
        server
    }

    /// The disk is full no longer.
    ///
    /// # Panics
    ///
    /// `prlimit` of util-linux fails, or is missing.
    pub fn make_room(&self) {
        let process = self.process_id().to_string();
        let raised =
            Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited:"]).status();
        assert!(raised.expect("`prlimit` is part of util-linux").success());
    }

    /// The folder with all that it keeps.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The file of its store.
    pub fn store(&self) -> PathBuf {
        self.data().join("weir.db")
    }

    /// A folder for other files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// `http://127.0.0.1:PORT` and a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its process.
    ///
    /// # Panics
    ///
    /// It does not run.
    pub fn process_id(&self) -> u32 {
        self.running.as_ref().expect("the server runs").process.id()
    }

    /// Starts it again, as it was ended before.
    ///
    /// # Panics
    ///
    /// If it runs, or does not start.
    pub fn begin(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let mut process = self.command().spawn().expect("the server can be started");
        let output = process.stdout.take().expect("its output is a pipe");
        // The one who reads may wait for ever, so another one looks at the clock.
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut text = String::new();
            while !text.contains("weir serves ")
                && output.read_line(&mut text).is_ok_and(|bytes| bytes > 0)
            {}
            // Nobody waits any more if that took too long.
            let _ = sender.send((text, output));
        });
        let printed = receiver.recv_timeout(PATIENCE);
        let address = printed.as_ref().ok().and_then(|(text, _)| address_in(text));
        let (Ok((text, output)), Some(address)) = (printed, address) else {
            let _ = process.kill();
            let _ = process.wait();
            panic!("the server did not start:\n{}", self.log());
        };
        self.address = address;
        if let Some(key) = text.split_whitespace().find(|word| word.starts_with("wk_")) {
            key.clone_into(&mut self.key);
        }
        self.running = Some(Running { process, _output: output });
    }

    fn command(&self) -> Command {
        let config = self.folder.path().join("weir.toml");
        fs::write(&config, &self.launch.config).expect("a temporary folder can be written");
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let mut words = self.launch.wrapper.clone();
        words.extend([weir().into_os_string(), "serve".into(), "--data".into()]);
        words.extend([self.data().into(), "--listen".into(), self.address.to_string().into()]);
        words.extend(["--config".into(), config.into()]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("NO_COLOR", "1").env_remove("WEIR_MASTER_KEY");
        command.envs(self.launch.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(log.expect("a temporary folder can be written"));
        command
    }

    /// Ends it by SIGKILL.
    ///
    /// # Panics
    ///
    /// It does not run.
    pub fn kill_hard(&mut self) {
        let mut running = self.running.take().expect("the server runs");
        running.process.kill().expect("it was not waited for yet");
        running.process.wait().expect("it was not waited for yet");
    }

    /// Ends it by SIGTERM and waits for it.
    ///
    /// # Panics
    ///
    /// It does not run, or does not end.
    pub fn end(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the server runs");
        let process_id = running.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process_id]).status();
        assert!(sent.expect("kill is there").success(), "the server has ended before");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = running.process.try_wait().expect("it can be waited for") {
                return status;
            }
            if Instant::now() > deadline {
                let _ = running.process.kill();
                let _ = running.process.wait();
                panic!("the server did not end:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as an operator does, and starts it again.
    ///
    /// # Panics
    ///
    /// It does not run, does not end in order, or does not start.
    pub fn restart(&mut self) {
        let status = self.end();
        assert!(status.success(), "the server ended with {status}:\n{}", self.log());
        self.begin();
    }

    /// Kills it, and starts it again.
    ///
    /// # Panics
    ///
    /// It does not run, or does not start.
    pub fn kill_and_begin(&mut self) {
        self.kill_hard();
        self.begin();
    }

    /// What a request with the administrator's key is answered: the status, and the body as JSON.
    ///
    /// # Panics
    ///
    /// There is no answer, or it is no JSON. So for the methods below.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, Value) {
        self.json("GET", path, &self.key, None)
    }

    /// As [`get`](Self::get), with a body.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.json("POST", path, &self.key, Some(body))
    }

    /// As [`get`](Self::get), with a body.
    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        self.json("PATCH", path, &self.key, Some(body))
    }

    /// As [`get`](Self::get).
    #[track_caller]
    pub fn delete(&self, path: &str) -> (u16, Value) {
        self.json("DELETE", path, &self.key, None)
    }

    /// The same with any method and key.
    #[track_caller]
    pub fn json(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> (u16, Value) {
        let text = body.map(Value::to_string).unwrap_or_default();
        let bearer = format!("Bearer {key}");
        let answer = self.request(method, path, &[("authorization", &bearer)], text.as_bytes());
        (answer.status, answer.json())
    }

    /// Any request.
    #[track_caller]
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        request(&self.agent, method, &self.url(path), headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.log()))
    }

    /// All rows of a list, page by page.
    ///
    /// # Panics
    ///
    /// A page is refused.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut page = path.to_owned();
            if let Some(cursor) = &cursor {
                let mark = if path.contains('?') { '&' } else { '?' };
                write!(page, "{mark}cursor={cursor}").expect("a String takes everything");
            }
            let (status, answer) = self.get(&page);
            assert_eq!(status, 200, "{page}: {answer}");
            rows.extend(answer["data"].as_array().expect("a list has data").iter().cloned());
            if answer["has_more"] != true {
                return rows;
            }
            cursor = answer["next_cursor"].as_str().map(str::to_owned);
            assert!(cursor.is_some(), "{page} has more, and no cursor");
        }
    }
}

/// Any request of any client.
///
/// # Errors
///
/// There is no answer.
pub fn request(
    agent: &Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, ureq::Error> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body.is_empty() && matches!(method, "GET" | "DELETE" | "HEAD") {
        true => agent.run(request.body(())?)?,
        false => agent.run(request.body(body)?)?,
    };
    let (parts, mut body) = answer.into_parts();
    let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

fn address_in(text: &str) -> Option<SocketAddr> {
    let (_, rest) = text.split_once("weir serves http://")?;
    rest.split_whitespace().next()?.parse().ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.process.kill();
            let _ = running.process.wait();
        }
    }
}
