//! Which paths a sample has, how often, and what stands there.
//!
//! Facts are counted while records go by: a path costs a fixed number of bytes however large the sample is, and there
//! are at most [`PATHS_MAX`] of them. What is beyond is counted and not described.

mod show;

use std::collections::HashMap;

use weir_engine::input::Input;
use weir_engine::read;
use weir_engine::time_format::{TimeFormat, Zone};
use weir_engine::types::NumberFormat;

use super::init::{Object, choose_objects, number_format};
use super::json::Json;
use super::sample::{for_each_block, value};
use super::write;

pub use show::{ReadAs, ndjson, table};
pub(crate) use show::{columns, percent, time_text};

/// Paths that are described.
const PATHS_MAX: usize = 2_000;
/// Steps of a path.
const STEPS_MAX: usize = 16;
/// A member with a longer name is not described.
const KEY_BYTES_MAX: usize = 200;
/// Distinct texts that are told apart for each path.
const DISTINCT_MAX: usize = 100;
/// Longer texts are shown shortened, and not told apart.
const TEXT_CHARS_MAX: usize = 100;
/// Elements of an array that are looked at.
const ELEMENTS_MAX: usize = 100;

/// A step of a path in a sample.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A member.
    Key(String),
    /// All elements.
    Elements,
}

/// How often a path held which kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Texts that are not empty.
    pub texts: u64,
    /// Whole numbers.
    pub integers: u64,
    /// Other numbers.
    pub decimals: u64,
    /// `true` and `false`.
    pub booleans: u64,
    /// Objects.
    pub objects: u64,
    /// Arrays.
    pub arrays: u64,
}

/// What a scalar can be read as besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A number of seconds since 1970, from 2000 to 2100.
    UnixSeconds,
    /// The same in milliseconds.
    UnixMillis,
    /// The same in microseconds.
    UnixMicros,
    /// The same in nanoseconds.
    UnixNanos,
    /// RFC 3339 with an offset.
    Rfc3339,
    /// A date and time in one of [`TIME_FORMATS`].
    Time(u8),
    /// An IP address.
    Ip,
    /// An e-mail address.
    Email,
    /// A number in text.
    Number,
}

/// Forms of dates and times, as `timestamp(...)` takes them. Where the first two numbers may be day or month, both stand
/// here, and the one that reads all values counts.
pub const TIME_FORMATS: [&str; 17] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y/%m/%d %H:%M:%S%.f",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d %b %Y %H:%M:%S",
    "%b %d %Y %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y%m%dT%H%M%S",
    "%Y-%m-%d",
    "%d.%m.%Y",
];

/// What is known about a path.
#[derive(Debug, Clone)]
pub struct PathFacts {
    /// The steps from the record.
    pub steps: Vec<Step>,
    /// Records in which it is there and not `null`; an empty text counts.
    pub present: u64,
    /// `null`s.
    pub null: u64,
    /// Empty texts.
    pub empty: u64,
    /// What it held.
    pub kinds: Kinds,
    /// What its scalars can be read as.
    pub forms: Vec<(Form, u64)>,
    /// Distinct short scalars and how often they came, in the order in which they came first.
    pub values: Vec<(String, u64)>,
    /// There are more distinct scalars than `values` has, or long ones.
    pub more_values: bool,
    /// The least and the greatest number, as they are written.
    pub numbers: Option<(String, String)>,
    /// The earliest and the latest time, if it can be read as one: UTC nanoseconds.
    pub times: Option<(i64, i64)>,
    /// The last record it was seen in: it is counted once for each.
    last_record: u64,
    /// The first to be seen, for numbers.
    range: Option<(f64, f64)>,
}

/// The paths of a sample.
pub struct Paths {
    /// In the order in which they were first seen, a path behind the one that it goes on from.
    pub list: Vec<PathFacts>,
    /// Records looked at.
    pub records: u64,
    /// Values that were not described because there are too many paths.
    pub beyond: u64,
    numbers: NumberFormat,
    index: HashMap<(Option<usize>, Step), usize>,
    values_index: HashMap<(usize, String), usize>,
    formats: Vec<Option<TimeFormat>>,
    utc: Option<Zone>,
}

