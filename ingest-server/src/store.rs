//! The store: events, dead letters and the progress of every object in one SQLite file.
//!
//! ```text
//! callers ── append ──> channel ──> writer thread ──> file.db (+ its write-ahead log)
//!    ^                                 |  one transaction: progress compared and moved,
//!    └──────── after the commit ───────┘  ids seen, events, blocks, dead letters
//! readers ── short read transactions, a page at a time ──> file.db
//! ```
//!
//! What it promises:
//!
//! - **Exactly once.** An [`Append`] commits only if the object's stored progress equals the one that
//!   the work started from, and moves it in the same transaction. Work done twice, by a retry, a
//!   restart or another worker, is refused as [`StoreError::Fenced`].
//! - **The first one wins.** An event is identified by its source and its id there. A repeat made from
//!   the same bytes is counted; one made from other bytes becomes a dead letter, R1401.
//! - **Acknowledged is durable.** [`Store::append`] returns when the commit is on the disk.
//! - **`sequence` follows the commits**, strictly increasing and never reused, so paging by it misses
//!   nothing.
//!
//! Read on: [`append`](Append) is what comes in, `transaction` what is done with it, `writer` the
//! thread and its housekeeping, `seen` the set of ids, `blocks` the compressed records, `read` and
//! [`StoredEvent`] what goes out.

mod append;
mod blocks;
mod error;
mod event;
mod letters;
mod read;
mod schema;
mod seen;
mod transaction;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Transaction};
use tokio::sync::watch;

pub use self::append::{
    Append, Appended, EventIn, KeepWhole, ObjectRef, PlanRef, RawIn, ReadIn, RecordIn, RejectIn,
    Span, Step,
};
pub use self::error::StoreError;
pub(crate) use self::event::{EventLine, Visible, hex};
pub use self::event::{Origin, StoredEvent, StoredReject};
pub(crate) use self::letters::{Letter, LetterState, Letters, Order, discard};

use self::read::Readers;
use self::writer::Writer;

/// An open store. Clones share it; dropping the last one ends the writer thread and closes the file.
///
/// All calls block. The clock is the caller's.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    // Dropped in this order: the writer closes last and empties the write-ahead log into the file.
    readers: Readers,
    writer: Option<Writer>,
}

/// How far an object has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectState {
    /// The generation that the progress belongs to.
    pub etag: String,
    /// The progress, as it was handed over.
    pub progress: String,
    /// Whether the object is finished.
    pub done: bool,
}

/// How much a store, or one source in it, has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Events stored.
    pub events: u64,
    /// Events that were there already, made from the same bytes.
    pub duplicates: u64,
    /// Events whose id was there already, made from other bytes: dead letters R1401.
    pub conflicts: u64,
    /// All other dead letters.
    pub rejects: u64,
}

/// A source as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSummary {
    /// What identifies it.
    pub name: String,
    /// What kind of source it is.
    pub source_type: String,
    /// How much it has brought.
    pub counts: Counts,
    /// When its newest event was stored, in milliseconds since 1970.
    pub last_event_at_ms: Option<i64>,
}

