//! The one thread that writes.
//!
//! It owns the write connection and does, in turn: appends, in the order in which they arrive, those
//! that wait together in one transaction; then housekeeping of the seen set, in transactions of its
//! own, whenever nobody waits or when it is overdue; and checkpoints, by the bytes written.
//!
//! The state in memory (filter, runs, next sequence) is what the last commit left. If another process
//! has committed since, which SQLite tells, it is read again before anything is written; so several
//! processes may append to one file, one at a time.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::append::{Append, Appended, IdHasher, Prepared};
use super::blocks::BlockWriter;
use super::error::StoreError;
use super::schema;
use super::seen::sqlite::SqliteRuns;
use super::seen::{Entry, SeenSet};
use super::transaction::{Interned, Work};

/// Appends that wait together share a transaction up to this many events: a webhook's single events
/// then cost one sync of the disk, not one each.
const GROUP_EVENTS_MAX: usize = 10_000;
/// Entries that one step of housekeeping moves.
const STEP_ENTRIES: usize = 16_384;
/// Entries of housekeeping that each new id pays for. Every level moves an id once, and deletes it
/// once for a fraction of that; there are five levels at 50 million ids.
const PACE: usize = 8;
/// Bytes written between two checkpoints. More of them let a page that changes with every commit be
/// written once for many.
const CHECKPOINT_BYTES: usize = 64 << 20;
/// Readers that never pause could keep the WAL from starting over: beyond this many pages, wait for
/// them.
const WAL_PAGES_MAX: i64 = 65_536;
/// For so long. One that reads for minutes is not waited out.
const READERS_TIMEOUT: Duration = Duration::from_millis(500);

/// What the thread is asked for.
enum Request {
    Append(AppendRequest),
    Change(Change),
}

struct AppendRequest {
    work: Box<Prepared>,
    reply: oneshot::Sender<Result<Appended, StoreError>>,
}

