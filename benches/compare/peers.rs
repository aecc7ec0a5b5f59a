//! The peers: what there is, how it is built, and how one is talked to.
//!
//! A peer is a process, started as `PEER NAME FORMAT SHAPE INPUT`. It reads a line and answers with one line of JSON:
//!
//! | line | what it does | answer |
//! |---|---|---|
//! | `load` | loads or maps the input, prepares everything | `version`; `output`: where rows go when it is timed; `held_bytes`: of the input in its memory |
//! | `write FILE` | the job, with its rows as lines in a file | `{}` |
//! | `run` | the job once | `cpu_s`, `wall_s`, and `peak_bytes` of its memory since it started |
//!
//! Instead of these, an answer may hold `cannot`: why the peer cannot do this job.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use weir_benches::data::{Format, Packing, Shape};
use weir_tests::python;

use crate::counters::{Counted, Counters};
use crate::{machine, serve};

/// Something that can do the job.
#[derive(Debug)]
pub(crate) struct Peer {
    /// As it is called on the command line.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) label: &'static str,
    /// How it is started.
    pub(crate) kind: Kind,
    /// What it reads.
    pub(crate) formats: &'static [Format],
    /// What its input is packed in.
    pub(crate) packing: Packing,
    /// Cores that it runs on.
    pub(crate) cores: usize,
    /// What is said to it besides its name.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// Whether it makes rows; if not, it is a floor.
    pub(crate) makes_rows: bool,
}

/// How a peer is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// This program.
    Weir,
    /// A package of `benches/peers`.
    Rust(&'static str),
    /// `benches/peers/python/peer.py`.
    Python,
}

const JSON: &[Format] = &[Format::Ndjson, Format::Array];
const LINES: &[Format] = &[Format::Ndjson];
const ROWS: &[Format] = &[Format::Csv];
const ALL_FORMATS: &[Format] = &Format::ALL;

const fn peer(
    name: &'static str,
    label: &'static str,
    kind: Kind,
    formats: &'static [Format],
) -> Peer {
    let (packing, cores, environment) = (Packing::None, 1, &[]);
    Peer { name, label, kind, formats, packing, cores, environment, makes_rows: true }
}

/// All peers, in the order of the tables. The first is what the others are measured by.
pub(crate) static ALL: &[Peer] = &[
    peer("weir", "weir", Kind::Weir, ALL_FORMATS),
    peer("weir-raw", "weir, raw record in raw_data", Kind::Weir, ALL_FORMATS),
    Peer {
        environment: &[("WEIR_SIMD", "avx2")],
        ..peer("weir-avx2", "weir, AVX2 only", Kind::Weir, ALL_FORMATS)
    },
    Peer {
        environment: &[("WEIR_SIMD", "portable")],
        ..peer("weir-portable", "weir, no SIMD instructions", Kind::Weir, ALL_FORMATS)
    },
    Peer { cores: 2, ..peer("weir-threads", "weir, two threads", Kind::Weir, ALL_FORMATS) },
    Peer { cores: 2, ..peer("weir-pair", "weir twice, half of it each", Kind::Weir, LINES) },
    Peer { packing: Packing::Gzip, ..peer("weir-gzip", "weir from gzip", Kind::Weir, LINES) },
    Peer {
        packing: Packing::Gzip,
        makes_rows: false,
        ..peer("gunzip", "gzip decompression alone", Kind::Weir, LINES)
    },
    Peer { packing: Packing::Zstd, ..peer("weir-zstd", "weir from zstd", Kind::Weir, LINES) },
    Peer {
        packing: Packing::Zstd,
        makes_rows: false,
        ..peer("unzstd", "zstd decompression alone", Kind::Weir, LINES)
    },
    peer("sonic-get-many", "sonic-rs, get_many", Kind::Rust("peer-json"), JSON),
    peer("sonic-typed", "sonic-rs, typed", Kind::Rust("peer-json"), JSON),
    peer("simd-json", "simd-json, tape", Kind::Rust("peer-json"), JSON),
    peer("serde-json", "serde_json, typed", Kind::Rust("peer-json"), JSON),
    peer("simd-csv", "simd-csv, zero-copy", Kind::Rust("peer-csv"), ROWS),
    peer("csv-core", "csv-core", Kind::Rust("peer-csv"), ROWS),
    peer("duckdb", "DuckDB", Kind::Python, ALL_FORMATS),
    peer("chdb", "ClickHouse (chdb)", Kind::Python, ALL_FORMATS),
    peer("polars", "Polars", Kind::Python, ALL_FORMATS),
    peer("datafusion", "DataFusion", Kind::Python, ALL_FORMATS),
    peer("vrl", "VRL (Vector)", Kind::Rust("peer-vrl"), JSON),
    peer("tenzir", "Tenzir", Kind::Python, ALL_FORMATS),
    peer("jaq", "jaq", Kind::Rust("peer-jaq"), JSON),
];

