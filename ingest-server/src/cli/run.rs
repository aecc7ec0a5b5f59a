//! `weir run`

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use clap::{Args, ValueEnum};
use tokio::runtime::Runtime;
use weir_engine::input::Compression as Declared;
use weir_engine::plan::Plan;

use super::progress::Progress;
use super::secrets::SecretFile;
use super::summary::{Cost, stats, summary};
use super::{Verdict, program};
use crate::console::{Console, Failure};
use crate::pipeline::{
    CommitLimits, Options, Output, Pipeline, PipelineError, Sink, StoreSettings,
};
use crate::source::{Compression, Input, S3Options, SourceOptions, Sources};
use crate::store::Store;

pub(super) const EXAMPLES: &str = "\
Examples:
  weir run parser.weir logs.ndjson.gz                     OCSF events, one a line
  weir run parser.weir logs/ --output none                only count, and say how fast
  cat logs.csv | weir run parser.weir - --rejects bad.ndjson > events.ndjson
  weir run parser.weir s3://bucket/logs/ --store events.db
  weir run parser.weir s3://bucket/key --endpoint-url http://127.0.0.1:8333

Inputs: a file, a directory (its files by name), `-` for standard input, `s3://BUCKET/KEY`, or
`s3://BUCKET/PREFIX/`. gzip and zstd are recognised by their first bytes.

With --store, events and rejects are kept in the store, each event once: an object that was read
before is skipped, one that was interrupted goes on where it was, and one that has changed, or is
read by a changed program, is read again from its beginning, where events that are stored already
are recognised by their ids. What --output and --rejects write is not remembered: after an
interruption they may repeat lines.

An object that cannot be read to its end is reported with the offset; what stood before it is
written, and the next object is read.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The program that maps records to events
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// Files, directories, `-`, or s3:// URLs
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,
    /// What is written to standard output, as NDJSON [default: ocsf; with --store: none]
    #[arg(long, value_name = "WHAT")]
    output: Option<OutputArgument>,
    /// Write refused records to this file, as NDJSON; `-` is standard error
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Keep events and rejects in this store, made if there is none
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Whose events these are [default: the parser's name]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    source: Option<String>,
    /// The key of a secret that the program names; else it is in the environment, as WEIR_SECRET_NAME
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = SecretFile::parse)]
    secrets: Vec<SecretFile>,
    /// Exit with 1 if a record was refused
    #[arg(long)]
    strict: bool,
    /// Write statistics to standard error, as one line of JSON
    #[arg(long)]
    stats: bool,
    /// Threads that map [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Store after at least so many events: fewer are visible sooner, more are faster
    #[arg(long, value_name = "N", default_value_t = NonZero::new(10_000).expect("not 0"), requires = "store")]
    commit_events: NonZero<u32>,
    /// Another S3 than that of AWS: http://127.0.0.1:8333
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The region of S3
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OutputArgument {
    /// OCSF events
    Ocsf,
    /// Normalized events, with the OCSF event inside
    Event,
    /// Nothing: count only
    None,
}

impl From<OutputArgument> for Output {
    fn from(argument: OutputArgument) -> Self {
        match argument {
            OutputArgument::Ocsf => Self::Ocsf,
            OutputArgument::Event => Self::Event,
            OutputArgument::None => Self::None,
        }
    }
}

pub(super) fn run(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let source = program::read(&arguments.program)?;
    let plan = program::plan_with(console, &source, &arguments.secrets)?;
    let parse = |argument: &String| Input::parse(argument);
    let inputs: Result<Vec<_>, _> = arguments.inputs.iter().map(parse).collect();
    let inputs = inputs.map_err(Failure::problem)?;
    let options = options(&plan, arguments);
    let sink = sink(&plan, &options, arguments)?;
    let s3 = S3Options {
        endpoint_url: arguments.endpoint_url.clone(),
        region: arguments.region.clone(),
        ..S3Options::default()
    };
    // Bar and results would write over each other.
    let results = options.output != Output::None && console.shows_results();
    let work = Work { console, plan, options, s3, bar: !results };
    let done = work.run(&inputs, sink)?;
    console.report(&summary(&done.sink, &done.cost, arguments.rejects.is_some()));
    if arguments.stats {
        console.note(&stats(&done.sink, &done.cost).to_string());
    }
    let totals = done.sink.totals();
    if !totals.add_up() {
        return Err(Failure::Problem(format!("a record is lost or counted twice: {totals:?}")));
    }
    let refused = totals.rejects() + totals.appended.conflicts;
    let ended = done.ended.is_ok() && totals.objects_failed == 0;
    done.ended?;
    Ok(Verdict::of(ended && (refused == 0 || !arguments.strict)))
}

