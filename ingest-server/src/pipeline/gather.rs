//! What blocks are mapped to, gathered for an append to the store.
//!
//! A [`Gathering`] keeps the blocks' bytes as they are and points into them, so nothing is copied for an
//! event but its text. What is refused is kept with all that a later mapping needs: the whole record,
//! encrypted, and what stood around it ([`Context`]).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_engine::batch::{Batch, Event, RawRef, Reject, TextRange};
use weir_engine::block::{Record, RecordBlock};
use weir_engine::framer::Position;
use weir_engine::input::Format;
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::raw::stored_raw;

use crate::store::{EventIn, KeepWhole, PlanRef, RawIn, ReadIn, RecordIn, RejectIn, Span};
use crate::vault::Vault;

/// What stood around a record that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Context {
    /// The column names of its CSV object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<Vec<String>>,
    /// The members around the records of its document, by their way from the top: `org.id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) wrapper: BTreeMap<String, String>,
    pub(crate) meta: MetaContext,
}

impl Context {
    /// As it is stored.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("its members are text")
    }
}

/// More of the members around a record are not kept with it: they would be kept with each of its neighbours, too.
const WRAPPER_BYTES_MAX: usize = 4 << 10;

/// What a program can ask about the object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetaContext {
    pub(crate) key: String,
    pub(crate) bucket: String,
    pub(crate) source: String,
    pub(crate) received_at_ns: i64,
    /// Whether the record, or what stood around it, was too long to be kept whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_cut: bool,
}

impl MetaContext {
    pub(crate) fn of(meta: &ObjectMeta, is_cut: bool) -> Self {
        Self {
            key: meta.key.clone(),
            bucket: meta.bucket.clone(),
            source: meta.source.clone(),
            received_at_ns: meta.received_at_ns,
            is_cut,
        }
    }
}

/// The purpose under which records of dead letters are sealed.
pub(crate) fn sealed_for(source: &str) -> String {
    format!("dead letter of {source}")
}

/// What all gatherings under one plan share.
#[derive(Debug, Clone)]
pub(crate) struct Gatherer {
    pub(crate) plan: Arc<Plan>,
    pub(crate) plan_ref: PlanRef,
    /// The names of the plan's classes, one behind the other, and where they are by emit.
    classes: Bytes,
    class_spans: Vec<Span>,
    seal: Option<(Arc<Vault>, String)>,
}

impl Gatherer {
    /// With a vault, the whole records of dead letters of `source` are kept, encrypted.
    pub(crate) fn new(plan: Arc<Plan>, source: &str, vault: Option<Arc<Vault>>) -> Arc<Self> {
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
        let seal = vault.map(|vault| (vault, sealed_for(source)));
        Arc::new(Self { plan, plan_ref, classes: classes.into(), class_spans, seal })
    }

    /// The context of a record that is kept whole.
    fn context(&self, around: &Around, is_cut: bool) -> Context {
        let Around { header, wrapper, meta, .. } = around;
        let wrapper_bytes = wrapper.iter().flatten().map(Bytes::len).sum::<usize>();
        let is_too_long = wrapper_bytes > WRAPPER_BYTES_MAX;
        let wrapper = match &self.plan.input.format {
            Format::Json(records) => {
                let named = records.wrapper.iter().zip(wrapper.iter());
                let known = named.filter_map(|(path, text)| {
                    Some((path.join("."), String::from_utf8_lossy(text.as_deref()?).into_owned()))
                });
                known.collect()
            }
            Format::Ndjson | Format::Csv(_) => BTreeMap::new(),
        };
        let wrapper = if is_too_long { BTreeMap::new() } else { wrapper };
        Context {
            header: header.as_deref().cloned(),
            wrapper,
            meta: MetaContext::of(meta, is_cut || is_too_long),
        }
    }

    /// Keeps the whole records of what was gathered, if there is a vault for them.
    pub(crate) fn keeps_whole(self: &Arc<Self>, blocks: Vec<Around>) -> Option<Arc<dyn KeepWhole>> {
        self.seal.as_ref()?;
        Some(Arc::new(Keeper { gatherer: Arc::clone(self), blocks }))
    }
}

/// What stands around the records of a block.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    /// The number of the block's first record among those gathered.
    first: usize,
    header: Option<Arc<Vec<String>>>,
    wrapper: Arc<Vec<Option<Bytes>>>,
    meta: Arc<ObjectMeta>,
}

/// Seals records of blocks that were gathered.
#[derive(Debug)]
struct Keeper {
    gatherer: Arc<Gatherer>,
    blocks: Vec<Around>,
}