/// Whether a peer makes rows; what is not known does.
pub(crate) fn makes_rows(name: &str) -> bool {
    ALL.iter().find(|peer| peer.name == name).is_none_or(|peer| peer.makes_rows)
}

impl Peer {
    /// Whether a word on the command line means it.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        match name {
            "all" => true,
            "weirs" => self.kind == Kind::Weir,
            "rust" => matches!(self.kind, Kind::Rust(_)),
            "python" => self.kind == Kind::Python,
            _ => self.name == name,
        }
    }
}

/// The programs of the peers.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    python: PathBuf,
}

impl Programs {
    /// Builds what is needed. Takes long when it is done for the first time.
    pub(crate) fn build(peers: &[&Peer]) -> Result<Self, Box<dyn Error>> {
        let mut packages = Vec::new();
        for peer in peers {
            if let Kind::Rust(package) = peer.kind
                && !packages.contains(&package)
            {
                packages.push(package);
            }
        }
        if !packages.is_empty() {
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--release", "--quiet", "--locked"]);
            packages.iter().for_each(|package| {
                cargo.args(["--package", package]);
            });
            cargo.current_dir(machine::checkout().join("benches/peers"));
            cargo.env("CARGO_TARGET_DIR", machine::folder().join("peers"));
            if !cargo.status()?.success() {
                return Err(format!("cannot build {}", packages.join(", ")).into());
            }
        }
        let mut programs = Self::default();
        if peers.iter().any(|peer| peer.kind == Kind::Python) {
            let requirements = machine::checkout().join("benches/peers/python/requirements.txt");
            programs.python = python::venv_of(&requirements);
        }
        Ok(programs)
    }

    fn command(&self, peer: &Peer) -> Result<Command, Box<dyn Error>> {
        Ok(match peer.kind {
            Kind::Weir => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(serve::COMMAND);
                command
            }
            Kind::Rust(package) => {
                Command::new(machine::folder().join("peers/release").join(package))
            }
            Kind::Python => {
                let mut command = Command::new(&self.python);
                command.arg(machine::checkout().join("benches/peers/python/peer.py"));
                command
            }
        })
    }

    /// Starts a peer, which loads its input.
    pub(crate) fn start(
        &self,
        peer: &'static Peer,
        format: Format,
        shape: Shape,
        input: &Path,
    ) -> Result<Process, Box<dyn Error>> {
        let logs = machine::folder().join("logs");
        fs::create_dir_all(&logs)?;
        let log = logs.join(format!("{}-{}.txt", peer.name, format.name()));
        let mut command = self.command(peer)?;
        command.args([peer.name, format.name(), shape.name()]).arg(input);
        command.envs(peer.environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a child without pipes".into());
        };
        let counters = Counters::of(&child);
        let stdout = BufReader::new(stdout);
        Ok(Process { child, stdin: Some(stdin), stdout, counters, log })
    }
}

/// What a peer answers; what is meant depends on the question.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) output: String,
    pub(crate) held_bytes: u64,
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
    pub(crate) peak_bytes: u64,
    cannot: Option<String>,
}

/// A peer that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    counters: Option<Counters>,
    log: PathBuf,
}

impl Process {
    /// Asks, and waits for the answer. An error is a reason in words.
    pub(crate) fn ask(&mut self, question: &str) -> Result<Answer, String> {
        let asked = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{question}"));
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        if !matches!(asked, Some(Ok(()))) || !matches!(read, Ok(1..)) {
            return Err(self.last_words());
        }
        let answer: Answer = serde_json::from_str(&line)
            .map_err(|error| format!("an answer that is none ({error}): {}", line.trim_end()))?;
        match answer.cannot {
            Some(reason) => Err(reason),
            None => Ok(answer),
        }
    }

    /// Cycles and instructions so far.
    pub(crate) fn counted(&mut self) -> Option<Counted> {
        self.counters.as_mut()?.read()
    }

    /// What it said before it ended.
    fn last_words(&mut self) -> String {
        let ended = self.child.wait().map_or_else(|error| error.to_string(), |it| it.to_string());
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        match log.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(line) => format!("ended with {ended}: {line}"),
            None => format!("ended with {ended}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without input it ends; what does not is ended.
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
