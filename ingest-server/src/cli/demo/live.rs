//! The demo that goes on: a server that polls a bucket in which new objects appear.
//!
//! Everything is done as a user would do it, by the REST API. Only the bucket is a stand-in, on this machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use weir_dsl::compile;
use weir_dsl::source::Source;

use crate::cli::client::{Client, Problem, read, read_rows};
use crate::cli::serve::ended;
use crate::cli::source::SOURCES;
use crate::cli::summary::grouped;
use crate::cli::{Verdict, tail};
use crate::console::{Console, Failure};
use crate::demo::{BUCKET, Bucket, SAMPLES, Sample, Writer};
use crate::server::{ServeError, Server, Settings, start_log};

const PARSERS: &str = "/api/governance/parsers";
/// A new object comes this often, and a source is polled this often.
const NEW_EVERY: Duration = Duration::from_secs(2);
/// As much of a log is in it.
const NEW_BYTES: u64 = 6_000;
const KEY_FILE: &str = "api.key";
/// Events that are shown of each source.
const SHOWN: usize = 2;
/// How often is asked whether the first objects are read.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Writes logs, serves them and what is made of them, until somebody ends it.
pub(super) fn live(
    console: Console,
    folder: PathBuf,
    listen: Option<SocketAddr>,
    megabytes: u32,
) -> Result<Verdict, Failure> {
    let mut settings = Settings::new(folder.join("data"));
    settings.log_level = "warn".to_owned();
    settings.listen = listen.unwrap_or(settings.listen);
    start_log(&settings, console.color()).map_err(Failure::Problem)?;
    let bytes = u64::from(megabytes) * 1_000_000 / SAMPLES.len() as u64;
    let logs = Logs::begin(console, &folder, bytes)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Problem(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let ended = ended().map_err(Failure::problem)?;
        let bucket_url = logs.bucket.serve().await.map_err(Failure::problem)?;
        let server = bind(settings, listen.is_none()).await.map_err(Failure::problem)?;
        let key = keep_key(&folder.join(KEY_FILE), server.first_key.as_deref())?;
        let url = format!("http://{}", server.address);
        let guide =
            Guide { console, client: Client::new(&url, &key)?, url, key, bucket_url, folder };
        // Dropped when the server has ended, which ends the guide.
        let (server_lives, server_ended) = channel::<()>();
        let mut guide = tokio::task::spawn_blocking(move || guide.run(logs, &server_ended));
        let mut gone_wrong = None;
        let end = async {
            tokio::select! {
                () = ended => {}
                done = &mut guide => gone_wrong = done.ok().and_then(Result::err),
            }
        };
        server.run(end).await.map_err(Failure::problem)?;
        drop(server_lives);
        gone_wrong.map_or(Ok(Verdict::Good), Err)
    })
}

/// At the usual address, or at a free one if another program has that.
async fn bind(mut settings: Settings, may_move: bool) -> Result<Server, ServeError> {
    match Server::bind(settings.clone()).await {
        Err(ServeError::Listen { .. }) if may_move => {
            settings.listen.set_port(0);
            Server::bind(settings).await
        }
        bound => bound,
    }
}

/// Keeps the key of a first start beside the data, for the starts after it.
fn keep_key(path: &Path, first: Option<&str>) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::Problem(format!("`{}`: {error}", path.display()));
    match first {
        Some(key) => {
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)
                .map_err(failed)?;
            writeln!(file, "{key}").map_err(failed)?;
            Ok(key.to_owned())
        }
        None => fs::read_to_string(path).map(|key| key.trim().to_owned()).map_err(failed),
    }
}

/// Logs in the making, as objects of a bucket.
struct Logs {
    bucket: Bucket,
    folder: PathBuf,
    writers: Vec<(Sample, Writer)>,
    /// Objects that each of them has written.
    written: u64,
}

