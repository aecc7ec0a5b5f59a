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
        record_ids: Option<&[String]>,
    ) -> Result<()> {
        let (caller, source) = (caller.clone(), source.to_owned());
        let after = json!({ "record_ids": record_ids.map_or(Value::Null, |ids| json!(ids)) });
        self.change(move |transaction| {
            let stored = source::find(transaction, &caller.organization, &source)?;
            if stored.source.archived_at.is_some() {
                return Err(ControlError::conflict("archived", "the source is archived"));
            }
            let action = "ingestion_source.redrive";
            audit::write(
                transaction,
                &caller,
                Changed { action, id: &source, before: None, after: Some(after) },
            )
        })
    }
}
