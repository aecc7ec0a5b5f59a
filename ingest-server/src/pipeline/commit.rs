//! Batches to commits of the store.
//!
//! Blocks are gathered until there are enough events or bytes, or until the oldest of them has waited
//! long enough; then they are stored in one transaction, together with how far the object has been
//! read. While one group is stored, the next is gathered, so at most two are in memory.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::framer::Position;
use weir_engine::plan::{ObjectMeta, Plan};

use super::error::PipelineError;
use super::gather::{Gatherer, Gathering};
use super::now_ms;
use super::progress::{Left, Progress};
use super::totals::Totals;
use crate::source::{Boundary, Object};
use crate::store::{Append, Appended, ObjectRef, ReadIn, Step, Store, StoreError, hex};
use crate::vault::Vault;

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
    /// What kind of source it is; by default what the object's name says.
    pub source_type: Option<String>,
    /// The run that the work belongs to; by default one of its own.
    pub run_id: Option<String>,
    /// Encrypts whole records of dead letters, so that they can be mapped later; without one only
    /// what may be shown of them is kept.
    pub vault: Option<Arc<Vault>>,
    /// Whether an object that was read to its end stays so under another plan.
    pub keeps_done: bool,
    /// Whether an object is not read on behind a record that is refused.
    pub stops_at_rejects: bool,
    /// When to commit.
    pub limits: CommitLimits,
}

/// Stores what comes in.
pub(super) struct Commits {
    settings: StoreSettings,
    gatherer: Arc<Gatherer>,
    plan_hash: String,
    run_id: String,
    object: Option<Current>,
    group: Group,
    running: Option<JoinHandle<Result<Appended, StoreError>>>,
}

/// The object that is being stored.
struct Current {
    object: Object,
    meta: Arc<ObjectMeta>,
    /// The decompressed offset up to which its bytes are counted.
    counted: u64,
    /// Whether dead letters of an earlier reading are to be closed with the next commit.
    supersedes: bool,
    /// The progress that was stored last, or will be when the running commit ends.
    from: Option<String>,
}

impl Commits {
    pub(super) fn new(settings: StoreSettings) -> Self {
        let plan = Arc::clone(&settings.plan);
        let plan_hash = hex(&plan.hash);
        let gatherer = Gatherer::new(plan, &settings.source, settings.vault.clone());
        Self {
            gatherer,
            plan_hash,
            run_id: settings
                .run_id
                .clone()
                .unwrap_or_else(|| format!("run-{}-{:08x}", now_ms(), fastrand::u32(..))),
            object: None,
            group: Group::default(),
            running: None,
            settings,
        }
    }

    pub(super) fn begin(
        &mut self,
        object: &Object,
        meta: &Arc<ObjectMeta>,
    ) -> Result<Left, PipelineError> {
        let StoreSettings { store, source, .. } = &self.settings;
        let state = store
            .progress(source, &object.key)
            .map_err(|source| PipelineError::Store { object: object.key.clone(), source })?;
        let keeps_done = self.settings.keeps_done;
        let left = Progress::left(state.as_ref(), object, &self.plan_hash, keeps_done);
        // The same bytes are read again: what was refused of them is refused, or not, once more.
        let supersedes = matches!(&left, Left::From(start) if start.position.offset == 0)
            && state.as_ref().is_some_and(|state| state.etag == object.etag);
        let from = state.map(|state| state.progress);
        let counted = match &left {
            Left::From(start) => start.position.offset,
            Left::Nothing => 0,
        };
        let (object, meta) = (object.clone(), Arc::clone(meta));
        self.object = Some(Current { object, meta, counted, from, supersedes });
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
        let Some(current) = &self.object else { return Ok(()) };
        if self.settings.stops_at_rejects
            && let Some(reject) = batch.rejects.first()
        {
            return Err(PipelineError::Refused {
                object: current.object.key.clone(),
                offset: block.records[reject.record as usize].offset,
                code: reject.code.as_str(),
                target: match reject.target.as_str() {
                    "" => String::new(),
                    target => format!(" `{target}`"),
                },
                line: reject.line,
            });
        }
        self.group.since.get_or_insert_with(Instant::now);
        self.group.gathering.add(&self.gatherer, block, &current.meta, batch);
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
        let gathering = group.gathering;
        let bytes = position.offset.saturating_sub(current.counted);
        current.counted = position.offset;
        let to = Progress::new(object, &self.plan_hash, position, member).text();
        let from = current.from.replace(to.clone());
        let kind = if object.key.starts_with("s3://") { "s3_custom" } else { "file" };
        let append = Append {
            source: self.settings.source.clone(),
            source_type: self.settings.source_type.clone().unwrap_or_else(|| kind.to_owned()),
            object: ObjectRef { key: object.key.clone(), etag: object.etag.clone() },
            step: Some(Step { from, to, done }),
            read: ReadIn { bytes, ..gathering.read },
            settles: None,
            supersedes_rejects: std::mem::take(&mut current.supersedes),
            plan: self.gatherer.plan_ref.clone(),
            run_id: self.run_id.clone(),
            ingested_at_ms: now_ms(),
            buffers: gathering.buffers,
            records: gathering.records,
            events: gathering.events,
            rejects: gathering.rejects,
            keeps_whole: self.gatherer.keeps_whole(gathering.blocks),
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
            Ok(Err(StoreError::RunClosed)) => Err(PipelineError::RunEnded { object }),
            Ok(Err(StoreError::Fenced { .. })) => Err(PipelineError::Fenced { object }),
            Ok(Err(source)) => Err(PipelineError::Store { object, source }),
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Blocks that are stored together.
#[derive(Default)]
struct Group {
    gathering: Gathering,
    since: Option<Instant>,
    /// Behind its last block.
    end: Option<(Position, Option<Boundary>)>,
}

impl Group {
    fn is_full(&self, limits: &CommitLimits) -> bool {
        let Gathering { events, rejects, bytes, .. } = &self.gathering;
        events.len() + rejects.len() >= limits.events
            || *bytes >= limits.bytes
            || self.has_waited(limits)
    }

    fn has_waited(&self, limits: &CommitLimits) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= limits.age)
    }
}
