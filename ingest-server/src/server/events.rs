//! Events as clients read them: pages, and streams that go on as events are committed.
//!
//! Both follow the sequence, which follows the commits: whoever goes on behind the last sequence that it saw misses
//! nothing and sees nothing twice.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::{ApiError, App, Shared};
use crate::control::{Caller, ControlError};
use crate::store::StoredEvent;

/// Rows that one read asks for.
const PAGE_ROWS: usize = 500;
/// Rows that one request looks at, whatever it finds in them.
const SCAN_ROWS_MAX: usize = 20_000;
/// A page ends behind so many bytes of records and OCSF events.
const PAGE_BYTES_FULL: usize = 16 << 20;
/// A stream that has nothing to say says so this often, with an empty line: connections that are dead are noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// An event, as it is served.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    id: String,
    /// Strictly increasing in the order of commits.
    sequence: i64,
    source_id: String,
    source_type: String,
    /// The event's id in its source.
    source_event_id: String,
    event_type: String,
    /// When it happened; null if only its envelope is known.
    #[schema(required)]
    event_timestamp: Option<String>,
    ingested_at: String,
    actor: String,
    action: String,
    target: String,
    /// A decimal.
    cost_usd: String,
    tokens_input: i64,
    tokens_output: i64,
    #[schema(value_type = Object)]
    extra: serde_json::Value,
    /// The record, byte for byte.
    #[schema(required)]
    raw_payload: Option<String>,
    /// `utf-8` or `base64`.
    #[schema(required)]
    raw_encoding: Option<String>,
    /// The OCSF event.
    #[schema(value_type = Option<Object>, required)]
    ocsf: Option<serde_json::Value>,
    #[schema(required)]
    parser_version: Option<u32>,
    #[schema(required)]
    plan_hash: Option<String>,
    #[schema(value_type = Object)]
    origin: serde_json::Value,
}

/// An OCSF event: what every one of them has.
#[derive(Serialize, ToSchema)]
pub(crate) struct OcsfEvent {
    class_uid: i64,
    category_uid: i64,
    activity_id: i64,
    type_uid: i64,
    severity_id: i64,
    /// Milliseconds since 1970.
    time: i64,
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
}

/// An event's JSON, as it was written.
#[derive(Serialize)]
pub(crate) struct EventJson(Box<RawValue>);

impl EventJson {
    fn new(json: Vec<u8>) -> Result<Self, ApiError> {
        let text = String::from_utf8(json).map_err(|error| ApiError::internal(&error))?;
        RawValue::from_string(text).map(Self).map_err(|error| ApiError::internal(&error))
    }

    pub(crate) fn of(event: &StoredEvent) -> Result<Self, ApiError> {
        let mut json = Vec::new();
        event.write_json(&mut json);
        Self::new(json)
    }

    /// Its OCSF event alone.
    pub(crate) fn ocsf(event: &StoredEvent) -> Result<Self, ApiError> {
        let mut json = Vec::new();
        event.write_ocsf(&mut json);
        Self::new(json)
    }
}

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// One source, or all of an organisation.
    pub(crate) source: Option<String>,
    pub(crate) organization: String,
    pub(crate) class_uid: Option<i64>,
    pub(crate) severity_min: Option<i64>,
    /// By the time of the event; by that of its arrival if it has none.
    pub(crate) since_ns: Option<i64>,
    pub(crate) until_ns: Option<i64>,
    /// Only events that have been mapped to OCSF.
    pub(crate) only_ocsf: bool,
}

/// What a filter looks at in an OCSF event.
#[derive(Deserialize)]
struct OcsfHead {
    class_uid: i64,
    severity_id: i64,
}

impl Filter {
    pub(crate) fn takes(&self, event: &StoredEvent) -> bool {
        let time = event.event_time_ns.unwrap_or(event.ingested_at_ms.saturating_mul(1_000_000));
        if self.since_ns.is_some_and(|since| time < since)
            || self.until_ns.is_some_and(|until| time >= until)
        {
            return false;
        }
        if self.class_uid.is_none() && self.severity_min.is_none() {
            return !self.only_ocsf || event.has_ocsf();
        }
        let head = event.ocsf_text().and_then(|text| serde_json::from_slice::<OcsfHead>(text).ok());
        head.is_some_and(|head| {
            self.class_uid.is_none_or(|class| head.class_uid == class)
                && self.severity_min.is_none_or(|severity| head.severity_id >= severity)
        })
    }
}

/// Events behind a sequence.
pub(crate) struct Page {
    pub(crate) events: Vec<StoredEvent>,
    /// The last sequence that was looked at.
    pub(crate) last: i64,
    pub(crate) has_more: bool,
}

