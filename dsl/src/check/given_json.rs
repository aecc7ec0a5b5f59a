//! Where a sample is no JSON, and what was meant.
//!
//! Samples are typed by hand, so what goes wrong in them is a comma too many, a quote of another language, a name without
//! quotes. The reader goes on behind such a slip as if it were mended; what it found is one fix.
//! Libraries end at the first slip, and few of them say exactly where it is.

use std::ops::Range;

use weir_engine::sound::is_json_number;

/// A place that is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: Range<usize>,
    /// What is wrong, in plain words.
    pub(super) message: String,
    /// What to write instead of which bytes; none if it is not clear what was meant.
    pub(super) edit: Option<(Range<usize>, String)>,
}

impl Fault {
    /// What the edit does, if there is one.
    pub(super) fn help(&self) -> Option<String> {
        let (range, text) = self.edit.as_ref()?;
        Some(match (text.is_empty(), range.is_empty()) {
            (true, _) => "leave it out".to_owned(),
            (false, true) => format!("put `{text}` in"),
            (false, false) => format!("write `{text}`"),
        })
    }
}

/// Who has made so many slips had something else in mind.
const FAULTS_MAX: usize = 50;

/// What is wrong with a row of JSON values; the reader stops behind the first slip that it cannot mend.
pub(super) fn faults(text: &str) -> Vec<Fault> {
    let mut reader =
        Reader { text, at: 0, open: Vec::new(), comma: None, behind: 0, faults: Vec::new() };
    let mut want = Want::Document;
    while let Some(next) = reader.step(want).filter(|_| reader.faults.len() < FAULTS_MAX) {
        want = next;
    }
    reader.faults
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A record, or the end.
    Document,
    Value,
    /// A value, or the end of an empty array.
    FirstValue,
    Key,
    /// A name, or the end of an empty object.
    FirstKey,
    Colon,
    /// A comma, or the end of what is open.
    Comma,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Where brackets were opened.
    open: Vec<usize>,
    /// The last comma.
    comma: Option<usize>,
    /// One behind the last thing that was read.
    behind: usize,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(
        &mut self,
        at: Range<usize>,
        message: impl Into<String>,
        edit: Option<(Range<usize>, &str)>,
    ) {
        let edit = edit.map(|(range, text)| (range, text.to_owned()));
        self.faults.push(Fault { at, message: message.into(), edit });
    }

    /// What may come behind a value.
    fn after_value(&mut self) -> Option<Want> {
        self.behind = self.at;
        Some(if self.open.is_empty() { Want::Document } else { Want::Comma })
    }

    fn is_object(&self) -> bool {
        self.open.last().is_some_and(|&at| self.text.as_bytes()[at] == b'{')
    }

    /// Reads what is next; says what may follow, nothing at the end.
    fn step(&mut self, want: Want) -> Option<Want> {
        self.space();
        let Some(byte) = self.byte() else { return self.end(want) };
        match want {
            Want::Document if byte == b',' && self.behind > 0 => {
                let comma = self.at..self.at + 1;
                self.fault(comma.clone(), "no comma stands between records", Some((comma, "")));
                self.at += 1;
                Some(Want::Document)
            }
            Want::Colon => self.colon(byte),
            Want::Comma => self.comma(byte),
            _ if matches!(byte, b'}' | b']') => self.early_close(want, byte),
            Want::Key | Want::FirstKey => self.key(byte),
            Want::Document | Want::Value | Want::FirstValue => self.value(want, byte),
        }
    }

    /// Goes to what is no white space; comments are none.
    fn space(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let rest = &self.text[self.at..];
            if !rest.starts_with('#') && !rest.starts_with("//") {
                return;
            }
            let length = rest.find('\n').unwrap_or(rest.len());
            let comment = self.at..self.at + rest[..length].trim_end().len();
            self.fault(comment.clone(), "JSON has no comments", Some((comment, "")));
            self.at += length;
        }
    }

    fn end(&mut self, want: Want) -> Option<Want> {
        let &first = self.open.last()?;
        let closers: String = self.open.iter().rev().map(|&at| self.closer(at)).collect();
        let whole = matches!(want, Want::Comma | Want::FirstKey | Want::FirstValue);
        let behind = self.text[..self.at].trim_end().len();
        let edit = whole.then_some((behind..behind, closers.as_str()));
        let message = format!("`{}` is never closed", &self.text[first..=first]);
        self.fault(first..first + 1, message, edit);
        None
    }

    fn closer(&self, open: usize) -> char {
        if self.text.as_bytes()[open] == b'{' { '}' } else { ']' }
    }

    /// A closing bracket where a name or a value is wanted.
    fn early_close(&mut self, want: Want, byte: u8) -> Option<Want> {
        match (want, self.comma) {
            (Want::FirstKey | Want::FirstValue, _) => self.close(byte),
            (Want::Document, _) | (_, None) => {
                let here = self.at..self.at + 1;
                let message = format!("`{}` closes nothing", char::from(byte));
                self.fault(here.clone(), message, (want == Want::Document).then_some((here, "")));
                self.at += 1;
                (want == Want::Document).then_some(want)
            }
            (_, Some(comma)) if self.text[comma + 1..self.at].trim().is_empty() => {
                let comma = comma..comma + 1;
                self.fault(comma.clone(), "nothing comes behind this comma", Some((comma, "")));
                self.close(byte)
            }
            _ => self.unknown("a value is missing before this"),
        }
    }

    fn close(&mut self, byte: u8) -> Option<Want> {
        let open = self.open.pop()?;
        let right = self.closer(open);
        if char::from(byte) != right {
            let here = self.at..self.at + 1;
            let message = format!("`{}` is still open here", &self.text[open..=open]);
            let is_outer = self.open.last().is_some_and(|&at| self.closer(at) == char::from(byte));
            let edit = if is_outer { here.start..here.start } else { here.clone() };
            self.fault(here, message, Some((edit, right.encode_utf8(&mut [0; 4]))));
            if is_outer {
                return self.after_value();
            }
        }
        self.at += 1;
        self.after_value()
    }

    fn key(&mut self, byte: u8) -> Option<Want> {
        match byte {
            b'"' => self.quoted()?,
            b'\'' => self.single_quoted()?,
            _ => {
                let word = self.word();
                if word.is_empty() {
                    return self.unknown("a name in quotes was expected here");
                }
                self.quote(word, "a name of JSON stands in quotes");
            }
        }
        self.behind = self.at;
        Some(Want::Colon)
    }

    fn colon(&mut self, byte: u8) -> Option<Want> {
        let here = self.at..self.at + 1;
        match byte {
            b':' => {}
            b'=' => self.fault(here.clone(), "a colon stands behind a name", Some((here, ":"))),
            b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' => {
                let gap = self.behind..self.behind;
                self.fault(here, "a colon is missing before this", Some((gap, ":")));
                return Some(Want::Value);
            }
            _ => return self.unknown("a colon was expected here"),
        }
        self.at += 1;
        Some(Want::Value)
    }

    fn comma(&mut self, byte: u8) -> Option<Want> {
        let next = if self.is_object() { Want::Key } else { Want::Value };
        let here = self.at..self.at + 1;
        match byte {
            b',' => {}
            b'}' | b']' => return self.close(byte),
            b';' => self.fault(here.clone(), "members are parted by commas", Some((here, ","))),
            b'"' | b'\'' | b'{' | b'[' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let gap = self.behind..self.behind;
                self.fault(here, "a comma is missing before this", Some((gap, ",")));
                return Some(next);
            }
            _ => return self.unknown("a comma or a closing bracket was expected here"),
        }
        self.comma = Some(self.at);
        self.at += 1;
        Some(next)
    }

    fn value(&mut self, want: Want, byte: u8) -> Option<Want> {
        match byte {
            b'{' | b'[' => {
                self.open.push(self.at);
                self.at += 1;
                return Some(if byte == b'{' { Want::FirstKey } else { Want::FirstValue });
            }
            b'"' => self.quoted()?,
            b'\'' => self.single_quoted()?,
            _ => self.bare(want)?,
        }
        self.after_value()
    }

    /// A number, `true`, `false`, `null`, or a text without its quotes.
    fn bare(&mut self, want: Want) -> Option<()> {
        let word = self.word();
        let text = &self.text[word.clone()];
        let right = match text {
            "" => return self.unknown("a value was expected here"),
            "true" | "false" | "null" => return Some(()),
            "True" | "TRUE" => "true",
            "False" | "FALSE" => "false",
            "None" | "nil" | "NULL" | "Null" | "undefined" | "NaN" => "null",
            _ if is_json_number(text.as_bytes()) => return Some(()),
            _ if want == Want::Document => {
                self.fault(word, "a record of JSON begins with `{`", None);
                return None;
            }
            _ => {
                self.quote(word, "a text of JSON stands in quotes");
                return Some(());
            }
        };
        let message = format!("JSON writes `{right}` for this");
        self.fault(word.clone(), message, Some((word, right)));
        Some(())
    }

    /// Goes behind a word without quotes.
    fn word(&mut self) -> Range<usize> {
        let start = self.at;
        let is_part =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '@' | '/' | '$');
        let rest = &self.text[start..];
        self.at += rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        start..self.at
    }

    fn quote(&mut self, word: Range<usize>, message: &str) {
        let quoted = format!("\"{}\"", &self.text[word.clone()]);
        self.fault(word.clone(), message, Some((word, &quoted)));
    }

    fn unknown<T>(&mut self, message: &str) -> Option<T> {
        let length = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.fault(self.at..self.at + length, message, None);
        None
    }

    /// Goes behind a text.
    fn quoted(&mut self) -> Option<()> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Some(());
                }
                Some(b'\\') => self.escape(),
                Some(0x20..) => self.at += 1,
                _ => {
                    let message = "this text is not closed on its line";
                    self.fault(start..self.at, message, None);
                    return None;
                }
            }
        }
    }

    fn escape(&mut self) {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let hex = |rest: &str| {
            rest.get(..4).is_some_and(|four| four.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let is_known = match rest.bytes().next() {
            Some(b'u') => hex(&rest[1..]),
            Some(byte) => br#""\/bfnrt"#.contains(&byte),
            None => true,
        };
        let length = rest.chars().next().map_or(0, char::len_utf8);
        if !is_known {
            let message = "a backslash of a text is written `\\\\` in JSON";
            self.fault(start..start + 1 + length, message, Some((start..start, "\\")));
        }
        // What cannot be part of a text is seen there.
        self.at += 1 + if rest.starts_with(|c: char| c < ' ') { 0 } else { length };
    }

    fn single_quoted(&mut self) -> Option<()> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let line = rest.lines().next().unwrap_or_default();
        let Some(end) = line.find('\'') else {
            return self.unknown("a text of JSON stands in \"double quotes\"");
        };
        let quoted = format!("\"{}\"", line[..end].replace('"', "\\\""));
        let whole = start..start + end + 2;
        self.fault(
            whole.clone(),
            "a text of JSON stands in \"double quotes\"",
            Some((whole, &quoted)),
        );
        self.at = start + end + 2;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with all that can be mended mended, and what is said about it.
    fn mended(text: &str) -> (String, Vec<String>) {
        let found = faults(text);
        let mut mended = text.to_owned();
        let mut edits: Vec<_> = found.iter().filter_map(|fault| fault.edit.clone()).collect();
        edits.sort_by_key(|(range, _)| range.start);
        for (range, new) in edits.into_iter().rev() {
            mended.replace_range(range, &new);
        }
        (mended, found.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn json_has_no_faults() {
        for text in [
            "",
            " 1 2 ",
            r#"{"a": [1, -2.5e+3, {"b": null}], "c": {}, "d": []} [true, "x\né\\"]"#,
            "{\"a\":\"\u{1F600}\"}\n{\"b\":0}",
        ] {
            assert_eq!(faults(text), [], "{text}");
        }
    }

    #[test]
    fn slips_are_mended_together() {
        for (text, right, slips) in [
            (r#"{"a": 1 "b": 2}"#, r#"{"a": 1, "b": 2}"#, 1),
            (r#"{"a": 1, "b": [1, 2,],}"#, r#"{"a": 1, "b": [1, 2]}"#, 2),
            ("{'a': 'it\"s', b: True, c = None}", r#"{"a": "it\"s", "b": true, "c" : null}"#, 7),
            ("{\"a\": 1},\n{\"a\": 2}", "{\"a\": 1}\n{\"a\": 2}", 1),
            (r#"{"a": {"b": [1"#, r#"{"a": {"b": [1]}}"#, 1),
            (r#"{"a": [1}}"#, r#"{"a": [1]}"#, 2),
            (r#"{"a": [1}"#, r#"{"a": [1]}"#, 1),
            (r#"{"a": 1]"#, r#"{"a": 1}"#, 1),
            (r#"{"a" "x", "b": x.y}"#, r#"{"a": "x", "b": "x.y"}"#, 2),
            ("{\"a\": 1} // one\n", "{\"a\": 1} \n", 1),
            (r#"{"path": "C:\Users"}"#, r#"{"path": "C:\\Users"}"#, 1),
            (r#"{"a": 1}}"#, r#"{"a": 1}"#, 1),
        ] {
            let (mended, said) = mended(text);
            assert_eq!((mended.as_str(), said.len()), (right, slips), "{text}: {said:?}");
            assert_eq!(faults(&mended), [], "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_ends_the_reading() {
        for (text, at) in [
            (r#"{"a": }"#, 6),
            ("{\"a\": \"x\n}", 6),
            ("{\"a\": ", 0),
            ("{:", 1),
            ("{'a", 1),
            ("2026-01-02 x", 0),
        ] {
            let found = faults(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!((found[0].at.start, &found[0].edit), (at, &None), "{text}");
        }
        assert!(faults(&"x y ".repeat(100_000)).len() <= FAULTS_MAX);
        assert_eq!(faults(&"[".repeat(500_000)).len(), 1);
    }
}
