//! How blocks get from the framer through workers to the sink.
//!
//! Inline, one after the other on the calling thread. Parallel, through an [`Exchange`], which also
//! bounds the bytes in flight.

use std::thread;

use weir_engine::block::RecordBlock;

use super::error::PipelineError;
use super::exchange::{Closed, Exchange};
use super::mapping::{Mapper, Outcome};
use super::sink::Sink;
use crate::source::{Boundary, SourceError};

/// Bytes of blocks between the framer and the sink. With their outcomes, short records take up to
/// thirty times as much.
pub(super) const BYTES_IN_FLIGHT_MAX: usize = 1 << 20;

/// How many blocks should fit in there: one in each worker, one waiting for it, and one each at both
/// ends.
pub(super) fn depth(threads: usize) -> usize {
    threads.saturating_mul(2).saturating_add(2)
}

/// Why an object was not read to its end.
#[derive(Debug)]
pub(super) enum Stopped {
    Source(Box<SourceError>),
    Sink(PipelineError),
    /// Somebody asked for it.
    Asked,
}

impl From<Stopped> for PipelineError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Source(error) => (*error).into(),
            Stopped::Sink(error) => error,
            Stopped::Asked => Self::Stopped,
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

/// The near end of the exchange.
struct Parallel<'e, 's>(&'e Exchange<'s>);

impl Lane for Parallel<'_, '_> {
    fn put(&mut self, block: RecordBlock, member: Option<Boundary>) -> Result<(), Stopped> {
        self.0.put(block, member).map_err(|Closed| Stopped::Sink(PipelineError::Stopped))
    }

    fn tick(&mut self) -> Result<(), Stopped> {
        self.0.tick().map_err(|Closed| Stopped::Sink(PipelineError::Stopped))
    }
}

/// Runs `feed` with a lane to `threads` workers, which also serve the sink.
pub(super) fn parallel(
    threads: usize,
    mapper: impl Fn() -> Mapper,
    sink: &mut Sink,
    feed: impl FnOnce(&mut dyn Lane) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let exchange = Exchange::new(BYTES_IN_FLIGHT_MAX, sink);
    let fed = thread::scope(|scope| {
        for _ in 0..threads {
            let (exchange, mapper) = (&exchange, mapper());
            scope.spawn(move || work(mapper, exchange));
        }
        let _ending = End(&exchange);
        feed(&mut Parallel(&exchange))
    });
    // Why the sink stopped says more than that it did.
    exchange.into_result().map_err(Stopped::Sink).and(fed)
}

fn work(mut mapper: Mapper, exchange: &Exchange<'_>) {
    let _guard = Guard(exchange);
    while let Some(mut job) = exchange.take() {
        mapper.map(&job.block, &mut job.outcome);
        exchange.deliver(job);
    }
}

/// Ends the workers, even if the feeder panics.
struct End<'e, 's>(&'e Exchange<'s>);

impl Drop for End<'_, '_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Ends everybody if a worker panics; leaving the scope of the threads then passes the panic on.
struct Guard<'e, 's>(&'e Exchange<'s>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up();
        }
    }
}
