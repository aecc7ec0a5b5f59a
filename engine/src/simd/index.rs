//! Where the brackets and colons of records are: the first look at their bytes, and the only one at all of them.
//!
//! A *token* is one of `{ } [ ] :` outside strings. The index holds, of each, its offset, its kind (the byte itself), its
//! level (see [`levels`](super::levels)) and, of a colon, a *signature*: one byte made of the last three of the key
//! before it. Each of the four is an array of its own, so that 64 tokens are searched at once: the members of an object
//! are those of one level, and the one of a certain name is found by its signature.
//!
//! All that [`sound`](crate::sound) asks for is checked on the way. The checks only collect whether something is wrong;
//! what it is and where, the caller then finds out record by record, with code that need not be fast. So exactness costs
//! nothing until something is wrong.
//!
//! The algorithms for escapes and quotes are those of Langdale and Lemire, *Parsing Gigabytes of JSON per Second* (2019).

use std::ops::Range;

use super::levels::Nesting;
use super::window::{BEFORE, Window, earlier, padded};
use super::{BLOCK, Compressed, Kernel, Lanes, Level, low_bits, utf8};
use crate::project::skip;

/// Behind the last token so many are there to be loaded.
pub(crate) const BEHIND: usize = 2 * BLOCK;

/// Memory for the tokens of a stretch of bytes, used again from stretch to stretch.
#[derive(Debug, Default)]
pub(crate) struct Index {
    offsets: Vec<u32>,
    kinds: Vec<u8>,
    signatures: Vec<u8>,
    levels: Vec<u8>,
    len: usize,
    /// Offsets behind keys that hold escapes, so that their name is not their bytes.
    escaped_keys: Vec<u32>,
    /// There are spaces between keys and colons: so it will be in what follows.
    spaced: bool,
}

/// A stretch of bytes that is valid UTF-8, whose strings are closed and hold no control characters, and whose brackets
/// match; with its tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indexed<'b, 'i> {
    /// The stretch. Offsets are those in the bytes around it.
    text: &'b str,
    start: usize,
    index: &'i Index,
}

/// Why a stretch has no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The record at this offset is not as records are, or one before it.
    At(usize),
    Somewhere,
    /// A colon does not stand right behind its key.
    Spaced,
}

/// The signature of a key, from the last three bytes before its closing quote, the last one first.
#[inline(always)]
pub(crate) const fn signature(last: [u8; 3]) -> u8 {
    let [one, two, three] = last;
    one.wrapping_add(two.wrapping_add(three.wrapping_mul(2)).wrapping_mul(2))
}

impl Index {
    /// Indexes a stretch of whole records. No index if something is wrong with it, or unusual, or if it needs more than
    /// `tokens_max` tokens.
    pub(crate) fn build<'b>(
        &mut self,
        level: Level,
        bytes: &'b [u8],
        stretch: Range<usize>,
        depth_max: u32,
        tokens_max: usize,
    ) -> Result<Indexed<'b, '_>, Wrong> {
        let inside = &bytes[stretch.clone()];
        let is_ascii = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii);
        if !(is_ascii(inside.first()) && is_ascii(inside.last())) {
            return Err(Wrong::Somewhere);
        }
        let Range { start, end } = stretch;
        let build = |index: &mut Self, spaced| {
            level.run(Build { index, bytes, start, end, depth_max, tokens_max, spaced })
        };
        let mut built = if self.spaced { Err(Wrong::Spaced) } else { build(self, false) };
        if built == Err(Wrong::Spaced) {
            built = build(self, true);
            if built.is_ok() && !self.move_colons_to_keys(bytes, start) {
                built = Err(Wrong::Somewhere);
            }
            self.spaced = built.is_ok();
        }
        built?;
        // SAFETY: `Build` has seen no error in these bytes, and as their first and last are ASCII no character is cut.
        let text = unsafe { std::str::from_utf8_unchecked(inside) };
        Ok(Indexed { text, start, index: self })
    }

    /// Room for the tokens of one more block, and for those that are loaded behind the last.
    #[inline(always)]
    fn reserve(&mut self, tokens: usize) {
        let room = tokens + BLOCK + BEHIND;
        if self.kinds.len() < room {
            self.grow(room);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, room: usize) {
        let room = room.next_power_of_two();
        self.offsets.resize(room, 0);
        self.kinds.resize(room, 0);
        self.signatures.resize(room, 0);
        self.levels.resize(room, 0);
    }

    /// `"key" : value`: moves each colon to its key, so that nothing else need know. False if a colon has none.
    fn move_colons_to_keys(&mut self, bytes: &[u8], start: usize) -> bool {
        for token in 0..self.len {
            if self.kinds[token] != b':' {
                continue;
            }
            let behind = skip::space_back(bytes, start, self.offsets[token] as usize);
            let Some([three @ .., quote]) = behind.checked_sub(4).map(|key| &bytes[key..behind])
            else {
                return false;
            };
            if *quote != b'"' || behind < start + 2 {
                return false;
            }
            // No stretch is larger than a block, and no block than 4 GiB.
            self.offsets[token] = behind as u32;
            self.signatures[token] = signature([three[2], three[1], three[0]]);
        }
        true
    }
}

