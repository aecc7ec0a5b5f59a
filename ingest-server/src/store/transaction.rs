//! One append inside a transaction: fence, compare, write.
//!
//! 1. The stored progress must be where the work started, or nothing is written at all.
//! 2. Every id is compared with the seen set and with those before it: new, duplicate or conflict.
//! 3. The new events become rows, blocks and a run of the seen set; refused records and conflicts
//!    become dead letters; the progress moves on.

use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params};
use weir_engine::decimal::Decimal;

use super::append::{Append, Appended, EventIn, Prepared, RawIn, RejectIn, Span};
use super::blocks::{Position, RawPayload};
use super::error::StoreError;
use super::seen::Entry;
use super::seen::sqlite::SqliteRuns;
use super::writer::Memory;

/// What an event's row and index entry come to, for the sum of bytes written.
const ROW_BYTES: usize = 256;
/// Raw bytes of a dead letter below this are not worth compressing.
const REJECT_RAW_BYTES_MIN: usize = 128;
/// 1e-9 USD, the unit of the cost column, in units of [`Decimal`].
pub(crate) const NANO: i128 = 1_000_000_000;

/// Names that were given a number, as far as this thread has met them.
#[derive(Default)]
pub(crate) struct Interned {
    /// The type and the number of each source.
    sources: HashMap<String, (String, i64)>,
    event_types: HashMap<Vec<u8>, i64>,
}

/// One append within a transaction.
pub(crate) struct Work<'a> {
    transaction: &'a Transaction<'a>,
    memory: &'a mut Memory,
    work: &'a Prepared,
    /// Roughly what was written.
    bytes: usize,
}

/// The numbers that stand for the append's names.
struct Names {
    source: i64,
    object: i64,
    version: i64,
    plan: i64,
    run: i64,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    New,
    Duplicate,
    /// With the event of this sequence, stored before.
    ConflictWithStored(i64),
    /// With an event of the same append, by ordinal.
    ConflictWithin(u32),
}

/// A record with events whose ids are taken.
struct Conflict {
    /// Its first such event, by ordinal.
    event: usize,
    /// What is stored under that id.
    stored_as: i64,
    /// How many more of its events have such ids.
    others: usize,
}