fn options(plan: &Plan, arguments: &Arguments) -> Options {
    let usual = if arguments.store.is_some() { OutputArgument::None } else { OutputArgument::Ocsf };
    Options {
        source: arguments.source.clone().unwrap_or_else(|| plan.parser.clone()),
        threads: arguments.threads.map_or_else(threads, usize::from),
        output: arguments.output.unwrap_or(usual).into(),
        stop: None,
    }
}

/// One thread for each core.
pub(super) fn threads() -> usize {
    available_parallelism().map_or(1, NonZero::get).min(256)
}

fn sink(plan: &Arc<Plan>, options: &Options, arguments: &Arguments) -> Result<Sink, Failure> {
    let mut sink = Sink::default();
    if options.output != Output::None {
        sink = sink.events_to("standard output", Box::new(io::stdout()));
    }
    if let Some(path) = &arguments.rejects {
        sink = rejects_to(sink, path)?;
    }
    if let Some(path) = &arguments.store {
        let store = Store::open(path).map_err(Failure::problem)?;
        let events = usize::try_from(arguments.commit_events.get()).unwrap_or(usize::MAX);
        sink = sink.store_to(StoreSettings {
            store,
            plan: Arc::clone(plan),
            source: options.source.clone(),
            source_type: None,
            run_id: None,
            vault: None,
            keeps_done: false,
            stops_at_rejects: false,
            limits: CommitLimits { events, ..CommitLimits::default() },
        });
    }
    Ok(sink)
}

fn rejects_to(sink: Sink, path: &Path) -> Result<Sink, Failure> {
    if path.as_os_str() == "-" {
        return Ok(sink.rejects_to("standard error", Box::new(io::stderr())));
    }
    let name = format!("`{}`", path.display());
    let file = File::create(path)
        .map_err(|error| Failure::Problem(format!("cannot write to {name}: {error}")))?;
    Ok(sink.rejects_to(name, Box::new(file)))
}

/// A run of the pipeline with everything around it.
pub(super) struct Work {
    pub(super) console: Console,
    pub(super) plan: Arc<Plan>,
    pub(super) options: Options,
    pub(super) s3: S3Options,
    /// Whether a progress bar may be shown.
    pub(super) bar: bool,
}

/// What a run came to.
pub(super) struct Done {
    pub(super) sink: Sink,
    pub(super) cost: Cost,
    pub(super) ended: Result<(), Failure>,
}

impl Work {
    /// Maps the inputs into the sink.
    ///
    /// # Errors
    ///
    /// The run cannot begin, or nobody reads the output any more. What ends it later is in
    /// [`Done::ended`], since there is something to sum up.
    pub(super) fn run(self, inputs: &[Input], mut sink: Sink) -> Result<Done, Failure> {
        let runtime = runtime()?;
        let sources = Sources::new(SourceOptions {
            compression: compression(self.plan.input.compression),
            decoders: self.options.threads,
            s3: self.s3,
            ..SourceOptions::default()
        });
        let progress = Progress::new(self.console, self.bar);
        let begin = Instant::now();
        let pipeline = Pipeline::new(self.plan, self.options, &sources, runtime.handle().clone());
        let ended = pipeline.run(inputs, &mut sink, &progress);
        let cost = Cost::since(begin);
        progress.end();
        match ended {
            Err(error) if error.is_closed_output() => Err(Failure::Quiet),
            ended => Ok(Done { sink, cost, ended: ended.map_err(|error| problem(&error)) }),
        }
    }
}

/// One thread reads ahead and decompresses, and there is one for what it starts.
fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Problem(format!("cannot start threads: {error}")))
}

fn problem(error: &PipelineError) -> Failure {
    Failure::Problem(error.to_string())
}

fn compression(declared: Declared) -> Compression {
    match declared {
        Declared::Auto => Compression::Auto,
        Declared::None => Compression::None,
        Declared::Gzip => Compression::Gzip,
        Declared::Zstd => Compression::Zstd,
    }
}
