//! Places of the protocol: lines and columns from 0, columns in UTF-16 units unless both sides agree on bytes.

use std::path::PathBuf;

use lsp_types::{Position, Range, Uri};
use percent_encoding::percent_decode_str;
use weir_dsl::{Source, Span};

/// Converts between byte offsets and positions of one text.
#[derive(Debug)]
pub(super) struct Positions {
    text: String,
    line_starts: Vec<usize>,
    utf8: bool,
}

impl Positions {
    pub(super) fn new(source: &Source, utf8: bool) -> Self {
        let text = source.text.clone();
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, line_starts, utf8 }
    }

    /// The position of a byte offset; one beyond the text is its end.
    pub(super) fn position(&self, offset: u32) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|&start| start <= offset) - 1;
        let before = &self.text[self.line_starts[line]..offset];
        let column = if self.utf8 { before.len() } else { before.encode_utf16().count() };
        Position::new(line as u32, column as u32)
    }

    pub(super) fn range(&self, span: Span) -> Range {
        Range::new(self.position(span.start), self.position(span.end))
    }

    /// The byte offset of a position; columns beyond a line are its end.
    pub(super) fn offset(&self, position: Position) -> u32 {
        let Some(&start) = self.line_starts.get(position.line as usize) else {
            return self.text.len() as u32;
        };
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        let mut column = 0;
        for (at, character) in line.char_indices() {
            if column >= position.character as usize {
                return (start + at) as u32;
            }
            column += if self.utf8 { character.len_utf8() } else { character.len_utf16() };
        }
        (start + line.len()) as u32
    }

    pub(super) fn whole(&self) -> Range {
        Range::new(Position::new(0, 0), self.position(self.text.len() as u32))
    }
}

/// The file that a URI names, if it names one.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let path = uri.as_str().strip_prefix("file://")?;
    let path = percent_decode_str(path).decode_utf8().ok()?;
    Some(PathBuf::from(path.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf_16_units_or_bytes() {
        let source = Source::new("x", "aé𝄞b\nc");
        for (utf8, column) in [(false, 4), (true, 7)] {
            let positions = Positions::new(&source, utf8);
            assert_eq!(positions.position(7), Position::new(0, column));
            assert_eq!(positions.offset(Position::new(0, column)), 7);
            assert_eq!(positions.position(9), Position::new(1, 0));
            assert_eq!(positions.offset(Position::new(0, 99)), 8);
            assert_eq!(positions.offset(Position::new(9, 0)), 10);
            assert_eq!(positions.position(99), Position::new(1, 1));
        }
    }
}
