//! Batches to commits of the store.
//!
//! Blocks are gathered until there are enough events or bytes, or until the oldest of them has waited
//! long enough; then they are stored in one transaction, together with how far the object has been
//! read. While one group is stored, the next is gathered, so at most two are in memory.

use std::borrow::Cow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use weir_engine::batch::{Batch, Event, RawRef, Reject, TextRange};
use weir_engine::block::{Record, RecordBlock};
use weir_engine::framer::Position;
use weir_engine::plan::Plan;
use weir_engine::raw::stored_raw;

use super::error::PipelineError;
use super::now_ms;
use super::progress::{Left, Progress};
use super::totals::Totals;
use crate::source::{Boundary, Object};
use crate::store::{
    Append, Appended, EventIn, ObjectRef, PlanRef, RawIn, RecordIn, RejectIn, Span, Store,
    StoreError,
};

/// When gathered blocks are stored. Commits happen between blocks.
#[derive(Debug, Clone, Copy)]
pub struct CommitLimits {
    /// With so many events and rejects. 10,000 by default.
    pub events: usize,
    /// With so many bytes of records and events. 6 MiB by default.
    pub bytes: usize,
    /// When the oldest block has waited for so long. 1 s by default.
    pub age: Duration,
}

impl Default for CommitLimits {
    fn default() -> Self {
        Self { events: 10_000, bytes: 6 << 20, age: Duration::from_secs(1) }
    }
}

/// What events are stored with.
#[derive(Clone)]
pub struct StoreSettings {
    /// The store.
    pub store: Store,
    /// The plan that maps.
    pub plan: Arc<Plan>,
    /// The name of the source.
    pub source: String,
    /// When to commit.
    pub limits: CommitLimits,
}

/// Stores what comes in.
pub(super) struct Commits {
    settings: StoreSettings,
    plan_ref: PlanRef,
    plan_hash: String,
    run_id: String,
    /// The names of the plan's classes, one behind the other, and where they are by emit.
    classes: Bytes,
    class_spans: Vec<Span>,
    object: Option<Current>,
    group: Group,
    running: Option<JoinHandle<Result<Appended, StoreError>>>,
}

/// The object that is being stored.
struct Current {
    object: Object,
    /// The progress that was stored last, or will be when the running commit ends.
    from: Option<String>,
}

impl Commits {
    pub(super) fn new(settings: StoreSettings) -> Self {
        let plan = &settings.plan;
        let plan_ref = PlanRef {
            hash: plan.hash,
            parser: plan.parser.clone(),
            version: plan.parser_version,
            ocsf: plan.ocsf_version.clone(),
        };
        let mut classes = Vec::new();
        let class_spans = plan.emits.iter().map(|emit| {
            let start = classes.len();
            classes.extend_from_slice(emit.class.as_bytes());
            span(0, start, emit.class.len())
        });
        let class_spans = class_spans.collect();
        Self {
            plan_ref,
            plan_hash: plan.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            run_id: format!("run-{}-{:08x}", now_ms(), fastrand::u32(..)),
            classes: classes.into(),
            class_spans,
            object: None,
            group: Group::default(),
            running: None,
            settings,
        }
    }

    pub(super) fn begin(&mut self, object: &Object) -> Result<Left, PipelineError> {
        let StoreSettings { store, source, .. } = &self.settings;
        let state = store
            .progress(source, &object.key)
            .map_err(|source| PipelineError::Store { object: object.key.clone(), source })?;
        let left = Progress::left(state.as_ref(), object, &self.plan_hash);
        let from = state.map(|state| state.progress);
        self.object = Some(Current { object: object.clone(), from });
        self.group = Group::default();
        Ok(left)
    }

    pub(super) fn add(
        &mut self,
        block: &RecordBlock,
        member: Option<Boundary>,
        batch: &Batch,
        totals: &mut Totals,
    ) -> Result<(), PipelineError> {
        if self.group.buffers.is_empty() {
            self.group.buffers.push(self.classes.clone());
        }
        self.group.add(&self.settings.plan, &self.class_spans, block, batch);
        self.group.end = Some((block.end.clone(), member));
        if self.group.is_full(&self.settings.limits) { self.commit(false, totals) } else { Ok(()) }
    }

    /// Commits what has waited for long enough.
    pub(super) fn tick(&mut self, totals: &mut Totals) -> Result<(), PipelineError> {
        if self.group.has_waited(&self.settings.limits) {
            self.commit(false, totals)
        } else {
            Ok(())
        }
    }

    /// Commits the rest, and waits for it.
    pub(super) fn end(
        &mut self,
        end: &Position,
        done: bool,
        totals: &mut Totals,
    ) -> Result<(), PipelineError> {
        if done {
            let member = self.group.end.take().and_then(|(_, member)| member);
            self.group.end = Some((end.clone(), member));
        }
        if self.group.end.is_some() {
            self.commit(done, totals)?;
        }
        let ended = self.wait(totals);
        self.object = None;
        ended
    }

