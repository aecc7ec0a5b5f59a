//! A JSON value in the making, and its text.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::random::Random;

/// A JSON value.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(Cow<'static, str>, Tree)>),
}

impl Tree {
    pub(super) fn object<const N: usize>(members: [(&'static str, Tree); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    pub(super) fn array(elements: impl IntoIterator<Item = impl Into<Tree>>) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }

    /// A floating-point number, below 0.0001 with an exponent, as many serializers write it.
    pub(super) fn float(number: f64) -> Self {
        let tiny = number != 0.0 && number.abs() < 1e-4;
        Self::Number(if tiny { format!("{number:e}") } else { format!("{number:?}") })
    }

    /// The value at a path of members.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, &name| {
            let Self::Object(members) = tree else { return None };
            members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
        })
    }

    pub(super) fn push(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Tree>) {
        if let Self::Object(members) = self {
            members.push((key.into(), value.into()));
        }
    }

    /// Puts the members of all objects into another order, of those in arrays too if `arrays`.
    pub(super) fn shuffle(&mut self, random: &mut Random, arrays: bool) {
        match self {
            Self::Object(members) => {
                random.shuffle(members);
                members.iter_mut().for_each(|(_, value)| value.shuffle(random, arrays));
            }
            Self::Array(elements) if arrays => {
                elements.iter_mut().for_each(|element| element.shuffle(random, arrays));
            }
            Self::Array(_) | Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {}
        }
    }

    /// Writes it without spaces; with `ascii`, all other characters as escapes.
    pub(super) fn write(&self, ascii: bool, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => write_string(text, ascii, out),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    element.write(ascii, out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    write_string(key, ascii, out);
                    out.push(':');
                    value.write(ascii, out);
                }
                out.push('}');
            }
        }
    }

    /// Writes it as a cell of CSV.
    pub(super) fn write_cell(&self, out: &mut String) {
        match self {
            Self::Null => {}
            Self::Text(text) if text.contains(['"', ',', '\n', '\r']) => {
                let _ = write!(out, "\"{}\"", text.replace('"', "\"\""));
            }
            Self::Text(text) => out.push_str(text),
            Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => {
                self.write(false, out);
            }
        }
    }
}

fn write_string(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other if ascii && !other.is_ascii() => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

impl From<&str> for Tree {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Tree {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Tree {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<u64> for Tree {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<usize> for Tree {
    fn from(number: usize) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<bool> for Tree {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}