impl KeepWhole for Keeper {
    fn keep(&self, number: usize, record: &RecordIn, bytes: &[u8]) -> (Vec<u8>, String) {
        let behind = self.blocks.partition_point(|around| around.first <= number);
        let around = behind.checked_sub(1).map(|last| &self.blocks[last]);
        let (Some(around), Some((vault, what))) = (around, &self.gatherer.seal) else {
            return Default::default();
        };
        let is_cut = record.end_offset - record.offset > bytes.len() as u64;
        let context = self.gatherer.context(around, is_cut);
        (vault.seal(bytes, what), context.text())
    }
}

/// Blocks that are stored together.
#[derive(Default)]
pub(crate) struct Gathering {
    pub(crate) buffers: Vec<Bytes>,
    pub(crate) records: Vec<RecordIn>,
    pub(crate) events: Vec<EventIn>,
    pub(crate) rejects: Vec<RejectIn>,
    pub(crate) read: ReadIn,
    /// What stands around the records, block by block.
    pub(crate) blocks: Vec<Around>,
    /// Bytes of records and events.
    pub(crate) bytes: usize,
}

impl Gathering {
    /// Adds a block and what it was mapped to.
    pub(crate) fn add(
        &mut self,
        gatherer: &Gatherer,
        block: &RecordBlock,
        meta: &Arc<ObjectMeta>,
        batch: &Batch,
    ) {
        self.read.records += block.records.len() as u64;
        if batch.events.is_empty() && batch.rejects.is_empty() {
            return;
        }
        if self.buffers.is_empty() {
            self.buffers.push(gatherer.classes.clone());
        }
        let around = Around {
            first: self.records.len(),
            header: block.header.clone(),
            wrapper: Arc::clone(&block.wrapper),
            meta: Arc::clone(meta),
        };
        let raw = self.keep(block.bytes.clone());
        // The batch keeps its memory for other blocks.
        let text = self.keep(Bytes::copy_from_slice(&batch.text));
        let mut last = None;
        for event in &batch.events {
            if last.replace(event.record) != Some(event.record) {
                self.records.push(record_in(&block.records[event.record as usize], raw));
            }
            let record = self.records.len() as u32 - 1;
            let class = gatherer.class_spans[usize::from(event.emit)];
            self.events.push(event_in(event, record, class, text));
        }
        let mut shown = Vec::new();
        let shown_buffer = self.buffers.len() as u32;
        for reject in &batch.rejects {
            let record = &block.records[reject.record as usize];
            let bytes = match stored_raw(&gatherer.plan, block, record) {
                None => Span::default(),
                Some(Cow::Borrowed(_)) => record_in(record, raw).raw,
                Some(Cow::Owned(redacted)) => {
                    shown.extend_from_slice(&redacted);
                    span(shown_buffer, shown.len() - redacted.len(), redacted.len())
                }
            };
            let mut reject = reject_in(reject, record, bytes);
            if let Some((vault, what)) = &gatherer.seal {
                reject.sealed = vault.seal(record.bytes(block), what);
                let is_cut = record.size > u64::from(record.end - record.start);
                reject.context = gatherer.context(&around, is_cut).text();
                self.bytes += reject.sealed.len() + reject.context.len();
            }
            self.rejects.push(reject);
        }
        self.keep(shown.into());
        self.blocks.push(around);
    }

    /// Keeps bytes until the commit; gives the number of their buffer.
    fn keep(&mut self, bytes: Bytes) -> u32 {
        self.bytes += bytes.len();
        self.buffers.push(bytes);
        self.buffers.len() as u32 - 1
    }
}

/// A block of one record that was refused before, as the framer under `plan` would give it.
pub(crate) fn block_again(
    plan: &Plan,
    bytes: Vec<u8>,
    context: &Context,
    at: (u64, u64, u64, u64),
) -> RecordBlock {
    let (offset, end_offset, index, line) = at;
    let record = Record {
        start: 0,
        end: bytes.len() as u32,
        offset,
        size: end_offset.saturating_sub(offset),
        index,
        line,
        fault: None,
    };
    let (header, wrapper) = match &plan.input.format {
        Format::Ndjson => (None, Vec::new()),
        Format::Csv(csv) => (csv.columns.clone().or_else(|| context.header.clone()), Vec::new()),
        Format::Json(records) => {
            let member = |path: &Vec<String>| context.wrapper.get(&path.join(".")).cloned();
            let members = records.wrapper.iter().map(|path| member(path).map(Bytes::from));
            (None, members.collect())
        }
    };
    RecordBlock {
        bytes: bytes.into(),
        records: vec![record],
        header: header.map(Arc::new),
        wrapper: Arc::new(wrapper),
        end: Position::start(),
    }
}

fn span(buffer: u32, start: usize, len: usize) -> Span {
    // What is gathered is far smaller than 4 GiB.
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
        sealed: Vec::new(),
        context: String::new(),
    }
}
