//! Where the feeder, the workers and the sink meet.
//!
//! ```text
//! feeder ─put─▶ [ 7 8 9 ] ─take─▶ workers ─deliver─▶ [ 4 _ 6 ] ─▶ sink, in order
//!    ▲           to be mapped                    mapped           │
//!    └──────────────────── bytes that may be in flight ◀──────────┘
//! ```
//!
//! Whoever has mapped a block lays it down; if nobody is serving the sink, it serves the sink itself for
//! as long as the next block in order is there. So a thread never waits for another while there is
//! something to do, nothing is handed to a thread that only passes it on, and the sink is used by one
//! thread at a time.
//!
//! The feeder waits when too many bytes are in flight, and goes on when half of them have landed:
//! waking a thread costs as much as mapping some kilobytes, so it is not done for every block.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use weir_engine::block::{Record, RecordBlock};

use super::error::PipelineError;
use super::mapping::Outcome;
use super::sink::Sink;
use crate::source::Boundary;

/// What a block counts however small it is, so that their number is bounded as well.
const JOB_BYTES: usize = 4 << 10;

/// A block on its way, and what it is mapped to.
pub(super) struct Job {
    number: u64,
    pub(super) block: RecordBlock,
    member: Option<Boundary>,
    pub(super) outcome: Outcome,
}

impl Job {
    /// The memory that is in flight with it, besides its outcome, which grows with it.
    fn bytes(&self) -> usize {
        let records = self.block.records.len().saturating_mul(size_of::<Record>());
        JOB_BYTES + self.block.bytes.len() + records
    }
}

/// Nobody takes blocks any more; [`Exchange::error`] says why.
pub(super) struct Closed;

/// The place where blocks change hands.
pub(super) struct Exchange<'s> {
    bytes_max: usize,
    state: Mutex<State>,
    /// There is a block to be mapped, or there will be none any more.
    work: Condvar,
    /// There is room for more.
    room: Condvar,
    /// Used by the thread that has set [`State::serving`].
    sink: Mutex<&'s mut Sink>,
}

#[derive(Default)]
struct State {
    unmapped: VecDeque<Job>,
    /// By number, from `next` on.
    mapped: VecDeque<Option<Job>>,
    /// The number of the next block to be put, and to be delivered.
    last: u64,
    next: u64,
    bytes: usize,
    /// Outcomes to be used again.
    spare: Vec<Outcome>,
    serving: bool,
    workers_waiting: usize,
    feeder_waiting: bool,
    /// There is nothing more to come, or nothing more is taken.
    ended: bool,
    closed: bool,
    error: Option<PipelineError>,
}

impl<'s> Exchange<'s> {
    /// An exchange in which blocks of about `bytes_max` may be in flight. A block that is larger flies
    /// alone.
    pub(super) fn new(bytes_max: usize, sink: &'s mut Sink) -> Self {
        Self {
            bytes_max,
            state: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            sink: Mutex::new(sink),
        }
    }

    /// The state is right at every moment, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the next block to those to be mapped, when there is room for it.
    pub(super) fn put(&self, block: RecordBlock, member: Option<Boundary>) -> Result<(), Closed> {
        let mut job = Job { number: 0, block, member, outcome: Outcome::default() };
        let bytes = job.bytes();
        let mut state = self.state();
        if state.bytes > 0 && state.bytes + bytes > self.bytes_max {
            let enough = (self.bytes_max / 2).saturating_sub(bytes);
            state.feeder_waiting = true;
            state = self
                .room
                .wait_while(state, |state| state.bytes > enough && !state.closed)
                .unwrap_or_else(PoisonError::into_inner);
            state.feeder_waiting = false;
        }
        if state.closed {
            return Err(Closed);
        }
        job.number = state.last;
        state.last += 1;
        state.bytes += bytes;
        state.unmapped.push_back(job);
        let wake = state.workers_waiting > 0;
        drop(state);
        if wake {
            self.work.notify_one();
        }
        Ok(())
    }

    /// The next block to be mapped; `None` when there will be no more.
    pub(super) fn take(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(mut job) = state.unmapped.pop_front() {
                job.outcome = state.spare.pop().unwrap_or_default();
                return Some(job);
            }
            if state.ended {
                return None;
            }
            state.workers_waiting += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.workers_waiting -= 1;
        }
    }

    /// Takes a mapped block, and delivers what is next in order.
    pub(super) fn deliver(&self, job: Job) {
        let mut state = self.state();
        // A block is never far behind the next one: their bytes are limited.
        let place = (job.number - state.next) as usize;
        if state.mapped.len() <= place {
            state.mapped.resize_with(place + 1, || None);
        }
        state.mapped[place] = Some(job);
        if state.serving {
            return;
        }
        state.serving = true;
        while !state.closed
            && let Some(Some(mut job)) = pop_if_some(&mut state.mapped)
        {
            state.next += 1;
            drop(state);
            let bytes = job.bytes();
            let delivered = {
                let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
                sink.deliver(&job.block, job.member, &mut job.outcome)
            };
            drop(job.block);
            state = self.state();
            state.bytes -= bytes;
            state.spare.push(job.outcome);
            if let Err(error) = delivered {
                state.error = Some(error);
                self.close(&mut state);
            }
            if state.feeder_waiting {
                self.room.notify_one();
            }
        }
        state.serving = false;
    }

    /// Lets the sink do what it does when nothing has come for a while, if it has nothing to do.
    pub(super) fn tick(&self) -> Result<(), Closed> {
        let mut state = self.state();
        if state.closed {
            return Err(Closed);
        }
        if state.bytes > 0 || state.serving {
            return Ok(());
        }
        // Nothing is in flight, and only this thread could change that.
        let ticked = self.sink.lock().unwrap_or_else(PoisonError::into_inner).tick();
        ticked.map_err(|error| {
            state.error = Some(error);
            self.close(&mut state);
            Closed
        })
    }

    /// There are no more blocks to come.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.work.notify_all();
    }

    /// A worker cannot go on: what it holds will never be delivered.
    pub(super) fn give_up(&self) {
        self.close(&mut self.state());
    }

    fn close(&self, state: &mut State) {
        state.closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Why nothing more was taken; `Ok` if everything was.
    pub(super) fn into_result(self) -> Result<(), PipelineError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.error {
            Some(error) => Err(error),
            None if state.closed => Err(PipelineError::Stopped),
            None => Ok(()),
        }
    }
}

