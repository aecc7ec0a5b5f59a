//! The paths of a sample for people, and as JSON for other programs.

use std::fmt::Write as _;

use weir_engine::read;

use super::{PathFacts, Paths, Step};
use crate::tools::json::Json;

/// What a program reads a path as, for people; empty if it does not.
pub type ReadAs<'r> = &'r dyn Fn(&[Step]) -> String;

/// The paths as a table for people. `reads` are further columns: what a program reads a path as.
pub fn table(paths: &Paths, reads: Option<ReadAs<'_>>) -> String {
    let mut rows = vec![vec![
        "PATH".to_owned(),
        "TYPES".into(),
        "PRESENT".into(),
        "NULL".into(),
        "EMPTY".into(),
    ]];
    if reads.is_some() {
        rows[0].push("PROGRAM READS".into());
    }
    rows[0].push("VALUES".into());
    for facts in &paths.list {
        let mut types = facts.types().join(", ");
        if let Some(reader) = facts.reader() {
            let _ = write!(types, " ({reader})");
        }
        let mut row = vec![
            write_one_line(&facts.text()),
            types,
            percent(facts.present, paths.records),
            facts.null.to_string(),
            facts.empty.to_string(),
        ];
        if let Some(reads) = reads {
            row.push(reads(&facts.steps));
        }
        row.push(values_text(facts));
        rows.push(row);
    }
    let mut text = columns(&rows);
    let _ = writeln!(text, "{} records, {} paths", paths.records, paths.list.len());
    if paths.beyond > 0 {
        let _ = writeln!(text, "{} values are at further paths, which are not shown", paths.beyond);
    }
    text
}

fn write_one_line(text: &str) -> String {
    text.chars().map(|c| if crate::tools::json::is_plain(c) { c } else { '\u{fffd}' }).collect()
}

/// What is worth seeing of a path's values: all if they are few, a range, or examples.
fn values_text(facts: &PathFacts) -> String {
    if let Some((first, last)) =
        facts.times.filter(|_| facts.reader().is_some_and(|reader| reader != "number"))
    {
        let (first, last) = (time_text(first), time_text(last));
        return if first == last { first } else { format!("{first} .. {last}") };
    }
    if let Some((low, high)) = &facts.numbers
        && facts.kinds.texts == 0
    {
        return if low == high { low.clone() } else { format!("{low} .. {high}") };
    }
    let few = !facts.more_values && facts.values.len() <= 8;
    let shown = if few { facts.values.len() } else { 3 };
    let mut text = facts
        .values
        .iter()
        .take(shown)
        .map(|(value, _)| Json::Text(value.clone()).to_string())
        .collect::<Vec<_>>()
        .join(" ");
    if !few {
        let more = if facts.more_values { "more than " } else { "" };
        let _ = write!(text, " ... ({more}{} distinct)", facts.values.len());
    }
    text
}

pub(crate) fn time_text(ns: i64) -> String {
    let mut out = Vec::new();
    read::write_timestamp(ns, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// `97 %`; what is not all or nothing is neither 100 nor 0.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let rounded = (part * 200 + whole).checked_div(whole * 2).unwrap_or(0);
    let rounded = if part == whole { 100 } else { rounded.min(99) };
    let rounded = if part > 0 { rounded.max(1) } else { 0 };
    format!("{rounded} %")
}

/// Rows under each other.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .min(60)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// One line of JSON for each path. `reads` is what a program reads a path as, if there is one.
pub fn ndjson(paths: &Paths, reads: Option<ReadAs<'_>>) -> String {
    let mut out = String::new();
    let count = |count: u64| Json::Number(count.to_string());
    for facts in &paths.list {
        let mut members = vec![
            ("path", Json::Text(facts.text())),
            (
                "types",
                Json::Array(
                    facts.types().into_iter().map(|kind| Json::Text(kind.to_owned())).collect(),
                ),
            ),
            ("reader", facts.reader().map_or(Json::Null, Json::Text)),
            ("records", count(paths.records)),
            ("present", count(facts.present)),
            ("null", count(facts.null)),
            ("empty", count(facts.empty)),
        ];
        if let Some(reads) = reads {
            let reads = reads(&facts.steps);
            members.push((
                "program_reads",
                if reads.is_empty() { Json::Null } else { Json::Text(reads) },
            ));
        }
        if let Some((low, high)) = &facts.numbers {
            members.push(("min", Json::Text(low.clone())));
            members.push(("max", Json::Text(high.clone())));
        }
        if let Some((first, last)) = facts.times {
            members.push(("first", Json::Text(time_text(first))));
            members.push(("last", Json::Text(time_text(last))));
        }
        let few = !facts.more_values && facts.values.len() <= 50;
        let shown = if few { facts.values.len() } else { 5 };
        let values = facts.values.iter().take(shown);
        members.push((
            if few { "values" } else { "examples" },
            Json::Object(values.map(|(value, times)| (value.clone(), count(*times))).collect()),
        ));
        let object = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let _ = writeln!(out, "{}", Json::Object(object));
    }
    out
}
