//! The wanted members around the records.
//!
//! A way leads from the document through objects to a member. It goes on with the first member of each name only,
//! and dies where that is no object or does not have the next name: a later member of equal name does not count.
//! Where the records begin, all ways end.

use bytes::Bytes;

use super::super::{Piece, Span};
use super::name::is_named;

/// The wanted members of the present document.
pub(super) struct Wrapper {
    ways: Vec<Way>,
    /// What has been found: JSON texts.
    members: Vec<Option<Bytes>>,
    /// Their size together, and its limit.
    bytes: usize,
    bytes_max: usize,
    /// Invalid UTF-8 becomes U+FFFD.
    utf8_replace: bool,
    /// The records have begun.
    frozen: bool,
}

struct Way {
    names: Vec<String>,
    /// So many names have been met.
    met: usize,
    /// It leads nowhere, or its end has been found.
    over: bool,
    /// The value at its end, which is just being passed.
    value: Option<Span>,
}

impl Wrapper {
    /// The wrapper of a document that begins, or whose records have begun.
    pub(super) fn new(
        ways: &[Vec<String>],
        bytes_max: usize,
        utf8_replace: bool,
        frozen: bool,
    ) -> Self {
        let way =
            |names: &Vec<String>| Way { names: names.clone(), met: 0, over: false, value: None };
        Self {
            ways: ways.iter().map(way).collect(),
            members: vec![None; ways.len()],
            bytes: 0,
            bytes_max,
            utf8_replace,
            frozen,
        }
    }

    /// One entry for each wanted member.
    pub(super) fn members(&self) -> &[Option<Bytes>] {
        &self.members
    }

    /// The records have begun.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// A document begins or ends.
    pub(super) fn reset(&mut self) {
        self.frozen = false;
        self.bytes = 0;
        self.members.fill(None);
        for way in &mut self.ways {
            (way.met, way.over, way.value) = (0, false, None);
        }
    }

    /// The records begin.
    pub(super) fn freeze(&mut self) {
        self.frozen = true;
        self.open_ways().for_each(|way| way.value = None);
    }

    /// The ways that may still lead somewhere.
    fn open_ways(&mut self) -> impl Iterator<Item = &mut Way> {
        self.ways.iter_mut().filter(|way| !way.over)
    }

    /// A key in an object that is the `depth`th bracket.
    pub(super) fn key(&mut self, depth: usize, key: &[u8]) {
        if self.frozen {
            return;
        }
        for way in self.open_ways().filter(|way| way.value.is_none()) {
            if way.met + 1 == depth
                && way.names.get(way.met).is_some_and(|name| is_named(key, name))
            {
                way.met = depth;
            }
        }
    }

    /// A value behind `depth` brackets begins with `byte`.
    pub(super) fn begin_value(&mut self, depth: usize, byte: u8, offset: u64) {
        if self.frozen || depth == 0 {
            return;
        }
        let bytes_max = self.bytes_max;
        for way in self.open_ways().filter(|way| way.value.is_none() && way.met == depth) {
            if way.names.len() == depth {
                way.value = Some(Span::new(offset, bytes_max));
            } else {
                way.over = byte != b'{';
            }
        }
    }

    /// A value behind `depth` brackets has ended before the index `end`. False if the members are too large.
    pub(super) fn end_value(&mut self, depth: usize, piece: &Piece<'_>, end: usize) -> bool {
        if self.frozen {
            return true;
        }
        for (way, member) in self.ways.iter_mut().zip(&mut self.members) {
            if way.names.len() != depth {
                continue;
            }
            let Some(mut span) = way.value.take() else { continue };
            way.over = true;
            let size = piece.at(end) - span.start;
            if size > (self.bytes_max - self.bytes) as u64 {
                return false;
            }
            let bytes = span.bytes(piece, size);
            self.bytes += bytes.len();
            // A copy: a few bytes must not keep a chunk alive.
            *member = Some(match String::from_utf8_lossy(&bytes) {
                text if self.utf8_replace => text.into_owned().into(),
                _ => Bytes::copy_from_slice(&bytes),
            });
        }
        true
    }

    /// An object that is the `depth`th bracket has ended: ways that needed a member of it are over.
    pub(super) fn end_object(&mut self, depth: usize) {
        if self.frozen {
            return;
        }
        for way in self.open_ways().filter(|way| way.value.is_none()) {
            way.over = way.met + 1 == depth;
        }
    }

    /// Keeps what is needed of a chunk that goes.
    pub(super) fn save(&mut self, piece: &Piece<'_>) {
        for way in &mut self.ways {
            if let Some(span) = &mut way.value {
                span.save(piece);
            }
        }
    }
}
