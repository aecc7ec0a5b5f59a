//! One transaction's worth of work, as the caller hands it over.
//!
//! An [`Append`] owns its bytes as shared buffers and points into them with [`Span`]s, so a batch of
//! ten thousand events crosses to the writer thread without a copy or an allocation per event.
//! Checking it and hashing it happens on the caller's thread ([`Prepared`]); the writer only writes, but for records
//! whose ids turn out to be taken, which it has sealed ([`KeepWhole`]).

use std::hash::Hasher;
use std::sync::Arc;

use bytes::Bytes;
use siphasher::sip::SipHasher13 as SipHasher64;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher128};
use weir_engine::decimal::Decimal;

use super::error::StoreError;

/// Bytes `start..start + len` of buffer number `buffer` of an [`Append`]. An empty span may stand
/// anywhere; the default one is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Index into [`Append::buffers`].
    pub buffer: u32,
    /// First byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

/// The object that records come from: an S3 key, a file, a webhook's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its name within the source.
    pub key: String,
    /// The version of its bytes. Another etag is another generation of the object.
    pub etag: String,
}

/// The compiled program that made the events. The default one stands for none at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanRef {
    /// Hash of the plan.
    pub hash: [u8; 32],
    /// Name of the parser.
    pub parser: String,
    /// Version of the parser.
    pub version: u32,
    /// The OCSF version that its events conform to.
    pub ocsf: String,
}

impl PlanRef {
    /// Whether no program made the events.
    pub fn is_none(&self) -> bool {
        *self == PlanRef::default()
    }
}

/// One input record.
#[derive(Debug, Clone, Copy)]
pub struct RecordIn {
    /// Offset of its first byte in the (decompressed) object.
    pub offset: u64,
    /// Offset behind its last byte.
    pub end_offset: u64,
    /// 0-based number of the record in the object.
    pub index: u64,
    /// Line that it starts on, from 1; 0 if the format has no lines.
    pub line: u64,
    /// The original bytes. Their hash tells a duplicate from a conflict.
    pub raw: Span,
}

/// What is stored as an event's raw payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawIn {
    /// The record's bytes, once for all its events.
    Record,
    /// Other bytes, redacted ones for instance. The same span is stored once for a row of events.
    Other(Span),
    /// Nothing.
    None,
}

/// One normalized event. All text is UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct EventIn {
    /// Index into [`Append::records`]; never less than that of the event before.
    pub record: u32,
    /// `source_event_id`; never empty.
    pub id: Span,
    /// What kind of event it is; empty means "the same as `action`".
    pub event_type: Span,
    /// Who acted.
    pub actor: Span,
    /// What was done.
    pub action: Span,
    /// What it was done to.
    pub target: Span,
    /// When, in nanoseconds since 1970; `None` if the event has no time of its own.
    pub time_ns: Option<i64>,
    /// Cost in USD.
    pub cost: Decimal,
    /// Input tokens.
    pub tokens_input: i64,
    /// Output tokens.
    pub tokens_output: i64,
    /// Further fields: the text of a JSON object of strings.
    pub extra: Option<Span>,
    /// The OCSF event without `raw_data`: the text of a JSON object.
    pub ocsf: Option<Span>,
    /// What is stored as the raw payload.
    pub raw: RawIn,
}

/// One dead letter: a record, or a part of one, that the program refused.
#[derive(Debug, Clone, Default)]
pub struct RejectIn {
    /// Reason, `R1xxx`.
    pub code: String,
    /// Reason, in words.
    pub message: String,
    /// Line of the program that refused; 0 if none did.
    pub mapping_line: u32,
    /// The field that could not be filled; may be empty.
    pub target: String,
    /// Offset of the record's first byte in the object.
    pub offset: u64,
    /// Offset behind its last byte.
    pub end_offset: u64,
    /// 0-based number of the record in the object.
    pub index: u64,
    /// Line that the record starts on, from 1; 0 if the format has no lines.
    pub line: u64,
    /// The offending text; may be empty.
    pub text: String,
    /// The record's bytes, as far as they may be shown.
    pub raw: Span,
    /// The whole record, encrypted, for a later mapping; may be empty.
    pub sealed: Vec<u8>,
    /// What else a later mapping needs to know, as JSON text; may be empty.
    pub context: String,
}

