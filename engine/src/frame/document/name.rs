//! Names of members, compared unescaped.

use memchr::memchr;

/// Whether a key, as it is written between its quotes, is `name`. A key that is no text is none.
pub(super) fn is_named(key: &[u8], name: &str) -> bool {
    if memchr(b'\\', key).is_none() {
        return key == name.as_bytes();
    }
    std::str::from_utf8(key).is_ok_and(|key| unescape(key).is_some_and(|key| key == name))
}

fn unescape(key: &str) -> Option<String> {
    let mut text = String::with_capacity(key.len());
    let mut rest = key.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            '\\' => match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => unicode(&mut rest)?,
                same => same,
            },
            plain => plain,
        });
    }
    Some(text)
}

/// The character of `\uXXXX`, or of two of them in a row that are a pair of surrogates.
fn unicode(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let first = unit(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    if (rest.next()?, rest.next()?) != ('\\', 'u') {
        return None;
    }
    char::decode_utf16([first as u16, unit(rest)? as u16]).next()?.ok()
}

fn unit(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | rest.next()?.to_digit(16)?))
}