/// Something else to be written, in a transaction of its own. It commits, or rolls back, and tells
/// whoever waits for it.
type Change = Box<dyn FnOnce(Result<Transaction<'_>, StoreError>) + Send>;

/// The handle of the writer thread. Dropping it ends the thread behind the work it has taken.
pub(crate) struct Writer {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    hasher: IdHasher,
    /// The last sequence committed.
    committed: watch::Receiver<i64>,
}

impl Writer {
    /// Opens the file, reads the seen set and starts the thread.
    pub(crate) fn open(path: &Path) -> Result<Writer, StoreError> {
        let connection = schema::open_writer(path)?;
        let hasher = IdHasher::new(schema::hash_key(&connection)?);
        let mut state = State::load(connection)?;
        let (requests, receiver) = channel();
        let committed = state.committed.subscribe();
        let thread = std::thread::Builder::new()
            .name("weir-store".to_owned())
            .spawn(move || state.serve(&receiver))?;
        Ok(Writer { requests: Some(requests), thread: Some(thread), hasher, committed })
    }

    /// Hands the work over; the answer comes when it is on the disk.
    pub(crate) fn append(
        &self,
        append: Append,
    ) -> Result<oneshot::Receiver<Result<Appended, StoreError>>, StoreError> {
        let work = Box::new(Prepared::new(append, &self.hasher)?);
        let (reply, answer) = oneshot::channel();
        self.send(Request::Append(AppendRequest { work, reply }))?;
        Ok(answer)
    }

    /// Runs a change in a transaction of its own, which is on the disk when the answer comes. A
    /// change that fails leaves nothing behind.
    pub(crate) fn change<T, E>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, E>>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let run = move |transaction: Result<Transaction<'_>, StoreError>| {
            let done = transaction.map_err(E::from).and_then(|transaction| {
                let value = change(&transaction)?;
                transaction.commit().map_err(StoreError::from)?;
                Ok(value)
            });
            // Whoever no longer waits will look at what is stored.
            let _ = reply.send(done);
        };
        self.send(Request::Change(Box::new(run)))?;
        Ok(answer)
    }

    /// Changes with each commit of events: the last sequence committed by this process.
    pub(crate) fn committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    fn send(&self, request: Request) -> Result<(), StoreError> {
        let requests = self.requests.as_ref().ok_or(StoreError::Closed)?;
        requests.send(request).map_err(|_| StoreError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

struct State {
    connection: Connection,
    memory: Memory,
    /// Changes when another connection commits.
    data_version: i64,
    /// Entries of housekeeping that the appends so far have paid for.
    paid: usize,
    /// Housekeeping failed; wait for the next append before trying again.
    stalled: bool,
    bytes_since_checkpoint: usize,
    committed: watch::Sender<i64>,
}

/// What the thread remembers of the file, as of its last commit.
pub(crate) struct Memory {
    pub(crate) seen: SeenSet,
    pub(crate) next_sequence: i64,
    pub(crate) interned: Interned,
    pub(crate) blocks: BlockWriter,
}

impl Memory {
    fn load(connection: &Connection) -> Result<Memory, StoreError> {
        let next_sequence =
            connection.query_row("SELECT next_sequence FROM store", [], |row| row.get(0))?;
        if next_sequence < 1 {
            return Err(StoreError::corrupt("the next sequence is not positive"));
        }
        Ok(Memory {
            seen: SeenSet::load(&SqliteRuns(connection))?,
            next_sequence,
            interned: Interned::default(),
            blocks: BlockWriter::new()?,
        })
    }
}

impl State {
    fn load(mut connection: Connection) -> Result<State, StoreError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let data_version = data_version(&transaction)?;
        let memory = Memory::load(&transaction)?;
        drop(transaction);
        Ok(State {
            connection,
            committed: watch::Sender::new(memory.next_sequence - 1),
            memory,
            data_version,
            paid: 0,
            stalled: false,
            bytes_since_checkpoint: 0,
        })
    }

    fn serve(&mut self, requests: &Receiver<Request>) {
        loop {
            let next = if self.memory.seen.has_work() && !self.stalled {
                requests.try_recv()
            } else {
                requests.recv().map_err(|_| TryRecvError::Disconnected)
            };
            match next {
                Ok(request) => self.serve_all(request, requests),
                Err(TryRecvError::Empty) => self.step(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Serves a request and those that wait behind it, in their order.
    fn serve_all(&mut self, request: Request, requests: &Receiver<Request>) {
        let mut next = Some(request);
        while let Some(request) = next.take() {
            match request {
                Request::Change(change) => self.change(change),
                Request::Append(first) => next = self.serve_group(first, requests),
            }
        }
    }

    fn change(&mut self, change: Change) {
        let State { connection, memory, data_version, .. } = self;
        let synchronous = connection.pragma_update(None, "synchronous", "FULL");
        change(
            synchronous
                .map_err(StoreError::from)
                .and_then(|()| begin(connection, memory, data_version)),
        );
    }

    /// Serves an append and those that wait behind it; gives the other request that ended them.
    fn serve_group(
        &mut self,
        first: AppendRequest,
        requests: &Receiver<Request>,
    ) -> Option<Request> {
        let mut events = first.work.append.events.len();
        let mut group = vec![first];
        let mut behind = None;
        while events < GROUP_EVENTS_MAX && group.len() < GROUP_EVENTS_MAX {
            match requests.try_recv() {
                Ok(Request::Append(next)) => {
                    events += next.work.append.events.len();
                    group.push(next);
                }
                Ok(other) => {
                    behind = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        self.stalled = false;
        match self.commit(&group) {
            Ok(answers) => {
                // Before the answers: who has one can read the events.
                self.committed.send_replace(self.memory.next_sequence - 1);
                for (request, answer) in group.into_iter().zip(answers) {
                    // A caller that no longer waits finds its progress stored.
                    let _ = request.reply.send(answer);
                }
            }
            Err(error) => self.serve_singly(group, error),
        }
        self.keep_pace(events);
        self.checkpoint_if_due();
        behind
    }

    /// A transaction failed: whose fault it was shows when each has its own.
    fn serve_singly(&mut self, mut group: Vec<AppendRequest>, error: StoreError) {
        if group.len() == 1 {
            if let Some(request) = group.pop() {
                let _ = request.reply.send(Err(error));
            }
            return;
        }
        for request in group {
            let answer = self.commit(std::slice::from_ref(&request));
            let answer =
                answer.and_then(|mut answers| answers.pop().unwrap_or(Err(StoreError::Closed)));
            self.committed.send_replace(self.memory.next_sequence - 1);
            let _ = request.reply.send(answer);
        }
    }

    /// One transaction for all requests. The inner results are refusals that wrote nothing; the outer
    /// error means that nothing at all is stored.
    fn commit(
        &mut self,
        group: &[AppendRequest],
    ) -> Result<Vec<Result<Appended, StoreError>>, StoreError> {
        let State { connection, memory, data_version, bytes_since_checkpoint, .. } = self;
        // What is acknowledged is on the disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction = begin(connection, memory, data_version)?;
        let next_sequence = memory.next_sequence;
        let mut answers = Vec::with_capacity(group.len());
        let mut bytes = 0;
        let result = group.iter().try_for_each(|request| {
            match Work::new(&transaction, memory, &request.work).run() {
                Ok((appended, written)) => {
                    bytes += written;
                    answers.push(Ok(appended));
                }
                Err(
                    refused @ (StoreError::Fenced { .. }
                    | StoreError::RunClosed
                    | StoreError::Settled),
                ) => answers.push(Err(refused)),
                Err(error) => return Err(error),
            }
            Ok(())
        });
        match result.and_then(|()| transaction.commit().map_err(StoreError::from)) {
            Ok(()) => {
                memory.seen.committed();
                *bytes_since_checkpoint += bytes;
                Ok(answers)
            }
            Err(error) => {
                memory.seen.rolled_back();
                memory.next_sequence = next_sequence;
                // Ids handed out in the transaction are gone with it.
                memory.interned = Interned::default();
                memory.blocks.clear();
                Err(error)
            }
        }
    }

    /// Housekeeping that new ids have paid for, or that is overdue.
    fn keep_pace(&mut self, events: usize) {
        self.paid = if self.memory.seen.has_work() { self.paid + events * PACE } else { 0 };
        while !self.stalled && self.memory.seen.has_work() && self.paid >= STEP_ENTRIES {
            self.paid -= STEP_ENTRIES;
            self.step();
        }
        if !self.stalled && self.memory.seen.is_urgent() {
            self.step();
        }
    }

    /// One step of housekeeping. Losing it is harmless, so it does not wait for the disk; the next
    /// append's sync covers it, because the WAL is one sequence.
    fn step(&mut self) {
        if self.step_in_transaction().is_err() {
            self.memory.seen.step_failed();
            self.stalled = true;
        }
        self.bytes_since_checkpoint += STEP_ENTRIES * size_of::<Entry>();
        self.checkpoint_if_due();
    }

    fn step_in_transaction(&mut self) -> Result<(), StoreError> {
        let State { connection, memory, data_version, .. } = self;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let transaction = begin(connection, memory, data_version)?;
        memory.seen.step(&SqliteRuns(&transaction), STEP_ENTRIES)?;
        transaction.commit()?;
        memory.seen.step_committed();
        Ok(())
    }

    /// Moves the WAL into the file. A failure costs nothing but a longer WAL; the next one tries again.
    fn checkpoint_if_due(&mut self) {
        if self.bytes_since_checkpoint < CHECKPOINT_BYTES {
            return;
        }
        self.bytes_since_checkpoint = 0;
        let pages =
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1));
        if pages.is_ok_and(|pages: i64| pages > WAL_PAGES_MAX) {
            let _ = self.connection.busy_timeout(READERS_TIMEOUT);
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
            let _ = self.connection.busy_timeout(schema::BUSY_TIMEOUT);
        }
    }
}

/// Begins a transaction that may write, on a memory that matches the file.
fn begin<'c>(
    connection: &'c mut Connection,
    memory: &mut Memory,
    known: &mut i64,
) -> Result<Transaction<'c>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = data_version(&transaction)?;
    if found != *known {
        *memory = Memory::load(&transaction)?;
        *known = found;
    }
    Ok(transaction)
}

fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}
