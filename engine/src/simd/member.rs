//! A member of an object, seen at once: its key from the end, and the usual kinds of values from their start.
//!
//! A usual value is a string without escapes, or a number or literal, that ends within a block and right before a comma
//! or the closing bracket. It is found with a few comparisons, whatever its length; any other value, the caller finds by
//! looking at one byte after the other.

use super::index::Indexed;
use super::{BLOCK, Lanes};

/// A key and its quotes, as far as they are compared at once.
pub(crate) const PATTERN: usize = 32;
/// The key, and one byte before it.
const KEY: usize = PATTERN + 1;
/// A colon, the first byte of the value, a block, and what follows.
const VALUE: usize = 2 + BLOCK + 2;

/// What stands before and behind the end of a key.
#[derive(Clone, Copy)]
pub(crate) struct Member<'b> {
    /// A part of a valid text.
    bytes: &'b [u8; KEY + VALUE],
}

/// A value of a usual kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual<'b> {
    /// What a string without escapes says.
    String(&'b str),
    /// A number or a literal, or what stands in the place of one.
    Bare(&'b str),
}

impl<'b> Indexed<'b, '_> {
    /// The member whose key ends before that offset. None if it is too close to the start or the end of the stretch.
    #[inline(always)]
    pub(crate) fn member(&self, behind_key: usize) -> Option<Member<'b>> {
        let text = self.all_text().as_bytes();
        // Too close to the start, and it wraps around.
        let from = behind_key.wrapping_sub(self.start() + KEY);
        if from > text.len().checked_sub(KEY + VALUE)? {
            return None;
        }
        // SAFETY: so many bytes are there from there on.
        let bytes = unsafe { &*text.as_ptr().add(from).cast::<[u8; KEY + VALUE]>() };
        Some(Member { bytes })
    }
}

impl<'b> Member<'b> {
    /// The last bytes of the key with its quotes, and one before that.
    #[inline(always)]
    pub(crate) fn key(self) -> &'b [u8; KEY] {
        self.bytes.first_chunk().expect("it is shorter")
    }

    /// Whether an object stands right behind the colon.
    #[inline(always)]
    pub(crate) fn is_object(self) -> bool {
        matches!(self.bytes[KEY..], [b':', b'{', ..])
    }

    /// Its value, if it is a usual one.
    #[inline(always)]
    pub(crate) fn value<L: Lanes>(self, lanes: L) -> Option<Usual<'b>> {
        let [b':', first, near @ ..] = &self.bytes[KEY..] else { return None };
        let near: &[u8; BLOCK + 2] = near.try_into().expect("it is the rest");
        let block = lanes.load(near.first_chunk().expect("it is shorter"));
        if *first == b'"' {
            let ends =
                lanes.equal(block, lanes.splat(b'"')) | lanes.equal(block, lanes.splat(b'\\'));
            // Where there is none among them, it is the byte behind them or none.
            let end = ends.trailing_zeros() as usize;
            let follows = matches!([near[end], near[end + 1]], [b'"', b',' | b'}']);
            // SAFETY: the text is valid, both bytes around this part are quotes, and there are so many.
            return follows.then(|| Usual::String(unsafe { self.text(1, end) }));
        }
        // Brackets differ from braces in this bit.
        let folded = lanes.or(block, lanes.splat(0x20));
        let ends = lanes.at_most(block, lanes.splat(b','))
            | lanes.equal(folded, lanes.splat(b'{'))
            | lanes.equal(folded, lanes.splat(b'}'));
        let end = ends.trailing_zeros() as usize;
        let starts = first.is_ascii_alphanumeric() || *first == b'-';
        let follows = matches!(near[end], b',' | b'}');
        // SAFETY: the text is valid, its first byte and the one behind it are ASCII, and there are so many.
        (starts && follows).then(|| Usual::Bare(unsafe { self.text(0, end + 1) }))
    }

    /// So many bytes of the value, from that one on.
    ///
    /// # Safety
    ///
    /// There are as many, and no character is cut.
    #[inline(always)]
    unsafe fn text(self, from: usize, len: usize) -> &'b str {
        let value = &self.bytes[KEY + 1..];
        // SAFETY: the caller says so, and the bytes are part of a valid text.
        unsafe { std::str::from_utf8_unchecked(value.get_unchecked(from..from + len)) }
    }
}
