//! The engine over an object that arrives in pieces, cut wherever one likes.

use std::sync::Arc;

use bytes::Bytes;
use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::framer::{Framer, Position};
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::simd::Level;
use weir_engine::tally::Tally;
use weir_engine::worker::Worker;
use weir_engine::{output, raw};

use crate::generate::Random;
use crate::outcome::{Event, Outcome, Raw, Reject};

/// How an object is cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// Every chunk is one byte.
    Bytes,
    /// Every chunk has so many bytes.
    Every(usize),
    /// At places that follow from a seed.
    Random(u64),
}

/// How the engine goes about it. It must not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// As a worker chooses.
    Chosen,
    /// By index and program, with these instructions.
    Program(Level),
    /// By index and walk, with these instructions.
    Walk(Level),
    /// Without either.
    Plain,
}

impl Means {
    fn framer(self, plan: &Plan) -> Framer {
        match self {
            Self::Chosen | Self::Plain => Framer::new(&plan.input),
            Self::Program(level) | Self::Walk(level) => {
                Framer::with_level(&plan.input, Position::start(), level)
            }
        }
    }

    /// All that this machine has.
    pub fn all() -> impl Iterator<Item = Self> {
        Level::all()
            .flat_map(|level| [Self::Program(level), Self::Walk(level)])
            .chain([Self::Plain])
    }

    /// A worker that goes about it in this way.
    pub fn worker(self, plan: &Arc<Plan>) -> Worker {
        let plan = Arc::clone(plan);
        match self {
            Self::Chosen => Worker::new(plan),
            Self::Program(level) => Worker::with_level(plan, level),
            Self::Walk(level) => {
                let mut worker = Worker::with_level(plan, level);
                // Only the walk says which texts fell into `else`.
                worker.observe();
                worker
            }
            Self::Plain => Worker::plain(plan),
        }
    }
}

/// What the engine makes of an object.
#[derive(Debug, Clone, Default)]
pub struct Mapped {
    /// All of it.
    pub outcome: Outcome,
    /// Normalized events, one a line.
    pub events: Vec<u8>,
    /// OCSF events, one a line.
    pub ocsf: Vec<u8>,
    /// Rejects, one a line.
    pub rejects: Vec<u8>,
    /// Where another framer could go on: behind each block.
    pub ends: Vec<Position>,
    /// What became of each line of the mapping.
    pub tally: Tally,
}

/// Runs the engine over a whole object.
pub fn map(plan: &Arc<Plan>, meta: &ObjectMeta, object: &[u8], cut: Cut) -> Mapped {
    map_by(Means::Chosen, plan, meta, object, cut)
}

/// The same by these means.
pub fn map_by(
    means: Means,
    plan: &Arc<Plan>,
    meta: &ObjectMeta,
    object: &[u8],
    cut: Cut,
) -> Mapped {
    map_with(means, &mut means.worker(plan), plan, meta, object, cut)
}

/// The same with a worker of these means, which may have mapped other objects before; its counters go on.
pub fn map_with(
    means: Means,
    worker: &mut Worker,
    plan: &Arc<Plan>,
    meta: &ObjectMeta,
    object: &[u8],
    cut: Cut,
) -> Mapped {
    run(worker, plan, meta, means.framer(plan), object, cut)
}

/// Deals the blocks of an object to workers on threads of their own, and puts what they make of them in order again.
///
/// # Panics
///
/// If there are no threads.
pub fn map_in_threads(
    plan: &Arc<Plan>,
    meta: &ObjectMeta,
    object: &[u8],
    cut: Cut,
    threads: usize,
) -> Mapped {
    let mut blocks = Vec::new();
    frame(Framer::new(&plan.input), object, cut, |block| blocks.push(block));
    let work = |thread| {
        let mut worker = Means::Chosen.worker(plan);
        let own = blocks.iter().skip(thread).step_by(threads);
        let parts: Vec<_> = own.map(|block| map_block(&mut worker, plan, meta, block)).collect();
        (parts.into_iter(), worker.tally().clone())
    };
    let mut mapped = Mapped { tally: Tally::new(plan), ..Mapped::default() };
    std::thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let ended = started.into_iter().map(|thread| thread.join().expect("no worker panics"));
        let (mut parts, tallies): (Vec<_>, Vec<_>) = ended.unzip();
        for index in 0..blocks.len() {
            mapped.append(parts[index % threads].next().expect("every block was mapped"));
        }
        tallies.iter().for_each(|tally| mapped.tally.add(tally));
    });
    mapped
}

/// Runs the engine over the rest of an object, behind a block of another run.
///
/// The position goes through its JSON text, as it does between two lives of a process.
///
/// # Panics
///
/// If the position does not come back from its text as it was.
pub fn resume(
    plan: &Arc<Plan>,
    meta: &ObjectMeta,
    object: &[u8],
    from: &Position,
    cut: Cut,
) -> Mapped {
    let text = serde_json::to_string(from).expect("a position can be written");
    let position: Position = serde_json::from_str(&text).expect("a position can be read");
    assert_eq!(&position, from, "{text}");
    let rest = usize::try_from(position.offset).map_or(&[][..], |offset| &object[offset..]);
    let mut worker = Means::Chosen.worker(plan);
    run(&mut worker, plan, meta, Framer::resume(&plan.input, position), rest, cut)
}

