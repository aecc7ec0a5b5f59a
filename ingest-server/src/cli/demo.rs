//! `weir demo`

mod live;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use weir_dsl::source::Source;
use weir_engine::plan::Plan;

use super::run::{Done, Work, threads};
use super::summary::grouped;
use super::{Verdict, program};
use crate::console::{Console, Failure};
use crate::demo::{SAMPLES, Sample};
use crate::pipeline::{CommitLimits, Options, Output, Sink, StoreSettings};
use crate::source::{Input, S3Options};
use crate::store::Store;

pub(super) const EXAMPLES: &str = "\
Examples:
  weir demo                         a server that polls a bucket of sample logs, with a page to look at
  weir demo --dir demo              keep logs, programs and data in ./demo; the next time it goes on there
  weir demo --once                  no server: make logs, map them into a store, show it, end

The logs are the same every time. The bucket is a stand-in that listens on 127.0.0.1. What was written stays in the
folder when the demo is over.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Start no server: end after the logs were ingested once
    #[arg(long, conflicts_with = "listen")]
    once: bool,
    /// Where logs, programs and data go [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the server listens [default: 127.0.0.1:8080, or a free port if that is taken]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// How much to generate, in megabytes before compression
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    megabytes: u32,
}

const EVENTS_SHOWN: usize = 10;

pub(super) fn demo(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let folder = folder(arguments.dir.as_deref())
        .map_err(|error| Failure::Problem(format!("cannot make a folder for the demo: {error}")))?;
    if !arguments.once {
        return live::live(console, folder, arguments.listen, arguments.megabytes);
    }
    let demo = Demo { console, store_path: folder.join("events.db"), folder };
    demo.write_logs(arguments.megabytes)?;
    let store = Store::open(&demo.store_path).map_err(Failure::problem)?;
    demo.say("\nReading them with the example programs:\n")?;
    let mut good = true;
    for sample in &SAMPLES {
        good &= demo.ingest(sample, &store)?;
    }
    demo.show(&store)?;
    demo.say_what_next()?;
    Ok(Verdict::of(good))
}

fn folder(named: Option<&Path>) -> io::Result<PathBuf> {
    match named {
        Some(folder) => {
            fs::create_dir_all(folder)?;
            std::path::absolute(folder)
        }
        None => {
            let name = format!("weir-demo-{}-{:08x}", std::process::id(), fastrand::u32(..));
            let folder = std::env::temp_dir().join(name);
            fs::create_dir(&folder)?;
            Ok(folder)
        }
    }
}

struct Demo {
    console: Console,
    folder: PathBuf,
    store_path: PathBuf,
}

impl Demo {
    fn say(&self, text: &str) -> Result<(), Failure> {
        self.console.result(text)
    }

    fn write_logs(&self, megabytes: u32) -> Result<(), Failure> {
        let folder = self.folder.display();
        self.say(&format!("Writing about {megabytes} MB of sample logs to {folder}:\n"))?;
        let bytes = u64::from(megabytes) * 1_000_000 / SAMPLES.len() as u64;
        for sample in &SAMPLES {
            let size = sample
                .write(&self.folder, bytes)
                .and_then(|()| fs::metadata(self.folder.join(sample.log)))
                .map_err(|error| Failure::Problem(format!("cannot write the logs: {error}")))?
                .len();
            self.say(&format!("  {:<24}{:>8.1} MB\n", sample.log, size as f64 / 1e6))?;
        }
        Ok(())
    }

    /// Ingests a log; false if it could not be read.
    fn ingest(&self, sample: &Sample, store: &Store) -> Result<bool, Failure> {
        let log = sample.log;
        let plan = self.plan(sample)?;
        let input = self.folder.join(log).display().to_string();
        let inputs = [Input::parse(&input).map_err(Failure::problem)?];
        let source = plan.parser.clone();
        let sink = Sink::default().store_to(StoreSettings {
            store: store.clone(),
            plan: Arc::clone(&plan),
            source: source.clone(),
            source_type: None,
            run_id: None,
            vault: None,
            keeps_done: false,
            stops_at_rejects: false,
            limits: CommitLimits::default(),
        });
        let options = Options { source, threads: threads(), output: Output::None, stop: None };
        let s3 = S3Options::default();
        let work = Work { console: self.console, plan, options, s3, bar: true };
        let Done { sink, cost, ended } = work.run(&inputs, sink)?;
        ended?;
        let totals = sink.totals();
        if totals.objects_skipped == 0 {
            self.say(&format!(
                "  {log:<24}{:>9} records {:>9} events {:>9} stored {:>6} rejected  {:>4.0} MB/s, {} events/s\n",
                grouped(totals.records),
                grouped(totals.events),
                grouped(totals.appended.stored),
                grouped(totals.rejects()),
                cost.mb_per_second(totals.bytes),
                grouped(cost.per_second(totals.events)),
            ))?;
        }
        Ok(totals.objects_failed == 0)
    }

    fn plan(&self, sample: &Sample) -> Result<Arc<Plan>, Failure> {
        let path = self.folder.join(sample.program).display().to_string();
        program::plan(self.console, &Source::new(path, sample.program_text))
    }

    /// What the store holds, and its newest events.
    fn show(&self, store: &Store) -> Result<(), Failure> {
        self.say("\nThe store:\n")?;
        for source in store.sources().map_err(Failure::problem)? {
            let counts = source.counts;
            self.say(&format!(
                "  {:<24}{:>9} events {:>9} duplicates {:>6} dead letters\n",
                source.name,
                grouped(counts.events),
                grouped(counts.duplicates),
                grouped(counts.conflicts + counts.rejects)
            ))?;
        }
        self.say("\nIts newest events:\n")?;
        for event in store.tail(None, EVENTS_SHOWN).map_err(Failure::problem)? {
            self.say(&format!("  {}\n", event.line()))?;
        }
        Ok(())
    }

    fn say_what_next(&self) -> Result<(), Failure> {
        let (folder, store) = (self.folder.display(), self.store_path.display());
        self.say(&format!(
            "\nTry next:
  weir ingest tail --store {store} --limit 3 --json
  weir test {folder}/*.weir
  weir run {folder}/2_openai.weir {folder}/openai.json --output event | head -1
Then change a program, and run it again. The folder is yours to delete: {folder}\n"
        ))
    }
}
