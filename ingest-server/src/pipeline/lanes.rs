//! How blocks get from the framer through workers to the sink.
//!
//! Inline, one after the other on the calling thread. Parallel, through a queue of *places*: for
//! every block, the sink gets a place to wait at, in the order of the blocks, and any worker gets the
//! block, and puts the outcome there. The length of that queue bounds the blocks in flight, and a
//! [`Budget`] their bytes.

use std::panic::resume_unwind;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use weir_engine::block::RecordBlock;

use super::budget::{Budget, Permit};
use super::error::PipelineError;
use super::mapping::{Mapper, Outcome};
use super::sink::Sink;
use crate::source::{Boundary, SourceError};

/// Bytes of blocks between the framer and the sink. With their outcomes, short records take up to
/// thirty times as much.
pub(super) const BYTES_IN_FLIGHT_MAX: usize = 1 << 20;

/// Blocks between the framer and the sink: one in each worker, one waiting for it, and one each at
/// both ends.
pub(super) fn depth(threads: usize) -> usize {
    threads.saturating_mul(2).saturating_add(2)
}

/// Why an object was not read to its end.
#[derive(Debug)]
pub(super) enum Stopped {
    Source(Box<SourceError>),
    Sink(PipelineError),
}

impl From<Stopped> for PipelineError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Source(error) => (*error).into(),
            Stopped::Sink(error) => error,
        }
    }
}

/// Takes the blocks of an object in their order.
pub(super) trait Lane {
    /// Maps a block and hands the outcome to the sink, now or later. `member` is where another
    /// reader may begin that is to go on behind the block.
    fn put(&mut self, block: RecordBlock, member: Option<Boundary>) -> Result<(), Stopped>;

    /// Nothing has come for a while.
    fn tick(&mut self) -> Result<(), Stopped>;
}

/// Everything on the calling thread.
struct Inline<'s> {
    mapper: Mapper,
    outcome: Outcome,
    sink: &'s mut Sink,
}

impl Lane for Inline<'_> {
    fn put(&mut self, block: RecordBlock, member: Option<Boundary>) -> Result<(), Stopped> {
        self.mapper.map(&block, &mut self.outcome);
        self.sink.deliver(&block, member, &mut self.outcome).map_err(Stopped::Sink)
    }

    fn tick(&mut self) -> Result<(), Stopped> {
        self.sink.tick().map_err(Stopped::Sink)
    }
}

/// Runs `feed` with a lane on this thread.
pub(super) fn inline(
    mapper: Mapper,
    sink: &mut Sink,
    feed: impl FnOnce(&mut dyn Lane) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    feed(&mut Inline { mapper, outcome: Outcome::default(), sink })
}

/// A block on its way to a worker.
struct Job {
    block: RecordBlock,
    member: Option<Boundary>,
    outcome: Outcome,
    place: Sender<Mapped>,
    permit: Permit,
}

/// A block on its way to the sink.
struct Mapped {
    block: RecordBlock,
    member: Option<Boundary>,
    outcome: Outcome,
    /// Freed when the sink has taken it.
    _permit: Permit,
}

/// What the sink waits for.
enum Next {
    Block(Receiver<Mapped>),
    Tick,
}

/// The near end of the queues.
struct Parallel {
    budget: Budget,
    places: Sender<Next>,
    jobs: Sender<Job>,
    /// Outcomes to be used again.
    spare: Receiver<Outcome>,
}

/// The sink has gone; its own error says why.
struct Gone;

impl Parallel {
    fn send(&self, block: RecordBlock, member: Option<Boundary>) -> Result<(), Gone> {
        let permit = self.budget.take(block.bytes.len());
        let (place, waiting) = bounded(1);
        self.places.send(Next::Block(waiting)).map_err(|_| Gone)?;
        let outcome = self.spare.try_recv().unwrap_or_default();
        self.jobs.send(Job { block, member, outcome, place, permit }).map_err(|_| Gone)
    }
}

impl Lane for Parallel {
    fn put(&mut self, block: RecordBlock, member: Option<Boundary>) -> Result<(), Stopped> {
        self.send(block, member).map_err(|Gone| Stopped::Sink(PipelineError::Stopped))
    }

    fn tick(&mut self) -> Result<(), Stopped> {
        // With a full queue the sink has enough to do.
        let _ = self.places.try_send(Next::Tick);
        Ok(())
    }
}

/// Runs `feed` with a lane to `threads` workers and to the sink on a thread of its own.
pub(super) fn parallel(
    threads: usize,
    mapper: impl Fn() -> Mapper,
    sink: &mut Sink,
    feed: impl FnOnce(&mut dyn Lane) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let (places, waiting) = bounded(depth(threads));
    let (jobs, taken) = unbounded::<Job>();
    let (emptied, spare) = bounded(depth(threads));
    thread::scope(|scope| {
        for _ in 0..threads {
            let (mut mapper, taken) = (mapper(), taken.clone());
            scope.spawn(move || work(&mut mapper, &taken));
        }
        drop(taken);
        let sinking = scope.spawn(move || drain(&waiting, &emptied, sink));
        let budget = Budget::new(BYTES_IN_FLIGHT_MAX);
        let mut lane = Parallel { budget, places, jobs, spare };
        let fed = feed(&mut lane);
        // The workers end when there are no more jobs, the sink when there are no more places.
        drop(lane);
        match sinking.join() {
            Ok(Ok(())) => fed,
            Ok(Err(error)) => Err(Stopped::Sink(error)),
            Err(panic) => resume_unwind(panic),
        }
    })
}

fn work(mapper: &mut Mapper, taken: &Receiver<Job>) {
    for Job { block, member, mut outcome, place, permit } in taken {
        mapper.map(&block, &mut outcome);
        // If the sink has gone, nobody waits.
        let _ = place.send(Mapped { block, member, outcome, _permit: permit });
    }
}

fn drain(
    waiting: &Receiver<Next>,
    emptied: &Sender<Outcome>,
    sink: &mut Sink,
) -> Result<(), PipelineError> {
    for next in waiting {
        match next {
            Next::Tick => sink.tick()?,
            Next::Block(place) => {
                // A worker that panicked leaves its place empty; the panic ends the run.
                let Ok(mut mapped) = place.recv() else { return Err(PipelineError::Stopped) };
                sink.deliver(&mapped.block, mapped.member, &mut mapped.outcome)?;
                let _ = emptied.try_send(mapped.outcome);
            }
        }
    }
    Ok(())
}