impl Paths {
    /// Nothing seen; numbers in text are written like this.
    pub fn new(numbers: NumberFormat) -> Self {
        Self {
            list: Vec::new(),
            records: 0,
            beyond: 0,
            numbers,
            index: HashMap::new(),
            values_index: HashMap::new(),
            formats: TIME_FORMATS
                .iter()
                .map(|format| TimeFormat::for_reading(format).ok())
                .collect(),
            utc: Zone::find("UTC"),
        }
    }

    /// Looks at a record.
    pub fn add(&mut self, record: &Json) {
        self.records += 1;
        if let Json::Object(members) = record {
            self.members(None, members, 0);
        }
    }

    /// The facts of a path, if it was seen.
    pub fn get(&self, steps: &[Step]) -> Option<&PathFacts> {
        let mut at = None;
        for step in steps {
            at = Some(*self.index.get(&(at, step.clone()))?);
        }
        at.map(|at| &self.list[at])
    }

    fn members(&mut self, parent: Option<usize>, members: &[(String, Json)], depth: usize) {
        for (name, value) in members {
            if name.len() > KEY_BYTES_MAX {
                self.beyond += 1;
                continue;
            }
            self.value(parent, Step::Key(name.clone()), value, depth);
        }
    }

    fn value(&mut self, parent: Option<usize>, step: Step, value: &Json, depth: usize) {
        let Some(at) = self.path(parent, step, depth) else {
            self.beyond += 1;
            return;
        };
        self.count(at, value);
        match value {
            Json::Object(members) => self.members(Some(at), members, depth + 1),
            Json::Array(items) => {
                for item in items.iter().take(ELEMENTS_MAX) {
                    self.value(Some(at), Step::Elements, item, depth + 1);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
        }
    }

    fn path(&mut self, parent: Option<usize>, step: Step, depth: usize) -> Option<usize> {
        let key = (parent, step);
        if let Some(at) = self.index.get(&key) {
            return Some(*at);
        }
        if self.list.len() >= PATHS_MAX || depth >= STEPS_MAX {
            return None;
        }
        let mut steps = parent.map_or_else(Vec::new, |parent| self.list[parent].steps.clone());
        steps.push(key.1.clone());
        self.list.push(PathFacts::new(steps));
        self.index.insert(key, self.list.len() - 1);
        Some(self.list.len() - 1)
    }

    fn count(&mut self, at: usize, value: &Json) {
        let records = self.records;
        let facts = &mut self.list[at];
        if *value == Json::Null {
            facts.null += 1;
            return;
        }
        if facts.last_record != records {
            facts.last_record = records;
            facts.present += 1;
        }
        match value {
            Json::Text(text) if text.is_empty() => {
                facts.empty += 1;
                return;
            }
            Json::Text(_) => facts.kinds.texts += 1,
            Json::Number(text) if read::int(text, NumberFormat::default()).is_some() => {
                facts.kinds.integers += 1;
            }
            Json::Number(_) => facts.kinds.decimals += 1,
            Json::Bool(_) => facts.kinds.booleans += 1,
            Json::Object(_) => facts.kinds.objects += 1,
            Json::Array(_) => facts.kinds.arrays += 1,
            Json::Null => {}
        }
        if let Some(text) = value.scalar() {
            self.scalar(at, text, matches!(value, Json::Text(_)));
        }
    }

    fn scalar(&mut self, at: usize, text: &str, is_text: bool) {
        let shown = shortened(text);
        if let Some(known) = self.values_index.get(&(at, shown.clone())) {
            self.list[at].values[*known].1 += 1;
        } else if self.list[at].values.len() < DISTINCT_MAX {
            self.values_index.insert((at, shown.clone()), self.list[at].values.len());
            self.list[at].more_values |= shown.len() != text.len();
            self.list[at].values.push((shown, 1));
        } else {
            self.list[at].more_values = true;
        }
        self.forms(at, text, is_text);
    }

    fn forms(&mut self, at: usize, text: &str, is_text: bool) {
        if text.len() > TEXT_CHARS_MAX {
            return;
        }
        let format = if is_text { self.numbers } else { NumberFormat::default() };
        let number = read::decimal(text, format);
        let mut time = None;
        let facts = &mut self.list[at];
        if let Some(number) = number {
            let float = number.to_f64();
            facts.see_number(float, text);
            if is_text {
                facts.see_form(Form::Number);
            }
            if let Some((form, ns)) = unix_time(float) {
                facts.see_form(form);
                time = Some(ns);
            }
        } else if is_text {
            time = read::timestamp(text);
            if time.is_some() {
                facts.see_form(Form::Rfc3339);
            } else if text.len() >= 8 && text.bytes().any(|byte| byte.is_ascii_digit()) {
                for (number, format) in (0..).zip(&self.formats) {
                    let zone =
                        |format: &TimeFormat| (!format.has_offset()).then_some(self.utc.as_ref());
                    let read = format
                        .as_ref()
                        .and_then(|format| format.read(text, zone(format).flatten()));
                    if let Some(ns) = read {
                        facts.see_form(Form::Time(number));
                        time = time.or(Some(ns));
                    }
                }
            }
            if read::ip(text).is_some() {
                facts.see_form(Form::Ip);
            } else if is_email(text) {
                facts.see_form(Form::Email);
            }
        }
        if let Some(ns) = time {
            let (first, last) = facts.times.unwrap_or((ns, ns));
            facts.times = Some((first.min(ns), last.max(ns)));
        }
    }
}

impl PathFacts {
    fn new(steps: Vec<Step>) -> Self {
        Self {
            steps,
            present: 0,
            null: 0,
            empty: 0,
            kinds: Kinds::default(),
            forms: Vec::new(),
            values: Vec::new(),
            more_values: false,
            numbers: None,
            times: None,
            last_record: 0,
            range: None,
        }
    }

    fn see_form(&mut self, form: Form) {
        match self.forms.iter_mut().find(|(known, _)| *known == form) {
            Some((_, count)) => *count += 1,
            None => self.forms.push((form, 1)),
        }
    }

    fn see_number(&mut self, number: f64, text: &str) {
        let (low, high) = self.range.unwrap_or((number, number));
        let (low_text, high_text) =
            self.numbers.take().unwrap_or_else(|| (text.to_owned(), text.to_owned()));
        self.range = Some((low.min(number), high.max(number)));
        self.numbers = Some((
            if number < low { text.to_owned() } else { low_text },
            if number > high { text.to_owned() } else { high_text },
        ));
    }

    /// How many of its values can be read so.
    pub fn form(&self, form: Form) -> u64 {
        self.forms.iter().find(|(known, _)| *known == form).map_or(0, |(_, count)| *count)
    }

    /// How many of its values are scalars and not empty.
    pub fn scalars(&self) -> u64 {
        let Kinds { texts, integers, decimals, booleans, .. } = self.kinds;
        texts + integers + decimals + booleans
    }

    /// As a program writes it: `.actor."e-mail"`.
    pub fn text(&self) -> String {
        path_text(&self.steps)
    }

    /// The kinds that occurred, most frequent first: `text`, `integer`, ...
    pub fn types(&self) -> Vec<&'static str> {
        let Kinds { texts, integers, decimals, booleans, objects, arrays } = self.kinds;
        let mut kinds = vec![
            (texts, "text"),
            (integers, "integer"),
            (decimals, "decimal"),
            (booleans, "boolean"),
            (objects, "object"),
            (arrays, "array"),
        ];
        kinds.retain(|(count, _)| *count > 0);
        kinds.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        kinds.into_iter().map(|(_, name)| name).collect()
    }

    /// What all its scalars can be read as, besides what their types say.
    pub fn reader(&self) -> Option<String> {
        let scalars = self.scalars();
        let mut fitting = self.forms.iter().filter(|(_, count)| *count == scalars && scalars > 0);
        fitting.next().map(|(form, _)| form.reader())
    }
}

impl Form {
    /// What a program writes behind the path, and what is no reader in words.
    pub fn reader(self) -> String {
        match self {
            Self::UnixSeconds => "unix_seconds".to_owned(),
            Self::UnixMillis => "unix_ms".to_owned(),
            Self::UnixMicros => "unix_us".to_owned(),
            Self::UnixNanos => "unix_ns".to_owned(),
            Self::Rfc3339 => "timestamp".to_owned(),
            Self::Time(format) => {
                let format = TIME_FORMATS[usize::from(format)];
                let zone = if format.contains("%z") { "" } else { ", \"UTC\"" };
                format!("timestamp({}{zone})", write::text(format))
            }
            Self::Ip => "ip".to_owned(),
            Self::Email => "email".to_owned(),
            Self::Number => "number".to_owned(),
        }
    }

