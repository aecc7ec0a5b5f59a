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
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

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

type Reply = SyncSender<Result<Appended, StoreError>>;

struct Request {
    work: Box<Prepared>,
    reply: Reply,
}

/// The handle of the writer thread. Dropping it ends the thread behind the work it has taken.
pub(crate) struct Writer {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    hasher: IdHasher,
}

impl Writer {
    /// Opens the file, reads the seen set and starts the thread.
    pub(crate) fn open(path: &Path) -> Result<Writer, StoreError> {
        let connection = schema::open_writer(path)?;
        let hasher = IdHasher::new(schema::hash_key(&connection)?);
        let mut state = State::load(connection)?;
        let (requests, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("weir-store".to_owned())
            .spawn(move || state.serve(&receiver))?;
        Ok(Writer { requests: Some(requests), thread: Some(thread), hasher })
    }

    /// Hands the work over and waits until it is on the disk.
    pub(crate) fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let work = Box::new(Prepared::new(append, &self.hasher)?);
        let (reply, answer) = sync_channel(1);
        let requests = self.requests.as_ref().ok_or(StoreError::Closed)?;
        requests.send(Request { work, reply }).map_err(|_| StoreError::Closed)?;
        answer.recv().map_err(|_| StoreError::Closed)?
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
                Ok(first) => self.serve_group(first, requests),
                Err(TryRecvError::Empty) => self.step(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Serves a request and those that wait behind it.
    fn serve_group(&mut self, first: Request, requests: &Receiver<Request>) {
        let mut events = first.work.append.events.len();
        let mut group = vec![first];
        while events < GROUP_EVENTS_MAX {
            let Ok(next) = requests.try_recv() else { break };
            events += next.work.append.events.len();
            group.push(next);
        }
        self.stalled = false;
        match self.commit(&group) {
            Ok(answers) => {
                for (request, answer) in group.into_iter().zip(answers) {
                    // A caller that no longer waits finds its progress stored.
                    let _ = request.reply.send(answer);
                }
            }
            Err(error) => self.serve_singly(group, error),
        }
        self.keep_pace(events);
        self.checkpoint_if_due();
    }

    /// A transaction failed: whose fault it was shows when each has its own.
    fn serve_singly(&mut self, mut group: Vec<Request>, error: StoreError) {
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
            let _ = request.reply.send(answer);
        }
    }

    /// One transaction for all requests. The inner results are refusals that wrote nothing; the outer
    /// error means that nothing at all is stored.
    fn commit(
        &mut self,
        group: &[Request],
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
                Err(fenced @ StoreError::Fenced { .. }) => answers.push(Err(fenced)),
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
