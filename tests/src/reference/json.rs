//! The JSON reader of the reference: slow, and so plain that it can be believed.
//!
//! A record is *sound* if its strings are closed and hold no control characters, its brackets match and nest within a
//! limit, and it is one object with only white space around it. Within a sound record every object is what stands
//! between its braces, cut at the commas of its own level. A piece that is *string, colon, value* is a member; other
//! pieces are none. An array is cut the same way. Whether a piece that stands for a value is one is only asked when
//! somebody reads it: [`scalar`], [`is_json`].
//!
//! Everything works on bytes and keeps spans, so that numbers keep their text and members their order and repetition.

use std::cell::OnceCell;
use std::ops::Range;

/// A piece of a record that stands where a value belongs.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Its bytes, without white space around them.
    pub(crate) span: Range<usize>,
    /// What is in it.
    pub(crate) shape: Shape,
}

/// What a piece looks like from outside.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// From `{` to its `}`.
    Object(Vec<Member>),
    /// From `[` to its `]`.
    Array(Vec<Tree>),
    /// A scalar, or no value at all.
    Other,
}

/// A member of an object, in its order; names may repeat.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Escapes resolved; none if they cannot be, and then it is nobody's name.
    pub(crate) name: Option<String>,
    /// The value.
    pub(crate) value: Tree,
}

impl Tree {
    /// The first member of a name.
    pub(crate) fn member(&self, name: &str) -> Option<&Tree> {
        self.members(name).next()
    }

    /// All members of a name.
    pub(crate) fn members<'t>(&'t self, name: &str) -> impl Iterator<Item = &'t Tree> {
        let members = if let Shape::Object(members) = &self.shape { &members[..] } else { &[] };
        members.iter().filter(move |m| m.name.as_deref() == Some(name)).map(|m| &m.value)
    }

    /// The elements, if it is an array.
    pub(crate) fn elements(&self) -> Option<&[Tree]> {
        if let Shape::Array(elements) = &self.shape { Some(elements) } else { None }
    }
}

/// Whether `byte` is white space in JSON.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A range without the white space at its ends.
pub(crate) fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range;
    while start < end && is_space(bytes[start]) {
        start += 1;
    }
    while start < end && is_space(bytes[end - 1]) {
        end -= 1;
    }
    start..end
}

/// One behind the closing quote of the string that starts at `start`.
pub(crate) fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Whether a record is sound as far as its bytes can show (UTF-8 is looked at elsewhere).
pub(crate) fn is_sound(bytes: &[u8], depth_max: usize) -> bool {
    let whole = trim(bytes, 0..bytes.len());
    let mut open = Vec::new();
    let mut at = whole.start;
    while at < whole.end {
        match bytes[at] {
            b'"' => {
                let Some(end) = string_end(bytes, at) else { return false };
                if bytes[at..end].iter().any(|&byte| byte < 0x20) {
                    return false;
                }
                at = end;
                continue;
            }
            bracket @ (b'{' | b'[') => {
                if open.is_empty() && at != whole.start {
                    return false;
                }
                open.push(bracket);
                if open.len() > depth_max {
                    return false;
                }
            }
            b'}' if open.pop() != Some(b'{') => return false,
            b']' if open.pop() != Some(b'[') => return false,
            _ => {}
        }
        at += 1;
        if open.is_empty() && at < whole.end {
            return false;
        }
    }
    open.is_empty() && bytes.get(whole.start) == Some(&b'{')
}

/// The tree of a piece of a sound record.
pub(crate) fn tree(bytes: &[u8], range: Range<usize>) -> Tree {
    let span = trim(bytes, range);
    let shape = match bytes.get(span.start) {
        Some(b'{') if closes_at_end(bytes, &span) => Shape::Object(
            pieces(bytes, span.start + 1..span.end - 1)
                .into_iter()
                .filter_map(|piece| member(bytes, piece))
                .collect(),
        ),
        Some(b'[') if closes_at_end(bytes, &span) => Shape::Array(
            pieces(bytes, span.start + 1..span.end - 1)
                .into_iter()
                .map(|piece| tree(bytes, piece))
                .collect(),
        ),
        _ => Shape::Other,
    };
    Tree { span, shape }
}

/// A piece between two commas of an object, if it is a member.
fn member(bytes: &[u8], piece: Range<usize>) -> Option<Member> {
    let end = piece.end;
    let piece = trim(bytes, piece);
    if piece.is_empty() || bytes[piece.start] != b'"' {
        return None;
    }
    let name_end = string_end(bytes, piece.start)?;
    let rest = trim(bytes, name_end..piece.end);
    if rest.is_empty() || bytes[rest.start] != b':' {
        return None;
    }
    let name = String::from_utf8_lossy(&bytes[piece.start..name_end]);
    Some(Member { name: decode(&name), value: tree(bytes, rest.start + 1..end) })
}

