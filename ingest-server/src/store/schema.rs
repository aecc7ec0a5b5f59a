//! The file: its format, how it is created, opened and tuned.
//!
//! Everything lives in one SQLite file, because a transaction in WAL mode is atomic within one file
//! only. The header says whose file it is (`application_id`) and in which format (`user_version`).

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::StoreError;

/// "weir" in the file header, so that `file` and others can tell what it is.
const APPLICATION_ID: i64 = 0x7765_6972;
/// The format below. A change of it comes with a migration from every earlier one.
pub(crate) const FORMAT: i64 = 2;
/// Blocks are tens of kilobytes: larger pages make their overflow chains shorter.
const PAGE_BYTES: i64 = 8192;
/// How long to wait for another process that is writing to the same file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A WAL that had to grow is cut back to this size when it starts over.
const WAL_BYTES_KEPT: i64 = 64 << 20;

const SCHEMA: &str = "
-- One row: the key of the id hash, and the next sequence (never reused, whatever is deleted).
CREATE TABLE store(
    one INTEGER PRIMARY KEY CHECK (one = 1), hash_key BLOB NOT NULL, next_sequence INT NOT NULL
) STRICT;
CREATE TABLE source(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    events INT NOT NULL DEFAULT 0, duplicates INT NOT NULL DEFAULT 0,
    conflicts INT NOT NULL DEFAULT 0, rejects INT NOT NULL DEFAULT 0, last_event_at INT
) STRICT;

