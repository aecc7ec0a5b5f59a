//! Whether a JSON record is sound.
//!
//! That is less than valid JSON, on purpose: values that nobody reads are not looked at, so that reading less of a
//! record can never change what becomes of it. Sound is a record if its UTF-8 is valid, every string is closed and
//! holds no raw control character, brackets balance, match in kind and nest at most `depth_max`, and if it is one
//! object with only white space around it.

use crate::frame::is_space;

pub use crate::project::strict::is_number as is_json_number;

/// Why a record is not sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsound {
    /// What is wrong, in plain words.
    pub message: &'static str,
    /// Offset in the record of the byte that shows it; its size if it ends too early.
    pub at: usize,
}

/// Checks a record.
///
/// # Errors
///
/// The first fault. Invalid UTF-8 is looked for before anything else.
pub fn check(record: &[u8], depth_max: u32) -> Result<(), Unsound> {
    if let Err(invalid) = std::str::from_utf8(record) {
        return Err(Unsound {
            message: "the record is not valid UTF-8",
            at: invalid.valid_up_to(),
        });
    }
    let start = record.iter().position(|&byte| !is_space(byte)).unwrap_or(record.len());
    if record.get(start) != Some(&b'{') {
        return Err(Unsound { message: "the record is no object", at: start });
    }
    let end = object_end(record, start, depth_max)?;
    match record[end..].iter().position(|&byte| !is_space(byte)) {
        None => Ok(()),
        Some(length) => {
            Err(Unsound { message: "something stands behind the object", at: end + length })
        }
    }
}