impl<'b> Indexed<'b, '_> {
    /// The whole stretch.
    #[inline(always)]
    pub(super) fn all_text(&self) -> &'b str {
        self.text
    }

    /// The offset of its first byte.
    #[inline(always)]
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len
    }

    /// The offset of a token; of a colon, that behind its key.
    #[inline(always)]
    pub(crate) fn offset(&self, token: usize) -> usize {
        self.index.offsets[token] as usize
    }

    /// What a token is.
    #[inline(always)]
    pub(crate) fn kind(&self, token: usize) -> u8 {
        self.index.kinds[token]
    }

    /// The level of a token.
    #[inline(always)]
    pub(crate) fn level(&self, token: usize) -> u8 {
        self.index.levels[token]
    }

    /// The levels of the 64 tokens from this one on; behind the last anything.
    #[inline(always)]
    pub(crate) fn levels(&self, token: usize) -> &[u8; BLOCK] {
        part(&self.index.levels, token)
    }

    /// The signatures of the 64 tokens from this one on.
    #[inline(always)]
    pub(crate) fn signatures(&self, token: usize) -> &[u8; BLOCK] {
        part(&self.index.signatures, token)
    }

    /// The text from an offset to another.
    #[inline(always)]
    pub(crate) fn text(&self, start: usize, end: usize) -> &'b str {
        &self.text[start - self.start..end - self.start]
    }

    /// The offsets behind keys that hold escapes.
    pub(crate) fn escaped_keys(&self) -> &[u32] {
        &self.index.escaped_keys
    }
}

#[inline(always)]
fn part(all: &[u8], at: usize) -> &[u8; BLOCK] {
    all[at..at + BLOCK]
        .first_chunk()
        .expect("there is more behind the last token than is loaded at once")
}

/// What goes on from block to block. A stretch begins where a record does.
#[derive(Default)]
struct Carry {
    /// All ones within a string.
    in_string: u64,
    /// The next byte is escaped.
    escape: bool,
    /// The open string holds an escape.
    escaped_string: bool,
    /// The last byte closed a string that does.
    escaped_string_closed: bool,
    /// The bytes of the last block in which something shows that is wrong.
    bad: u64,
    /// Its colons that do not stand right behind a quote.
    loose: u64,
}

struct Build<'i, 'b> {
    index: &'i mut Index,
    bytes: &'b [u8],
    start: usize,
    end: usize,
    depth_max: u32,
    tokens_max: usize,
    /// Spaces before colons are allowed.
    spaced: bool,
}

impl Kernel for Build<'_, '_> {
    type Output = Result<(), Wrong>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Result<(), Wrong> {
        if self.spaced { self.with::<L, true>(lanes) } else { self.with::<L, false>(lanes) }
    }
}

impl Build<'_, '_> {
    #[inline(always)]
    fn with<L: Lanes, const SPACED: bool>(self, lanes: L) -> Result<(), Wrong> {
        let Self { index, bytes, start, end, depth_max, tokens_max, .. } = self;
        index.len = 0;
        index.escaped_keys.clear();
        let mut carry = Carry::default();
        let mut at = start;
        while at < end {
            index.reserve(index.len);
            at = blocks::<L, SPACED>(lanes, bytes, at..end, &mut carry, index);
            if carry.bad != 0 {
                return Err(Wrong::At(at - BLOCK + carry.bad.trailing_zeros() as usize));
            }
            if carry.loose != 0 {
                return Err(Wrong::Spaced);
            }
            if index.len.max(index.escaped_keys.len()) > tokens_max {
                return Err(Wrong::Somewhere);
            }
        }
        if carry.in_string != 0 {
            return Err(Wrong::At(end - 1));
        }
        if nests_well(lanes, index, depth_max) { Ok(()) } else { Err(Wrong::Somewhere) }
    }
}

/// Indexes one block after the other, until something is wrong, or there is no room for all the tokens that one may have.
/// Gives where it stopped.
#[inline(always)]
fn blocks<L: Lanes, const SPACED: bool>(
    lanes: L,
    bytes: &[u8],
    place: Range<usize>,
    carry: &mut Carry,
    index: &mut Index,
) -> usize {
    let Range { start: mut at, end } = place;
    let inside = &bytes[..end];
    let Index { offsets, kinds, signatures, len, escaped_keys, .. } = index;
    let room = kinds.len();
    // Slices known to be of one length are checked once.
    let (offsets, signatures) = (&mut offsets[..room], &mut signatures[..room]);
    let mut tokens = *len;
    while at < end && tokens <= room - BLOCK && (carry.bad | carry.loose) == 0 {
        let out = Compressed {
            offsets: next_block(offsets, tokens),
            bytes: next_block(kinds, tokens),
            marks: next_block(signatures, tokens),
        };
        if at >= BEFORE && end - at >= BLOCK {
            let window = inside[at - BEFORE..at + BLOCK].first_chunk().expect("it is as long");
            tokens += block::<L, SPACED>(lanes, window, at, !0, carry, escaped_keys, out);
        } else {
            let (window, valid) = (padded(bytes, at), low_bits(end - at));
            tokens += block::<L, SPACED>(lanes, &window, at, valid, carry, escaped_keys, out);
        }
        at += BLOCK;
    }
    *len = tokens;
    at
}