/// The next `limit` events behind a sequence that a filter takes, oldest first.
pub(crate) fn after(
    app: &App,
    filter: &Filter,
    after: i64,
    limit: usize,
) -> Result<Page, ControlError> {
    let store = &app.control.store;
    let mut page = Page { events: Vec::new(), last: after, has_more: false };
    let (mut scanned, mut bytes) = (0, 0);
    let mut own = HashSet::new();
    loop {
        let rows = store.events_after(filter.source.as_deref(), page.last, PAGE_ROWS)?;
        if rows.is_empty() {
            return Ok(page);
        }
        let is_own = |own: &HashSet<String>, event: &StoredEvent| {
            filter.source.is_some() || own.contains(&*event.source_id)
        };
        if !rows.iter().all(|event| is_own(&own, event)) {
            // Behind the rows: none of them is of a source that came later.
            own = app.control.source_ids(&filter.organization)?.into_iter().collect();
        }
        for event in rows {
            let is_full = page.events.len() == limit || bytes >= PAGE_BYTES_FULL;
            if is_full || scanned == SCAN_ROWS_MAX {
                page.has_more = true;
                return Ok(page);
            }
            scanned += 1;
            page.last = event.sequence;
            if is_own(&own, &event) && filter.takes(&event) {
                let parts = [event.raw_payload(), event.ocsf_text()];
                bytes += parts.into_iter().flatten().map(<[u8]>::len).sum::<usize>();
                page.events.push(event);
            }
        }
    }
}

/// How events are written as lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    Event,
    Ocsf,
    /// The OCSF event beside its sequence.
    Numbered,
}

/// All events behind a sequence as lines, a page at a time; with `follow` the stream goes on until the client or the
/// server ends it, or the caller's key does not count any more.
pub(crate) fn lines(
    app: &Shared,
    caller: &Caller,
    filter: Filter,
    from: i64,
    lines: Lines,
    follow: bool,
) -> Body {
    let committed = app.control.store.committed();
    let state = (Arc::clone(app), filter, from, committed);
    let (key, mut checked) = (caller.key.clone(), Instant::now());
    let stream = stream::try_unfold(state, move |(app, filter, mut from, mut committed)| {
        let is_due = checked.elapsed() >= HEARTBEAT;
        if is_due {
            checked = Instant::now();
        }
        let key = is_due.then(|| key.clone());
        async move {
            if let Some(key) = key
                && !app.run(move |app: &App| app.control.is_living_key(&key)).await.unwrap_or(true)
            {
                return Ok(None);
            }
            loop {
                let wanted = filter.clone();
                // Before the page is read: what is committed meanwhile counts as new.
                let committed_before =
                    committed.as_mut().map_or(0, |last| *last.borrow_and_update());
                let page = app.run(move |app: &App| after(app, &wanted, from, PAGE_ROWS)).await;
                let page = page.map_err(|_| std::io::Error::other("the store cannot be read"))?;
                from = page.last;
                if !page.events.is_empty() {
                    let chunk = chunk(&page.events, lines);
                    return Ok::<_, std::io::Error>(Some((chunk, (app, filter, from, committed))));
                }
                if page.has_more {
                    continue;
                }
                let Some(waited) = committed.as_mut().filter(|_| follow) else { return Ok(None) };
                // Nothing up to `seen` is wanted, whoever it came from.
                let seen = committed_before.max(from);
                match news(&app, waited, seen).await {
                    News::Committed => {}
                    News::None => {
                        let beat = Bytes::from_static(b"\n");
                        return Ok(Some((beat, (app, filter, from, committed))));
                    }
                    News::End => return Ok(None),
                }
            }
        }
    });
    Body::from_stream(stream)
}

/// What a stream waits for.
enum News {
    Committed,
    /// Nothing for a while.
    None,
    End,
}

async fn news(app: &App, committed: &mut watch::Receiver<i64>, seen: i64) -> News {
    let news = tokio::time::timeout(HEARTBEAT, committed.wait_for(|&last| last > seen));
    tokio::select! {
        news = news => match news {
            Ok(Ok(_)) => News::Committed,
            Ok(Err(_)) => News::End,
            Err(_) => News::None,
        },
        () = app.stopped() => News::End,
    }
}

fn chunk(events: &[StoredEvent], lines: Lines) -> Bytes {
    let mut text = Vec::new();
    for event in events {
        match lines {
            Lines::Event => event.write_json(&mut text),
            Lines::Ocsf => event.write_ocsf(&mut text),
            Lines::Numbered => {
                text.extend_from_slice(
                    format!("{{\"sequence\":{},\"ocsf\":", event.sequence).as_bytes(),
                );
                event.write_ocsf(&mut text);
                text.push(b'}');
            }
        }
        text.push(b'\n');
    }
    text.into()
}
