//! A program's text, and places in it.
//!
//! A [`Span`] counts **bytes** of the text; lines and columns exist only where a message is shown.

/// A half-open range of bytes in a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One behind the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As indices into the text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A named text with its line starts.
#[derive(Debug, Clone)]
pub struct Source {
    /// What messages call it: a path, or a parser's name.
    pub name: String,
    /// The program.
    pub text: String,
    line_starts: Vec<u32>,
    not_utf8: Option<Span>,
}

impl Source {
    /// Longest program that is read; longer ones are cut off and reported.
    pub const BYTES_MAX: usize = 1 << 20;

    /// Wraps a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0).chain(memchr_lines(&text)).collect();
        Self { name: name.into(), text, line_starts, not_utf8: None }
    }

    /// Reads a text from bytes. What is no UTF-8 is replaced by U+FFFD, and the parser refuses the program at the first
    /// such place ([`Source::not_utf8`]).
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Self::new(name, text),
            Err(error) => error,
        };
        let (at, cut) =
            (error.utf8_error().valid_up_to(), error.utf8_error().error_len().is_none());
        let bytes = error.as_bytes();
        // A reader that stops behind the limit may have cut a character; the length is what is wrong then.
        let whole = !(cut && bytes.len() > Self::BYTES_MAX);
        let mut source = Self::new(name, String::from_utf8_lossy(bytes));
        let replaced = char::REPLACEMENT_CHARACTER.len_utf8();
        source.not_utf8 = whole.then(|| Span::new(at as u32, (at + replaced) as u32));
        source
    }

    /// The first place that was no UTF-8.
    pub fn not_utf8(&self) -> Option<Span> {
        self.not_utf8
    }

    /// Line (1-based) and column (1-based, in characters) of a byte offset.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        let start = self.line_starts[line - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |text| text.chars().count());
        (line as u32, column as u32 + 1)
    }

    /// Line (1-based) of a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&start| start <= offset).max(1) as u32
    }

    /// The text of a span; empty if the span is not one of this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

fn memchr_lines(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_their_place_is_kept() {
        assert_eq!(Source::from_bytes("x", "aé".into()).not_utf8(), None);
        let source = Source::from_bytes("x", b"a\n\xe9\xff b".to_vec());
        assert_eq!(
            (source.text.as_str(), source.not_utf8()),
            ("a\n\u{FFFD}\u{FFFD} b", Some(Span::new(2, 5)))
        );
        assert_eq!(source.slice(Span::new(2, 5)), "\u{FFFD}");
        let mut long = vec![b'a'; Source::BYTES_MAX];
        long.push(0xc3);
        assert_eq!(Source::from_bytes("x", long).not_utf8(), None);
    }

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let source = Source::new("x", "aé\n→b\n");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(3), (1, 3));
        assert_eq!(source.line_column(4), (2, 1));
        assert_eq!(source.line_column(7), (2, 2));
        assert_eq!(source.line_column(99), (3, 1));
    }
}
