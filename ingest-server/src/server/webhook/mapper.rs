//! Bodies to appends, under a source's parser.
//!
//! What a mapping needs costs more to build than to use, so it is kept: a gatherer for each source, and some workers that
//! have nothing to do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::framer::Framer;
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;

use super::Refusal;
use crate::control::{IngestionSource, now_ms};
use crate::pipeline::gather::{Gatherer, Gathering};
use crate::store::{Append, ObjectRef, ReadIn};
use crate::vault::Vault;

/// The object and the run that pushed events come from.
pub(super) const OBJECT: &str = "webhook";
pub(super) const RUN: &str = "webhook";

/// Sources whose mappers are kept.
const KEPT_MAX: usize = 4096;
/// Workers that each of them keeps.
const IDLE_MAX: usize = 4;
/// A worker has memory for the largest record that it has met: behind larger bodies it is not kept.
const KEPT_BODY_BYTES_MAX: usize = 1 << 20;
/// Events and rejects of one body, which are stored in one transaction ...
const OUTCOMES_MAX: usize = 100_000;
/// ... and bytes of them.
const OUTCOME_BYTES_MAX: usize = 256 << 20;

/// The mappers of all sources.
#[derive(Default)]
pub(crate) struct Mappers {
    kept: Mutex<HashMap<String, Arc<Mapper>>>,
}

impl Mappers {
    /// What maps the records of a source under a plan.
    pub(crate) fn of(&self, source: &str, plan: Arc<Plan>, vault: &Arc<Vault>) -> Arc<Mapper> {
        let mut kept = lock(&self.kept);
        if let Some(mapper) = kept.get(source)
            && Arc::ptr_eq(&mapper.gatherer.plan, &plan)
        {
            return Arc::clone(mapper);
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let gatherer = Gatherer::new(plan, source, Some(Arc::clone(vault)));
        let mapper = Arc::new(Mapper { gatherer, idle: Mutex::default() });
        kept.insert(source.to_owned(), Arc::clone(&mapper));
        mapper
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Maps records of one source under one plan.
pub(crate) struct Mapper {
    pub(crate) gatherer: Arc<Gatherer>,
    idle: Mutex<Vec<(Worker, Batch)>>,
}

impl Mapper {
    /// A whole body.
    pub(super) fn map(&self, source: &IngestionSource, body: &Bytes) -> Result<Append, Refusal> {
        let meta = Arc::new(meta_of(source, body));
        let gathering = self.gather(body.clone(), &meta).ok_or_else(|| {
            let problem = format!(
                "it comes to more than {OUTCOMES_MAX} events, or {} MiB of them; send it in parts",
                OUTCOME_BYTES_MAX >> 20
            );
            Refusal::TooLarge(problem)
        })?;
        let object = ObjectRef { key: OBJECT.to_owned(), etag: String::new() };
        let read = ReadIn { bytes: body.len() as u64, ..gathering.read };
        let append = append_of(source, &self.gatherer, gathering, object);
        Ok(Append { read, ..append })
    }

    /// What the records of some bytes come to; `None` if that is too much.
    pub(crate) fn gather(&self, bytes: Bytes, meta: &Arc<ObjectMeta>) -> Option<Gathering> {
        let mut framer = Framer::new(&self.gatherer.plan.input);
        framer.push(bytes);
        framer.finish();
        self.gather_blocks(std::iter::from_fn(|| framer.next_block()), meta)
    }

    /// What the records of blocks come to; `None` if that is too much.
    pub(crate) fn gather_blocks(
        &self,
        blocks: impl Iterator<Item = RecordBlock>,
        meta: &Arc<ObjectMeta>,
    ) -> Option<Gathering> {
        let idle = lock(&self.idle).pop();
        let new = || (Worker::new(Arc::clone(&self.gatherer.plan)), Batch::default());
        let (mut worker, mut batch) = idle.unwrap_or_else(new);
        let (mut gathering, mut bytes) = (Gathering::default(), 0);
        for block in blocks {
            bytes += block.bytes.len();
            batch.clear();
            worker.run(&block, meta, &mut batch);
            gathering.add(&self.gatherer, &block, meta, &batch);
            let outcomes = gathering.events.len() + gathering.rejects.len();
            if outcomes > OUTCOMES_MAX || gathering.bytes > OUTCOME_BYTES_MAX {
                return None;
            }
        }
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_MAX && bytes.max(batch.text.capacity()) <= KEPT_BODY_BYTES_MAX {
            idle.push((worker, batch));
        }
        Some(gathering)
    }
}

/// What a program can ask about a body that has come just now.
pub(super) fn meta_of(source: &IngestionSource, body: &[u8]) -> ObjectMeta {
    // Ids that a parser makes of the object's name are then the same for the same bytes.
    let digest: [u8; 32] = Sha256::digest(body).into();
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    ObjectMeta {
        key: format!("{OBJECT}/{name}"),
        bucket: String::new(),
        source: source.name.clone(),
        received_at_ns: now_ms().saturating_mul(1_000_000),
    }
}

/// What was gathered, as the store takes it.
pub(crate) fn append_of(
    source: &IngestionSource,
    gatherer: &Arc<Gatherer>,
    gathering: Gathering,
    object: ObjectRef,
) -> Append {
    Append {
        source: source.id.clone(),
        source_type: source.source_type.clone(),
        object,
        step: None,
        read: gathering.read,
        supersedes_rejects: false,
        settles: None,
        plan: gatherer.plan_ref.clone(),
        run_id: RUN.to_owned(),
        ingested_at_ms: now_ms(),
        buffers: gathering.buffers,
        records: gathering.records,
        events: gathering.events,
        rejects: gathering.rejects,
        keeps_whole: gatherer.keeps_whole(gathering.blocks),
    }
}
