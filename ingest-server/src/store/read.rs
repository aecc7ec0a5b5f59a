//! Reading beside the writer.
//!
//! Readers have connections of their own. Every call is one short transaction and returns a page of
//! bounded size, because a reader that holds a snapshot keeps the WAL from starting over.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use weir_engine::decimal::Decimal;

use super::append::{IdHasher, PlanRef};
use super::blocks::Block;
use super::error::StoreError;
use super::event::{Origin, Part, StoredEvent, StoredReject};
use super::schema;
use super::seen::{self, sqlite::SqliteRuns};
use super::transaction::NANO;
use super::{Counts, ObjectState, SourceSummary};

/// A page has at most this many rows ...
pub(crate) const PAGE_ROWS_MAX: usize = 1_000;
/// ... and stops behind this many bytes of records and OCSF events, though never before the first.
pub(super) const PAGE_BYTES_FULL: usize = 32 << 20;
/// Connections kept for the next reader.
const IDLE_MAX: usize = 4;

/// The connections that read.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    hasher: IdHasher,
    /// The store's own name within the names of events.
    store_id: u64,
}

impl Readers {
    pub(crate) fn open(path: &Path) -> Result<Readers, StoreError> {
        let connection = schema::open_reader(path)?;
        let hasher = IdHasher::new(schema::hash_key(&connection)?);
        // One way: the name says nothing about the key.
        let store_id = (hasher.id("", b"store") >> 64) as u64;
        Ok(Readers { path: path.to_owned(), idle: Mutex::new(vec![connection]), hasher, store_id })
    }