/// The index behind the object that begins at `start`.
fn object_end(record: &[u8], start: usize, depth_max: u32) -> Result<usize, Unsound> {
    let mut brackets = Brackets::default();
    let mut at = start;
    while at < record.len() {
        let byte = record[at];
        match byte {
            b'"' => at = text_end(record, at + 1)?,
            b'{' | b'[' if brackets.depth == depth_max => {
                return Err(Unsound { message: "brackets nest deeper than `max_depth`", at });
            }
            b'{' | b'[' => brackets.open(byte == b'{'),
            b'}' | b']' => {
                if !brackets.close(byte == b'}') {
                    return Err(Unsound { message: "brackets of two kinds do not match", at });
                }
                if brackets.depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Unsound { message: "the record ends before its brackets are closed", at: record.len() })
}

/// The index of the quote that closes the string that begins at `from`.
fn text_end(record: &[u8], from: usize) -> Result<usize, Unsound> {
    let mut at = from;
    loop {
        at = skip_plain(record, at);
        match record.get(at) {
            Some(b'"') => return Ok(at),
            // What is escaped may be anything but a control character, which the next round sees.
            Some(b'\\') => {
                at += 1 + usize::from(record.get(at + 1).is_some_and(|&byte| byte >= 0x20))
            }
            Some(_) => {
                return Err(Unsound { message: "a string holds a raw control character", at });
            }
            None => return Err(Unsound { message: "a string is not closed", at: record.len() }),
        }
    }
}

/// The index of the first quote, backslash or control character from `from` on, or the end.
///
/// Eight bytes at a time: `x - 0x01..` borrows into the highest bit of a byte that is zero, which a wanted byte
/// becomes by an exclusive or with itself; `x - 0x20..` borrows likewise for less than 0x20. A borrow that runs on
/// marks bytes behind the first hit only, so the lowest mark is exact.
pub(crate) fn skip_plain(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marks = (zero(word ^ QUOTES) | zero(word ^ BACKSLASHES) | control) & HIGH;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    bytes[at..].iter().position(special).map_or(bytes.len(), |length| at + length)
}

/// The kinds of the open brackets, one bit each, the innermost lowest; 64 of them and no allocation go far.
#[derive(Default)]
struct Brackets {
    depth: u32,
    inner: u64,
    outer: Vec<u64>,
}

impl Brackets {
    fn open(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.inner);
        }
        self.inner = self.inner << 1 | u64::from(object);
        self.depth += 1;
    }

    /// False if the innermost bracket is of the other kind.
    fn close(&mut self, object: bool) -> bool {
        if self.inner & 1 != u64::from(object) {
            return false;
        }
        self.depth -= 1;
        self.inner >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.inner = self.outer.pop().unwrap_or_default();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn fault(record: &str, depth_max: u32) -> Option<(&'static str, usize)> {
        check(record.as_bytes(), depth_max).err().map(|unsound| (unsound.message, unsound.at))
    }

    #[test]
    fn sound_is_less_than_valid() {
        for record in [
            "{}",
            " \t\r\n{\"a\": [1, {\"b\": \"}\\\"\\\\\"}]} \n",
            "{\"a\": 01x}",
            "{\"a\" 1,,: }",
            "{\"a\": \"\\q\"}",
            "{\"a\": \"\u{7f}é\u{10ffff}\"}",
            "{\u{1}}",
        ] {
            assert_eq!(fault(record, 64), None, "{record}");
        }
    }

    #[test]
    fn every_fault_is_found_and_placed() {
        assert_eq!(fault("", 64), Some(("the record is no object", 0)));
        assert_eq!(fault("  [1]", 64), Some(("the record is no object", 2)));
        assert_eq!(fault("{\"a\": \"b", 64), Some(("a string is not closed", 8)));
        assert_eq!(fault("{\"a\\", 64), Some(("a string is not closed", 4)));
        assert_eq!(fault("{\"a\\\"", 64), Some(("a string is not closed", 5)));
        assert_eq!(fault("{\"a\tb\"}", 64), Some(("a string holds a raw control character", 3)));
        assert_eq!(fault("{\"a\\\nb\"}", 64), Some(("a string holds a raw control character", 4)));
        assert_eq!(
            fault("{\"0123456789\0\"}", 64),
            Some(("a string holds a raw control character", 12))
        );
        assert_eq!(fault("{\"a\": [1}", 64), Some(("brackets of two kinds do not match", 8)));
        assert_eq!(
            fault("{\"a\": [1]", 64),
            Some(("the record ends before its brackets are closed", 9))
        );
        assert_eq!(fault("{} {}", 64), Some(("something stands behind the object", 3)));
        assert_eq!(fault("{\"a\": [[]]}", 2), Some(("brackets nest deeper than `max_depth`", 7)));
        assert_eq!(fault("{\"a\": [[]]}", 3), None);
        let invalid = check(b"{\"\xc3\"}", 64);
        assert_eq!(invalid, Err(Unsound { message: "the record is not valid UTF-8", at: 2 }));
    }

    #[test]
    fn brackets_nest_far_beyond_a_word() {
        for depth in [63, 64, 65, 128, 129, 500] {
            let inside = depth as usize - 1;
            let record = format!("{{\"a\":{}{}}}", "[".repeat(inside), "]".repeat(inside));
            assert_eq!(fault(&record, depth), None, "{depth}");
            assert!(fault(&record, depth - 1).is_some(), "{depth}");
            let swapped = record.replacen(']', "}", 1);
            assert!(fault(&swapped, depth).is_some(), "{depth}");
        }
    }

    /// A member of a record, as text.
    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("-1.5e3".to_owned()),
            "[a-z\u{e9}\u{1f600} {}\\[\\]:,]{0,12}".prop_map(|text| format!("\"{text}\"")),
            Just(r#""\"\\\u00e9\n""#.to_owned()),
        ];
        leaf.prop_recursive(5, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|all| format!("[{}]", all.join(", "))),
                prop::collection::vec(inner, 0..4).prop_map(|all| {
                    let members =
                        all.iter().enumerate().map(|(i, value)| format!("\"k{i}\":{value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    fn is_json(record: &[u8]) -> bool {
        simd_json::to_borrowed_value(&mut record.to_vec()).is_ok()
    }

    proptest! {
        /// What is valid is sound. The converse fails by design for tokens only (`01x`, a missing comma, `\q`).
        #[test]
        fn valid_objects_are_sound(value in value()) {
            let record = format!("{{\"a\":{value}}}");
            prop_assert!(is_json(record.as_bytes()));
            prop_assert_eq!(check(record.as_bytes(), 64), Ok(()));
        }

        /// Damage by the characters that structure is made of: what simd-json takes as an object is sound, and
        /// what is sound is taken as an object once its tokens are put right.
        #[test]
        fn damaged_objects_are_judged_alike(
            value in value(),
            place in any::<prop::sample::Index>(),
            byte in prop::sample::select(&b"{}[]\"\\\n\0\x1f \xc3\xa9\xffa,:0"[..]),
            how in 0..3,
        ) {
            let mut record = format!("{{\"a\":{value}}}").into_bytes();
            let at = place.index(record.len());
            match how {
                0 => record[at] = byte,
                1 => record.insert(at, byte),
                _ => record.truncate(at),
            }
            let sound = check(&record, 64).is_ok();
            let is_object = |json: &[u8]| is_json(json) && json.trim_ascii_start().starts_with(b"{");
            prop_assert!(sound || !is_object(&record), "{}", record.escape_ascii());
            prop_assert_eq!(sound, is_object(&with_plain_tokens(&record)), "{}", record.escape_ascii());
        }

        #[test]
        fn skipping_eight_at_a_time_is_skipping_one_at_a_time(bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'a'), 0x1e_u8..0x24, 0x5a_u8..0x5e], 0..40), from in 0_usize..9,
        ) {
            let from = from.min(bytes.len());
            let slow = bytes[from..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(skip_plain(&bytes, from), slow.map_or(bytes.len(), |length| from + length));
        }
    }

    /// The record with the same brackets and strings, and with all other tokens put right, for a strict parser to
    /// judge: by a slow reader of its own, which knows of brackets only what they are.
    fn with_plain_tokens(record: &[u8]) -> Vec<u8> {
        if std::str::from_utf8(record).is_err() {
            return b"invalid".to_vec();
        }
        let mut plain = Vec::new();
        // Whether the bracket around is an object, and whether it has an element yet.
        let mut around: Vec<(bool, bool)> = Vec::new();
        let mut bytes = record.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            let value = matches!(byte, b'"' | b'{' | b'[');
            if value && let Some((object, full)) = around.last_mut() {
                plain.extend_from_slice(if *full { b"," } else { b"" });
                plain.extend_from_slice(if *object { b"\"k\":" } else { b"" });
                *full = true;
            }
            match byte {
                b'"' => {
                    plain.push(byte);
                    while let Some(inside) = bytes.next() {
                        match inside {
                            b'"' => {
                                plain.push(inside);
                                break;
                            }
                            b'\\' if bytes.peek().is_some_and(|&byte| byte >= 0x20) => {
                                bytes.next();
                            }
                            0..=0x1f => plain.push(inside),
                            _ => {}
                        }
                    }
                }
                b'{' | b'[' => {
                    around.push((byte == b'{', false));
                    plain.push(byte);
                }
                b'}' | b']' => {
                    around.pop();
                    plain.push(byte);
                }
                byte if around.is_empty() => plain.push(byte),
                _ => {}
            }
        }
        plain
    }
}