#[inline(always)]
fn block<L: Lanes, const SPACED: bool>(
    lanes: L,
    window: &Window,
    at: usize,
    valid: u64,
    carry: &mut Carry,
    escaped_keys: &mut Vec<u32>,
    out: Compressed<'_>,
) -> usize {
    let bytes = earlier::<L, 0>(lanes, window);
    let equal = |byte| lanes.equal(bytes, lanes.splat(byte));
    let backslashes = equal(b'\\') & valid;
    let mut quotes = equal(b'"') & valid;
    let colons = equal(b':');
    let any_escape = backslashes != 0 || carry.escape;
    let was_closed = carry.escaped_string_closed;
    if any_escape {
        quotes &= !escaped(backslashes, &mut carry.escape);
    }
    let in_string = lanes.prefix_xor(quotes) ^ carry.in_string;
    carry.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
    let mut bad = 0;
    if any_escape | carry.escaped_string | was_closed {
        // Outside strings a backslash escapes nothing.
        bad |= backslashes & !in_string;
        let behind = behind_escaped_strings(backslashes, quotes, in_string, carry);
        let candidates = if SPACED { behind } else { behind & colons };
        if candidates & valid != 0 {
            note_escaped_keys(escaped_keys, at, candidates & valid);
        }
    }
    // `[` and `]` differ from `{` and `}` in this bit.
    let folded = lanes.or(bytes, lanes.splat(0x20));
    let is = |byte| lanes.equal(folded, lanes.splat(byte));
    let tokens = (is(b'{') | is(b'}') | colons) & !in_string & valid;
    if !SPACED {
        let behind_quotes = lanes.equal(earlier::<L, 1>(lanes, window), lanes.splat(b'"'));
        carry.loose = colons & tokens & !behind_quotes;
    }
    bad |= lanes.at_most(bytes, lanes.splat(0x1f)) & in_string & valid;
    let before = [
        earlier::<L, 1>(lanes, window),
        earlier::<L, 2>(lanes, window),
        earlier::<L, 3>(lanes, window),
    ];
    // With wide registers the check of every block is nearly free.
    if L::WIDE || lanes.top_bits(lanes.or(bytes, before[2])) != 0 {
        bad |= utf8::errors(lanes, bytes, before) & valid;
    }
    carry.bad = bad;

    let twice = |block| lanes.add(block, block);
    let two_three = lanes.add(before[2], twice(earlier::<L, 4>(lanes, window)));
    let signatures = lanes.add(before[1], twice(two_three));
    // No stretch is larger than a block, and no block than 4 GiB.
    lanes.compress(bytes, signatures, tokens, at as u32, out);
    tokens.count_ones() as usize
}

#[inline(always)]
fn next_block<T>(all: &mut [T], from: usize) -> &mut [T; BLOCK] {
    all[from..from + BLOCK].first_chunk_mut().expect("it is as long")
}

/// Which bytes are escaped: those behind backslashes that are not escaped themselves.
#[inline(always)]
pub(crate) fn escaped(backslashes: u64, carry: &mut bool) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let first = u64::from(*carry);
    let starts = backslashes & !first;
    let codes = ((starts << 1) | ODD).wrapping_sub(starts) ^ ODD;
    *carry = (codes & backslashes) >> 63 != 0;
    codes ^ (backslashes | first)
}

/// The bytes behind strings that hold escapes: an addition carries from the backslash through the rest of its string to
/// the closing quote.
#[inline(always)]
fn behind_escaped_strings(backslashes: u64, quotes: u64, in_string: u64, carry: &mut Carry) -> u64 {
    let (sum, over) = in_string.overflowing_add(backslashes & in_string);
    let (sum, over_again) = sum.overflowing_add(u64::from(carry.escaped_string));
    let closed = sum & quotes & !in_string;
    let behind = closed << 1 | u64::from(carry.escaped_string_closed);
    carry.escaped_string = over | over_again;
    carry.escaped_string_closed = closed >> 63 != 0;
    behind
}

#[cold]
#[inline(never)]
fn note_escaped_keys(list: &mut Vec<u32>, at: usize, mut places: u64) {
    while places != 0 {
        list.push(at as u32 + places.trailing_zeros());
        places &= places - 1;
    }
}

/// Finds the levels of all tokens.
#[inline(always)]
fn nests_well<L: Lanes>(lanes: L, index: &mut Index, depth_max: u32) -> bool {
    index.reserve(index.len);
    // Behind the last token nothing opens or closes.
    index.kinds[index.len..index.len + BLOCK].fill(b':');
    let mut nesting = Nesting::new(lanes, depth_max);
    let mut bad = false;
    let mut at = 0;
    while at < index.len {
        bad |= nesting.next(part(&index.kinds, at), next_block(&mut index.levels, at));
        at += BLOCK;
    }
    !bad
}
