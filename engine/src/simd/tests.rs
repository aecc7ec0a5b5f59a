//! Every level against the portable one, and the index against code that looks at one byte at a time.

use std::ops::Range;

use proptest::prelude::*;

mod cells;
mod member;
mod sink;

use super::index::{Index, Wrong};
use super::{BLOCK, Compressed, Kernel, Lanes, Level};
use crate::sound;

/// All operations on two blocks and two words, as bytes.
struct All<'t> {
    a: &'t [u8; BLOCK],
    b: &'t [u8; BLOCK],
    bits: u64,
    mask: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    bits: Vec<u64>,
    blocks: Vec<[u8; BLOCK]>,
    compressed: (Vec<u32>, Vec<u8>, Vec<u8>),
    places: Vec<u32>,
    parts: Vec<Vec<u8>>,
}

impl Kernel for All<'_> {
    type Output = Outcome;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Outcome {
        let (a, b) = (lanes.load(self.a), lanes.load(self.b));
        let bits = vec![
            lanes.equal(a, b),
            lanes.at_most(a, b),
            lanes.top_bits(a),
            lanes.prefix_xor(self.bits),
            lanes.extract_bits(self.bits, self.mask),
            lanes.low_bits(usize::from(self.a[0])),
        ];
        let table = self.b.first_chunk().unwrap();
        let blocks = [
            lanes.splat(self.a[0]),
            lanes.or(a, b),
            lanes.and(a, b),
            lanes.add(a, b),
            lanes.subtract_saturating(a, b),
            lanes.high_nibbles(a),
            lanes.look_up(table, a),
            lanes.prefix_sum(a),
            lanes.splat_last(a),
        ];
        let blocks = blocks.map(|block| {
            let mut bytes = [0; BLOCK];
            lanes.store(block, &mut bytes);
            bytes
        });
        let (mut offsets, mut bytes, mut marks) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        let out = Compressed { offsets: &mut offsets, bytes: &mut bytes, marks: &mut marks };
        lanes.compress(a, b, self.mask, 1000, out);
        let count = self.mask.count_ones() as usize;
        let compressed =
            (offsets[..count].to_vec(), bytes[..count].to_vec(), marks[..count].to_vec());
        let mut places = [0; BLOCK];
        lanes.places(self.mask, 1000, &mut places);
        let mut parts = Vec::new();
        for len in 0..=BLOCK {
            let mut bytes = [0; BLOCK];
            // Behind nothing that may be read.
            let part = self.a[BLOCK - len..].to_vec();
            lanes.store(lanes.load_part(&part), &mut bytes);
            parts.push(bytes[..len].to_vec());
        }
        let places = places[..count].to_vec();
        Outcome { bits, blocks: blocks.to_vec(), compressed, places, parts }
    }
}

fn portable() -> Level {
    "portable".parse().unwrap()
}

fn block() -> impl Strategy<Value = [u8; BLOCK]> {
    prop::collection::vec(any::<u8>(), BLOCK).prop_map(|bytes| *bytes.first_chunk().unwrap())
}

#[test]
fn levels_have_names() {
    let all: Vec<_> = Level::all().collect();
    assert_eq!(all.last(), Some(&portable()));
    for level in all {
        assert_eq!(level.name().parse(), Ok(level));
    }
    let unknown = "mmx".parse::<Level>().unwrap_err();
    assert!(unknown.to_string().starts_with("no instructions `mmx` on this machine: it has "));
}

/// What the index says of a stretch: tokens and escaped keys, or what is wrong.
type Said = Result<(Vec<(usize, u8, u8)>, Vec<u32>), Wrong>;

fn index(level: Level, bytes: &[u8], stretch: Range<usize>, depth_max: u32) -> Said {
    let mut index = Index::default();
    let indexed = index.build(level, bytes, stretch.clone(), depth_max, usize::MAX)?;
    assert_eq!(indexed.text(stretch.start, stretch.end).as_bytes(), &bytes[stretch]);
    let token = |at| (indexed.offset(at), indexed.kind(at), indexed.level(at));
    Ok(((0..indexed.len()).map(token).collect(), indexed.escaped_keys().to_vec()))
}

/// The tokens of a sound record, one byte at a time. None of one whose colons do not all stand behind strings.
fn tokens(record: &[u8]) -> Option<Vec<(usize, u8, u8)>> {
    let (mut tokens, mut depth, mut at) = (Vec::new(), 0_u8, 0);
    let mut string_end = None;
    while at < record.len() {
        match record[at] {
            b'"' => {
                at += 1;
                while record[at] != b'"' {
                    at += if record[at] == b'\\' { 2 } else { 1 };
                }
                string_end = Some(at + 1);
            }
            b'{' | b'[' => {
                depth += 1;
                tokens.push((at, record[at], 2 * depth));
            }
            b'}' | b']' => {
                depth -= 1;
                tokens.push((at, record[at], 2 * depth + 1));
            }
            b':' => {
                let key_end = string_end?;
                let spaces = &record[key_end..at];
                if !spaces.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
                    return None;
                }
                tokens.push((key_end, b':', 2 * depth));
            }
            b'\\' => return None,
            _ => {}
        }
        at += 1;
    }
    Some(tokens)
}