/// The first of them, if it is there.
fn pop_if_some(jobs: &mut VecDeque<Option<Job>>) -> Option<Option<Job>> {
    if matches!(jobs.front(), Some(Some(_))) { jobs.pop_front() } else { None }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use bytes::Bytes;
    use weir_engine::framer::Position;

    use super::*;

    fn block(bytes: usize) -> RecordBlock {
        RecordBlock {
            bytes: vec![0; bytes].into(),
            records: Vec::new(),
            header: None,
            wrapper: Arc::default(),
            end: Position::start(),
        }
    }

    /// Takes so many bytes, then fails.
    #[derive(Clone)]
    struct Out(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut out = self.0.lock().unwrap();
            if out.len() >= self.1 {
                return Err(io::Error::other("full"));
            }
            out.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Puts `count` blocks through an exchange with four workers, which write the number of each; gives
    /// how many were taken.
    fn run(out: &Out, count: usize, bytes_max: usize) -> (usize, Result<(), PipelineError>) {
        let mut sink = Sink::default().events_to("out", Box::new(out.clone()));
        let exchange = Exchange::new(bytes_max, &mut sink);
        let in_flight = AtomicUsize::new(0);
        let taken = thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(mut job) = exchange.take() {
                        // Blocks are done in any order.
                        for _ in 0..fastrand::u32(..2000) {
                            std::hint::spin_loop();
                        }
                        job.outcome.events.clear();
                        writeln!(job.outcome.events, "{}", job.number).unwrap();
                        in_flight.fetch_sub(job.block.bytes.len(), Ordering::Relaxed);
                        exchange.deliver(job);
                    }
                });
            }
            let taken = (0..count).take_while(|_| {
                let bytes = fastrand::usize(..3 * bytes_max / 2);
                let put = exchange.put(block(bytes), None);
                let now = in_flight.fetch_add(bytes, Ordering::Relaxed);
                assert!(now.cast_signed() <= 3 * bytes_max.cast_signed(), "{now} bytes in flight");
                put.is_ok()
            });
            let taken = taken.count();
            exchange.end();
            taken
        });
        (taken, exchange.into_result())
    }

    #[test]
    fn blocks_arrive_in_their_order() {
        for bytes_max in [10, 10_000, 1 << 20] {
            let out = Out(Arc::default(), usize::MAX);
            let (taken, result) = run(&out, 2000, bytes_max);
            assert!(taken == 2000 && result.is_ok());
            let wanted: Vec<String> = (0..2000).map(|number| format!("{number}\n")).collect();
            assert_eq!(String::from_utf8(out.0.lock().unwrap().clone()).unwrap(), wanted.concat());
        }
    }

    #[test]
    fn an_error_of_the_sink_ends_everything() {
        let out = Out(Arc::default(), 500);
        let (taken, result) = run(&out, 1_000_000, 100_000);
        assert!(taken < 100_000, "{taken}");
        assert!(matches!(result, Err(PipelineError::Output { .. })), "{result:?}");
    }

    #[test]
    fn nobody_waits_for_a_worker_that_gave_up() {
        let mut sink = Sink::default();
        let exchange = Exchange::new(10, &mut sink);
        thread::scope(|scope| {
            scope.spawn(|| {
                let job = exchange.take();
                exchange.give_up();
                drop(job);
            });
            while exchange.put(block(100), None).is_ok() {}
        });
        assert!(exchange.take().is_none() && exchange.tick().is_err());
        assert!(matches!(exchange.into_result(), Err(PipelineError::Stopped)));
    }

    #[test]
    fn what_comes_slowly_lets_the_sink_tick() {
        let mut sink = Sink::default();
        let exchange = Exchange::new(10, &mut sink);
        assert!(exchange.tick().is_ok());
        assert!(exchange.put(block(100), Some(Boundary::default())).is_ok());
        assert!(exchange.tick().is_ok());
        let job = exchange.take().unwrap();
        assert_eq!(job.block.bytes, Bytes::from(vec![0; 100]));
        exchange.deliver(job);
        exchange.end();
        assert!(exchange.take().is_none() && exchange.into_result().is_ok());
    }
}