/// Whether the bracket at the start of a span is closed by the byte at its end.
fn closes_at_end(bytes: &[u8], span: &Range<usize>) -> bool {
    let mut depth = 0_usize;
    let mut at = span.start;
    while at < span.end {
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at).unwrap_or(span.end);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at == span.end;
        }
    }
    false
}

/// The pieces between the commas of one level; none if there is only white space.
fn pieces(bytes: &[u8], range: Range<usize>) -> Vec<Range<usize>> {
    if trim(bytes, range.clone()).is_empty() {
        return Vec::new();
    }
    let mut pieces = Vec::new();
    let mut depth = 0_usize;
    let mut start = range.start;
    let mut at = range.start;
    while at < range.end {
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at).unwrap_or(range.end);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                pieces.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    pieces.push(start..range.end);
    pieces
}

/// A piece that is one JSON scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Its text.
    Number(String),
    /// Escapes resolved.
    String(String),
}

/// Reads a piece as a scalar; none if it is not exactly one.
pub(crate) fn scalar(piece: &str) -> Option<Scalar> {
    match piece {
        "null" => Some(Scalar::Null),
        "true" => Some(Scalar::Bool(true)),
        "false" => Some(Scalar::Bool(false)),
        _ if piece.starts_with('"') => decode(piece).map(Scalar::String),
        _ if is_number(piece) => Some(Scalar::Number(piece.to_owned())),
        _ => None,
    }
}

/// The text of a string, quotes and all; none if it is not exactly one string, or holds half of a surrogate pair.
pub(crate) fn decode(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    if string_end(literal.as_bytes(), 0) != Some(literal.len()) {
        return None;
    }
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        text.push(match chars.next()? {
            plain @ ('"' | '\\' | '/') => plain,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = hex4(&mut chars)?;
                if (0xD800..0xDC00).contains(&first) {
                    if chars.next()? != '\\' || chars.next()? != 'u' {
                        return None;
                    }
                    let second = hex4(&mut chars)?;
                    if !(0xDC00..0xE000).contains(&second) {
                        return None;
                    }
                    char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?
                } else {
                    char::from_u32(first)?
                }
            }
            _ => return None,
        });
    }
    Some(text)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + chars.next()?.to_digit(16)?))
}

/// Whether a piece is a number as RFC 8259 §6 writes it.
fn is_number(piece: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = piece.strip_prefix('-').unwrap_or(piece);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

/// Keeps trees for as long as it lives itself.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    first: OnceCell<Box<Link>>,
}

#[derive(Debug)]
struct Link {
    tree: Tree,
    next: OnceCell<Box<Link>>,
}

impl Trees {
    /// Keeps a tree.
    pub(crate) fn keep(&self, tree: Tree) -> &Tree {
        let mut place = &self.first;
        while let Some(link) = place.get() {
            place = &link.next;
        }
        &place.get_or_init(|| Box::new(Link { tree, next: OnceCell::new() })).tree
    }
}

impl Drop for Trees {
    /// One by one: a long chain would not fit the stack.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

/// How deep the brackets of a text nest, as far as its strings can be told.
pub(crate) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at).unwrap_or(bytes.len());
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// Whether a piece may be copied to the output; else what it is not.
pub(crate) fn check_copy(piece: &str) -> Result<(), &'static str> {
    if !is_json(piece) {
        return Err("JSON");
    }
    if has_lone_surrogate(piece) {
        return Err("JSON without lone surrogates");
    }
    if repeats_name(&tree(piece.as_bytes(), 0..piece.len())) {
        return Err("JSON without repeated names");
    }
    if has_huge_number(piece) {
        return Err("JSON without numbers beyond 64-bit floating point");
    }
    Ok(())
}

