//! What went wrong with a source and could not be written, because nothing could be.
//!
//! When the disk is full, the very fact that a run failed cannot be stored. It is kept in memory until something can be
//! stored again; a server that is restarted meets the same disk, and notes it anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{Control, now_ms, rfc3339};
use crate::store::StoreError;

/// The code of errors that are the store's own, in runs and in health.
pub(crate) const STORE_UNAVAILABLE: &str = "store_unavailable";

/// The last such error of each source.
#[derive(Default)]
pub(super) struct Unwritten(Mutex<BTreeMap<String, Value>>);

impl Unwritten {
    fn errors(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `code`, `message` and `at` of the error, if there is one.
    pub(super) fn of(&self, source: &str) -> Option<Value> {
        self.errors().get(source).cloned()
    }
}

impl Control {
    /// Nothing can be stored for a source.
    pub(crate) fn cannot_store(&self, source: &str, error: &StoreError) {
        let message = format!("nothing can be stored: {error}");
        let at = rfc3339(now_ms());
        let error = json!({ "code": STORE_UNAVAILABLE, "message": message, "at": at });
        self.unwritten.errors().insert(source.to_owned(), error);
    }

    /// Something was stored: there is one writer, so anything else could be, too.
    pub(crate) fn can_store(&self) {
        self.unwritten.errors().clear();
    }
}
