//! How far an object has been ingested, as the store keeps it.
//!
//! The store compares this text byte for byte and understands nothing of it. It is JSON with its
//! members always in this order, so equal progress has equal text.
//!
//! Reading goes on only if object and plan are the same. A new version of an object, or another
//! plan, is read from the beginning: events that were stored already are recognised by their ids.

use serde::{Deserialize, Serialize};
use weir_engine::framer::Position;

use super::Start;
use crate::source::{Boundary, Object};
use crate::store::ObjectState;

/// How far an object has been ingested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    etag: String,
    /// In hexadecimal.
    plan: String,
    position: Position,
    /// Where a reader may begin in a compressed object.
    member: Option<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    compressed: u64,
    decompressed: u64,
}

/// What is left to be done with an object.
pub(super) enum Left {
    Nothing,
    From(Start),
}

impl Progress {
    pub(super) fn new(
        object: &Object,
        plan: &str,
        position: Position,
        member: Option<Boundary>,
    ) -> Self {
        let member =
            member.map(|Boundary { compressed, decompressed }| Member { compressed, decompressed });
        Self { etag: object.etag.clone(), plan: plan.to_owned(), position, member }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("its members are numbers and text")
    }

    /// What of an object is left, given how far the store says it is. With `keeps_done`, what was read to
    /// its end stays so under another plan.
    pub(super) fn left(
        state: Option<&ObjectState>,
        object: &Object,
        plan: &str,
        keeps_done: bool,
    ) -> Left {
        // Without an ETag nobody knows whether it is still the same object.
        let state = state.filter(|state| state.etag == object.etag && !object.etag.is_empty());
        if keeps_done && state.is_some_and(|state| state.done) {
            return Left::Nothing;
        }
        let progress = state.and_then(|s| serde_json::from_str::<Self>(&s.progress).ok());
        let progress = progress.filter(|progress| progress.plan == plan);
        match (progress, state) {
            (Some(_), Some(state)) if state.done => Left::Nothing,
            (Some(Self { position, member, .. }), _) => {
                let member = member.map(|Member { compressed, decompressed }| Boundary {
                    compressed,
                    decompressed,
                });
                Left::From(Start { position, member })
            }
            (None, _) => Left::From(Start::beginning()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(etag: &str) -> Object {
        Object { key: "k".to_owned(), etag: etag.to_owned(), size: None, last_modified: None }
    }

    fn state(etag: &str, plan: &str, done: bool) -> ObjectState {
        let position = Position { offset: 70, index: 3, line: 4, ..Position::start() };
        let member = Boundary { compressed: 20, decompressed: 60 };
        let progress = Progress::new(&object(etag), plan, position, Some(member));
        ObjectState { etag: etag.to_owned(), progress: progress.text(), done }
    }

    fn left(state: Option<&ObjectState>, etag: &str) -> Option<u64> {
        match Progress::left(state, &object(etag), "aa", false) {
            Left::Nothing => None,
            Left::From(start) => Some(start.position.offset),
        }
    }

    #[test]
    fn the_same_object_under_the_same_plan_goes_on() {
        let state = state("e", "aa", false);
        let Left::From(start) = Progress::left(Some(&state), &object("e"), "aa", false) else {
            panic!("the object is not done");
        };
        assert_eq!((start.position.offset, start.position.index, start.position.line), (70, 3, 4));
        assert_eq!(start.member, Some(Boundary { compressed: 20, decompressed: 60 }));
    }

    #[test]
    fn what_is_done_is_done_until_object_or_plan_change() {
        assert_eq!(left(Some(&state("e", "aa", true)), "e"), None);
        assert_eq!(left(Some(&state("e", "aa", true)), "f"), Some(0));
        assert_eq!(left(Some(&state("e", "bb", true)), "e"), Some(0));
        assert_eq!(left(None, "e"), Some(0));
        let kept = Progress::left(Some(&state("e", "bb", true)), &object("e"), "aa", true);
        assert!(matches!(kept, Left::Nothing));
    }

    #[test]
    fn progress_that_nobody_understands_and_objects_without_a_version_begin_again() {
        let strange = ObjectState { progress: "{}".to_owned(), ..state("e", "aa", false) };
        assert_eq!(left(Some(&strange), "e"), Some(0));
        assert_eq!(left(Some(&state("", "aa", true)), ""), Some(0));
    }
}