fn has_huge_number(json: &str) -> bool {
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let end = match rest.as_bytes()[start] {
            b'"' => string_end(rest.as_bytes(), start).unwrap_or(rest.len()),
            _ => rest[start..]
                .find([',', ']', '}', ' ', '\t', '\n', '\r'])
                .map_or(rest.len(), |at| start + at),
        };
        if rest[start..end].parse().is_ok_and(f64::is_infinite) {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

fn has_lone_surrogate(json: &str) -> bool {
    let (bytes, mut at) = (json.as_bytes(), 0);
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let end = string_end(bytes, at).unwrap_or(bytes.len());
        if decode(&json[at..end]).is_none() {
            return true;
        }
        at = end;
    }
    false
}

fn repeats_name(tree: &Tree) -> bool {
    match &tree.shape {
        Shape::Object(members) => members.iter().enumerate().any(|(index, member)| {
            members[..index].iter().any(|other| other.name == member.name)
                || repeats_name(&member.value)
        }),
        Shape::Array(elements) => elements.iter().any(repeats_name),
        Shape::Other => false,
    }
}

/// Whether a piece is exactly one JSON value as RFC 8259 writes it.
pub(crate) fn is_json(piece: &str) -> bool {
    let mut rest = piece;
    skip_value(&mut rest).is_some() && rest.is_empty()
}

fn skip_space(rest: &mut &str) {
    *rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
}

fn skip(rest: &mut &str, what: char) -> Option<()> {
    *rest = rest.strip_prefix(what)?;
    Some(())
}

fn skip_value(rest: &mut &str) -> Option<()> {
    match rest.chars().next()? {
        '{' => {
            skip_list(rest, '{', '}', |rest| {
                skip_string(rest)?;
                skip_space(rest);
                skip(rest, ':')?;
                skip_space(rest);
                skip_value(rest)
            })?;
        }
        '[' => skip_list(rest, '[', ']', skip_value)?,
        '"' => skip_string(rest)?,
        _ => {
            let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r', ':']).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            if !(matches!(word, "null" | "true" | "false") || is_number(word)) {
                return None;
            }
            *rest = behind;
        }
    }
    Some(())
}

fn skip_list(
    rest: &mut &str,
    open: char,
    close: char,
    item: impl Fn(&mut &str) -> Option<()>,
) -> Option<()> {
    skip(rest, open)?;
    skip_space(rest);
    if skip(rest, close).is_some() {
        return Some(());
    }
    loop {
        item(rest)?;
        skip_space(rest);
        if skip(rest, close).is_some() {
            return Some(());
        }
        skip(rest, ',')?;
        skip_space(rest);
    }
}

/// A string by the grammar: half of a surrogate pair is allowed, other escapes must exist.
fn skip_string(rest: &mut &str) -> Option<()> {
    let end = rest.starts_with('"').then(|| string_end(rest.as_bytes(), 0))??;
    let mut chars = rest[1..end - 1].chars();
    while let Some(char) = chars.next() {
        if char < ' ' {
            return None;
        }
        if char == '\\' {
            match chars.next()? {
                '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {}
                'u' => {
                    hex4(&mut chars)?;
                }
                _ => return None,
            }
        }
    }
    *rest = &rest[end..];
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soundness_is_about_brackets_strings_and_depth() {
        for sound in ["{}", " {\"a\":[1,{}]}\r", "{\"a\": 01x, , \"b\"}", "{\"\\\"{\":1}"] {
            assert!(is_sound(sound.as_bytes(), 3), "{sound}");
        }
        for broken in [
            "",
            " ",
            "[]",
            "{}{}",
            "{} x",
            "x{}",
            "{",
            "}",
            "{]",
            "{\"a}",
            "{\"\t\":1}",
            "[{}]",
            "{[[[]]]}",
        ] {
            assert!(!is_sound(broken.as_bytes(), 3), "{broken}");
        }
    }

    #[test]
    fn a_member_is_string_colon_value() {
        let text = br#"{"a" 1, 5, "b" : 01x , "a":2,"\u0061":3, "c":{"d":1} 2}"#;
        let tree = tree(text, 0..text.len());
        let spans = |name| tree.members(name).map(|t| &text[t.span.clone()]).collect::<Vec<_>>();
        assert_eq!(spans("a"), [b"2", b"3"]);
        assert_eq!(spans("b"), [b"01x"]);
        assert_eq!(spans("c"), [br#"{"d":1} 2"#]);
        assert!(tree.member("c").is_some_and(|c| c.member("d").is_none()));
    }

    #[test]
    fn scalars_are_exact() {
        assert_eq!(scalar("-0.10e+05"), Some(Scalar::Number("-0.10e+05".into())));
        assert_eq!(scalar(r#""\ud83d\ude00\/""#), Some(Scalar::String("😀/".into())));
        for bad in ["01", "1.", ".5", "+1", "1e", "nul", "", "\"a\" 1", r#""\ud83d""#, r#""\x""#] {
            assert_eq!(scalar(bad), None, "{bad}");
        }
    }

    #[test]
    fn json_is_checked_to_the_end() {
        for good in ["[ ]", r#"{"a":[1, {"b":null}],"c":"\ud800"}"#, "-1e5", "\"\""] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["[1,]", "{\"a\"}", "{a:1}", "[1 2]", "1 ", "\"\\x\"", "[01]"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
