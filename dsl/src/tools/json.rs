//! JSON as a tree that keeps the order of members and the text of numbers.
//!
//! It is read leniently: where the text ends too early or makes no sense, what was read so far stands. So the beginning
//! of a large document is as good a sample as all of it.
//!
//! No library reads it so. The engine takes a record for sound that strict JSON is not ([`weir_engine::sound`]): an
//! unread `01x`, a lone surrogate, a name that stands twice. A library refuses it whole, so the tools would not see what
//! a run sees. And `simd-json`, as most, makes a float of `1.50`, which is shown to people as it is written.

use std::fmt;

use weir_engine::sound::is_json_number;

/// Deeper values are read as `null`.
const DEPTH_MAX: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`, and what is no JSON.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// Its unescaped text.
    Text(String),
    /// Elements.
    Array(Vec<Self>),
    /// Members in their order; a name may stand twice.
    Object(Vec<(String, Self)>),
}

/// Reads the value at the start of a text; says too where it ends, and whether it was whole.
pub fn read(text: &str) -> (Json, usize, bool) {
    let mut reader = Reader { bytes: text.as_bytes(), text, at: 0, whole: true };
    let value = reader.value(0);
    (value, reader.at, reader.whole)
}

impl Json {
    /// The first member of a name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text of a scalar, as a program reads it; none of `null`, arrays and objects.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => quoted(text, f),
            Self::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (at, (name, value)) in members.iter().enumerate() {
                    f.write_str(if at > 0 { "," } else { "" })?;
                    quoted(name, f)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A JSON string. What cannot be seen is escaped, so that it can stand in a program too.
fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            c if is_plain(c) => write!(f, "{c}")?,
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
        }
    }
    f.write_str("\"")
}

/// Can it be seen where it stands?
pub(crate) fn is_plain(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || c.is_whitespace()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{feff}')
            || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}'))
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    whole: bool,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Json {
        self.space();
        match self.bytes.get(self.at) {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => self.skip_brackets(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Json::Text(self.string()),
            Some(_) => self.word(),
            None => {
                self.whole = false;
                Json::Null
            }
        }
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn object(&mut self, depth: usize) -> Json {
        let mut members = Vec::new();
        self.items(b'}', |reader| {
            if reader.bytes.get(reader.at) != Some(&b'"') {
                return reader.word_of_nothing();
            }
            let name = reader.string();
            reader.space();
            if reader.bytes.get(reader.at) != Some(&b':') {
                return;
            }
            reader.at += 1;
            members.push((name, reader.value(depth + 1)));
        });
        Json::Object(members)
    }

    fn array(&mut self, depth: usize) -> Json {
        let mut items = Vec::new();
        self.items(b']', |reader| items.push(reader.value(depth + 1)));
        Json::Array(items)
    }

    /// Goes behind what is too deep.
    fn skip_brackets(&mut self) -> Json {
        let mut open = 0_usize;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Json::Null;
            }
        }
        self.whole = false;
        Json::Null
    }

    /// What stands between an opening bracket and its closing one.
    fn items(&mut self, close: u8, mut item: impl FnMut(&mut Self)) {
        self.at += 1;
        loop {
            self.space();
            match self.bytes.get(self.at) {
                Some(byte) if *byte == close => {
                    self.at += 1;
                    return;
                }
                Some(b',') => self.at += 1,
                Some(b'}' | b']') | None => {
                    self.whole = false;
                    return;
                }
                Some(_) => {
                    let before = self.at;
                    // A value that is only begun is no sample of one.
                    item(self);
                    if self.at == before {
                        self.at += 1;
                        self.whole = false;
                    }
                }
            }
        }
    }

    fn word(&mut self) -> Json {
        let start = self.at;
        self.word_of_nothing();
        match &self.text[start..self.at] {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            word if is_json_number(word.as_bytes()) => Json::Number(word.to_owned()),
            "null" => Json::Null,
            _ => {
                self.whole = false;
                Json::Null
            }
        }
    }

    /// Goes to the end of something that is neither text nor bracket.
    fn word_of_nothing(&mut self) {
        let rest = &self.bytes[self.at..];
        let is_end = |byte: &u8| {
            matches!(
                byte,
                b',' | b'}' | b']' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\n' | b'\r' | b':'
            )
        };
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
    }

    /// Goes behind the closing quote.
    fn string(&mut self) -> String {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.whole &= self.at < self.bytes.len();
        let end = self.at.min(self.bytes.len());
        self.at = (end + 1).min(self.bytes.len());
        let text = self.text.get(start..end).unwrap_or_default();
        if escaped { unescaped(text) } else { text.to_owned() }
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut units: Vec<u16> = Vec::new();
    while let Some(c) = chars.next() {
        let escape = if c == '\\' { chars.next() } else { None };
        if escape == Some('u') {
            let digits: String = chars.by_ref().take(4).collect();
            units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
            continue;
        }
        out.extend(char::decode_utf16(units.drain(..)).map(|c| c.unwrap_or('\u{fffd}')));
        out.push(match escape {
            None => c,
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(other) => other,
        });
    }
    out.extend(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str, whole: bool) {
        let (value, _, is_whole) = read(text);
        assert_eq!((value.to_string().as_str(), is_whole), (shown, whole), "{text}");
    }

    #[test]
    fn order_numbers_and_texts_are_kept() {
        check(
            r#" {"b": 1.50, "a": [true, null, "x\"\u0041\ud83d\ude00"]} "#,
            r#"{"b":1.50,"a":[true,null,"x\"A😀"]}"#,
            true,
        );
        check(r#""a\u202eb""#, r#""a\u202eb""#, true);
        check("-0.5e-3", "-0.5e-3", true);
    }

    #[test]
    fn what_is_cut_off_or_broken_gives_what_there_is() {
        check(r#"{"a":{"b":[1,2"#, r#"{"a":{"b":[1,2]}}"#, false);
        check(r#"{"a" 1, "b": 2}"#, r#"{"b":2}"#, true);
        check(r#"{"a": 01x, b, "c": 3}"#, r#"{"a":null,"c":3}"#, false);
        check(r#"{"a": "\"#, r#"{"a":"\\"}"#, false);
        check(r#"["\ud800"]"#, "[\"\u{fffd}\"]", true);
        check("", "null", false);
        check("]", "null", false);
        check("{:::}", "{}", false);
    }

    #[test]
    fn depth_is_bounded() {
        let (value, _, whole) = read(&"[".repeat(100_000));
        assert!(!whole);
        let mut depth = 0;
        let mut inner = &value;
        while let Json::Array(items) = inner {
            depth += 1;
            let Some(first) = items.first() else { break };
            inner = first;
        }
        assert!(depth <= DEPTH_MAX, "{depth}");
    }
}