/// Bytes that mean something to a JSON reader, in runs and strings long enough to cross blocks.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(&b"{}[]:,\"\\ \n\ta\x1f\x80\xc3\xa9\xff"[..])
            .prop_map(|byte| vec![byte]),
        Just(b"{\"key\":\"value\",\"n\":[1,{\"x\":{}}]}".to_vec()),
        Just("\"é\u{10ffff}漢字\"".as_bytes().to_vec()),
        (0_usize..70).prop_map(|count| vec![b'\\'; count]),
        (0_usize..70).prop_map(|count| vec![b'['; count]),
        (0_usize..70).prop_map(|count| vec![b']'; count]),
        (0_usize..130).prop_map(|count| [b"\"", &vec![b'x'; count][..], b"\":"].concat()),
        (0_usize..70, any::<char>()).prop_map(|(count, char)| format!(
            "\"{}{char}\"",
            "y".repeat(count)
        )
        .into_bytes()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn levels_do_the_same(a in block(), b in block(), bits: u64, mask: u64, sparse: u64) {
        for mask in [mask, mask & sparse & sparse.rotate_left(7), !0, 0] {
            let all = |level: Level| level.run(All { a: &a, b: &b, bits, mask });
            for level in Level::all() {
                prop_assert_eq!(all(level), all(portable()), "{}", level.name());
            }
        }
    }

    /// Whatever the bytes are: the levels agree, and what they find nothing wrong with is sound and has these tokens.
    #[test]
    fn an_index_says_what_is_there(
        inside in hostile(),
        wrapped: bool,
        before in 0_usize..70,
        behind in 0_usize..70,
        depth_max in prop_oneof![Just(64_u32), 1_u32..70],
    ) {
        let record = if wrapped { [b"{", &inside[..], b"}"].concat() } else { inside };
        let bytes = [&vec![b' '; before][..], &record, &vec![b'\n'; behind]].concat();
        let stretch = before..before + record.len();
        let said = index(portable(), &bytes, stretch.clone(), depth_max);
        for level in Level::all() {
            prop_assert_eq!(&index(level, &bytes, stretch.clone(), depth_max), &said, "{}", level.name());
        }
        let sound = sound::check(&record, depth_max).is_ok();
        if let Ok((found, _)) = &said {
            if record.starts_with(b"{") && wrapped && sound {
                let all: Vec<_> = tokens(&record).unwrap();
                let all: Vec<_> = all.iter().map(|(at, kind, level)| (at + before, *kind, *level)).collect();
                prop_assert_eq!(found, &all);
            }
        } else {
            // Only soundness and what is unusual is refused.
            let usual = sound && depth_max <= 64 && tokens(&record).is_some();
            prop_assert!(!usual, "{}", record.escape_ascii());
        }
    }

    /// Where something is wrong is told: in that record, or behind it where that shows only there.
    #[test]
    fn the_wrong_record_is_named(
        records in prop::collection::vec("[a-z]{0,60}", 1..12),
        wrong in any::<prop::sample::Index>(),
        how in prop::sample::select(vec!["{\"a\":\"b", "{\"a\":\"\u{1}\"}", "{\"a\":\\}"]),
    ) {
        let mut lines: Vec<_> = records.iter().map(|text| format!("{{\"a\":\"{text}\"}}\n")).collect();
        let wrong = wrong.index(lines.len());
        lines[wrong] = format!("{how}\n");
        let start: usize = lines[..wrong].iter().map(String::len).sum();
        let bytes = lines.concat();
        for level in Level::all() {
            let said = index(level, bytes.as_bytes(), 0..bytes.len() - 1, 64);
            let Err(Wrong::At(offset)) = said else { panic!("{}: {said:?}", level.name()) };
            prop_assert!((start..start + how.len() + 1).contains(&offset), "{} {offset}", level.name());
        }
    }

    /// UTF-8 is told as the standard library does.
    #[test]
    fn utf8_is_checked(text in prop::collection::vec(
        prop_oneof![4 => any::<char>().prop_map(|char| char.to_string().into_bytes()),
            1 => prop::collection::vec(prop_oneof![any::<u8>(), 0x80_u8..=0xff], 1..4)], 0..60),
    ) {
        // Controls, quotes and backslashes are other tests' matter.
        let is_plain = |byte: &u8| *byte >= 0x20 && !matches!(byte, b'"' | b'\\');
        let text: Vec<u8> = text.concat().into_iter().filter(is_plain).collect();
        let bytes = [b"{\"", &text[..], b"\"}"].concat();
        for level in Level::all() {
            let clean = index(level, &bytes, 0..bytes.len(), 64).is_ok();
            prop_assert_eq!(clean, std::str::from_utf8(&text).is_ok(), "{} {:x?}", level.name(), text);
        }
    }
}
