//! What a configuration says about the bytes, beside what the program says about them.

use serde_json::Value;
use weir_engine::input::{Compression, Format, Input, RecordsStep};
use weir_engine::plan::Plan;

use super::fields::{FieldError, Fields};
use super::{RecordFormat, S3Polling, rules};

/// The longest way to the records that makes sense.
const STEPS_MAX: usize = 64;

/// `$`, or members and `[*]`, as a program writes it: `$.data[*]`, `$["odd name"].rows[*]`.
pub(super) fn records_path(value: &Value) -> Result<Vec<RecordsStep>, String> {
    const FORM: &str = "write $, or a path that ends in [*], such as $.data[*]";
    let text = rules::text(value)?;
    let mut rest = text.trim().strip_prefix('$').ok_or(FORM)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, behind) = step(rest).ok_or(FORM)?;
        steps.push(step);
        rest = behind;
        if steps.len() > STEPS_MAX {
            return Err(format!("it has more than {STEPS_MAX} steps"));
        }
    }
    if steps.last().is_some_and(|last| *last != RecordsStep::Elements) {
        return Err(FORM.to_owned());
    }
    Ok(steps)
}

fn step(text: &str) -> Option<(RecordsStep, &str)> {
    if let Some(rest) = text.strip_prefix("[*]") {
        return Some((RecordsStep::Elements, rest));
    }
    if let Some(rest) = text.strip_prefix('.') {
        let is_name = |c: char| c == '_' || c.is_alphanumeric();
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        return (!name.is_empty()).then(|| (RecordsStep::Member(name.to_owned()), rest));
    }
    let rest = text.strip_prefix('[')?;
    // One JSON text, which may hold any character.
    let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let name = texts.next()?.ok()?;
    let rest = rest.get(texts.byte_offset()..)?.strip_prefix(']')?;
    Some((RecordsStep::Member(name), rest))
}

/// The settings of a format go with that format.
pub(super) fn check_layout(
    fields: &mut Fields<'_>,
    parser: Option<RecordFormat>,
    has_records_path: bool,
    has_csv: bool,
) {
    let given = [
        ("records_path", has_records_path, RecordFormat::JsonArray),
        ("csv", has_csv, RecordFormat::Csv),
    ];
    let Some(parser) = parser else {
        if has_records_path && has_csv {
            let problem = "is for JSON documents, and `csv` for rows: leave one out";
            fields.wrong("records_path", problem.to_owned());
        }
        return;
    };
    for (name, is_given, of) in given {
        if is_given && of != parser {
            let problem =
                format!("belongs to \"{}\", and `parser` is \"{}\"", of.name(), parser.name());
            fields.wrong(name, problem);
        }
    }
}

impl S3Polling {
    /// Whether it says the same about the bytes as the program that reads them: the program decides how
    /// records are laid out, and a configuration may repeat it.
    ///
    /// # Errors
    ///
    /// Every field that says something else.
    pub fn check_against(&self, plan: &Plan) -> Result<(), Vec<FieldError>> {
        let errors = self.contradictions(&plan.input);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    pub(super) fn contradictions(&self, input: &Input) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, own: &str, program: String| {
            errors.push(FieldError {
                field: format!("pull_config.{field}"),
                message: format!(
                    "{own}, but the program of the parser says `{program}`: leave it out here, or \
                     change the program"
                ),
            });
        };
        let (format, word) = match &input.format {
            Format::Ndjson => (RecordFormat::Ndjson, "ndjson"),
            Format::Json(_) => (RecordFormat::JsonArray, "json"),
            Format::Csv(_) => (RecordFormat::Csv, "csv"),
        };
        if let Some(own) = self.parser.filter(|own| *own != format) {
            wrong("parser", &format!("is \"{}\"", own.name()), format!("input {word}"));
        }
        match (&self.records_path, &input.format) {
            (Some(own), Format::Json(records)) if *own != records.path => {
                let (own, program) = (path_text(own), path_text(&records.path));
                wrong("records_path", &format!("is {own}"), format!("records {program}"));
            }
            (None, _) | (_, Format::Json(_)) => {}
            (Some(_), _) => {
                wrong("records_path", "is for JSON documents", format!("input {word}"));
            }
        }
        match (&self.csv, &input.format) {
            (Some(own), Format::Csv(csv)) => {
                for (name, program) in own.contradictions(csv) {
                    wrong(&format!("csv.{name}"), "is something else", program);
                }
            }
            (None, _) => {}
            (Some(_), _) => wrong("csv", "is for separated values", format!("input {word}")),
        }
        if let Some(own) = self.record_bytes_max.filter(|own| *own != input.record_bytes_max) {
            let program = format!("max_record {}B", input.record_bytes_max);
            wrong("max_record_bytes", &format!("is {own}"), program);
        }
        // What the program leaves open may be said here.
        let said = |compression: &Compression| *compression != Compression::Auto;
        let own = self.compression.filter(said).filter(|own| *own != input.compression);
        if let Some(own) = own.filter(|_| said(&input.compression)) {
            let program = format!("compression {}", compression_name(input.compression));
            wrong("compression", &format!("is \"{}\"", compression_name(own)), program);
        }
        errors
    }
}

fn compression_name(compression: Compression) -> &'static str {
    match compression {
        Compression::Auto => "auto",
        Compression::None => "none",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    }
}

/// A path as it is written.
fn path_text(steps: &[RecordsStep]) -> String {
    let mut text = "$".to_owned();
    for step in steps {
        match step {
            RecordsStep::Elements => text.push_str("[*]"),
            RecordsStep::Member(name) => {
                let plain = name.chars().all(|c| c == '_' || c.is_alphanumeric());
                if plain && !name.is_empty() {
                    text.push('.');
                    text.push_str(name);
                } else {
                    text.push_str(&format!("[{}]", Value::from(name.as_str())));
                }
            }
        }
    }
    text
}
