//! Dead letters, mapped once more under their source's current parser.
//!
//! Each letter is one commit of the store, which closes it together with what its record came to: killed at any
//! moment, a redrive that is asked for again goes on where it was, and stores nothing twice. The commits of a page are
//! handed over together, so that they share the syncs of the disk.
//!
//! A record that is refused again stays open, with the new reason. So does one whose events conflict with stored ones:
//! those that do not conflict are stored, and count as duplicates the next time; the letter says what the conflict is, and no
//! second letter is made of it. A parser that gives other ids, or somebody who discards it, ends that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use weir_engine::input::Format;
use weir_engine::plan::{ObjectMeta, Plan};

use super::webhook::{Mapper, append_of};
use super::{ApiError, App, Shared};
use crate::control::{Caller, ControlError, IngestionSource};
use crate::pipeline::gather::{Context, Gathering, block_again, sealed_for};
use crate::store::{
    Append, Appended, Letter, LetterState, Letters, ObjectRef, Order, ReadIn, StoreError,
};

/// The run that redriven events come from.
const RUN: &str = "redrive";
/// Letters that are mapped, and committed, together.
const PAGE_ROWS: usize = 100;
/// Of them, as many as come to so many bytes.
const GROUP_BYTES_FULL: usize = 32 << 20;
/// What could not be tried is listed up to so many times.
const FAILED_SHOWN_MAX: usize = 100;
/// A request that has taken so long says where to go on, before anybody gives up waiting for it.
const TIME_MAX: Duration = Duration::from_secs(20);

/// What a redrive came to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Redriven {
    /// Records that are mapped now; they are closed.
    redriven: u64,
    /// Records that were refused again; they stay open, with the new reason.
    still_rejected: u64,
    /// Events that are stored now.
    events: u64,
    /// Events that were stored already.
    duplicates: u64,
    /// Records with events whose ids are taken by other bytes; they stay open (R1401).
    conflicts: u64,
    /// Records that could not be tried, the first hundred of them.
    failed: Vec<NotTried>,
    /// How many there are.
    failed_count: u64,
    /// Give it as `cursor` to go on, if `has_more`: a request ends after some seconds.
    #[schema(required)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// A record that could not be tried.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotTried {
    id: String,
    /// `not_found`, `not_open`, `cut` (it was too long to be kept whole), `not_kept` (only what may be shown of it was
    /// kept), `unreadable`, `too_large` or `unavailable` (the store could not take it: try again).
    code: &'static str,
    message: String,
}

/// Which letters are wanted.
pub(crate) enum Which {
    /// All that are open, behind an id.
    Open {
        after: i64,
    },
    These(Vec<i64>),
}

/// Why a letter cannot be tried.
type Problem = (&'static str, &'static str);

const NOT_FOUND: Problem = ("not_found", "the source has no such record");
const NOT_OPEN: Problem = ("not_open", "it was redriven or discarded already");
const CUT: Problem = ("cut", "it was too long to be kept whole; have it sent or read once more");
const NOT_KEPT: Problem = ("not_kept", "only what may be shown of it was kept");
const UNREADABLE: Problem = ("unreadable", "what was kept of it cannot be read");
const TOO_LARGE: Problem = ("too_large", "its events are too large together");
const UNAVAILABLE: Problem = ("unavailable", "the store could not take it; try again");

/// Maps dead letters of a source under its current parser. Only the first of several requests for one list is noted.
pub(crate) async fn redrive(
    app: &Shared,
    caller: Caller,
    source: String,
    which: Which,
    is_first: bool,
) -> Result<Redriven, ApiError> {
    let ids = match &which {
        Which::These(ids) => Some(ids.clone()),
        Which::Open { .. } => None,
    };
    let work = app
        .run(move |app: &App| {
            let stored = app.control.source(&caller.organization, &source)?;
            if stored.source.archived_at.is_some() {
                return Err(ControlError::conflict("archived", "the source is archived"));
            }
            let plan = app.programs.of(&app.control, &stored)?;
            let plan = plan.ok_or_else(|| {
                ControlError::conflict("no_parser", "the source has no parser to map with")
            })?;
            if is_first {
                app.control.note_redrive(&caller, &source, ids.as_deref())?;
            }
            let mapper = app.webhook.mappers.of(&stored.source.id, plan, &app.control.vault);
            Ok::<_, ControlError>(Arc::new(Work { source: stored.source, mapper }))
        })
        .await?;
    match which {
        Which::These(ids) => these(app, &work, ids).await,
        Which::Open { after } => open(app, &work, after).await,
    }
}

async fn open(app: &Shared, work: &Arc<Work>, after: i64) -> Result<Redriven, ApiError> {
    let begin = Instant::now();
    let (mut done, mut last) = (Redriven::default(), after);
    loop {
        let source = work.source.id.clone();
        let page = app.run(move |app: &App| {
            app.control.store.letters(&Letters {
                source: &source,
                state: Some(LetterState::Open),
                order: Order::OldestFirst(last),
                limit: PAGE_ROWS,
                with_sealed: true,
            })
        });
        let (letters, has_more) = page.await?;
        last = letters.last().map_or(last, |letter| letter.reject.id);
        done.add_all(app, try_all(app, work, letters).await?);
        if !has_more {
            return Ok(done);
        }
        if begin.elapsed() > TIME_MAX || *app.stop.borrow() {
            return Ok(Redriven { next_cursor: Some(last.to_string()), has_more: true, ..done });
        }
    }
}

