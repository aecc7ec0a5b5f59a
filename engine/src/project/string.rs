//! JSON strings to text.

use bumpalo::Bump;

/// The text of a string that stands between its quotes as `inner`: itself, or a copy with its escapes resolved.
/// None if an escape is none of JSON's, or a surrogate stands alone and so is no character; or if a quote stands there
/// without a backslash, which would have been the end.
pub(crate) fn unescape<'a>(inner: &'a str, arena: &'a Bump) -> Option<&'a str> {
    let bytes = inner.as_bytes();
    let Some(first) = memchr::memchr2(b'\\', b'"', bytes) else { return Some(inner) };
    // Resolving never makes it longer.
    let out = arena.alloc_slice_copy(bytes);
    let (mut at, mut len) = (first, first);
    while let Some(byte) = bytes.get(at) {
        if let Some(eight) = bytes[at..].first_chunk::<8>() {
            let plain = plain_bytes(*eight);
            // There is room: no more has been written than read.
            out[len..len + 8].copy_from_slice(eight);
            (at, len) = (at + plain, len + plain);
            if plain > 0 {
                continue;
            }
        }
        match byte {
            b'"' => return None,
            b'\\' => {
                let (character, taken) = escape(&bytes[at..])?;
                len += character.encode_utf8(&mut out[len..]).len();
                at += taken;
            }
            byte => {
                out[len] = *byte;
                (at, len) = (at + 1, len + 1);
            }
        }
    }
    std::str::from_utf8(&out[..len]).ok()
}

/// How many bytes stand before the first backslash or quote.
fn plain_bytes(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    // Up to the first zero, only a zero gets a top bit that it did not have.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let word = u64::from_le_bytes(bytes);
    let special = zeros(word ^ (ONES * u64::from(b'\\'))) | zeros(word ^ (ONES * u64::from(b'"')));
    special.trailing_zeros() as usize / 8
}

/// Resolves the escapes of a name, behind what `out` holds already.
pub(crate) fn unescape_into(inner: &str, out: &mut String) -> Option<()> {
    let mut rest = inner;
    while let Some(plain) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..plain]);
        let (character, taken) = escape(&rest.as_bytes()[plain..])?;
        out.push(character);
        rest = &rest[plain + taken..];
    }
    out.push_str(rest);
    Some(())
}

/// The character of the escape that `bytes` start with, and how many bytes it takes.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let simple = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(bytes),
        _ => return None,
    };
    Some((simple, 2))
}

/// `\u0041`, or two of them that make a surrogate pair.
fn unicode(bytes: &[u8]) -> Option<(char, usize)> {
    let high = code_unit(bytes)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Some((char::from_u32(high)?, 6));
    }
    let low = code_unit(&bytes[6..])?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    let code_point = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    Some((char::from_u32(code_point)?, 12))
}

pub(super) fn code_unit(bytes: &[u8]) -> Option<u32> {
    if bytes.get(..2)? != b"\\u" {
        return None;
    }
    let digits = bytes.get(2..6)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}
