//! What people do with dead letters, with its line in the audit log. The letters themselves are the store's.

use serde_json::{Value, json};

use super::audit::{self, Changed};
use super::{Caller, Control, ControlError, Result, now_ms, source};
use crate::store::{LetterState, discard};

impl Control {
    /// Gives an open dead letter up: it cannot be mapped any more.
    pub(crate) fn discard_letter(&self, caller: &Caller, source: &str, id: i64) -> Result<()> {
        let (caller, source) = (caller.clone(), source.to_owned());
        self.change(move |transaction| {
            source::find(transaction, &caller.organization, &source)?;
            match discard(transaction, &source, id, now_ms())? {
                None => return Err(ControlError::NotFound("quarantined record")),
                Some(LetterState::Open) => {}
                Some(LetterState::Redriven) => {
                    return Err(ControlError::conflict("not_open", "it was redriven already"));
                }
                Some(LetterState::Discarded) => {
                    return Err(ControlError::conflict("not_open", "it was discarded already"));
                }
            }
            let state = |state: &str| Some(json!({ "source_id": source, "state": state }));
            let (before, after) = (state("open"), state("discarded"));
            let id = id.to_string();
            audit::write(
                transaction,
                &caller,
                Changed { action: "quarantined_record.discard", id: &id, before, after },
            )
        })
    }

    /// Notes that a source's dead letters are mapped once more: some of them, or all that are open.
    pub(crate) fn note_redrive(
        &self,
        caller: &Caller,
        source: &str,
        record_ids: Option<&[i64]>,
    ) -> Result<()> {
        let ids = record_ids.map(|ids| ids.iter().map(i64::to_string).collect::<Vec<_>>());
        self.note_action(caller, "ingestion_source.redrive", source, json!({ "record_ids": ids }))
    }

    /// Notes what somebody did with a source that changes nothing of the source itself.
    pub(crate) fn note_action(
        &self,
        caller: &Caller,
        action: &'static str,
        source: &str,
        what: Value,
    ) -> Result<()> {
        let (caller, source) = (caller.clone(), source.to_owned());
        self.change(move |transaction| {
            source::find(transaction, &caller.organization, &source)?;
            let changed = Changed { action, id: &source, before: None, after: Some(what) };
            audit::write(transaction, &caller, changed)
        })
    }
}
