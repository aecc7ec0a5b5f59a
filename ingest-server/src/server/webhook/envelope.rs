//! Events of which only the envelope is known: the body as it came, in sources without a parser.

use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use weir_engine::decimal::Decimal;

use super::Refusal;
use crate::control::{Caller, IngestionSource, StoredSource, now_ms};
use crate::pipeline::gather::{Context, MetaContext, sealed_for};
use crate::store::{Append, EventIn, KeepWhole, ObjectRef, PlanRef, RawIn, ReadIn, RecordIn, Span};
use crate::vault::{Vault, random};

const KEY_HEADER: &str = "idempotency-key";
const KEY_BYTES_MAX: usize = 255;
const ACTION: &str = "agent.action";
const TEST_ACTION: &str = "ingestion.test";

/// A body as one event. A repeat with the same `Idempotency-Key` is the same event.
pub(super) fn append(
    stored: &StoredSource,
    headers: &HeaderMap,
    body: Bytes,
    vault: &Arc<Vault>,
) -> Result<Append, Refusal> {
    let id = match headers.get(KEY_HEADER) {
        None => new_id(),
        Some(key) => match key.to_str() {
            Ok(key) if !key.is_empty() && key.len() <= KEY_BYTES_MAX => {
                format!("envelope-key-{key}")
            }
            _ => {
                let problem = "`Idempotency-Key` is not 1 to 255 visible characters";
                return Err(Refusal::InvalidBody(problem.to_owned()));
            }
        },
    };
    let whole = WholeBody { vault: Arc::clone(vault), source: stored.source.clone() };
    Ok(Append { keeps_whole: Some(Arc::new(whole)), ..event(stored, ACTION, "", &id, body) })
}

/// Keeps a body whose id is taken, for a parser that the source may get.
#[derive(Debug)]
struct WholeBody {
    vault: Arc<Vault>,
    source: IngestionSource,
}

impl KeepWhole for WholeBody {
    fn keep(&self, _: usize, _: &RecordIn, bytes: &[u8]) -> (Vec<u8>, String) {
        let meta = MetaContext::of(&super::mapper::meta_of(&self.source, bytes), false);
        let context = Context { meta, ..Context::default() };
        (self.vault.seal(bytes, &sealed_for(&self.source.id)), context.text())
    }
}

/// An event that shows that a source works; gives its id too.
pub(crate) fn test_event(stored: &StoredSource, caller: &Caller) -> (Append, String) {
    let id = new_id();
    let body = serde_json::json!({ "test": true, "requested_by": caller.key }).to_string();
    (event(stored, TEST_ACTION, &caller.key, &id, body.into()), id)
}

fn new_id() -> String {
    format!("envelope-{}-{:016x}", now_ms(), u64::from_be_bytes(random()))
}

fn event(stored: &StoredSource, action: &str, actor: &str, id: &str, body: Bytes) -> Append {
    let mut text = Vec::new();
    let mut keep = |part: &str| {
        let start = text.len() as u32;
        text.extend_from_slice(part.as_bytes());
        Span { buffer: 0, start, len: part.len() as u32 }
    };
    let (id, action, actor) = (keep(id), keep(action), keep(actor));
    let len = body.len();
    Append {
        source: stored.source.id.clone(),
        source_type: stored.source.source_type.clone(),
        object: ObjectRef { key: super::mapper::OBJECT.to_owned(), etag: String::new() },
        step: None,
        read: ReadIn { records: 1, bytes: len as u64 },
        supersedes_rejects: false,
        settles: None,
        plan: PlanRef::default(),
        run_id: super::mapper::RUN.to_owned(),
        ingested_at_ms: now_ms(),
        buffers: vec![text.into(), body],
        records: vec![RecordIn {
            offset: 0,
            end_offset: len as u64,
            index: 0,
            line: 0,
            // Bodies are limited to far less than 4 GiB.
            raw: Span { buffer: 1, start: 0, len: len as u32 },
        }],
        events: vec![EventIn {
            record: 0,
            id,
            event_type: Span::default(),
            actor,
            action,
            target: Span::default(),
            time_ns: None,
            cost: Decimal(0),
            tokens_input: 0,
            tokens_output: 0,
            extra: None,
            ocsf: None,
            raw: RawIn::Record,
        }],
        rejects: Vec::new(),
        keeps_whole: None,
    }
}
