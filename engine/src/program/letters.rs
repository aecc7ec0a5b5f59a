//! Texts in small letters, for many at once.

use bumpalo::Bump;

use crate::builtins::lower;
use crate::rows::{Rows, row_bit, rows_in};
use crate::simd::{BLOCK, Kernel, Lanes, Level, low_bits};

/// Makes the letters of some texts small. Those of ASCII, of up to a block, are written one behind the other to one piece of
/// memory, so that little has to be asked for or checked for each of them.
pub(super) fn lower_all<'a>(
    level: Level,
    texts: &[&'a str],
    of: Rows,
    small: &mut [&'a str],
    arena: &'a Bump,
) {
    let short = rows_in(of).filter(|row| texts[*row].len() <= BLOCK);
    let bytes: usize = short.map(|row| texts[row].len()).sum();
    let room = arena.alloc_slice_fill_copy(bytes + BLOCK, 0);
    let written = level.run(Lower { texts, of, room: &mut *room });
    let all = room.get(..written.bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let mut start = 0;
    for row in rows_in(of & written.rows) {
        let end = start + texts[row].len();
        small[row] = all.and_then(|all| all.get(start..end)).expect("small letters are ASCII too");
        start = end;
    }
    for row in rows_in(of & !written.rows) {
        small[row] = lower::lower(texts[row], arena);
    }
}

struct Lower<'r, 't> {
    texts: &'r [&'t str],
    of: Rows,
    room: &'r mut [u8],
}

/// What was written: the texts of these rows.
struct Written {
    rows: Rows,
    bytes: usize,
}

impl Kernel for Lower<'_, '_> {
    type Output = Written;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Written {
        let mut written = Written { rows: 0, bytes: 0 };
        for row in rows_in(self.of) {
            let text = self.texts[row].as_bytes();
            let Some(room) = self.room[written.bytes..].first_chunk_mut() else { break };
            if text.len() > BLOCK {
                continue;
            }
            let block = lanes.load_part(text);
            lanes.store(small(lanes, block), room);
            // Of another text the next one takes the place.
            let is_ascii = lanes.top_bits(block) & low_bits(text.len()) == 0;
            written.rows |= if is_ascii { row_bit(row) } else { 0 };
            written.bytes += if is_ascii { text.len() } else { 0 };
        }
        written
    }
}

/// ASCII in small letters.
#[inline(always)]
fn small<L: Lanes>(lanes: L, block: L::Block) -> L::Block {
    let top = lanes.splat(0x80);
    let from_a = lanes.and(lanes.add(block, lanes.splat(0x80 - b'A')), top);
    let behind_z = lanes.and(lanes.add(block, lanes.splat(0x7f - b'Z')), top);
    let eights = lanes.high_nibbles(lanes.subtract_saturating(from_a, behind_z));
    let sixteens = lanes.add(eights, eights);
    lanes.add(block, lanes.add(sixteens, sixteens))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn letters_are_as_they_are_meant(
            texts in prop::collection::vec("[ -~]{0,70}|[@A-Z\\[`a-z{]{0,64}|[A-Zé]{0,66}|\\PC{0,20}", 1..64),
            of in any::<Rows>(),
        ) {
            let arena = Bump::new();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for level in Level::all() {
                let mut small = vec!["left"; texts.len()];
                let of = of & low_bits(texts.len());
                lower_all(level, &texts, of, &mut small, &arena);
                for (row, (text, small)) in texts.iter().zip(small).enumerate() {
                    let is_asked = of & row_bit(row) != 0;
                    prop_assert_eq!(small, if is_asked { lower::lower(text, &arena) } else { "left" });
                }
            }
        }
    }
}
