//! The job that is measured: from bytes in memory to OCSF events in memory, as the pipeline of the server does it.

use std::fmt;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use crossbeam_channel::{Receiver, bounded};
use weir_dsl::hir::Program;
use weir_dsl::{Source, compile};
use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::framer::Framer;
use weir_engine::output::write_ocsf;
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;
use weir_tests::outcome::Outcome;
use weir_tests::reference;

use crate::data::{Format, Shape};

/// A source hands out chunks of this size ...
pub const CHUNK_BYTES: usize = 256 << 10;
/// ... of which the framer gets so many bytes at a time.
const PIECE_BYTES: usize = 32 << 10;
/// What a batch may keep from block to block.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The task as a program, for NDJSON.
pub const NDJSON: &str = include_str!("programs/audit.weir");
/// The same for one array.
pub const ARRAY: &str = include_str!("programs/audit_array.weir");
/// The same for rows.
pub const CSV: &str = include_str!("programs/audit_csv.weir");
/// The same for records with other names.
const OTHER: &str = include_str!("programs/audit_other.weir");

/// The program that maps data of a shape and a format.
pub fn program(shape: Shape, format: Format) -> String {
    let text = match (shape, format) {
        (Shape::Other, Format::Array) => {
            OTHER.replace("input ndjson {", "input json {\n  records $")
        }
        (Shape::Other, _) => OTHER.to_owned(),
        (_, Format::Ndjson) => NDJSON.to_owned(),
        (_, Format::Array) => ARRAY.to_owned(),
        (_, Format::Csv) => CSV.to_owned(),
    };
    if shape != Shape::Huge {
        return text;
    }
    let lines = text.lines().map(|line| match line.trim_start().starts_with("max_record") {
        true => "  max_record 16MiB",
        false => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A compiled program.
#[derive(Debug)]
pub struct Job {
    source: Source,
    program: Program,
    plan: Arc<Plan>,
    meta: ObjectMeta,
}

/// What a run made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Events.
    pub events: u64,
    /// Refused records.
    pub rejects: u64,
    /// Bytes of OCSF.
    pub bytes: u64,
}

/// Why a program is not one.
#[derive(Debug)]
pub struct Mistakes(String);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistakes {}

/// What follows a run: it takes the blocks with what was made of them, in their order.
pub trait Sink {
    /// Takes a block.
    fn take(&mut self, block: &RecordBlock, batch: &Batch);
}

impl<F: FnMut(&RecordBlock, &Batch)> Sink for F {
    fn take(&mut self, block: &RecordBlock, batch: &Batch) {
        self(block, batch);
    }
}

/// Counts what was made, and keeps nothing of it.
impl Sink for Made {
    fn take(&mut self, _: &RecordBlock, batch: &Batch) {
        self.events += batch.events.len() as u64;
        self.rejects += batch.rejects.len() as u64;
        self.bytes += batch.text.len() as u64;
    }
}

impl Job {
    /// Compiles a program.
    ///
    /// # Errors
    ///
    /// Its mistakes, in words.
    pub fn new(text: &str) -> Result<Self, Mistakes> {
        let source = Source::new("audit.weir", text);
        let compiled = compile(&source);
        let (Some(program), Some(plan)) = (compiled.program, compiled.plan) else {
            let shown = weir_dsl::diagnostic::render::render(&compiled.diagnostics, &source, false);
            return Err(Mistakes(shown));
        };
        Ok(Self { source, program, plan, meta: ObjectMeta::default() })
    }

    /// What the engine runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// About the object.
    pub fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    /// A worker by the means that `WEIR_SIMD` or the machine says.
    pub fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.plan))
    }

    /// Maps chunks on this thread.
    pub fn run(&self, chunks: impl Iterator<Item = Bytes>, sink: &mut dyn Sink) {
        let (mut worker, mut batch) = (self.worker(), Batch::default());
        self.frame(chunks, &mut |block| {
            self.map(&mut worker, &block, &mut batch);
            sink.take(&block, &batch);
        });
    }

    /// Maps chunks on so many threads, framed by this one; the sink gets the blocks in their order.
    ///
    /// # Panics
    ///
    /// If a worker does.
    pub fn run_threads(
        &self,
        threads: usize,
        chunks: impl Iterator<Item = Bytes>,
        sink: &mut (dyn Sink + Send),
    ) {
        // As many blocks as the pipeline has in flight: one in each worker, one before it, one at either end.
        let depth = threads * 2 + 2;
        let (places, waiting) = bounded::<Receiver<(RecordBlock, Batch)>>(depth);
        let (jobs, taken) = bounded::<(RecordBlock, Batch, crossbeam_channel::Sender<_>)>(depth);
        let (emptied, spare) = bounded::<Batch>(depth);
        thread::scope(|scope| {
            for _ in 0..threads {
                let taken = taken.clone();
                scope.spawn(move || {
                    let mut worker = self.worker();
                    for (block, mut batch, place) in taken {
                        self.map(&mut worker, &block, &mut batch);
                        // If the sink has gone, nobody waits.
                        let _ = place.send((block, batch));
                    }
                });
            }
            drop(taken);
            scope.spawn(move || {
                for place in waiting {
                    let (block, batch) = place.recv().expect("every block comes back");
                    sink.take(&block, &batch);
                    let _ = emptied.try_send(batch);
                }
            });
            self.frame(chunks, &mut |block| {
                let (place, mapped) = bounded(1);
                places.send(mapped).expect("the sink waits for all places");
                let batch = spare.try_recv().unwrap_or_default();
                jobs.send((block, batch, place)).expect("workers wait for all jobs");
            });
            drop((places, jobs));
        });
    }

    /// What the program means by the whole object, slowly.
    pub fn reference(&self, object: &[u8]) -> Outcome {
        reference::run(&self.program, &self.source, &self.meta, object)
    }

    fn map(&self, worker: &mut Worker, block: &RecordBlock, batch: &mut Batch) {
        batch.clear();
        batch.text.shrink_to(KEPT_BYTES_MAX);
        worker.run(block, &self.meta, batch);
    }

    /// Cuts chunks into blocks of records.
    pub fn frame(&self, chunks: impl Iterator<Item = Bytes>, put: &mut dyn FnMut(RecordBlock)) {
        let mut framer = Framer::new(&self.plan.input);
        for mut chunk in chunks {
            while !chunk.is_empty() {
                framer.push(chunk.split_to(chunk.len().min(PIECE_BYTES)));
                while let Some(block) = framer.next_block() {
                    put(block);
                }
            }
        }
        framer.finish();
        while let Some(block) = framer.next_block() {
            put(block);
        }
    }
}

/// Bytes in memory, in the chunks of a source.
pub fn chunks(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    let starts = (0..bytes.len()).step_by(CHUNK_BYTES);
    starts.map(|start| bytes.slice(start..(start + CHUNK_BYTES).min(bytes.len())))
}

/// Writes the OCSF objects of a batch, one a line.
pub fn write_rows(batch: &Batch, out: &mut Vec<u8>) {
    for event in &batch.events {
        out.extend_from_slice(batch.bytes(event.ocsf));
        out.push(b'\n');
    }
}

/// Writes the OCSF objects with their raw records in them, one a line.
pub fn write_raw_rows(block: &RecordBlock, batch: &Batch, out: &mut Vec<u8>) {
    for event in &batch.events {
        write_ocsf(block, batch, event, out);
        out.push(b'\n');
    }
}
