//! Strings and numbers outside the records: checked by RFC 8259, a byte at a time, in any chunking.

/// The rest of a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    escape: Escape,
    utf8: Utf8,
    /// Invalid UTF-8 is no fault.
    utf8_replace: bool,
}

#[derive(Debug, Clone, Copy)]
enum Escape {
    None,
    /// Behind a backslash.
    Begun,
    /// So many hexadecimal digits are still to come.
    Digits(u8),
}

impl Text {
    /// A string whose quote has just been opened.
    pub(super) fn new(utf8_replace: bool) -> Self {
        Self { escape: Escape::None, utf8: Utf8::Start, utf8_replace }
    }

    /// The index in `bytes`, which follow those of the last call, behind the closing quote; nothing if it goes on.
    ///
    /// # Errors
    ///
    /// What is wrong, and the index of the byte that shows it.
    pub(super) fn find_end(
        &mut self,
        bytes: &[u8],
    ) -> Result<Option<usize>, (&'static str, usize)> {
        for (at, &byte) in bytes.iter().enumerate() {
            match (self.escape, byte) {
                (_, 0..=0x1f) => return Err(("a string holds a raw control character", at)),
                (Escape::None, _)
                    if !self.utf8_replace && (byte >= 0x80 || self.utf8 != Utf8::Start) =>
                {
                    self.utf8 = self.utf8.next(byte).ok_or(("a string is not valid UTF-8", at))?;
                }
                (Escape::None, b'"') => return Ok(Some(at + 1)),
                (Escape::None, b'\\') => self.escape = Escape::Begun,
                (Escape::None, _) => {}
                (Escape::Begun, b'u') => self.escape = Escape::Digits(4),
                (Escape::Begun, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                    self.escape = Escape::None;
                }
                (Escape::Digits(1), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                    self.escape = Escape::None
                }
                (Escape::Digits(left), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                    self.escape = Escape::Digits(left - 1);
                }
                _ => return Err(("a string holds an unknown escape", at)),
            }
        }
        Ok(None)
    }
}

/// What may follow within a character. Source: RFC 3629, section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Utf8 {
    /// A new character.
    Start,
    /// The next byte lies within these bounds, and so many others follow it.
    Within(u8, u8, u8),
}

impl Utf8 {
    fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, 0x00..=0x7f) => Some(Self::Start),
            (Self::Start, 0xc2..=0xdf) => Some(Self::Within(0x80, 0xbf, 0)),
            (Self::Start, 0xe0) => Some(Self::Within(0xa0, 0xbf, 1)),
            (Self::Start, 0xed) => Some(Self::Within(0x80, 0x9f, 1)),
            (Self::Start, 0xe1..=0xef) => Some(Self::Within(0x80, 0xbf, 1)),
            (Self::Start, 0xf0) => Some(Self::Within(0x90, 0xbf, 2)),
            (Self::Start, 0xf1..=0xf3) => Some(Self::Within(0x80, 0xbf, 2)),
            (Self::Start, 0xf4) => Some(Self::Within(0x80, 0x8f, 2)),
            (Self::Start, _) => None,
            (Self::Within(low, high, _), _) if byte < low || byte > high => None,
            (Self::Within(_, _, 0), _) => Some(Self::Start),
            (Self::Within(_, _, left), _) => Some(Self::Within(0x80, 0xbf, left - 1)),
        }
    }
}

/// How far a number has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    ESign,
    Exponent,
}

impl Number {
    /// A number that begins with this byte.
    pub(super) fn new(first: u8) -> Option<Self> {
        match first {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Whole),
            _ => None,
        }
    }

    /// The number with one more byte, if that may follow.
    pub(super) fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Some(Self::Whole),
            (Self::Zero | Self::Whole, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Some(Self::E),
            (Self::E, b'+' | b'-') => Some(Self::ESign),
            (Self::E | Self::ESign | Self::Exponent, b'0'..=b'9') => Some(Self::Exponent),
            _ => None,
        }
    }

    /// Whether it is a number as it is.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::Exponent)
    }
}