    /// Starts to store the group, when the one before is stored.
    fn commit(&mut self, done: bool, totals: &mut Totals) -> Result<(), PipelineError> {
        self.wait(totals)?;
        let group = std::mem::take(&mut self.group);
        let (Some(current), Some((position, member))) = (&mut self.object, group.end) else {
            return Ok(());
        };
        let object = &current.object;
        let to = Progress::new(object, &self.plan_hash, position, member).text();
        let from = current.from.replace(to.clone());
        let is_s3 = object.key.starts_with("s3://");
        let append = Append {
            source: self.settings.source.clone(),
            source_type: if is_s3 { "s3_custom" } else { "file" }.to_owned(),
            object: ObjectRef { key: object.key.clone(), etag: object.etag.clone() },
            from,
            to,
            done,
            plan: self.plan_ref.clone(),
            run_id: self.run_id.clone(),
            ingested_at_ms: now_ms(),
            buffers: group.buffers,
            records: group.records,
            events: group.events,
            rejects: group.rejects,
        };
        let store = self.settings.store.clone();
        self.running = Some(thread::spawn(move || store.append(append)));
        Ok(())
    }

    /// Waits for the running commit.
    fn wait(&mut self, totals: &mut Totals) -> Result<(), PipelineError> {
        let Some(running) = self.running.take() else { return Ok(()) };
        let object = self.object.as_ref().map(|current| current.object.key.clone());
        let object = object.unwrap_or_default();
        match running.join() {
            Ok(Ok(appended)) => {
                totals.add_appended(&appended);
                Ok(())
            }
            Ok(Err(StoreError::Fenced { .. })) => Err(PipelineError::Fenced { object }),
            Ok(Err(source)) => Err(PipelineError::Store { object, source }),
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Blocks that are stored together.
#[derive(Default)]
struct Group {
    buffers: Vec<Bytes>,
    records: Vec<RecordIn>,
    events: Vec<EventIn>,
    rejects: Vec<RejectIn>,
    bytes: usize,
    since: Option<Instant>,
    /// Behind its last block.
    end: Option<(Position, Option<Boundary>)>,
}

impl Group {
    fn is_full(&self, limits: &CommitLimits) -> bool {
        self.events.len() + self.rejects.len() >= limits.events
            || self.bytes >= limits.bytes
            || self.has_waited(limits)
    }

    fn has_waited(&self, limits: &CommitLimits) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= limits.age)
    }

    fn add(&mut self, plan: &Plan, classes: &[Span], block: &RecordBlock, batch: &Batch) {
        self.since.get_or_insert_with(Instant::now);
        if batch.events.is_empty() && batch.rejects.is_empty() {
            return;
        }
        let raw = self.keep(block.bytes.clone());
        // The batch keeps its memory for other blocks.
        let text = self.keep(Bytes::copy_from_slice(&batch.text));
        let mut last = None;
        for event in &batch.events {
            if last.replace(event.record) != Some(event.record) {
                self.records.push(record_in(&block.records[event.record as usize], raw));
            }
            let record = self.records.len() as u32 - 1;
            self.events.push(event_in(event, record, classes[usize::from(event.emit)], text));
        }
        let mut shown = Vec::new();
        let shown_buffer = self.buffers.len() as u32;
        for reject in &batch.rejects {
            let record = &block.records[reject.record as usize];
            let bytes = match stored_raw(plan, block, record) {
                None => Span::default(),
                Some(Cow::Borrowed(_)) => record_in(record, raw).raw,
                Some(Cow::Owned(redacted)) => {
                    shown.extend_from_slice(&redacted);
                    span(shown_buffer, shown.len() - redacted.len(), redacted.len())
                }
            };
            self.rejects.push(reject_in(reject, record, bytes));
        }
        self.keep(shown.into());
    }

    /// Keeps bytes until the commit; gives the number of their buffer.
    fn keep(&mut self, bytes: Bytes) -> u32 {
        self.bytes += bytes.len();
        self.buffers.push(bytes);
        self.buffers.len() as u32 - 1
    }
}

fn span(buffer: u32, start: usize, len: usize) -> Span {
    // A group is far smaller than 4 GiB.
    Span { buffer, start: start as u32, len: len as u32 }
}

fn record_in(record: &Record, buffer: u32) -> RecordIn {
    RecordIn {
        offset: record.offset,
        end_offset: record.offset.saturating_add(record.size),
        index: record.index,
        line: record.line,
        raw: Span { buffer, start: record.start, len: record.end - record.start },
    }
}

fn event_in(event: &Event, record: u32, class: Span, buffer: u32) -> EventIn {
    let text = |range: TextRange| Span { buffer, start: range.start, len: range.end - range.start };
    EventIn {
        record,
        id: text(event.id),
        event_type: class,
        actor: text(event.actor),
        action: text(event.action),
        target: text(event.target),
        time_ns: Some(event.time_ns),
        cost: event.cost_usd,
        tokens_input: event.tokens_input,
        tokens_output: event.tokens_output,
        extra: (event.extra.start < event.extra.end).then(|| text(event.extra)),
        ocsf: Some(text(event.ocsf)),
        raw: match event.raw {
            RawRef::Record => RawIn::Record,
            RawRef::Text(range) => RawIn::Other(text(range)),
            RawRef::None => RawIn::None,
        },
    }
}

fn reject_in(reject: &Reject, record: &Record, raw: Span) -> RejectIn {
    RejectIn {
        code: reject.code.as_str().to_owned(),
        message: reject.message.clone(),
        mapping_line: reject.line,
        target: reject.target.clone(),
        offset: record.offset,
        end_offset: record.offset.saturating_add(record.size),
        index: record.index,
        line: record.line,
        text: reject.text.clone(),
        raw,
    }
}
