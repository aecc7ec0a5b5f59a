//! Is a span exactly one JSON value, by RFC 8259?
//!
//! A sound record may still hold `01x`, `nul` or `[1 2]`. Who reads such a span finds it invalid.

use std::borrow::Cow;

use crate::project::{skip, string};
use crate::sound;

/// Is it one number, by the grammar of RFC 8259 section 6?
pub fn is_number(text: &[u8]) -> bool {
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

/// Does binary64 hold a number, rounded perhaps? What is no number passes.
fn is_finite(scalar: &[u8]) -> bool {
    const DIGITS_MAX: usize = 308;
    let is_small = scalar.len() <= DIGITS_MAX && memchr::memchr2(b'e', b'E', scalar).is_none();
    let number = || std::str::from_utf8(scalar).ok()?.parse::<f64>().ok();
    is_small || number().is_none_or(f64::is_finite)
}

/// Is it one number, `true`, `false` or `null`?
pub(crate) fn is_bare_scalar(text: &[u8]) -> bool {
    matches!(text, b"true" | b"false" | b"null") || is_number(text)
}

/// Is it exactly one JSON value by the grammar, without white space around it? Brackets nest at most so deep.
///
/// The grammar lets a lone surrogate (`"\ud800"`) pass, though it is no character, and a name that an object has twice.
pub(crate) fn is_value(text: &str, depth_max: usize) -> bool {
    Check::of(text, depth_max, false).whole()
}

/// Why a JSON text is not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoCopy {
    /// It is not one value.
    Grammar,
    /// It holds half of a character.
    Surrogate,
    /// An object in it has two members of one name.
    RepeatedName,
    /// A number in it is beyond binary64, which is what readers hold numbers in.
    HugeNumber,
}

impl NoCopy {
    /// What it is not.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Grammar => "JSON",
            Self::Surrogate => "JSON without lone surrogates",
            Self::RepeatedName => "JSON without repeated names",
            Self::HugeNumber => "JSON without numbers beyond 64-bit floating point",
        }
    }
}

/// May it be copied to the output? That is read by others, of whom some refuse what the grammar lets pass, and some take
/// the last of two members where we take the first.
pub(crate) fn check_copy(text: &str) -> Result<(), NoCopy> {
    let mut check = Check::of(text, usize::MAX, true);
    match check.whole() {
        false => Err(NoCopy::Grammar),
        true if check.lone_surrogate => Err(NoCopy::Surrogate),
        true if check.repeated_name => Err(NoCopy::RepeatedName),
        true if check.huge_number => Err(NoCopy::HugeNumber),
        true => Ok(()),
    }
}

struct Check<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// The brackets around `at`, each with how many `names` there were before it. Input decides how deep they nest, so
    /// they are kept here and not on the stack.
    open: Vec<(u8, usize)>,
    depth_max: usize,
    /// Names are compared, and numbers measured.
    compares: bool,
    /// The names of the objects around `at`, outermost first.
    names: Vec<Cow<'t, str>>,
    lone_surrogate: bool,
    repeated_name: bool,
    huge_number: bool,
}

impl<'t> Check<'t> {
    fn of(text: &'t str, depth_max: usize, compares: bool) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            open: Vec::new(),
            depth_max,
            compares,
            names: Vec::new(),
            lone_surrogate: false,
            repeated_name: false,
            huge_number: false,
        }
    }

    fn whole(&mut self) -> bool {
        self.value().is_some() && self.at == self.bytes.len()
    }

    /// Goes over one value, with all that is in it.
    fn value(&mut self) -> Option<()> {
        loop {
            // Here a value starts.
            match self.bytes.get(self.at)? {
                bracket @ (b'{' | b'[') => {
                    if self.open.len() >= self.depth_max {
                        return None;
                    }
                    self.at = skip::space(self.bytes, self.at + 1);
                    // The closing bracket is two behind the opening one in ASCII.
                    if self.bytes.get(self.at) == Some(&(bracket + 2)) {
                        self.at += 1;
                    } else {
                        self.open.push((*bracket, self.names.len()));
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
        while let Some((bracket, names)) = self.open.last().copied() {
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
            self.compare_names(names);
            self.open.pop();
        }
        Some(false)
    }

    /// Looks for equal names among those of the object that ends here, and forgets them.
    fn compare_names(&mut self, first: usize) {
        let names = &mut self.names[first..];
        names.sort_unstable();
        self.repeated_name |= names.windows(2).any(|pair| pair[0] == pair[1]);
        self.names.truncate(first);
    }

    /// In an object, goes over a key and its colon.
    fn key(&mut self) -> Option<()> {
        if matches!(self.open.last(), Some((b'{', _))) {
            let start = self.at + 1;
            self.string()?;
            if self.compares {
                self.note_name(start);
            }
            self.at = skip::space(self.bytes, self.at);
            if self.bytes.get(self.at) != Some(&b':') {
                return None;
            }
            self.at = skip::space(self.bytes, self.at + 1);
        }
        Some(())
    }

    /// Remembers the name that starts at `start` and has just been gone over.
    fn note_name(&mut self, start: usize) {
        let Some(inner) = self.text.get(start..self.at - 1) else { return };
        if !inner.contains('\\') {
            self.names.push(Cow::Borrowed(inner));
            return;
        }
        let mut name = String::new();
        // A name with half of a character is noted already.
        if string::unescape_into(inner, &mut name).is_some() {
            self.names.push(Cow::Owned(name));
        }
    }

    /// Goes over a string, and looks at its escapes.
    fn string(&mut self) -> Option<()> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        self.at += 1;
        loop {
            self.at = sound::skip_plain(self.bytes, self.at);
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += self.escape()?,
                _ => return None,
            }
        }
    }

    /// The length of the escape at `at`; that of two that make a surrogate pair.
    fn escape(&mut self) -> Option<usize> {
        let rest = self.bytes.get(self.at..)?;
        match rest.get(1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
            b'u' => {
                let unit = string::code_unit(rest)?;
                let low = || string::code_unit(&rest[6..]);
                if (0xd800..0xdc00).contains(&unit)
                    && low().is_some_and(|low| (0xdc00..0xe000).contains(&low))
                {
                    return Some(12);
                }
                self.lone_surrogate |= (0xd800..0xe000).contains(&unit);
                Some(6)
            }
            _ => None,
        }
    }

    fn bare_scalar(&mut self) -> Option<()> {
        let start = self.at;
        self.at = skip::value(self.bytes, start);
        let scalar = &self.bytes[start..self.at];
        self.huge_number |= self.compares && !is_finite(scalar);
        is_bare_scalar(scalar).then_some(())
    }
}
