//! What is stored as the raw record.

use std::ops::Range;

use weir_dsl::hir::Raw;
use weir_engine::input::{Csv, Format, Input};
use weir_engine::plan::RedactStep;

use super::csv;
use super::json::{self, Tree};

/// The bytes that are stored with a record's events; nothing with `raw drop`.
pub(super) fn stored(
    raw: &Raw,
    input: &Input,
    header: &[String],
    record: &[u8],
) -> Option<Vec<u8>> {
    match raw {
        Raw::Keep => Some(record.to_vec()),
        Raw::Drop | Raw::Hash => None,
        Raw::Redact(paths) => Some(match &input.format {
            Format::Csv(settings) => redact_row(paths, settings, header, record),
            Format::Ndjson | Format::Json(_) => redact_json(paths, record),
        }),
    }
}

fn redact_row(paths: &[Vec<RedactStep>], settings: &Csv, header: &[String], row: &[u8]) -> Vec<u8> {
    let is_redacted = |index: usize| {
        let name = header.get(index);
        paths.iter().any(|path| matches!(&path[..], [RedactStep::Member(m)] if Some(m) == name))
    };
    let cells = csv::cell_ranges(settings, row);
    let shown = cells
        .into_iter()
        .enumerate()
        .map(|(index, cell)| if is_redacted(index) { &b"[redacted]"[..] } else { &row[cell] });
    shown.collect::<Vec<_>>().join(&settings.delimiter)
}

fn redact_json(paths: &[Vec<RedactStep>], record: &[u8]) -> Vec<u8> {
    let tree = json::tree(record, 0..record.len());
    let mut spans = Vec::new();
    for path in paths {
        find(&tree, path, &mut spans);
    }
    // Outer ones first, so that those within them are passed over.
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut out = Vec::new();
    let mut done = 0;
    for span in spans {
        if span.start >= done {
            out.extend_from_slice(&record[done..span.start]);
            out.extend_from_slice(b"\"[redacted]\"");
            done = span.end;
        }
    }
    out.extend_from_slice(&record[done..]);
    out
}

fn find(tree: &Tree, path: &[RedactStep], spans: &mut Vec<Range<usize>>) {
    let Some((step, rest)) = path.split_first() else {
        spans.push(tree.span.clone());
        return;
    };
    let elements = tree.elements().unwrap_or_default();
    let next: Vec<&Tree> = match step {
        RedactStep::Member(name) => tree.members(name).collect(),
        RedactStep::Element(index) => elements.get(*index as usize).into_iter().collect(),
        RedactStep::Last => elements.last().into_iter().collect(),
        RedactStep::Elements => elements.iter().collect(),
    };
    next.into_iter().for_each(|tree| find(tree, rest, spans));
}