impl<'a> Work<'a> {
    pub(crate) fn new(
        transaction: &'a Transaction<'a>,
        memory: &'a mut Memory,
        work: &'a Prepared,
    ) -> Work<'a> {
        Work { transaction, memory, work, bytes: 0 }
    }

    /// What it came to, and roughly how many bytes were written.
    pub(crate) fn run(mut self) -> Result<(Appended, usize), StoreError> {
        // Refuse before the first write, so that a refusal needs no rollback.
        self.check_fences()?;
        let names = self.names()?;
        let verdicts = self.verdicts(names.source)?;
        let sequences = self.sequences(&verdicts)?;
        let stored = verdicts.iter().filter(|&&verdict| verdict == Verdict::New).count();
        let duplicates = verdicts.iter().filter(|&&v| v == Verdict::Duplicate).count();
        let appended = Appended {
            stored: stored as u64,
            duplicates: duplicates as u64,
            conflicts: (verdicts.len() - stored - duplicates) as u64,
            first_sequence: (stored > 0).then_some(self.memory.next_sequence),
        };
        self.supersede_rejects(&names)?;
        self.write_rows(&names, &sequences)?;
        self.write_blocks(&names, &sequences)?;
        self.write_seen(&sequences)?;
        let conflicts = self.conflicts(&verdicts, &sequences);
        match self.work.append.settles {
            None => self.write_rejects(&names, &conflicts)?,
            Some(id) => self.settle(id, &names, conflicts.first())?,
        }
        self.write_progress(&names)?;
        self.write_counts(&names, &appended)?;
        self.memory.next_sequence += i64::try_from(stored).unwrap_or(i64::MAX);
        Ok((appended, self.bytes))
    }

    /// Whether this work may still be done.
    fn check_fences(&self) -> Result<(), StoreError> {
        let append = &self.work.append;
        if let Some(step) = &append.step {
            let stored = stored_progress(self.transaction, &append.source, &append.object.key)?;
            if stored != step.from {
                return Err(StoreError::Fenced { stored });
            }
        }
        let one = |sql: &str, key: &dyn ToSql| -> Result<Option<i64>, StoreError> {
            let mut select = self.transaction.prepare_cached(sql)?;
            Ok(select.query_row([key], |row| row.get(0)).optional()?)
        };
        if one("SELECT closed FROM run WHERE name = ?", &append.run_id)? == Some(1) {
            return Err(StoreError::RunClosed);
        }
        match append.settles {
            Some(id) if one("SELECT state FROM reject WHERE id = ?", &id)? != Some(0) => {
                Err(StoreError::Settled)
            }
            _ => Ok(()),
        }
    }

    /// The event's sequence, if it is new.
    fn sequences(&self, verdicts: &[Verdict]) -> Result<Vec<Option<i64>>, StoreError> {
        let full = || StoreError::Invalid("the store has run out of sequences");
        i64::try_from(verdicts.len())
            .ok()
            .and_then(|count| self.memory.next_sequence.checked_add(count))
            .ok_or_else(full)?;
        let mut next = self.memory.next_sequence..;
        Ok(verdicts.iter().map(|&v| (v == Verdict::New).then(|| next.next()).flatten()).collect())
    }

    fn names(&mut self) -> Result<Names, StoreError> {
        let Append { source, source_type, object, plan, run_id, .. } = &self.work.append;
        let source = self.source(source, source_type)?;
        let transaction = self.transaction;
        let object_id = intern(
            transaction,
            "SELECT id FROM object WHERE source = ? AND key = ?",
            "INSERT INTO object(source, key, progress, done) VALUES (?, ?, '', 0)",
            params![source, object.key],
        )?;
        let version = intern(
            transaction,
            "SELECT id FROM object_version WHERE object = ? AND etag = ?",
            "INSERT INTO object_version(object, etag) VALUES (?, ?)",
            params![object_id, object.etag],
        )?;
        let plan = intern(
            transaction,
            "SELECT id FROM plan WHERE hash = ? AND parser = ? AND version = ? AND ocsf = ?",
            "INSERT INTO plan(hash, parser, version, ocsf) VALUES (?, ?, ?, ?)",
            params![plan.hash, plan.parser, plan.version, plan.ocsf],
        )?;
        let run = intern(
            transaction,
            "SELECT id FROM run WHERE name = ?",
            "INSERT INTO run(name) VALUES (?)",
            params![run_id],
        )?;
        Ok(Names { source, object: object_id, version, plan, run })
    }

    fn source(&mut self, name: &str, source_type: &str) -> Result<i64, StoreError> {
        if let Some((known_type, id)) = self.memory.interned.sources.get(name)
            && known_type == source_type
        {
            return Ok(*id);
        }
        let id = self
            .transaction
            .prepare_cached(
                "INSERT INTO source(name, type) VALUES (?, ?)
                 ON CONFLICT (name) DO UPDATE SET type = excluded.type RETURNING id",
            )?
            .query_row(params![name, source_type], |row| row.get(0))?;
        let known = (source_type.to_owned(), id);
        self.memory.interned.sources.insert(name.to_owned(), known);
        Ok(id)
    }

    /// The event's type as a number; `None` means "the same as its action".
    fn event_type(&mut self, event: &EventIn) -> Result<Option<i64>, StoreError> {
        let append = &self.work.append;
        let name = append.bytes(event.event_type);
        if name.is_empty() || name == append.bytes(event.action) {
            return Ok(None);
        }
        if let Some(&id) = self.memory.interned.event_types.get(name) {
            return Ok(Some(id));
        }
        let id = intern(
            self.transaction,
            "SELECT id FROM event_type WHERE name = ?",
            "INSERT INTO event_type(name) VALUES (?)",
            params![self.text(event.event_type)],
        )?;
        self.memory.interned.event_types.insert(name.to_vec(), id);
        Ok(Some(id))
    }

    fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.work.append.bytes(span)).expect("checked before it was sent")
    }

    fn raw_hash(&self, ordinal: u32) -> u64 {
        self.work.raw_hashes[self.work.append.events[ordinal as usize].record as usize]
    }

    /// Compares every event with what is stored, and with those before it in this append.
    fn verdicts(&self, source: i64) -> Result<Vec<Verdict>, StoreError> {
        let keys = &self.work.keys;
        let mut verdicts = vec![Verdict::New; keys.len()];
        let mut stored = Vec::new();
        let storage = SqliteRuns(self.transaction);
        let hashes = keys.iter().map(|&(hash, _)| hash);
        self.memory.seen.lookup(&storage, hashes, |index, entry| stored.push((index, entry)))?;
        for (index, entry) in stored {
            let ordinal = keys[index].1;
            verdicts[ordinal as usize] = self.against_stored(source, ordinal, entry)?;
        }
        for same in keys.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            // Sorted by ordinal too: the first one wins.
            let first = same[0].1;
            if verdicts[first as usize] != Verdict::New {
                continue;
            }
            for &(_, ordinal) in &same[1..] {
                verdicts[ordinal as usize] = self.against_first(first, ordinal)?;
            }
        }
        Ok(verdicts)
    }

    fn against_stored(
        &self,
        source: i64,
        ordinal: u32,
        entry: Entry,
    ) -> Result<Verdict, StoreError> {
        if entry.raw_hash == self.raw_hash(ordinal) {
            return Ok(Verdict::Duplicate);
        }
        let id = self.text(self.work.append.events[ordinal as usize].id);
        let stored: Option<(i64, String)> = self
            .transaction
            .prepare_cached("SELECT source, sid FROM event WHERE seq = ?")?
            .query_row([entry.sequence], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        // An event that has been removed since still counts as seen.
        if stored
            .is_some_and(|(stored_source, stored_id)| stored_source != source || stored_id != id)
        {
            let sequence = entry.sequence;
            let what = format!("the id {id:?} is listed as the event of sequence {sequence}");
            return Err(StoreError::Corrupt(what));
        }
        Ok(Verdict::ConflictWithStored(entry.sequence))
    }

    fn against_first(&self, first: u32, ordinal: u32) -> Result<Verdict, StoreError> {
        let id = |ordinal: u32| self.text(self.work.append.events[ordinal as usize].id);
        if id(first) != id(ordinal) {
            return Err(StoreError::corrupt("two ids have one hash"));
        }
        Ok(match self.raw_hash(first) == self.raw_hash(ordinal) {
            true => Verdict::Duplicate,
            false => Verdict::ConflictWithin(first),
        })
    }

    fn write_rows(&mut self, names: &Names, sequences: &[Option<i64>]) -> Result<(), StoreError> {
        let append = &self.work.append;
        let text = |span| Text(append.bytes(span));
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO event(seq, source, time, sid, type, actor, action, target, cost, tin, tout,
             extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (event, sequence) in append.events.iter().zip(sequences) {
            let Some(sequence) = sequence else { continue };
            let event_type = self.event_type(event)?;
            insert.execute(params![
                sequence,
                names.source,
                event.time_ns,
                text(event.id),
                event_type,
                text(event.actor),
                text(event.action),
                text(event.target),
                cost_value(event.cost),
                event.tokens_input,
                event.tokens_output,
                event.extra.map(text),
            ])?;
            self.bytes += ROW_BYTES;
        }
        Ok(())
    }

    fn write_blocks(&mut self, names: &Names, sequences: &[Option<i64>]) -> Result<(), StoreError> {
        let append = &self.work.append;
        let mut header = BlockHeader::default();
        let mut ordinal = 0;
        for group in append.events.chunk_by(|a, b| a.record == b.record) {
            let new = sequences[ordinal..ordinal + group.len()].iter();
            ordinal += group.len();
            let new = new.zip(group).filter_map(|(sequence, event)| Some(((*sequence)?, event)));
            let count = new.clone().count();
            if count == 0 {
                continue;
            }
            if self.memory.blocks.is_full() {
                self.write_block(names, std::mem::take(&mut header))?;
            }
            let record = &append.records[group[0].record as usize];
            let is_kept = new.clone().any(|(_, event)| event.raw == RawIn::Record);
            let raw = if is_kept { append.bytes(record.raw) } else { &[] };
            let blocks = &mut self.memory.blocks;
            blocks.record(Position::from(record), raw, count);
            let mut last_own = None;
            for (sequence, event) in new {
                header.add(sequence, event.time_ns);
                let raw = raw_payload(append, event.raw, &mut last_own);
                blocks.event(raw, event.ocsf.map(|ocsf| append.bytes(ocsf)));
            }
        }
        if self.memory.blocks.is_empty() { Ok(()) } else { self.write_block(names, header) }
    }

    fn write_block(&mut self, names: &Names, header: BlockHeader) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO block(first_seq, n, time_min, time_max, version, plan, run, at, lens, data)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let at = self.work.append.ingested_at_ms;
        let bytes = self.memory.blocks.finish(|lens, data| {
            insert.execute(params![
                header.first_sequence,
                header.events,
                header.time_min,
                header.time_max,
                names.version,
                names.plan,
                names.run,
                at,
                lens,
                data
            ])?;
            Ok(lens.len() + data.len())
        })?;
        self.bytes += bytes;
        Ok(())
    }

    fn write_seen(&mut self, sequences: &[Option<i64>]) -> Result<(), StoreError> {
        // The keys are sorted, and so are the entries.
        let new = self.work.keys.iter().filter_map(|&(hash, ordinal)| {
            let sequence = sequences[ordinal as usize]?;
            Some(Entry { hash, raw_hash: self.raw_hash(ordinal), sequence })
        });
        let new: Vec<Entry> = new.collect();
        self.bytes += new.len() * size_of::<Entry>();
        self.memory.seen.stage(&SqliteRuns(self.transaction), &new)
    }

    /// The records with events whose ids are taken: each becomes one dead letter.
    fn conflicts(&self, verdicts: &[Verdict], sequences: &[Option<i64>]) -> Vec<Conflict> {
        let mut conflicts = Vec::<Conflict>::new();
        for (ordinal, verdict) in verdicts.iter().enumerate() {
            let stored_as = match *verdict {
                Verdict::New | Verdict::Duplicate => continue,
                Verdict::ConflictWithStored(sequence) => sequence,
                Verdict::ConflictWithin(first) => {
                    sequences[first as usize].expect("the first of its id is new")
                }
            };
            let record = self.work.append.events[ordinal].record;
            match conflicts.last_mut() {
                Some(last) if self.work.append.events[last.event].record == record => {
                    last.others += 1;
                }
                _ => conflicts.push(Conflict { event: ordinal, stored_as, others: 0 }),
            }
        }
        conflicts
    }

    fn write_rejects(&mut self, names: &Names, conflicts: &[Conflict]) -> Result<(), StoreError> {
        let rejects = &self.work.append.rejects;
        let is_read_again =
            !(rejects.is_empty() && conflicts.is_empty()) && self.is_read_again(names)?;
        for reject in rejects {
            self.write_reject(names, reject, is_read_again)?;
        }
        // One after the other: together, whole records could be many times the append.
        for conflict in conflicts {
            let kept = self.kept_whole(conflict);
            let reject = RejectIn { sealed: kept.0, context: kept.1, ..self.conflict(conflict) };
            self.write_reject(names, &reject, is_read_again)?;
        }
        Ok(())
    }

    /// Whether other versions of the object were read before.
    fn is_read_again(&self, names: &Names) -> Result<bool, StoreError> {
        if self.work.append.step.is_none() {
            return Ok(false);
        }
        let mut select = self
            .transaction
            .prepare_cached("SELECT 1 FROM object_version WHERE object = ? AND id != ?")?;
        Ok(select.exists(params![names.object, names.version])?)
    }

    /// The record of a conflict, encrypted, and its context, if that is wanted.
    fn kept_whole(&self, conflict: &Conflict) -> (Vec<u8>, String) {
        let append = &self.work.append;
        let number = append.events[conflict.event].record as usize;
        let record = &append.records[number];
        let keep = append.keeps_whole.as_ref();
        keep.map(|keep| keep.keep(number, record, append.bytes(record.raw))).unwrap_or_default()
    }

    /// The dead letter of a record with events whose ids are taken.
    fn conflict(&self, conflict: &Conflict) -> RejectIn {
        let Conflict { event, stored_as, others } = *conflict;
        let event = &self.work.append.events[event];
        let id = self.text(event.id);
        let record = &self.work.append.records[event.record as usize];
        let mut message = format!(
            "the event id {id:?} is already stored with other bytes, as sequence {stored_as}"
        );
        if others > 0 {
            message += &format!("; so are {others} more of its record");
        }
        RejectIn {
            code: "R1401".to_owned(),
            message,
            target: "source_event_id".to_owned(),
            offset: record.offset,
            end_offset: record.end_offset,
            index: record.index,
            line: record.line,
            text: id.to_owned(),
            // As much as the event would have kept.
            raw: match event.raw {
                RawIn::Record => record.raw,
                RawIn::Other(span) => span,
                RawIn::None => Span::default(),
            },
            mapping_line: 0,
            sealed: Vec::new(),
            context: String::new(),
        }
    }

    /// Writes a dead letter. One that is the same in an earlier version of the object is closed: the record
    /// is refused once more, but it is still one record.
    fn write_reject(
        &mut self,
        names: &Names,
        reject: &RejectIn,
        is_read_again: bool,
    ) -> Result<(), StoreError> {
        let raw = self.work.append.bytes(reject.raw);
        let compressed = compressed(raw)?;
        let position = [reject.offset, reject.end_offset, reject.index, reject.line];
        let [offset, end_offset, index, line] = position.map(u64::cast_signed);
        let stored = compressed.as_deref().unwrap_or(raw);
        if is_read_again {
            self.transaction
                .prepare_cached(
                    "UPDATE reject SET state = 3, settled_at = ?, sealed = NULL
                     WHERE state = 0 AND byte_offset = ? AND end_offset = ? AND record_index = ?
                     AND code = ? AND text = ? AND raw = ? AND version IN
                     (SELECT id FROM object_version WHERE object = ? AND id != ?)",
                )?
                .execute(params![
                    self.work.append.ingested_at_ms,
                    offset,
                    end_offset,
                    index,
                    reject.code,
                    reject.text,
                    stored,
                    names.object,
                    names.version,
                ])?;
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO reject(source, version, plan, run, at, code, message, mapping_line,
                 target, byte_offset, end_offset, record_index, line, text, raw_bytes, raw, sealed,
                 context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                names.source,
                names.version,
                names.plan,
                names.run,
                self.work.append.ingested_at_ms,
                reject.code,
                reject.message,
                reject.mapping_line,
                reject.target,
                offset,
                end_offset,
                index,
                line,
                reject.text,
                compressed.is_some().then_some(raw.len().cast_signed()),
                stored,
                (!reject.sealed.is_empty()).then_some(&reject.sealed),
                (!reject.context.is_empty()).then_some(&reject.context),
            ])?;
        self.bytes += ROW_BYTES + stored.len() + reject.sealed.len();
        Ok(())
    }

    fn write_progress(&self, names: &Names) -> Result<(), StoreError> {
        let Some(step) = &self.work.append.step else { return Ok(()) };
        self.transaction
            .prepare_cached("UPDATE object SET version = ?, progress = ?, done = ? WHERE id = ?")?
            .execute(params![names.version, step.to, step.done, names.object])?;
        Ok(())
    }

    fn supersede_rejects(&self, names: &Names) -> Result<(), StoreError> {
        let append = &self.work.append;
        if !append.supersedes_rejects {
            return Ok(());
        }
        self.transaction
            .prepare_cached(
                "UPDATE reject SET state = 3, settled_at = ?, sealed = NULL
                 WHERE source = ? AND state = 0 AND version = ? AND run != ?",
            )?
            .execute(params![append.ingested_at_ms, names.source, names.version, names.run])?;
        Ok(())
    }

    /// Closes a dead letter whose record is mapped now, or notes why it still cannot be.
    fn settle(
        &mut self,
        id: i64,
        names: &Names,
        conflict: Option<&Conflict>,
    ) -> Result<(), StoreError> {
        let append = &self.work.append;
        let conflict = conflict.map(|conflict| self.conflict(conflict));
        let Some(reject) = append.rejects.first().or(conflict.as_ref()) else {
            self.transaction
                .prepare_cached(
                    "UPDATE reject SET state = 1, settled_at = ?, sealed = NULL WHERE id = ?",
                )?
                .execute(params![append.ingested_at_ms, id])?;
            return Ok(());
        };
        let raw = append.bytes(reject.raw);
        let compressed = compressed(raw)?;
        self.transaction
            .prepare_cached(
                "UPDATE reject SET plan = ?, code = ?, message = ?, mapping_line = ?, target = ?,
                 text = ?, raw_bytes = ?, raw = ? WHERE id = ?",
            )?
            .execute(params![
                names.plan,
                reject.code,
                reject.message,
                reject.mapping_line,
                reject.target,
                reject.text,
                compressed.is_some().then_some(raw.len().cast_signed()),
                compressed.as_deref().unwrap_or(raw),
                id
            ])?;
        self.bytes += ROW_BYTES + raw.len();
        Ok(())
    }

    fn write_counts(&self, names: &Names, appended: &Appended) -> Result<(), StoreError> {
        let append = &self.work.append;
        // A dead letter was counted when it was made.
        let is_new = u64::from(append.settles.is_none());
        let counts = [
            appended.stored,
            appended.duplicates,
            appended.conflicts * is_new,
            append.rejects.len() as u64 * is_new,
            append.read.records,
            append.read.bytes,
        ];
        let [events, duplicates, conflicts, rejects, records, bytes] = counts.map(u64::cast_signed);
        let hour = append.ingested_at_ms.div_euclid(3_600_000);
        self.transaction
            .prepare_cached(
                "INSERT INTO source_hour(source, hour, events, duplicates, conflicts, rejects,
                 records, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (source, hour) DO UPDATE SET events = events + excluded.events,
                 duplicates = duplicates + excluded.duplicates,
                 conflicts = conflicts + excluded.conflicts, rejects = rejects + excluded.rejects,
                 records = records + excluded.records, bytes = bytes + excluded.bytes",
            )?
            .execute(params![
                names.source,
                hour,
                events,
                duplicates,
                conflicts,
                rejects,
                records,
                bytes
            ])?;
        self.transaction
            .prepare_cached(
                "UPDATE run SET events = events + ?, duplicates = duplicates + ?,
                 conflicts = conflicts + ?, rejects = rejects + ?, records = records + ?,
                 bytes = bytes + ? WHERE id = ?",
            )?
            .execute(params![events, duplicates, conflicts, rejects, records, bytes, names.run])?;
        self.transaction
            .prepare_cached(
                "UPDATE source SET events = events + ?, duplicates = duplicates + ?,
                 conflicts = conflicts + ?, rejects = rejects + ?,
                 last_event_at = iif(?, ?, last_event_at) WHERE id = ?",
            )?
            .execute(params![
                events,
                duplicates,
                conflicts,
                rejects,
                appended.stored > 0,
                append.ingested_at_ms,
                names.source,
            ])?;
        self.transaction
            .prepare_cached("UPDATE store SET next_sequence = next_sequence + ?")?
            .execute([events])?;
        Ok(())
    }
}