    /// Runs `read` in a read transaction.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let transaction = connection.transaction().map_err(StoreError::from)?;
        let result = read(&transaction);
        transaction.finish().map_err(StoreError::from)?;
        let mut idle = idle();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        result
    }

    pub(crate) fn progress(
        &self,
        source: &str,
        key: &str,
    ) -> Result<Option<ObjectState>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT etag, progress, done
                 FROM object JOIN object_version ON object_version.id = object.version
                 WHERE key = ?2 AND source = (SELECT id FROM source WHERE name = ?1)",
            )?;
            let state = select.query_row([source, key], |row| {
                Ok(ObjectState { etag: row.get(0)?, progress: row.get(1)?, done: row.get(2)? })
            });
            Ok(state.optional()?)
        })
    }

    pub(crate) fn events_after(
        &self,
        source: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.events(source, limit, Order::OldestFirst { after })
    }

    pub(crate) fn tail(
        &self,
        source: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.events_before(source, i64::MAX, limit)
    }

    pub(crate) fn events_before(
        &self,
        source: Option<&str>,
        before: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = self.events(source, limit, Order::NewestFirst { before })?;
        events.reverse();
        Ok(events)
    }

    pub(crate) fn event(&self, sequence: i64) -> Result<Option<StoredEvent>, StoreError> {
        let after = sequence.saturating_sub(1);
        let mut events = self.events(None, 1, Order::OldestFirst { after })?;
        Ok(events.pop().filter(|event| event.sequence == sequence))
    }

    /// An event by its identity, through the seen set: there is no index on random keys.
    pub(crate) fn event_by_id(
        &self,
        source: &str,
        id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let hash = self.hasher.id(source, id.as_bytes());
        let entry = self.read(|connection| seen::find(&SqliteRuns(connection), hash))?;
        let event = entry.map(|entry| self.event(entry.sequence)).transpose()?.flatten();
        let is_it =
            |event: &StoredEvent| *event.source_id == *source && event.source_event_id == id;
        Ok(event.filter(is_it))
    }

    fn events(
        &self,
        source: Option<&str>,
        limit: usize,
        order: Order,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|connection| {
            let mut page = Page::new(connection, self.store_id);
            let limit = limit.min(PAGE_ROWS_MAX).cast_signed();
            let source = match source {
                None => None,
                Some(name) => match source_id(connection, name)? {
                    None => return Ok(Vec::new()),
                    id => id,
                },
            };
            let (bound, compares, direction) = match order {
                Order::OldestFirst { after } => (after, '>', "ASC"),
                Order::NewestFirst { before } => (before, '<', "DESC"),
            };
            // Without the hint, SQLite might walk the rows of all sources in the wanted order.
            let only = match source {
                Some(_) => "INDEXED BY event_source WHERE source = ?3",
                None => "WHERE ?3 IS NULL",
            };
            let mut select = connection.prepare_cached(&format!(
                "SELECT seq, source, time, sid, type, actor, action, target, cost, tin, tout, extra
                 FROM event {only} AND seq {compares} ?1 ORDER BY seq {direction} LIMIT ?2"
            ))?;
            let mut rows = select.query(params![bound, limit, source])?;
            while let Some(row) = rows.next()? {
                page.add(row)?;
                if page.bytes >= PAGE_BYTES_FULL {
                    break;
                }
            }
            Ok(page.events)
        })
    }

    pub(crate) fn rejects(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredReject>, StoreError> {
        self.read(|connection| {
            let limit = limit.min(PAGE_ROWS_MAX).cast_signed();
            let mut select = connection.prepare_cached(&format!(
                "SELECT {REJECT_COLUMNS} FROM {REJECT_TABLES}
                 WHERE reject.id > ? ORDER BY reject.id LIMIT ?"
            ))?;
            let mut rows = select.query([after, limit as i64])?;
            let mut rejects = Vec::new();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let reject = reject(row)?;
                bytes += reject.raw.len();
                rejects.push(reject);
                if bytes >= PAGE_BYTES_FULL {
                    break;
                }
            }
            Ok(rejects)
        })
    }

    pub(crate) fn sources(&self) -> Result<Vec<SourceSummary>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT name, type, events, duplicates, conflicts, rejects, last_event_at
                 FROM source ORDER BY name",
            )?;
            let rows = select.query_map([], |row| {
                Ok(SourceSummary {
                    name: row.get(0)?,
                    source_type: row.get(1)?,
                    counts: Counts {
                        events: count(row, 2)?,
                        duplicates: count(row, 3)?,
                        conflicts: count(row, 4)?,
                        rejects: count(row, 5)?,
                    },
                    last_event_at_ms: row.get(6)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[derive(Clone, Copy)]
enum Order {
    OldestFirst { after: i64 },
    NewestFirst { before: i64 },
}

/// What [`reject`] reads.
pub(super) const REJECT_COLUMNS: &str = "reject.id, source.name, object.key, etag, run.name, hash,
    parser, plan.version, ocsf, at, code, message, mapping_line, target, byte_offset, end_offset,
    record_index, line, text, raw_bytes, raw";
pub(super) const REJECT_TABLES: &str = "reject JOIN source ON source.id = reject.source
    JOIN object_version ON object_version.id = reject.version
    JOIN object ON object.id = object_version.object
    JOIN plan ON plan.id = reject.plan JOIN run ON run.id = reject.run";

pub(super) fn source_id(connection: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    let mut select = connection.prepare_cached("SELECT id FROM source WHERE name = ?")?;
    Ok(select.query_row([name], |row| row.get(0)).optional()?)
}

/// A number that cannot be negative.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// A block that events are being read from.
struct OpenBlock {
    first_sequence: i64,
    block: Block,
    at_ms: i64,
    plan: Arc<PlanRef>,
    origin: Arc<Origin>,
}

/// Events being collected, and what they share.
struct Page<'c> {
    connection: &'c Connection,
    store_id: u64,
    events: Vec<StoredEvent>,
    /// Bytes of the blocks opened.
    bytes: usize,
    block: Option<OpenBlock>,
    sources: HashMap<i64, (Arc<str>, Arc<str>)>,
    event_types: HashMap<i64, String>,
}

impl<'c> Page<'c> {
    fn new(connection: &'c Connection, store_id: u64) -> Page<'c> {
        Page {
            connection,
            store_id,
            events: Vec::new(),
            bytes: 0,
            block: None,
            sources: HashMap::new(),
            event_types: HashMap::new(),
        }
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let sequence: i64 = row.get(0)?;
        let (source_id, source_type) = self.source(row.get(1)?)?;
        let action: String = row.get(6)?;
        let event_type = match row.get(4)? {
            Some(id) => self.event_type(id)?,
            None => action.clone(),
        };
        let cost = cost(row.get_ref(8)?)?;
        let store_id = self.store_id;
        let (open, slot) = self.open_block(sequence)?;
        let stored = &open.block.events[slot];
        let part = |range: &std::ops::Range<usize>| Part {
            data: Arc::clone(&open.block.data),
            range: range.clone(),
        };
        let event = StoredEvent {
            id: format!("{store_id:016x}-{sequence}"),
            sequence,
            source_id,
            source_type,
            source_event_id: row.get(3)?,
            event_type,
            event_time_ns: row.get(2)?,
            ingested_at_ms: open.at_ms,
            actor: row.get(5)?,
            action,
            target: row.get(7)?,
            cost,
            tokens_input: row.get(9)?,
            tokens_output: row.get(10)?,
            extra: row.get(11)?,
            plan: Arc::clone(&open.plan),
            origin: Arc::clone(&open.origin),
            byte_offset: stored.position.offset,
            end_offset: stored.position.end_offset,
            record_index: stored.position.index,
            line: stored.position.line,
            raw: stored.raw.as_ref().map(part),
            ocsf: stored.ocsf.as_ref().map(part),
        };
        self.events.push(event);
        Ok(())
    }

    fn source(&mut self, id: i64) -> Result<(Arc<str>, Arc<str>), StoreError> {
        if let Some(names) = self.sources.get(&id) {
            return Ok(names.clone());
        }
        let mut select =
            self.connection.prepare_cached("SELECT name, type FROM source WHERE id = ?")?;
        let names: (Arc<str>, Arc<str>) =
            select.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.sources.insert(id, names.clone());
        Ok(names)
    }

    fn event_type(&mut self, id: i64) -> Result<String, StoreError> {
        if let Some(name) = self.event_types.get(&id) {
            return Ok(name.clone());
        }
        let mut select =
            self.connection.prepare_cached("SELECT name FROM event_type WHERE id = ?")?;
        let name: String = select.query_row([id], |row| row.get(0))?;
        self.event_types.insert(id, name.clone());
        Ok(name)
    }

    /// The block of a sequence, and the event's place in it.
    fn open_block(&mut self, sequence: i64) -> Result<(&OpenBlock, usize), StoreError> {
        let slot = |open: &OpenBlock| {
            let slot = usize::try_from(sequence.checked_sub(open.first_sequence)?).ok()?;
            (slot < open.block.events.len()).then_some(slot)
        };
        if self.block.as_ref().and_then(slot).is_none() {
            let open = read_block(self.connection, sequence)?;
            self.bytes += open.block.data.len();
            self.block = Some(open);
        }
        let found = self.block.as_ref().and_then(|open| Some((open, slot(open)?)));
        found.ok_or_else(|| StoreError::corrupt(format!("no block holds sequence {sequence}")))
    }
}

fn read_block(connection: &Connection, sequence: i64) -> Result<OpenBlock, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT first_seq, n, at, hash, parser, plan.version, ocsf, object.key, etag, run.name,
         lens, data
         FROM block JOIN plan ON plan.id = block.plan JOIN run ON run.id = block.run
         JOIN object_version ON object_version.id = block.version
         JOIN object ON object.id = object_version.object
         WHERE first_seq = (SELECT max(first_seq) FROM block WHERE first_seq <= ?)",
    )?;
    let mut rows = select.query([sequence])?;
    let Some(row) = rows.next()? else {
        return Err(StoreError::corrupt(format!("no block holds sequence {sequence}")));
    };
    let events = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
    let blob = |column| -> Result<&[u8], StoreError> {
        row.get_ref(column)?.as_blob().map_err(|_| StoreError::corrupt("a block is no blob"))
    };
    Ok(OpenBlock {
        first_sequence: row.get(0)?,
        block: Block::read(blob(10)?, blob(11)?, events)?,
        at_ms: row.get(2)?,
        plan: Arc::new(plan(row, 3)?),
        origin: Arc::new(Origin {
            object_key: row.get(7)?,
            etag: row.get(8)?,
            run_id: row.get(9)?,
        }),
    })
}

/// A plan from four columns: hash, parser, version, ocsf.
fn plan(row: &Row<'_>, first: usize) -> Result<PlanRef, StoreError> {
    Ok(PlanRef {
        hash: row.get(first)?,
        parser: row.get(first + 1)?,
        version: row.get(first + 2)?,
        ocsf: row.get(first + 3)?,
    })
}

fn cost(value: ValueRef<'_>) -> Result<Decimal, StoreError> {
    let cost = match value {
        ValueRef::Integer(nanos) => Some(Decimal(i128::from(nanos) * NANO)),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(Decimal::parse),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    };
    cost.ok_or_else(|| StoreError::corrupt("a cost is no decimal"))
}

pub(super) fn reject(row: &Row<'_>) -> Result<StoredReject, StoreError> {
    let raw: Vec<u8> = row.get(20)?;
    let raw = match row.get::<_, Option<i64>>(19)? {
        None => raw,
        Some(bytes) => unpack(&raw, bytes)
            .ok_or_else(|| StoreError::corrupt("a dead letter's record cannot be read"))?,
    };
    Ok(StoredReject {
        id: row.get(0)?,
        source_id: row.get(1)?,
        plan: plan(row, 5)?,
        origin: Origin { object_key: row.get(2)?, etag: row.get(3)?, run_id: row.get(4)? },
        created_at_ms: row.get(9)?,
        code: row.get(10)?,
        message: row.get(11)?,
        mapping_line: row.get(12)?,
        target: row.get(13)?,
        byte_offset: count(row, 14)?,
        end_offset: count(row, 15)?,
        record_index: count(row, 16)?,
        line: count(row, 17)?,
        text: row.get(18)?,
        raw,
    })
}

fn unpack(packed: &[u8], bytes: i64) -> Option<Vec<u8>> {
    let bytes = usize::try_from(bytes).ok()?;
    // The frame must agree before a byte is allocated.
    let content = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    if content != Some(bytes as u64) {
        return None;
    }
    zstd::bulk::decompress(packed, bytes).ok().filter(|raw| raw.len() == bytes)
}