-- The ledger: how far each object has been read. `version` is its current generation.
CREATE TABLE object(
    id INTEGER PRIMARY KEY, source INT NOT NULL, key TEXT NOT NULL,
    version INT, progress TEXT NOT NULL, done INT NOT NULL, UNIQUE (source, key)
) STRICT;
CREATE TABLE object_version(
    id INTEGER PRIMARY KEY, object INT NOT NULL, etag TEXT NOT NULL, UNIQUE (object, etag)
) STRICT;
CREATE TABLE plan(
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL, parser TEXT NOT NULL, version INT NOT NULL,
    ocsf TEXT NOT NULL, UNIQUE (hash, parser, version, ocsf)
) STRICT;
-- What a run has brought so far. One that is closed cannot commit any more.
CREATE TABLE run(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, closed INT NOT NULL DEFAULT 0,
    events INT NOT NULL DEFAULT 0, duplicates INT NOT NULL DEFAULT 0,
    conflicts INT NOT NULL DEFAULT 0, rejects INT NOT NULL DEFAULT 0,
    records INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0
) STRICT;
-- What a source has brought in each hour since 1970.
CREATE TABLE source_hour(
    source INT NOT NULL, hour INT NOT NULL, events INT NOT NULL, duplicates INT NOT NULL,
    conflicts INT NOT NULL, rejects INT NOT NULL, records INT NOT NULL, bytes INT NOT NULL,
    PRIMARY KEY (source, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_type(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Narrow rows. time in ns since 1970; type NULL means action; cost in 1e-9 USD, or decimal text.
CREATE TABLE event(
    seq INTEGER PRIMARY KEY, source INT NOT NULL, time INT, sid TEXT NOT NULL, type INT,
    actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, cost ANY NOT NULL,
    tin INT NOT NULL, tout INT NOT NULL, extra TEXT
) STRICT;
CREATE INDEX event_source ON event(source, seq);
-- Raw records and OCSF events, interleaved and compressed, of events first_seq .. first_seq + n - 1.
-- All of a block come from one append: object version, plan, run and arrival are said once.
CREATE TABLE block(
    first_seq INTEGER PRIMARY KEY, n INT NOT NULL, time_min INT, time_max INT,
    version INT NOT NULL, plan INT NOT NULL, run INT NOT NULL, at INT NOT NULL,
    lens BLOB NOT NULL, data BLOB NOT NULL
) STRICT;

-- Dead letters. raw is what may be shown; raw_bytes its length before compression, NULL if it is
-- stored as it is. sealed is the whole record, encrypted; context what else a mapping needs.
-- state 0 is open, 1 mapped later, 2 discarded, 3 read once more with its whole object.
CREATE TABLE reject(
    id INTEGER PRIMARY KEY AUTOINCREMENT, source INT NOT NULL, version INT NOT NULL,
    plan INT NOT NULL, run INT NOT NULL, at INT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    mapping_line INT NOT NULL, target TEXT NOT NULL, byte_offset INT NOT NULL,
    end_offset INT NOT NULL, record_index INT NOT NULL, line INT NOT NULL, text TEXT NOT NULL,
    raw_bytes INT, raw BLOB NOT NULL, sealed BLOB, context TEXT,
    state INT NOT NULL DEFAULT 0, settled_at INT
) STRICT;
CREATE INDEX reject_source ON reject(source, state, id);
CREATE INDEX reject_version ON reject(version, byte_offset) WHERE state = 0;

-- The set of ids seen: see the module `seen`. state 1 is live, 0 is being built or dead.
CREATE TABLE seen_run(
    id INTEGER PRIMARY KEY, level INT NOT NULL, buckets INT NOT NULL, n INT NOT NULL,
    state INT NOT NULL
) STRICT;
CREATE TABLE seen_chunk(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

INSERT INTO store(one, hash_key, next_sequence) VALUES (1, randomblob(16), 1);
";

/// From format 1 to format 2.
const MIGRATION_2: &str = "
ALTER TABLE run ADD COLUMN closed INT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN events INT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN duplicates INT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN conflicts INT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN rejects INT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN records INT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN bytes INT NOT NULL DEFAULT 0;
CREATE TABLE source_hour(
    source INT NOT NULL, hour INT NOT NULL, events INT NOT NULL, duplicates INT NOT NULL,
    conflicts INT NOT NULL, rejects INT NOT NULL, records INT NOT NULL, bytes INT NOT NULL,
    PRIMARY KEY (source, hour)
) STRICT, WITHOUT ROWID;
ALTER TABLE reject ADD COLUMN sealed BLOB;
ALTER TABLE reject ADD COLUMN context TEXT;
ALTER TABLE reject ADD COLUMN state INT NOT NULL DEFAULT 0;
ALTER TABLE reject ADD COLUMN settled_at INT;
CREATE INDEX reject_source ON reject(source, state, id);
CREATE INDEX reject_version ON reject(version, byte_offset) WHERE state = 0;
PRAGMA user_version = 2;
";

/// Opens the connection that writes, creating the file if there is none.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    create_or_check(&mut connection, path)?;
    // What is acknowledged is on the disk.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer decides when to checkpoint: see the module `writer`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a connection that can only read. The file must be there.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !path.try_exists()? {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let found = check_format(&*connection.transaction()?, path)?;
    match found {
        Format::Current => {}
        Format::Old => return Err(StoreError::Older { path: path.to_owned() }),
        Format::Empty => return Err(StoreError::NotAStore { path: path.to_owned() }),
    }
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn create_or_check(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    // One transaction: its three numbers are those of one moment.
    let found = check_format(&*connection.transaction()?, path)?;
    match found {
        Format::Current => return Ok(()),
        Format::Old => {}
        Format::Empty => {
            connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            use_wal(connection)?;
        }
    }
    // Two processes may find the file empty, or old, at the same time: look again under the lock.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match check_format(&transaction, path)? {
        Format::Current => {}
        Format::Old => transaction.execute_batch(MIGRATION_2)?,
        Format::Empty => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
        }
    }
    Ok(transaction.commit()?)
}

/// Turns the write-ahead log on. SQLite does not wait for another process that is doing the same,
/// whatever the timeout: one of them is told at once that the file is busy.
fn use_wal(connection: &Connection) -> Result<(), StoreError> {
    let begin = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begin.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return Ok(done?),
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Nothing yet.
    Empty,
    /// A store of an earlier format.
    Old,
    /// A store as it is written now.
    Current,
}

/// What the file holds, if it is ours.
fn check_format(connection: &Connection, path: &Path) -> Result<Format, StoreError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get(0));
    let application_id: i64 = match number("application_id") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(StoreError::NotAStore { path: path.to_owned() });
        }
        other => other?,
    };
    let found: i64 = number("user_version")?;
    match (application_id, found) {
        (APPLICATION_ID, FORMAT) => Ok(Format::Current),
        (APPLICATION_ID, 1) => Ok(Format::Old),
        (APPLICATION_ID, found) if found > FORMAT => {
            Err(StoreError::Newer { path: path.to_owned(), found, supported: FORMAT })
        }
        (0, 0) if number("schema_version")? == 0 => Ok(Format::Empty),
        _ => Err(StoreError::NotAStore { path: path.to_owned() }),
    }
}

/// The key of the id hash.
pub(crate) fn hash_key(connection: &Connection) -> Result<[u8; 16], StoreError> {
    Ok(connection.query_row("SELECT hash_key FROM store", [], |row| row.get(0))?)
}