impl Store {
    /// Opens a store, creating the file if there is none. With tens of millions of events this takes
    /// about a second, for the filter of the ids seen.
    ///
    /// # Errors
    ///
    /// The file is not a store, was written by a newer weir, is damaged or cannot be written.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let writer = Writer::open(path)?;
        Ok(Store {
            shared: Arc::new(Shared { readers: Readers::open(path)?, writer: Some(writer) }),
        })
    }

    /// Opens a store for reading, at once. Another process may be writing to it.
    ///
    /// # Errors
    ///
    /// The file is missing, is not a store or was written by a newer weir.
    pub fn open_read_only(path: &Path) -> Result<Store, StoreError> {
        Ok(Store { shared: Arc::new(Shared { readers: Readers::open(path)?, writer: None }) })
    }

    /// Stores one part of one object, in one transaction, and returns when it is on the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the stored progress is not `append.from`. With any error, nothing of
    /// the append is stored.
    pub fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.writer()?.append(append)?.blocking_recv().map_err(|_| StoreError::Closed)?
    }

    /// The same, for tasks that must not block. Dropping the future does not take the append back.
    ///
    /// # Errors
    ///
    /// As for [`append`](Self::append).
    pub async fn append_async(&self, append: Append) -> Result<Appended, StoreError> {
        self.writer()?.append(append)?.await.map_err(|_| StoreError::Closed)?
    }

    /// Writes something beside events, in a transaction of its own, and returns when it is on the
    /// disk. If `change` fails, nothing is written.
    pub(crate) fn change<T, E>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let answer = self.writer().and_then(|writer| writer.change(change))?;
        answer.blocking_recv().map_err(|_| E::from(StoreError::Closed))?
    }

    /// Reads in a short read transaction.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.shared.readers.read(read)
    }

    /// The last sequence committed by this process, as it changes; `None` if it cannot write.
    pub fn committed(&self) -> Option<watch::Receiver<i64>> {
        self.shared.writer.as_ref().map(Writer::committed)
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.shared.writer.as_ref().ok_or(StoreError::ReadOnly)
    }

    /// How far an object has been read; `None` if the store has not met it.
    ///
    /// # Errors
    ///
    /// The file is damaged or cannot be read; so for every call below.
    pub fn progress(
        &self,
        source: &str,
        object_key: &str,
    ) -> Result<Option<ObjectState>, StoreError> {
        self.shared.readers.progress(source, object_key)
    }

    /// The newest events, of one source or of all, oldest first.
    ///
    /// A page holds at most 1,000 events, and fewer if their records are very large.
    pub fn tail(&self, source: Option<&str>, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.shared.readers.tail(source, limit)
    }

    /// The next events behind a sequence, of one source or of all, oldest first. Start with 0; an
    /// empty page means that there are no more.
    ///
    /// A page holds at most 1,000 events, and fewer if their records are very large.
    pub fn events_after(
        &self,
        source: Option<&str>,
        after_sequence: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.shared.readers.events_after(source, after_sequence, limit)
    }

    /// The last events before a sequence, of one source or of all, oldest first.
    ///
    /// A page holds at most 1,000 events, and fewer if their records are very large.
    pub fn events_before(
        &self,
        source: Option<&str>,
        before_sequence: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.shared.readers.events_before(source, before_sequence, limit)
    }

    /// One event by its sequence.
    pub fn event(&self, sequence: i64) -> Result<Option<StoredEvent>, StoreError> {
        self.shared.readers.event(sequence)
    }

    /// One event by its identity.
    pub fn event_by_id(
        &self,
        source: &str,
        source_event_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        self.shared.readers.event_by_id(source, source_event_id)
    }

    /// The next dead letters behind an id. Start with 0; an empty page means that there are no more.
    pub fn rejects(&self, after_id: i64, limit: usize) -> Result<Vec<StoredReject>, StoreError> {
        self.shared.readers.rejects(after_id, limit)
    }

    /// Dead letters of a source, a page at a time.
    pub(crate) fn letters(&self, wanted: &Letters<'_>) -> Result<(Vec<Letter>, bool), StoreError> {
        self.shared.readers.letters(wanted)
    }

    /// One of them, with the whole record.
    pub(crate) fn letter(&self, source: &str, id: i64) -> Result<Option<Letter>, StoreError> {
        self.shared.readers.letter(source, id)
    }

    /// All sources, by name.
    pub fn sources(&self) -> Result<Vec<SourceSummary>, StoreError> {
        self.shared.readers.sources()
    }

    /// How much the whole store has taken.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let sum = |sum: Counts, source: SourceSummary| Counts {
            events: sum.events + source.counts.events,
            duplicates: sum.duplicates + source.counts.duplicates,
            conflicts: sum.conflicts + source.counts.conflicts,
            rejects: sum.rejects + source.counts.rejects,
        };
        Ok(self.sources()?.into_iter().fold(Counts::default(), sum))
    }
}

#[cfg(test)]
mod tests;
