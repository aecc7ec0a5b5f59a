//! Tokens with what the lexer leaves out: comments, blank lines, and where they stood.

use crate::lex::{self, Kind};

/// A comment, from its `#` to the last character that can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment<'s> {
    pub(super) text: &'s str,
    /// A blank line stands before it.
    pub(super) blank_before: bool,
    /// Characters between it and what stands before it on its line.
    pub(super) gap: usize,
    /// Characters before it on its line.
    pub(super) column: usize,
}

/// A token and what stands around it.
#[derive(Debug, Clone)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    /// Characters of its text.
    pub(super) width: usize,
    /// It is the first on its line.
    pub(super) line_start: bool,
    /// A blank line stands right before it.
    pub(super) blank_before: bool,
    /// Characters between it and the token before it on its line.
    pub(super) gap: usize,
    /// Characters before it on its line.
    pub(super) column: usize,
    /// Comments on lines of their own before it.
    pub(super) above: Vec<Comment<'s>>,
    /// The comment behind it on its line.
    pub(super) behind: Option<Comment<'s>>,
}

/// The tokens of a text that has no syntax error; the last one is the end of the text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut reader = Reader { tokens: Vec::new(), column: 0 };
    let mut at = 0;
    for token in lex::lex(text).0 {
        let range = token.span.range();
        reader.token(&text[at..range.start], &text[range.clone()], token.kind);
        at = range.end;
    }
    reader.token(&text[at..], "", Kind::End);
    reader.tokens
}

struct Reader<'s> {
    tokens: Vec<Token<'s>>,
    column: usize,
}

impl<'s> Reader<'s> {
    /// Takes a token and the white space and comments before it.
    fn token(&mut self, space: &'s str, text: &'s str, kind: Kind) {
        let (mut above, mut line_ends, mut gap) = (Vec::new(), 0_u32, 0);
        let mut rest = space;
        while let Some(character) = rest.chars().next() {
            let length = match character {
                '#' => {
                    let line = rest.split('\n').next().unwrap_or_default();
                    let comment = Comment {
                        text: line.trim_end(),
                        blank_before: line_ends > 1,
                        gap,
                        column: self.column,
                    };
                    match self.tokens.last_mut() {
                        Some(before) if line_ends == 0 => before.behind = Some(comment),
                        _ => above.push(comment),
                    }
                    line_ends = 0;
                    self.column += line.chars().count();
                    line.len()
                }
                '\n' => {
                    (line_ends, gap, self.column) = (line_ends + 1, 0, 0);
                    1
                }
                // A byte order mark is no part of the program.
                '\u{FEFF}' => character.len_utf8(),
                _ => {
                    (gap, self.column) = (gap + 1, self.column + 1);
                    character.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        let width = text.chars().count();
        let line_start = self.tokens.is_empty() || space.contains('\n');
        let blank_before = line_ends > 1;
        let column = self.column;
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => column + width,
        };
        let behind = None;
        let token =
            Token { kind, text, width, line_start, blank_before, gap, column, above, behind };
        self.tokens.push(token);
    }
}
