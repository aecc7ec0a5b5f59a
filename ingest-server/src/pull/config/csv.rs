//! `csv{...}`: the settings of separated values, by the names and with the values that they have in a
//! program. What is not said here is the program's business.

use encoding_rs::Encoding;
use serde_json::Value;
use weir_engine::input::Csv;

use super::fields::Fields;
use super::rules;

const NAMES: [&str; 9] = [
    "delimiter",
    "quote",
    "header",
    "columns",
    "decimal",
    "grouping",
    "encoding",
    "trim",
    "comment",
];

/// What is said about separated values.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CsvOptions {
    /// Between cells.
    pub delimiter: Option<u8>,
    /// Around cells.
    pub quote: Option<u8>,
    /// The first row names the columns.
    pub header: Option<bool>,
    /// The names of the columns.
    pub columns: Option<Vec<String>>,
    /// The decimal sign.
    pub decimal: Option<u8>,
    /// The sign between groups of digits; `Some(None)` is `"none"`.
    pub grouping: Option<Option<u8>>,
    /// How bytes become characters.
    pub encoding: Option<&'static Encoding>,
    /// White space around cells is removed.
    pub trim: Option<bool>,
    /// What lines that are no rows begin with; `Some(None)` is `"none"`.
    pub comment: Option<Option<u8>>,
}

/// Reads the settings, if there are any.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<CsvOptions> {
    let mut inner = fields.inner("csv")?;
    let csv = CsvOptions {
        delimiter: inner.read("delimiter", byte),
        quote: inner.read("quote", byte),
        header: inner.read("header", header),
        columns: inner.read("columns", columns),
        decimal: inner.read("decimal", |value| one_of(value, b".,")),
        grouping: inner.read("grouping", |value| or_none(value, |value| one_of(value, b"., '_"))),
        encoding: inner.read("encoding", encoding),
        trim: inner.read("trim", rules::yes_or_no),
        comment: inner.read("comment", |value| or_none(value, byte)),
    };
    if csv.header == Some(false) && csv.columns.is_none() && !inner.is_wrong("columns") {
        let problem = "without a header row the columns need names: give `columns`";
        inner.wrong("header", problem.to_owned());
    }
    if csv.header == Some(true) && csv.columns.is_some() {
        let problem = "the header row names the columns: leave out one or the other";
        inner.wrong("columns", problem.to_owned());
    }
    inner.refuse_unknown(&NAMES, |_| None);
    fields.errors.extend(inner.into_errors());
    Some(csv)
}

impl CsvOptions {
    /// The settings that say something else than the program does, each with what the program says.
    pub(super) fn contradictions(&self, program: &Csv) -> Vec<(&'static str, String)> {
        fn of<T: PartialEq>(own: Option<&T>, program: &T, text: String) -> Option<String> {
            own.filter(|own| *own != program).map(|_| text)
        }
        let sign = |sign: u8| Value::from(char::from(sign).to_string()).to_string();
        let sign_or_none = |byte: Option<u8>| byte.map_or_else(|| "none".to_owned(), sign);
        let has_header = program.columns.is_none();
        let header = if has_header { "first_row" } else { "none" };
        let columns = self.columns.as_ref().filter(|own| Some(*own) != program.columns.as_ref());
        let columns = columns.map(|_| match &program.columns {
            Some(names) => Value::from(names.join(", ")).to_string(),
            None => "in the first row".to_owned(),
        });
        let trim = if program.trim { "yes" } else { "no" };
        let encoding = program.encoding;
        let delimiter = of(self.delimiter.as_ref(), &program.delimiter, sign(program.delimiter));
        let grouping = sign_or_none(program.grouping);
        let comment = sign_or_none(program.comment);
        [
            ("delimiter", delimiter),
            ("quote", of(self.quote.as_ref(), &program.quote, sign(program.quote))),
            ("header", of(self.header.as_ref(), &has_header, header.to_owned())),
            ("columns", columns),
            ("decimal", of(self.decimal.as_ref(), &program.decimal, sign(program.decimal))),
            ("grouping", of(self.grouping.as_ref(), &program.grouping, grouping)),
            ("encoding", of(self.encoding.as_ref(), &encoding, encoding.name().to_lowercase())),
            ("trim", of(self.trim.as_ref(), &program.trim, trim.to_owned())),
            ("comment", of(self.comment.as_ref(), &program.comment, comment)),
        ]
        .into_iter()
        .filter_map(|(name, program)| Some((name, format!("{name} {}", program?))))
        .collect()
    }
}

fn byte(value: &Value) -> Result<u8, String> {
    match rules::text(value)?.as_bytes() {
        [byte @ (b'\t' | b' '..=b'~')] => Ok(*byte),
        _ => Err("write one ASCII character, such as \";\"".to_owned()),
    }
}

fn one_of(value: &Value, bytes: &[u8]) -> Result<u8, String> {
    byte(value).ok().filter(|byte| bytes.contains(byte)).ok_or_else(|| {
        let quoted: Vec<_> =
            bytes.iter().map(|byte| format!("\"{}\"", char::from(*byte))).collect();
        format!("write {}", quoted.join(" or "))
    })
}

fn or_none(
    value: &Value,
    read: impl FnOnce(&Value) -> Result<u8, String>,
) -> Result<Option<u8>, String> {
    match value.as_str() {
        Some("none") => Ok(None),
        _ => read(value).map(Some).map_err(|problem| format!("{problem}, or \"none\"")),
    }
}

fn header(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(header) => Ok(*header),
        _ => rules::word(value, &[("first_row", true), ("none", false)]),
    }
}

fn columns(value: &Value) -> Result<Vec<String>, String> {
    const FORM: &str = "write names, such as [\"time\", \"user\"], each of them once";
    let names: Option<Vec<String>> = match value {
        Value::String(text) => Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
        Value::Array(names) => {
            names.iter().map(|name| name.as_str().map(ToOwned::to_owned)).collect()
        }
        _ => None,
    };
    let mut seen = std::collections::HashSet::new();
    names
        .filter(|names| (1..=10_000).contains(&names.len()))
        .filter(|names| names.iter().all(|name| !name.is_empty() && seen.insert(name.clone())))
        .ok_or_else(|| FORM.to_owned())
}

/// The encodings that a program may name.
fn encoding(value: &Value) -> Result<&'static Encoding, String> {
    let label = rules::text(value)?;
    Encoding::for_label(label.as_bytes())
        .filter(|encoding| *encoding == encoding_rs::UTF_8 || encoding.is_single_byte())
        .ok_or_else(|| {
            "write \"utf-8\", \"windows-1252\", \"iso-8859-15\" or another encoding of single bytes"
                .to_owned()
        })
}