/// A dead letter's record as it is stored, if that is smaller.
fn compressed(raw: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(match raw.len() {
        0..REJECT_RAW_BYTES_MIN => None,
        _ => Some(zstd::bulk::compress(raw, 1)?).filter(|packed| packed.len() < raw.len()),
    })
}

/// Bytes that were found to be UTF-8 before they were sent, on their way into a column of text.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// The columns of a block that come from its events.
#[derive(Default)]
struct BlockHeader {
    first_sequence: i64,
    events: i64,
    time_min: Option<i64>,
    time_max: Option<i64>,
}

impl BlockHeader {
    fn add(&mut self, sequence: i64, time_ns: Option<i64>) {
        if self.events == 0 {
            self.first_sequence = sequence;
        }
        self.events += 1;
        if let Some(time) = time_ns {
            self.time_min = Some(self.time_min.map_or(time, |min| min.min(time)));
            self.time_max = Some(self.time_max.map_or(time, |max| max.max(time)));
        }
    }
}

fn raw_payload<'a>(append: &'a Append, raw: RawIn, last_own: &mut Option<Span>) -> RawPayload<'a> {
    match raw {
        RawIn::None => RawPayload::None,
        RawIn::Record => RawPayload::Record,
        RawIn::Other(span) if last_own.replace(span) == Some(span) => RawPayload::SameAsBefore,
        RawIn::Other(span) => RawPayload::Own(append.bytes(span)),
    }
}

/// Cost in 1e-9 USD if that is exact and fits, else as decimal text.
fn cost_value(cost: Decimal) -> Value {
    match i64::try_from(cost.0 / NANO) {
        Ok(nanos) if cost.0 % NANO == 0 => Value::Integer(nanos),
        _ => Value::Text(cost.to_string()),
    }
}

/// The progress of an object as it is stored.
pub(crate) fn stored_progress(
    connection: &Connection,
    source: &str,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT progress FROM object WHERE key = ?2 AND source = (SELECT id FROM source WHERE name = ?1)",
    )?;
    Ok(select.query_row([source, key], |row| row.get(0)).optional()?)
}

/// The number of a name, given out at the first meeting.
fn intern(
    transaction: &Transaction<'_>,
    select: &str,
    insert: &str,
    name: &[&dyn ToSql],
) -> Result<i64, StoreError> {
    let known = transaction.prepare_cached(select)?.query_row(name, |row| row.get(0)).optional()?;
    match known {
        Some(id) => Ok(id),
        None => Ok(transaction.prepare_cached(insert)?.insert(name)?),
    }
}
