//! W0702: a sample that cannot be read as the input.
//!
//! A sample goes the way of a real object, so it is framed as one: what the framer refuses here would be refused there. A
//! test whose sample is broken on purpose says so by `rejected`. JSON is looked at more closely than an object in use is:
//! a sample was typed by hand, and what nobody reads is passed over at run time.

use weir_engine::code::Code;
use weir_engine::frame::csv;
use weir_engine::input::{Format, Input};
use weir_engine::sound;

use super::Checker;
use super::given_json::{Fault, faults};
use crate::ast::{self, Expectation, Item};
use crate::diagnostic::{Diagnostic, Fix, Severity};
use crate::source::Span;
use crate::testing::{sample_bytes, sample_input, sample_lines};
use crate::tools::sample::for_each_block;

const ON_PURPOSE: &str = "mend the sample, or write `expect rejected` if it is broken on purpose";

/// Why a sample is refused.
struct Refusal {
    code: Code,
    message: String,
    /// The byte of the sample that shows it.
    offset: usize,
    /// The line of the sample on which the record starts, from 1.
    line: usize,
}

impl<'a> Checker<'a> {
    /// Looks at the sample of every test.
    pub(super) fn check_samples(&mut self, file: &'a ast::File) {
        for item in &file.items {
            let Item::Test(test) = item else { continue };
            let on_purpose = |one: &Expectation| matches!(one, Expectation::Rejected(..));
            if test.expect.iter().any(on_purpose) {
                continue;
            }
            let found = match self.head.input.format {
                Format::Csv(_) => self.rows(test),
                Format::Json(_) | Format::Ndjson => self.json(test, file),
            };
            if let Some(report) = found {
                self.report(report);
            }
        }
    }

    fn json(&self, test: &ast::Test, file: &ast::File) -> Option<Diagnostic> {
        let given = &test.given;
        let refused = refusal(given.node.as_bytes(), &sample_input(&self.head.input));
        let slips = faults(&given.node);
        let inner = self.inside_quotes(given);
        if let Some(first) = slips.first() {
            let place = inner.map_or(given.span, |from| spanned(from, &first.at));
            let mut report = Diagnostic::error(
                "W0702",
                place,
                "the sample of this test is no JSON",
                &*first.message,
            );
            if refused.is_none() {
                report.severity = Severity::Warning;
            }
            report.fix = inner.and_then(|from| mend(&slips, from));
            return Some(match (&report.fix, first.help()) {
                (Some(_), Some(help)) if slips.len() == 1 => report.help(help),
                (Some(_), Some(help)) => {
                    let more = slips.len() - 1;
                    report.help(format!("{help}; the fix mends {more} more such places, too"))
                }
                _ => report.help("copy a record from the log, as it is, between the quotes"),
            });
        }
        let refused = refused?;
        let place = match inner {
            Some(from) => self.character(from, refused.offset, given.span),
            None => given.span,
        };
        let report = |message: &str, label: &str| Diagnostic::error("W0702", place, message, label);
        let mut settings = file.input.iter().flat_map(|input| &input.settings);
        let path = settings.find(|(name, _)| name.node == "records");
        let is_wrapped =
            matches!(&self.head.input.format, Format::Json(records) if !records.path.is_empty());
        Some(match path.filter(|_| is_wrapped && refused.code == Code::NoRecords) {
            Some((_, setting)) => {
                let path = self.source.slice(setting.span);
                report(
                    "the sample of this test has no records where the input looks for them",
                    "this document has none",
                )
                .label(setting.span, "records are looked for here")
                .help(format!("a sample is a whole document, with its records in `{path}`"))
            }
            None => report(
                "a record of this sample would be rejected, whatever the program says",
                &refused.message,
            )
            .help(match self.head.input.format {
                Format::Ndjson if given.node.trim_start().starts_with('[') => {
                    "a record of `ndjson` is an object; `input json { }` reads an array of records"
                }
                _ => ON_PURPOSE,
            }),
        })
    }

    fn rows(&self, test: &ast::Test) -> Option<Diagnostic> {
        let given = &test.given;
        let report = |place, label: String| {
            Diagnostic::error(
                "W0702",
                place,
                "the sample of this test cannot be read as the input",
                label,
            )
        };
        let bytes = match sample_bytes(&given.node, &self.head.input) {
            Ok(bytes) => bytes,
            Err(reason) => {
                return Some(
                    report(given.span, reason)
                        .help("write it with characters that the encoding of the input has"),
                );
            }
        };
        let refused = refusal(&bytes, &sample_input(&self.head.input))?;
        let place = self.inside_quotes(given).and_then(|from| {
            let (start, line) = sample_lines(&given.node).nth(refused.line.checked_sub(1)?)?;
            let indent = line.len() - line.trim_start().len();
            let start = from + (start + indent) as u32;
            Some(Span::new(start, start + line.trim().len() as u32))
        });
        Some(report(place.unwrap_or(given.span), refused.message).help(ON_PURPOSE))
    }

    /// Where the text of a sample begins; none if it is not written as it is.
    fn inside_quotes(&self, given: &ast::Text) -> Option<u32> {
        let at = self.source.slice(given.span).find(given.node.as_str())?;
        Some(given.span.start + at as u32)
    }

    /// The character of a sample that shows what is wrong.
    fn character(&self, from: u32, offset: usize, given: Span) -> Span {
        let start = from as usize + offset;
        let shown = self.source.text.get(start..).and_then(|rest| rest.chars().next());
        match shown {
            Some(c) if start < given.end as usize => {
                Span::new(start as u32, (start + c.len_utf8()) as u32)
            }
            _ => given,
        }
    }
}

fn spanned(from: u32, range: &std::ops::Range<usize>) -> Span {
    Span::new(from + range.start as u32, from + range.end as u32)
}

/// All edits as one; none if what was meant is not clear everywhere.
fn mend(slips: &[Fault], from: u32) -> Option<Fix> {
    let edits = slips.iter().map(|slip| {
        let (range, text) = slip.edit.as_ref()?;
        Some((spanned(from, range), text.clone()))
    });
    Some(Fix { title: "write it as JSON".to_owned(), edits: edits.collect::<Option<_>>()? })
}

/// The first record of a sample that is refused whatever a program says.
fn refusal(bytes: &[u8], input: &Input) -> Option<Refusal> {
    let mut first = None;
    for_each_block(bytes, input, |block| {
        for record in &block.records {
            if first.is_some() {
                return;
            }
            let text = record.bytes(block);
            let found = match (&record.fault, &input.format) {
                (Some(fault), _) => Some((fault.code, fault.message.to_owned(), fault.at as usize)),
                (None, Format::Csv(settings)) => {
                    let mut cells = Vec::new();
                    csv::split(text, settings, &mut cells);
                    let names = block.header.as_deref().or(settings.columns.as_ref());
                    let known = names.map_or(usize::MAX, Vec::len);
                    let (count, wide) = (cells.len(), cells.len() > known);
                    wide.then(|| {
                        (
                            Code::TooManyCells,
                            format!("this row has {count} cells, the header {known}"),
                            0,
                        )
                    })
                }
                (None, _) => sound::check(text, input.depth_max)
                    .err()
                    .map(|fault| (Code::Unsound, fault.message.to_owned(), fault.at)),
            };
            first = found.map(|(code, message, at)| Refusal {
                code,
                message,
                offset: record.offset as usize + at,
                line: record.line as usize,
            });
        }
    });
    first
}