async fn these(app: &Shared, work: &Arc<Work>, ids: Vec<i64>) -> Result<Redriven, ApiError> {
    let mut done = Redriven::default();
    for id in ids {
        let source = work.source.id.clone();
        match app.run(move |app: &App| app.control.store.letter(&source, id)).await? {
            None => done.add(app, id, Err(NOT_FOUND)),
            Some(letter) => done.add_all(app, try_all(app, work, vec![letter]).await?),
        }
    }
    Ok(done)
}

/// What became of a letter.
struct Outcome {
    appended: Appended,
    is_refused: bool,
}

type Tried = (i64, Result<Outcome, Problem>);

/// Maps letters and stores what they come to, as many at a time as memory allows.
async fn try_all(
    app: &Shared,
    work: &Arc<Work>,
    letters: Vec<Letter>,
) -> Result<Vec<Tried>, ApiError> {
    let (mut tried, mut left) = (Vec::new(), letters.into_iter());
    while left.len() > 0 {
        let mapping = Arc::clone(work);
        let mapped = app.run(move |app: &App| {
            let (mut appends, mut bytes) = (Vec::new(), 0);
            while bytes < GROUP_BYTES_FULL
                && let Some(letter) = left.next()
            {
                let append = mapping.map(app, &letter);
                bytes +=
                    append.iter().flat_map(|append| &append.buffers).map(Bytes::len).sum::<usize>();
                appends.push((letter.reject.id, append));
            }
            Ok::<_, ApiError>((appends, left))
        });
        let (appends, rest) = mapped.await?;
        left = rest;
        tried.extend(store_all(app, appends).await);
    }
    Ok(tried)
}

async fn store_all(app: &Shared, appends: Vec<(i64, Result<Append, Problem>)>) -> Vec<Tried> {
    let stored = appends.into_iter().map(|(id, append)| async move {
        let append = match append {
            Ok(append) => append,
            Err(problem) => return (id, Err(problem)),
        };
        let is_refused = !append.rejects.is_empty();
        let outcome = match app.control.store.append_async(append).await {
            Ok(appended) => {
                app.control.can_store();
                Ok(Outcome { appended, is_refused })
            }
            Err(StoreError::Settled) => Err(NOT_OPEN),
            Err(error) => {
                tracing::error!(event = "redrive_failed", record = id, %error);
                Err(UNAVAILABLE)
            }
        };
        (id, outcome)
    });
    join_all(stored).await
}

impl Redriven {
    fn add_all(&mut self, app: &App, tried: Vec<Tried>) {
        for (id, outcome) in tried {
            self.add(app, id, outcome);
        }
    }

    fn add(&mut self, app: &App, id: i64, outcome: Result<Outcome, Problem>) {
        match outcome {
            Ok(Outcome { appended, is_refused }) => {
                app.metrics.stored("redrive", &Appended { conflicts: 0, ..appended }, 0);
                self.events += appended.stored;
                self.duplicates += appended.duplicates;
                let count = match (is_refused, appended.conflicts) {
                    (true, _) => &mut self.still_rejected,
                    (false, 0) => &mut self.redriven,
                    (false, _) => &mut self.conflicts,
                };
                *count += 1;
            }
            Err((code, message)) => {
                self.failed_count += 1;
                if self.failed.len() < FAILED_SHOWN_MAX {
                    let (id, message) = (id.to_string(), message.to_owned());
                    self.failed.push(NotTried { id, code, message });
                }
            }
        }
    }
}

/// What letters of one source are mapped with.
struct Work {
    source: IngestionSource,
    mapper: Arc<Mapper>,
}

impl Work {
    /// What a letter's record comes to.
    fn map(&self, app: &App, letter: &Letter) -> Result<Append, Problem> {
        let reject = &letter.reject;
        if letter.state != LetterState::Open {
            return Err(NOT_OPEN);
        }
        let context = letter.context.as_deref().ok_or(NOT_KEPT)?;
        let context: Context = serde_json::from_str(context).map_err(|_| UNREADABLE)?;
        if context.meta.is_cut {
            return Err(CUT);
        }
        let sealed = letter.sealed.as_ref().ok_or(NOT_KEPT)?;
        let what = sealed_for(&self.source.id);
        let record = app.control.vault.open_sealed(sealed, &what).ok_or(UNREADABLE)?;
        let gathering = self.gather(letter, record, &context).ok_or(TOO_LARGE)?;
        let origin = &reject.origin;
        let object = ObjectRef { key: origin.object_key.clone(), etag: origin.etag.clone() };
        let append = append_of(&self.source, &self.mapper.gatherer, gathering, object);
        Ok(Append {
            // It was read, and counted, long ago.
            read: ReadIn::default(),
            settles: Some(reject.id),
            run_id: RUN.to_owned(),
            ..append
        })
    }

    fn gather(&self, letter: &Letter, record: Vec<u8>, context: &Context) -> Option<Gathering> {
        let plan: &Plan = &self.mapper.gatherer.plan;
        let meta = Arc::new(ObjectMeta {
            key: context.meta.key.clone(),
            bucket: context.meta.bucket.clone(),
            source: context.meta.source.clone(),
            received_at_ns: context.meta.received_at_ns,
        });
        // What stands at the beginning of its object may be a whole document, in which the old parser found no records.
        let reject = &letter.reject;
        if reject.byte_offset == 0 && !matches!(plan.input.format, Format::Csv(_)) {
            return self.mapper.gather(Bytes::from(record), &meta);
        }
        let at = (reject.byte_offset, reject.end_offset, reject.record_index, reject.line);
        let block = block_again(plan, record, context, at);
        self.mapper.gather_blocks(std::iter::once(block), &meta)
    }
}