impl Logs {
    /// Writes the first objects. Those that a former demo has written into the folder are taken over: the logs are the
    /// same every time.
    fn begin(console: Console, folder: &Path, bytes: u64) -> Result<Self, Failure> {
        let folder = folder.join("bucket");
        console.result(format!("Writing sample logs to {}:\n", folder.display()))?;
        let writers = SAMPLES.iter().map(|sample| (*sample, sample.writer())).collect();
        let mut logs = Self { bucket: Bucket::default(), folder, writers, written: 0 };
        let failed = |error| Failure::Problem(format!("cannot write the logs: {error}"));
        for at in 0..SAMPLES.len() {
            let (key, size) = logs.write(at, bytes).map_err(failed)?;
            console.result(format!("  {key:<32}{:>8.1} MB\n", size as f64 / 1e6))?;
        }
        logs.written = 1;
        while logs.file(SAMPLES.len() - 1).exists() {
            logs.write_all().map_err(failed)?;
        }
        Ok(logs)
    }

    fn key(&self, at: usize) -> String {
        let (Sample { prefix, ending, .. }, _) = &self.writers[at];
        format!("{prefix}{:06}.{ending}", self.written)
    }

    fn file(&self, at: usize) -> PathBuf {
        self.folder.join(self.key(at))
    }

    /// Writes the next object of every log.
    fn write_all(&mut self) -> io::Result<()> {
        for at in 0..self.writers.len() {
            self.write(at, NEW_BYTES)?;
        }
        self.written += 1;
        Ok(())
    }

    /// Writes an object of a log; gives its key and size.
    fn write(&mut self, at: usize, bytes: u64) -> io::Result<(String, u64)> {
        let (key, path) = (self.key(at), self.file(at));
        let writer = &mut self.writers[at].1;
        if path.exists() {
            // Only to get to where that one ended.
            writer(&mut io::sink(), bytes)?;
        } else {
            fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
            let unfinished = self.folder.join("unfinished");
            let mut out = BufWriter::new(File::create(&unfinished)?);
            writer(&mut out, bytes)?;
            out.flush()?;
            fs::rename(&unfinished, &path)?;
        }
        self.bucket.put(&key, &path)?;
        Ok((key, path.metadata()?.len()))
    }
}

/// Sets the server up and says what there is to see.
struct Guide {
    console: Console,
    client: Client,
    url: String,
    key: String,
    bucket_url: String,
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
    #[serde(default)]
    archived_at: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    status: String,
    records_read: u64,
    events_written: u64,
    error_count: u64,
    error_message: Option<String>,
}

impl Guide {
    fn run(self, mut logs: Logs, server_ended: &Receiver<()>) -> Result<(), Failure> {
        let sources = self.set_up().map_err(|problem| problem.end(self.console))?;
        self.first_runs(&sources, server_ended).map_err(|problem| problem.end(self.console))?;
        self.say_what_next()?;
        while server_ended.recv_timeout(NEW_EVERY) == Err(RecvTimeoutError::Timeout) {
            logs.write_all()
                .map_err(|error| Failure::Problem(format!("cannot write the logs: {error}")))?;
        }
        Ok(())
    }

