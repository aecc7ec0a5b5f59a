//! JSON strings to text.

use bumpalo::Bump;

/// The text of a string that stands between its quotes as `inner`: itself, or a copy with its escapes resolved.
/// None if an escape is none of JSON's, or a surrogate stands alone and so is no character.
pub(crate) fn unescape<'a>(inner: &'a str, arena: &'a Bump) -> Option<&'a str> {
    let Some(first) = memchr::memchr(b'\\', inner.as_bytes()) else { return Some(inner) };
    // Resolving never makes it longer.
    let mut out = bumpalo::collections::String::with_capacity_in(inner.len(), arena);
    out.push_str(&inner[..first]);
    resolve(&inner[first..], |text| out.push_str(text))?;
    Some(out.into_bump_str())
}

/// The same, behind what `out` holds already.
pub(crate) fn unescape_into(inner: &str, out: &mut String) -> Option<()> {
    resolve(inner, |text| out.push_str(text))
}

fn resolve(mut rest: &str, mut put: impl FnMut(&str)) -> Option<()> {
    while let Some(plain) = memchr::memchr(b'\\', rest.as_bytes()) {
        put(&rest[..plain]);
        let (character, taken) = escape(&rest.as_bytes()[plain..])?;
        put(character.encode_utf8(&mut [0; 4]));
        rest = &rest[plain + taken..];
    }
    put(rest);
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
