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
const VALUE: usize = 2 + BLOCK + 1;

/// What stands before and behind the end of a key.
#[derive(Clone, Copy)]
pub(crate) struct Member<'b> {
    /// A part of a valid text.
    bytes: &'b [u8; KEY + VALUE],
}

/// A value of a usual kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual<'b> {
    /// A string without escapes, with its quotes.
    String(&'b str),
    /// A number or a literal, or what stands in the place of one.
    Bare(&'b str),
}

impl<'b> Indexed<'b, '_> {
    /// The member whose key ends before that offset. None if it is too close to the start or the end of the stretch.
    #[inline(always)]
    pub(crate) fn member(&self, behind_key: usize) -> Option<Member<'b>> {
        let behind = behind_key - self.start();
        let from = behind.checked_sub(KEY)?;
        let bytes = self.all_text().as_bytes().get(from..behind + VALUE)?;
        Some(Member { bytes: bytes.first_chunk()? })
    }
}

impl<'b> Member<'b> {
    /// The last bytes of the key with its quotes, and one before that.
    #[inline(always)]
    pub(crate) fn key(self) -> &'b [u8; KEY] {
        self.bytes.first_chunk().expect("it is shorter")
    }

    /// Its value, if it is a usual one.
    #[inline(always)]
    pub(crate) fn value<L: Lanes>(self, lanes: L) -> Option<Usual<'b>> {
        let [b':', first, near @ ..] = &self.bytes[KEY..] else { return None };
        if matches!(first, b'{' | b'[') {
            return None;
        }
        let near: &[u8; BLOCK + 1] = near.try_into().expect("it is the rest");
        let block = lanes.load(near.first_chunk().expect("it is shorter"));
        let is_string = *first == b'"';
        let ends = if is_string {
            lanes.equal(block, lanes.splat(b'"'))
        } else {
            // Brackets differ from braces in this bit.
            let folded = lanes.or(block, lanes.splat(0x20));
            lanes.at_most(block, lanes.splat(b','))
                | lanes.equal(folded, lanes.splat(b'{'))
                | lanes.equal(folded, lanes.splat(b'}'))
        };
        if ends == 0 {
            return None;
        }
        let end = ends.trailing_zeros() as usize;
        if !is_string {
            let starts = first.is_ascii_alphanumeric() || *first == b'-';
            let follows = matches!(near[end], b',' | b'}');
            // SAFETY: the text is valid, its first byte and the one behind it are ASCII, and there are so many.
            return (starts && follows).then(|| Usual::Bare(unsafe { self.text(end + 1) }));
        }
        let before_end = ends ^ ends.wrapping_sub(1);
        let escapes = lanes.equal(block, lanes.splat(b'\\')) & before_end;
        let follows = matches!(near[end + 1], b',' | b'}');
        // SAFETY: the text is valid, its first byte and its last are quotes, and there are so many.
        (escapes == 0 && follows).then(|| Usual::String(unsafe { self.text(end + 2) }))
    }

    /// So many bytes of the value.
    ///
    /// # Safety
    ///
    /// There are as many, and no character is cut.
    #[inline(always)]
    unsafe fn text(self, len: usize) -> &'b str {
        let value = &self.bytes[KEY + 1..];
        // SAFETY: the caller says so, and the bytes are part of a valid text.
        unsafe { std::str::from_utf8_unchecked(value.get_unchecked(..len)) }
    }
}