    /// Is it a time?
    pub fn is_time(self) -> bool {
        !matches!(self, Self::Ip | Self::Email | Self::Number)
    }
}

/// A path as a program writes it.
pub fn path_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Key(name) => text.extend([".", &write::key(name)]),
            Step::Elements => text.push_str("[*]"),
        }
    }
    text
}

/// A text as it is shown.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}...", &text[..at]),
    }
}

/// A number that is a time from 2000 to 2100, by its size.
fn unix_time(number: f64) -> Option<(Form, i64)> {
    let units = [
        (Form::UnixSeconds, 1e9),
        (Form::UnixMillis, 1e6),
        (Form::UnixMicros, 1e3),
        (Form::UnixNanos, 1.0),
    ];
    let (form, ns) = units
        .into_iter()
        .map(|(form, factor)| (form, number * factor))
        .find(|(_, ns)| (946_684_800e9..4_102_444_800e9).contains(ns))?;
    // The range is checked above.
    Some((form, ns as i64))
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
    !name.is_empty()
        && name.bytes().all(plain)
        && host.contains('.')
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// The paths of a sample, which is laid out as `input` says, or as it looks.
///
/// # Errors
///
/// In plain words, why it looks like no log.
pub fn infer(objects: &[Object], input: Option<&Input>) -> Result<Paths, String> {
    let guessed;
    let input = match input {
        Some(input) => input,
        None => {
            guessed = choose_objects(objects)?.0;
            &guessed
        }
    };
    let mut paths = Paths::new(number_format(input));
    for object in objects {
        for_each_block(&object.bytes, input, |block| {
            for record in block.records.iter().filter(|record| record.fault.is_none()) {
                if let Some(value) = value(record.bytes(block), block.header.as_deref(), input) {
                    paths.add(&value);
                }
            }
        });
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    fn paths(records: &[&str]) -> Paths {
        let mut paths = Paths::new(NumberFormat::default());
        records.iter().for_each(|record| paths.add(&json::read(record).0));
        paths
    }

    #[test]
    fn paths_are_counted() {
        let paths = paths(&[
            r#"{"a":1,"b":{"c":"x"},"t":1722461446}"#,
            r#"{"a":2.5,"b":null,"t":1722461447,"l":[{"q":1},{"q":"z"}]}"#,
            r#"{"a":"7","b":{"c":""},"u":"2026-01-01 10:00:00"}"#,
        ]);
        let shown: Vec<String> = paths
            .list
            .iter()
            .map(|facts| {
                format!(
                    "{} {} {}/{}/{} {:?}",
                    facts.text(),
                    facts.types().join("+"),
                    facts.present,
                    facts.null,
                    facts.empty,
                    facts.reader()
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ".a text+integer+decimal 3/0/0 None",
                ".b object 2/1/0 None",
                ".b.c text 2/0/1 None",
                ".t integer 2/0/0 Some(\"unix_seconds\")",
                ".l array 1/0/0 None",
                ".l[*] object 1/0/0 None",
                ".l[*].q text+integer 1/0/0 None",
                ".u text 1/0/0 Some(\"timestamp(\\\"%Y-%m-%d %H:%M:%S%.f\\\", \\\"UTC\\\")\")",
            ]
        );
        let numbers = paths.get(&[Step::Key("a".into())]).unwrap().numbers.clone();
        assert_eq!(numbers, Some(("1".into(), "7".into())));
        assert!(
            table(&paths, None).contains("1722461446")
                || table(&paths, None).contains("2024-07-31T21:30:46Z")
        );
        assert_eq!(ndjson(&paths, None).lines().count(), 8);
    }

    #[test]
    fn every_time_format_is_one() {
        let paths = Paths::new(NumberFormat::default());
        assert!(paths.formats.iter().all(Option::is_some));
    }

    #[test]
    fn a_hostile_sample_is_bounded() {
        let mut paths = Paths::new(NumberFormat::default());
        for number in 0..5_000 {
            let key = format!("k{number}");
            let deep = "{\"d\":".repeat(60) + "1" + &"}".repeat(60);
            paths.add(&json::read(&format!("{{\"{key}\":{deep},\"{}\":1}}", "x".repeat(300))).0);
        }
        assert_eq!(paths.list.len(), PATHS_MAX);
        assert!(paths.list.iter().all(|facts| facts.steps.len() <= STEPS_MAX));
        assert!(paths.beyond > 5_000);
        for number in 0..1_000 {
            paths.add(&json::read(&format!("{{\"k0\":\"{}{number}\"}}", "é".repeat(200))).0);
        }
        assert!(paths.list[0].values.len() <= DISTINCT_MAX);
    }
}
