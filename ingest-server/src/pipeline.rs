//! From inputs to events: source, framer, workers, sink.
//!
//! ```text
//!  Reader ─chunks─▶ Framer ─blocks─▶ Worker ┐
//!                      │   └─blocks─▶ Worker ┤─▶ Sink (NDJSON, store), in the order of the blocks
//!                      └── bytes in flight ◀─┘      (exchange.rs)
//! ```
//!
//! One object is read at a time. Reading and framing are sequential and happen on the calling
//! thread; mapping is parallel; the sink sees the blocks in their order, so what comes out does not
//! depend on the number of threads. What is in flight is bounded in blocks and in bytes.
//!
//! An object that breaks off ends there: what stood before is mapped, written and stored, then the
//! error is reported, and the next object is read. Only what concerns all objects (the store, the
//! output, the way to S3) ends the run.

mod commit;
mod error;
mod exchange;
pub(crate) mod gather;
mod lanes;
mod mapping;
mod progress;
mod sink;
mod totals;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memchr::memrchr;
use tokio::runtime::Handle;
use weir_engine::framer::{Framer, Position};
use weir_engine::plan::{ObjectMeta, Plan};

use self::lanes::{Lane, Stopped};
use self::mapping::Mapper;
use crate::source::{Input, Object, Reader, Resume, Sources};

pub use self::commit::{CommitLimits, StoreSettings};
pub use self::error::PipelineError;
pub use self::mapping::Output;
pub use self::sink::Sink;
pub use self::totals::Totals;

/// Blocks are at most about this large, unless a single record is larger. What they are mapped to
/// takes ten times as much if the records are short; larger blocks are no faster.
const BLOCK_BYTES_MAX: usize = 128 << 10;
/// ... but not smaller, however many threads there are.
const BLOCK_BYTES_MIN: usize = 16 << 10;
/// An object of a known size up to this is mapped where it is read: threads would cost more than
/// they bring.
const SMALL_OBJECT_BYTES_MAX: u64 = 512 << 10;
/// A source that is silent for so long gives the sink time to write what it holds back.
const SILENCE: Duration = Duration::from_millis(500);

/// How records are mapped.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the source: `meta.source`, and who the events belong to.
    pub source: String,
    /// Threads that map. With one, everything happens on the calling thread.
    pub threads: usize,
    /// What is written of an event.
    pub output: Output,
    /// Turns true when reading is to end: behind the block that is being read.
    pub stop: Option<Arc<AtomicBool>>,
}

/// Follows a run: a progress bar, messages.
pub trait Watch {
    /// An object is being read, perhaps from some (decompressed) offset on.
    fn begins(&self, _object: &Object, _offset: u64) {}
    /// So many stored bytes of it have been read.
    fn advances(&self, _stored_bytes: u64) {}
    /// An object was ingested to its end by an earlier run.
    fn skips(&self, _object: &Object) {}
    /// An object was not read to its end; the run goes on.
    fn fails(&self, _error: &PipelineError) {}
    /// Something that the user should know.
    fn warns(&self, _text: &str) {}
}

/// Watches nothing.
impl Watch for () {}

/// Maps the records of inputs.
pub struct Pipeline<'a> {
    plan: Arc<Plan>,
    options: Options,
    sources: &'a Sources,
    runtime: Handle,
}

impl<'a> Pipeline<'a> {
    /// A pipeline for a plan. The runtime must be multi-threaded: sources read ahead on it. Call the pipeline from
    /// a thread that is not one of the runtime's own.
    pub fn new(plan: Arc<Plan>, options: Options, sources: &'a Sources, runtime: Handle) -> Self {
        Self { plan, options, sources, runtime }
    }