fn run(
    worker: &mut Worker,
    plan: &Arc<Plan>,
    meta: &ObjectMeta,
    framer: Framer,
    bytes: &[u8],
    cut: Cut,
) -> Mapped {
    let mut mapped = Mapped::default();
    frame(framer, bytes, cut, |block| mapped.append(map_block(worker, plan, meta, &block)));
    mapped.tally = Tally { observed: None, ..worker.tally().clone() };
    mapped
}

fn frame(mut framer: Framer, bytes: &[u8], cut: Cut, mut take: impl FnMut(RecordBlock)) {
    for chunk in chunks(bytes, cut) {
        framer.push(Bytes::copy_from_slice(chunk));
        while let Some(block) = framer.next_block() {
            take(block);
        }
    }
    framer.finish();
    while let Some(block) = framer.next_block() {
        take(block);
    }
}

fn chunks(bytes: &[u8], cut: Cut) -> Vec<&[u8]> {
    match cut {
        Cut::Whole => vec![bytes],
        Cut::Bytes => bytes.chunks(1).collect(),
        Cut::Every(size) => bytes.chunks(size).collect(),
        Cut::Random(seed) => {
            let mut random = Random::new(seed);
            let mut rest = bytes;
            let mut chunks = Vec::new();
            while !rest.is_empty() {
                // Of every size: often a few bytes, sometimes none, sometimes thousands.
                let limit = 1 << random.below(14);
                let (chunk, behind) = rest.split_at((random.below(limit) as usize).min(rest.len()));
                chunks.push(chunk);
                rest = behind;
            }
            chunks
        }
    }
}

fn map_block(worker: &mut Worker, plan: &Plan, meta: &ObjectMeta, block: &RecordBlock) -> Mapped {
    let mut batch = Batch::default();
    worker.run(block, meta, &mut batch);
    let mut mapped = Mapped { ends: vec![block.end.clone()], ..Mapped::default() };
    let Mapped { outcome, events, ocsf, rejects, .. } = &mut mapped;
    for event in &batch.events {
        output::write_event(block, &batch, event, events);
        events.push(b'\n');
        output::write_ocsf(block, &batch, event, ocsf);
        ocsf.push(b'\n');
        let index = block.records[event.record as usize].index;
        outcome.events.push((index, owned_event(plan, block, &batch, event)));
    }
    for reject in &batch.rejects {
        output::write_reject(plan, block, meta, reject, rejects);
        rejects.push(b'\n');
        outcome.rejects.push(owned_reject(plan, block, reject));
    }
    outcome.records = block.records.len() as u64;
    outcome.mapped = batch.mapped;
    outcome.dropped = batch.dropped;
    outcome.skipped_values = batch.skipped_values;
    outcome.ambiguous_times = batch.ambiguous_times;
    mapped
}

impl Mapped {
    /// Appends what a block gave; counters of lines are not touched.
    fn append(&mut self, block: Self) {
        let Outcome { events, rejects, records, mapped, dropped, skipped_values, ambiguous_times } =
            block.outcome;
        let whole = &mut self.outcome;
        whole.events.extend(events);
        whole.rejects.extend(rejects);
        whole.records += records;
        whole.mapped += mapped;
        whole.dropped += dropped;
        whole.skipped_values += skipped_values;
        whole.ambiguous_times += ambiguous_times;
        self.events.extend(block.events);
        self.ocsf.extend(block.ocsf);
        self.rejects.extend(block.rejects);
        self.ends.extend(block.ends);
    }
}

fn owned_event(
    plan: &Plan,
    block: &RecordBlock,
    batch: &Batch,
    event: &weir_engine::batch::Event,
) -> Event {
    let text = |range| {
        let bytes = batch.bytes(range).to_vec();
        String::from_utf8(bytes).expect("the engine writes nothing but valid UTF-8")
    };
    Event {
        class: plan.emits[usize::from(event.emit)].class.clone(),
        id: text(event.id),
        time_ns: event.time_ns,
        actor: text(event.actor),
        action: text(event.action),
        target: text(event.target),
        cost_usd: event.cost_usd.to_string(),
        tokens_input: event.tokens_input,
        tokens_output: event.tokens_output,
        extra: text(event.extra),
        ocsf: text(event.ocsf),
        raw: output::raw_of(block, batch, event).map(|raw| Raw(raw.to_vec())),
    }
}

fn owned_reject(plan: &Plan, block: &RecordBlock, reject: &weir_engine::batch::Reject) -> Reject {
    let record = &block.records[reject.record as usize];
    Reject {
        index: record.index,
        offset: record.offset,
        size: record.size,
        object_line: record.line,
        code: reject.code,
        line: reject.line,
        target: reject.target.clone(),
        message: reject.message.clone(),
        text: reject.text.clone(),
        raw: raw::stored_raw(plan, block, record).map(|raw| Raw(raw.into_owned())),
    }
}