/// A part of an object that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The progress that this work started from, exactly as it was stored; `None` for a new object.
    pub from: Option<String>,
    /// The progress behind this work. The store only compares it, byte for byte.
    pub to: String,
    /// Whether the object is finished with this append.
    pub done: bool,
}

/// Keeps whole records for a later mapping. The store asks for it only when it makes a dead letter itself, since an
/// event's id is taken.
pub trait KeepWhole: std::fmt::Debug + Send + Sync {
    /// What is kept of a record: it, encrypted, and its context as JSON text. `number` is its index in
    /// [`Append::records`].
    fn keep(&self, number: usize, record: &RecordIn, bytes: &[u8]) -> (Vec<u8>, String);
}

/// How much was read for an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadIn {
    /// Records, whatever became of them.
    pub records: u64,
    /// Bytes, decompressed.
    pub bytes: u64,
}

/// The events and dead letters of one part of one object, and the progress that they amount to.
#[derive(Debug, Clone)]
pub struct Append {
    /// Identifies the source. Together with an event's id it is the event's identity.
    pub source: String,
    /// What kind of source it is, `s3_custom` for instance.
    pub source_type: String,
    /// Where the records come from.
    pub object: ObjectRef,
    /// How far the object is read with this append; `None` if its records come all at once and are
    /// told apart by their ids alone, as those of a webhook.
    pub step: Option<Step>,
    /// How much was read for it.
    pub read: ReadIn,
    /// Whether the object's open dead letters are closed first: it is read once more from its beginning,
    /// with another program.
    pub supersedes_rejects: bool,
    /// The dead letter that this append maps at last. If all its events are stored now, or were before, it
    /// is settled. If some of them conflict, or `rejects` says that it is refused again, it stays open with
    /// the new reason, and no other dead letter is made.
    pub settles: Option<i64>,
    /// The program that made the events.
    pub plan: PlanRef,
    /// The run that this work belongs to.
    pub run_id: String,
    /// The caller's clock, in milliseconds since 1970.
    pub ingested_at_ms: i64,
    /// What all spans point into.
    pub buffers: Vec<Bytes>,
    /// The records, in input order. Those without an event are not stored.
    pub records: Vec<RecordIn>,
    /// The events, in input order.
    pub events: Vec<EventIn>,
    /// The dead letters, in input order.
    pub rejects: Vec<RejectIn>,
    /// Keeps whole records of events whose ids are taken; without it only what may be shown of them is kept.
    pub keeps_whole: Option<Arc<dyn KeepWhole>>,
}

/// What an append came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Events stored.
    pub stored: u64,
    /// Events that were there already, made from the same bytes.
    pub duplicates: u64,
    /// Events whose id was there already, made from other bytes. Each became a dead letter.
    pub conflicts: u64,
    /// Sequence of the first event stored. The others follow without a gap.
    pub first_sequence: Option<i64>,
}

/// The hash of an event's identity under the store's own key, so that nobody outside can aim for a
/// collision.
#[derive(Clone, Copy)]
pub(crate) struct IdHasher {
    key: [u8; 16],
}

impl IdHasher {
    pub(crate) fn new(key: [u8; 16]) -> IdHasher {
        IdHasher { key }
    }

    /// The hasher of all ids of one source.
    fn source(&self, source: &str) -> SipHasher128 {
        let mut hasher = SipHasher128::new_with_key(&self.key);
        // The length first: otherwise ("a", "bc") and ("ab", "c") would be one identity.
        hasher.write_u64(source.len() as u64);
        hasher.write(source.as_bytes());
        hasher
    }

    pub(crate) fn id(&self, source: &str, id: &[u8]) -> u128 {
        finish(self.source(source), id)
    }

    fn raw(&self, raw: &[u8]) -> u64 {
        SipHasher64::new_with_key(&self.key).hash(raw)
    }
}

