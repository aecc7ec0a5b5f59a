//! Where batches end: lines of JSON, and the store.

use std::io::Write;
use std::sync::Arc;

use weir_engine::block::RecordBlock;
use weir_engine::framer::Position;
use weir_engine::plan::ObjectMeta;

use super::Start;
use super::commit::{Commits, StoreSettings};
use super::error::PipelineError;
use super::mapping::{Needs, Outcome, Output};
use super::progress::Left;
use super::totals::Totals;
use crate::source::{Boundary, Object};

/// Something to write lines to, and what messages call it.
struct Lines {
    name: String,
    out: Box<dyn Write + Send>,
}

impl Lines {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        if bytes.is_empty() {
            return Ok(());
        }
        // A block's lines are written at once, so there is nothing to buffer.
        self.out
            .write_all(bytes)
            .and_then(|()| self.out.flush())
            .map_err(|source| PipelineError::Output { name: self.name.clone(), source })
    }
}

/// Where batches end. Without a target it only counts.
#[derive(Default)]
pub struct Sink {
    output: Output,
    events: Option<Lines>,
    rejects: Option<Lines>,
    commits: Option<Commits>,
    pub(super) totals: Totals,
}

impl Sink {
    /// Writes events as lines.
    #[must_use]
    pub fn events_to(mut self, name: impl Into<String>, out: Box<dyn Write + Send>) -> Self {
        self.events = Some(Lines { name: name.into(), out });
        self
    }

    /// Writes rejects as lines.
    #[must_use]
    pub fn rejects_to(mut self, name: impl Into<String>, out: Box<dyn Write + Send>) -> Self {
        self.rejects = Some(Lines { name: name.into(), out });
        self
    }

    /// Stores events and rejects, and goes on with objects where an earlier run stopped.
    #[must_use]
    pub fn store_to(mut self, settings: StoreSettings) -> Self {
        self.commits = Some(Commits::new(settings));
        self
    }

    /// What has come so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether events are stored.
    pub fn is_stored(&self) -> bool {
        self.commits.is_some()
    }

    /// What workers must write for it.
    pub(super) fn needs(&mut self, output: Output) -> Needs {
        self.output = if self.events.is_some() { output } else { Output::None };
        Needs { output: self.output, rejects: self.rejects.is_some() }
    }

    /// Another object begins; says where, or `None` if nothing of it is left to be done.
    pub(super) fn begin(
        &mut self,
        object: &Object,
        meta: &Arc<ObjectMeta>,
    ) -> Result<Option<Start>, PipelineError> {
        let left = match &mut self.commits {
            Some(commits) => commits.begin(object, meta)?,
            None => Left::From(Start::beginning()),
        };
        let Left::From(start) = left else {
            self.totals.objects_skipped += 1;
            return Ok(None);
        };
        self.totals.objects += 1;
        self.totals.objects_resumed += u64::from(start.position.offset > 0);
        Ok(Some(start))
    }

    /// Takes the outcome of the next block.
    pub(super) fn deliver(
        &mut self,
        block: &RecordBlock,
        member: Option<Boundary>,
        outcome: &mut Outcome,
    ) -> Result<(), PipelineError> {
        self.totals.add(block, &outcome.batch);
        if let Some(events) = &mut self.events {
            events.write(&outcome.events)?;
            while outcome.write_next_events(block, self.output) {
                events.write(&outcome.events)?;
            }
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.write(&outcome.rejects)?;
        }
        match &mut self.commits {
            Some(commits) => commits.add(block, member, &outcome.batch, &mut self.totals),
            None => Ok(()),
        }
    }

    /// Nothing has come for a while: stores what it holds back.
    pub(super) fn tick(&mut self) -> Result<(), PipelineError> {
        match &mut self.commits {
            Some(commits) => commits.tick(&mut self.totals),
            None => Ok(()),
        }
    }

    /// The object ends here, perhaps before its end.
    pub(super) fn end(&mut self, end: &Position, done: bool) -> Result<(), PipelineError> {
        match &mut self.commits {
            Some(commits) => commits.end(end, done, &mut self.totals),
            None => Ok(()),
        }
    }
}