    /// Makes the parsers and sources, or finds those of the last time.
    fn set_up(&self) -> Result<Vec<Named>, Problem> {
        let parsers: Vec<Named> = read_rows(&self.client.list(PARSERS, usize::MAX)?)?;
        let sources: Vec<Named> = read_rows(&self.client.list(SOURCES, usize::MAX)?)?;
        for sample in &SAMPLES {
            let program = self.folder.join(sample.program);
            let written = fs::write(&program, sample.program_text);
            written
                .map_err(|error| Failure::Problem(format!("`{}`: {error}", program.display())))?;
            let parser = parser_name(sample)?;
            let parser = match parsers.iter().find(|known| known.name == parser) {
                Some(known) => known.id.clone(),
                None => {
                    let body = json!({ "definition": sample.program_text });
                    let made: Value = read(&self.client.post(PARSERS, &body)?)?;
                    made["parser"]["id"].as_str().unwrap_or_default().to_owned()
                }
            };
            let config = json!({
                "adapter": "s3_polling", "bucket": BUCKET, "prefix": sample.prefix,
                "region": "us-east-1", "endpoint": self.bucket_url, "path_style": true,
            });
            let name = sample.prefix.trim_end_matches('/');
            let known =
                sources.iter().find(|known| known.name == name && known.archived_at.is_none());
            match known {
                Some(Named { id, .. }) => {
                    // The bucket is at another port every time.
                    self.client
                        .patch(&format!("{SOURCES}/{id}"), &json!({ "pull_config": config }))?;
                }
                None => {
                    let body = json!({
                        "name": name, "source_type": "s3_custom", "parser_id": parser,
                        "pull_config": config, "poll_every_sec": NEW_EVERY.as_secs(),
                        "credentials": { "access_key_id": "demo", "secret_access_key": "demo" },
                    });
                    self.client.post(SOURCES, &body)?;
                }
            }
        }
        let names = SAMPLES.map(|sample| sample.prefix.trim_end_matches('/'));
        let mut sources: Vec<Named> = read_rows(&self.client.list(SOURCES, usize::MAX)?)?;
        sources.retain(|source| names.contains(&source.name.as_str()));
        Ok(sources)
    }

    /// Waits until each source was polled once, and shows what came of it.
    fn first_runs(&self, sources: &[Named], server_ended: &Receiver<()>) -> Result<(), Problem> {
        self.console.result(format!(
            "\nThe server polls them, as it would poll a bucket of yours (here: {}/{BUCKET}):\n",
            self.bucket_url
        ))?;
        for source in sources {
            let path = format!("{SOURCES}/{}", source.id);
            match self.client.post(&format!("{path}/pull"), &json!({})) {
                // It was faster.
                Err(problem) if problem.status() == Some(409) => {}
                begun => drop(begun?),
            }
            let run = loop {
                let runs: Vec<Run> =
                    read_rows(&self.client.list(&format!("{path}/pull-runs"), 1)?)?;
                match runs.into_iter().next() {
                    Some(run) if run.status != "running" => break run,
                    _ => {}
                }
                if server_ended.recv_timeout(ASKED_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return Ok(());
                }
            };
            self.console.result(format!(
                "  {:<14}{:>9} records {:>9} events {:>6} dead letters\n",
                source.name,
                grouped(run.records_read),
                grouped(run.events_written),
                grouped(run.error_count),
            ))?;
            if let Some(message) = &run.error_message {
                self.console.warning(message);
            }
        }
        self.console.result("\nTheir newest events:\n")?;
        for source in sources {
            for line in tail::newest_lines(&self.client, &source.id, SHOWN)? {
                self.console.result(format!("  {line}\n"))?;
            }
        }
        Ok(())
    }

    fn say_what_next(&self) -> Result<(), Failure> {
        let Self { console, url, key, folder, .. } = self;
        let folder = folder.display();
        console.result(format!(
            "
The page:       {url}/
Your API key:   {key}    (it is in {folder}/{KEY_FILE}, too)

In another terminal:
  export WEIR_URL={url} WEIR_API_KEY=$(cat {folder}/{KEY_FILE})
  weir ingest list
  weir ingest tail agent-runs --follow
  weir ingest health openai
  weir quarantine list openai
  weir parser show acme-agent-runs --program

New objects come every {} seconds. Ctrl-C ends the demo; `weir demo --dir {folder}` goes on with it.
The folder is yours to delete: {folder}
",
            NEW_EVERY.as_secs()
        ))
    }
}

/// The name that a sample's program gives itself.
fn parser_name(sample: &Sample) -> Result<String, Failure> {
    let compiled = compile(&Source::new(sample.program, sample.program_text));
    match compiled.plan {
        Some(plan) => Ok(plan.parser.clone()),
        None => Err(Failure::Problem(format!("{} does not compile", sample.program))),
    }
}