    /// Maps all objects of the inputs, one by one, into the sink, which counts.
    ///
    /// # Errors
    ///
    /// The sink or the source cannot go on at all. An object that cannot be read is told to `watch`
    /// and counted in [`Totals::objects_failed`].
    pub fn run(
        &self,
        inputs: &[Input],
        sink: &mut Sink,
        watch: &dyn Watch,
    ) -> Result<(), PipelineError> {
        for input in inputs {
            let mut objects = self.sources.objects(input);
            loop {
                let ended = match self.runtime.block_on(objects.next()) {
                    Ok(None) => break,
                    Ok(Some(object)) => self.run_object(&object, sink, watch),
                    Err(error) => Err(error.into()),
                };
                match ended {
                    Ok(()) => {}
                    Err(error) if error.is_about_one_object() => {
                        sink.totals.objects_failed += 1;
                        watch.fails(&error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Maps one object into the sink.
    ///
    /// # Errors
    ///
    /// It cannot be read, mapped or stored to its end. What stood before is stored.
    pub fn run_object(
        &self,
        object: &Object,
        sink: &mut Sink,
        watch: &dyn Watch,
    ) -> Result<(), PipelineError> {
        let meta = Arc::new(self.meta(object));
        let Some(start) = sink.begin(object, &meta)? else {
            watch.skips(object);
            return Ok(());
        };
        let offset = start.position.offset;
        watch.begins(object, offset);
        let resume = Resume { offset, member: start.member };
        let stop = self.options.stop.as_deref();
        let opening = self.sources.open(object, Some(resume));
        let reader = self.runtime.block_on(unless_stopped(stop, opening));
        let reader = reader.ok_or(PipelineError::Stopped)??;
        let stored_start = reader.bytes_read();
        let framer = Framer::resume(&self.plan.input, start.position);
        let mut feed = Feed { reader, framer, block_bytes: self.block_bytes(), watch, stop };
        let fed = self.feed(&mut feed, object, &meta, sink);
        let Feed { reader, framer, .. } = feed;
        sink.totals.bytes += reader.offset() - offset;
        sink.totals.bytes_stored += reader.bytes_read().saturating_sub(stored_start);
        if let Some(at) = reader.garbage_offset() {
            let key = &object.key;
            watch.warns(&format!("`{key}`: bytes after the last gzip member, at {at}, ignored"));
        }
        // What stood before an error is kept, and the object goes on there another time.
        let stored = match fed {
            Err(Stopped::Sink(_)) => Ok(()),
            Ok(()) => {
                // Behind the last record, a document may go on.
                let end = Position { offset: reader.offset(), ..framer.position().clone() };
                sink.end(&end, true)
            }
            Err(_) => sink.end(framer.position(), false),
        };
        fed.map_err(PipelineError::from).and(stored)
    }

    /// Maps what a reader gives, on as many threads as it is worth.
    fn feed(
        &self,
        feed: &mut Feed<'_>,
        object: &Object,
        meta: &Arc<ObjectMeta>,
        sink: &mut Sink,
    ) -> Result<(), Stopped> {
        let needs = sink.needs(self.options.output);
        let mapper = || Mapper::new(Arc::clone(&self.plan), Arc::clone(meta), needs);
        let is_small = object.size.is_some_and(|size| size <= SMALL_OBJECT_BYTES_MAX);
        if self.options.threads <= 1 || is_small {
            lanes::inline(mapper(), sink, |lane| self.runtime.block_on(feed.run(lane)))
        } else {
            let threads = self.options.threads;
            lanes::parallel(threads, mapper, sink, |lane| self.runtime.block_on(feed.run(lane)))
        }
    }

    /// Smaller blocks for many threads, so that there is one for each within the budget.
    fn block_bytes(&self) -> usize {
        let blocks = lanes::depth(self.options.threads);
        (lanes::BYTES_IN_FLIGHT_MAX / blocks).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX)
    }

    fn meta(&self, object: &Object) -> ObjectMeta {
        let (bucket, key) = match object.key.strip_prefix("s3://").and_then(|k| k.split_once('/')) {
            Some((bucket, key)) => (bucket, key),
            None => ("", object.key.as_str()),
        };
        ObjectMeta {
            key: key.to_owned(),
            bucket: bucket.to_owned(),
            source: self.options.source.clone(),
            received_at_ns: object.last_modified.unwrap_or_else(now_ns),
        }
    }
}

/// What is fed to the workers.
struct Feed<'a> {
    reader: Reader,
    framer: Framer,
    block_bytes: usize,
    watch: &'a dyn Watch,
    stop: Option<&'a AtomicBool>,
}

impl Feed<'_> {
    /// Reads to the end, and puts every block into the lane.
    async fn run(&mut self, lane: &mut dyn Lane) -> Result<(), Stopped> {
        loop {
            if is_stopped(self.stop) {
                return Err(Stopped::Asked);
            }
            let chunk = match tokio::time::timeout(SILENCE, self.reader.next()).await {
                Err(_silence) => {
                    lane.tick()?;
                    continue;
                }
                Ok(chunk) => chunk.map_err(|error| Stopped::Source(Box::new(error)))?,
            };
            let Some(mut chunk) = chunk else {
                self.framer.finish();
                return self.put_blocks(lane);
            };
            self.watch.advances(self.reader.bytes_read());
            while !chunk.is_empty() {
                let cut = cut(&chunk, self.block_bytes);
                self.framer.push(chunk.split_to(cut));
                self.put_blocks(lane)?;
            }
        }
    }

    fn put_blocks(&mut self, lane: &mut dyn Lane) -> Result<(), Stopped> {
        while let Some(block) = self.framer.next_block() {
            let member = self.reader.boundary(block.end.offset);
            lane.put(block, member)?;
        }
        Ok(())
    }
}

fn is_stopped(stop: Option<&AtomicBool>) -> bool {
    stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
}

/// Waits for something; `None` if reading is to end before.
async fn unless_stopped<T>(stop: Option<&AtomicBool>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    while !is_stopped(stop) {
        if let Ok(done) = tokio::time::timeout(SILENCE, &mut work).await {
            return Some(done);
        }
    }
    None
}

/// Where to cut a chunk into blocks: behind a line end, if there is one near, for a record that is cut
/// has to be copied and gets a block of its own.
fn cut(chunk: &[u8], block_bytes: usize) -> usize {
    if chunk.len() <= block_bytes {
        return chunk.len();
    }
    let (near, half) = (&chunk[..block_bytes], block_bytes / 2);
    memrchr(b'\n', &near[half..]).map_or(block_bytes, |place| half + place + 1)
}

/// Where an object is to be read from.
struct Start {
    position: Position,
    member: Option<crate::source::Boundary>,
}

impl Start {
    fn beginning() -> Self {
        Self { position: Position::start(), member: None }
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The time, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    now_ns() / 1_000_000
}
