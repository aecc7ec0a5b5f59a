//! Mapping a block, and writing what comes out as NDJSON: what the worker threads do.

use std::sync::Arc;

use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::output::{write_event, write_ocsf, write_reject};
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;

/// What is written of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// The OCSF event.
    Ocsf,
    /// The normalized event, with the OCSF event in it.
    Event,
    /// Nothing; events are counted.
    #[default]
    None,
}

/// What is to be written of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    pub(super) output: Output,
    pub(super) rejects: bool,
}

/// Written lines beyond this are left to the sink, which writes them piece by piece: a record may
/// stand in each of a thousand events.
const LINES_BYTES_MAX: usize = 1 << 20;
/// More memory than this is not kept from block to block.
const KEPT_BYTES_MAX: usize = 2 << 20;

/// The outcome of a block. It is used again for another one.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) batch: Batch,
    /// The first events as lines.
    pub(super) events: Vec<u8>,
    /// How many of them are in `events`, or were.
    written: usize,
    /// The rejects as lines.
    pub(super) rejects: Vec<u8>,
}

impl Outcome {
    /// Empties it; keeps a reasonable amount of memory.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.written = 0;
        for bytes in [&mut self.batch.text, &mut self.events, &mut self.rejects] {
            bytes.clear();
            bytes.shrink_to(KEPT_BYTES_MAX);
        }
    }

    /// Replaces the lines of events by the next ones; false if there are none.
    pub(super) fn write_next_events(&mut self, block: &RecordBlock, output: Output) -> bool {
        self.events.clear();
        for event in &self.batch.events[self.written..] {
            match output {
                Output::Ocsf => write_ocsf(block, &self.batch, event, &mut self.events),
                Output::Event => write_event(block, &self.batch, event, &mut self.events),
                Output::None => return false,
            }
            self.events.push(b'\n');
            self.written += 1;
            if self.events.len() >= LINES_BYTES_MAX {
                break;
            }
        }
        !self.events.is_empty()
    }
}

/// Maps the blocks of one object.
pub(super) struct Mapper {
    plan: Arc<Plan>,
    meta: Arc<ObjectMeta>,
    worker: Worker,
    needs: Needs,
}

impl Mapper {
    pub(super) fn new(plan: Arc<Plan>, meta: Arc<ObjectMeta>, needs: Needs) -> Self {
        Self { worker: Worker::new(Arc::clone(&plan)), plan, meta, needs }
    }

    pub(super) fn map(&mut self, block: &RecordBlock, outcome: &mut Outcome) {
        outcome.clear();
        self.worker.run(block, &self.meta, &mut outcome.batch);
        outcome.write_next_events(block, self.needs.output);
        if self.needs.rejects {
            for reject in &outcome.batch.rejects {
                write_reject(&self.plan, block, &self.meta, reject, &mut outcome.rejects);
                outcome.rejects.push(b'\n');
            }
        }
    }
}
