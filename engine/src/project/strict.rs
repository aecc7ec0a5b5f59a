//! Is a span exactly one JSON value, by RFC 8259?
//!
//! A sound record may still hold `01x`, `nul` or `[1 2]`. Who reads such a span finds it invalid.

use crate::project::skip;

/// Is it one number, by the grammar of RFC 8259 section 6?
pub(crate) fn is_number(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let integer = digits(unsigned);
    if integer == 0 || (integer > 1 && unsigned[0] == b'0') {
        return false;
    }
    let mut rest = &unsigned[integer..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let places = digits(fraction);
        if places == 0 {
            return false;
        }
        rest = &fraction[places..];
    }
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let exponent =
        exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Is it one number, `true`, `false` or `null`?
pub(crate) fn is_bare_scalar(text: &[u8]) -> bool {
    matches!(text, b"true" | b"false" | b"null") || is_number(text)
}

/// Is it exactly one JSON value, without white space around it? The text is part of a sound one.
///
/// The grammar lets a lone surrogate (`"\ud800"`) pass, though it is no character.
pub(crate) fn is_value(text: &str) -> bool {
    let mut check = Check { bytes: text.as_bytes(), at: 0, open: Vec::new() };
    check.value().is_some() && check.at == text.len()
}

/// Are the backslashes in a string all part of escapes that JSON has?
fn are_escapes(mut inner: &[u8]) -> bool {
    while let Some(at) = memchr::memchr(b'\\', inner) {
        let length = match inner.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if is_hex(inner.get(at + 2..at + 6)) => 6,
            _ => return false,
        };
        inner = &inner[at + length..];
    }
    true
}

fn is_hex(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

struct Check<'t> {
    bytes: &'t [u8],
    at: usize,
    /// The brackets around `at`. Input decides how deep they nest, so they are kept here and not on the stack.
    open: Vec<u8>,
}

impl Check<'_> {
    /// Goes over one value, with all that is in it.
    fn value(&mut self) -> Option<()> {
        loop {
            // Here a value starts.
            match self.bytes.get(self.at)? {
                bracket @ (b'{' | b'[') => {
                    self.at = skip::space(self.bytes, self.at + 1);
                    // The closing bracket is two behind the opening one in ASCII.
                    if self.bytes.get(self.at) == Some(&(bracket + 2)) {
                        self.at += 1;
                    } else {
                        self.open.push(*bracket);
                        self.key()?;
                        continue;
                    }
                }
                b'"' => self.string()?,
                _ => self.bare_scalar()?,
            }
            if !self.behind_value()? {
                return Some(());
            }
        }
    }

    /// Closes what ends behind a value; true if another value follows.
    fn behind_value(&mut self) -> Option<bool> {
        while let Some(bracket) = self.open.last() {
            self.at = skip::space(self.bytes, self.at);
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if byte == b',' {
                self.at = skip::space(self.bytes, self.at);
                self.key()?;
                return Some(true);
            }
            if byte != bracket + 2 {
                return None;
            }
            self.open.pop();
        }
        Some(false)
    }

    /// In an object, goes over a key and its colon.
    fn key(&mut self) -> Option<()> {
        if self.open.last() == Some(&b'{') {
            self.string()?;
            self.at = skip::space(self.bytes, self.at);
            if self.bytes.get(self.at) != Some(&b':') {
                return None;
            }
            self.at = skip::space(self.bytes, self.at + 1);
        }
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        self.at = skip::string(self.bytes, self.at);
        are_escapes(self.bytes.get(start..self.at - 1)?).then_some(())
    }

    fn bare_scalar(&mut self) -> Option<()> {
        let start = self.at;
        self.at = skip::value(self.bytes, start);
        is_bare_scalar(&self.bytes[start..self.at]).then_some(())
    }
}