fn finish(mut hasher: SipHasher128, id: &[u8]) -> u128 {
    hasher.write(id);
    hasher.finish128().as_u128()
}

/// A checked append with its hashes: every span is in bounds, every text is UTF-8.
pub(crate) struct Prepared {
    pub(crate) append: Append,
    /// Hash of the raw bytes, by record.
    pub(crate) raw_hashes: Vec<u64>,
    /// (hash of the identity, ordinal of the event), sorted.
    pub(crate) keys: Vec<(u128, u32)>,
}

impl Prepared {
    pub(crate) fn new(append: Append, hasher: &IdHasher) -> Result<Prepared, StoreError> {
        check(&append)?;
        let raw_hashes = append.records.iter().map(|record| hasher.raw(append.bytes(record.raw)));
        let raw_hashes = raw_hashes.collect();
        let source = hasher.source(&append.source);
        let mut keys: Vec<(u128, u32)> = (0u32..)
            .zip(&append.events)
            .map(|(ordinal, event)| (finish(source, append.bytes(event.id)), ordinal))
            .collect();
        keys.sort_unstable();
        Ok(Prepared { append, raw_hashes, keys })
    }
}

impl Append {
    /// The bytes of a span that [`check`] has seen.
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        if span.len == 0 {
            return &[];
        }
        let start = span.start as usize;
        &self.buffers[span.buffer as usize][start..start + span.len as usize]
    }

    fn get(&self, span: Span) -> Result<&[u8], StoreError> {
        if span.len == 0 {
            return Ok(&[]);
        }
        let (start, len) = (span.start as usize, span.len as usize);
        let buffer = self.buffers.get(span.buffer as usize);
        let bytes = buffer.and_then(|buffer| buffer.get(start..start.checked_add(len)?));
        bytes.ok_or(StoreError::Invalid("a span lies outside its buffer"))
    }

    fn text(&self, span: Span) -> Result<&str, StoreError> {
        std::str::from_utf8(self.get(span)?)
            .map_err(|_| StoreError::Invalid("the text of an event is not UTF-8"))
    }

    fn object_text(&self, span: Option<Span>) -> Result<(), StoreError> {
        let Some(span) = span else { return Ok(()) };
        let text = self.text(span)?;
        if text.len() < 2 || !text.starts_with('{') || !text.ends_with('}') {
            return Err(StoreError::Invalid("the JSON of an event is not an object"));
        }
        Ok(())
    }
}

fn check(append: &Append) -> Result<(), StoreError> {
    if append.source.is_empty() {
        return Err(StoreError::Invalid("the source has no name"));
    }
    if u32::try_from(append.events.len()).is_err() {
        return Err(StoreError::Invalid("too many events for one append"));
    }
    for record in &append.records {
        append.get(record.raw)?;
        check_position(record.offset, record.end_offset, record.index, record.line)?;
    }
    let mut last_record = 0;
    for event in &append.events {
        if event.record < last_record || event.record as usize >= append.records.len() {
            return Err(StoreError::Invalid("the events are not in the order of their records"));
        }
        last_record = event.record;
        check_event(append, event)?;
    }
    for reject in &append.rejects {
        append.get(reject.raw)?;
        check_position(reject.offset, reject.end_offset, reject.index, reject.line)?;
    }
    Ok(())
}

fn check_event(append: &Append, event: &EventIn) -> Result<(), StoreError> {
    if append.text(event.id)?.is_empty() {
        return Err(StoreError::Invalid("an event has no id"));
    }
    for text in [event.event_type, event.actor, event.action, event.target] {
        append.text(text)?;
    }
    if let RawIn::Other(span) = event.raw {
        append.get(span)?;
    }
    append.object_text(event.extra)?;
    append.object_text(event.ocsf)
}

/// SQLite's integers have a sign.
fn check_position(offset: u64, end_offset: u64, index: u64, line: u64) -> Result<(), StoreError> {
    let largest = offset.max(end_offset).max(index).max(line);
    if end_offset < offset || i64::try_from(largest).is_err() {
        return Err(StoreError::Invalid("a record's position is out of range"));
    }
    Ok(())
}
