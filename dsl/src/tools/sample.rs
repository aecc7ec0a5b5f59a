//! A sample of a log: how its bytes are laid out, and its records.
//!
//! The layout is guessed from the first bytes. The records are then framed as they are in a run, so that a tool sees
//! what a program would see.

use std::sync::Arc;

use bytes::Bytes;
use weir_engine::block::RecordBlock;
use weir_engine::frame::csv;
use weir_engine::framer::Framer;
use weir_engine::input::{Csv, Format, Input, Records, RecordsStep};
use weir_engine::sound;

use super::json::{self, Json};
use super::write;

/// So much of a sample is looked at to guess its layout.
const LAYOUT_BYTES_MAX: usize = 256 << 10;
/// So many rows are looked at to guess the layout of CSV.
const LAYOUT_ROWS_MAX: usize = 200;
/// A line of NDJSON that is longer is not told apart from a document.
const LINES_MAX: usize = 20;

/// Records of a sample, whatever the format: of CSV, objects of texts.
pub struct Sample {
    /// How the bytes are laid out.
    pub input: Input,
    /// What is sound.
    pub records: Vec<Json>,
    /// How many were read but not kept.
    pub further: u64,
    /// Records that are refused whatever a program says.
    pub unsound: u64,
    /// What is not in the records: the members of the first document around them, and whether each stands behind them.
    pub wrapper: Vec<(Vec<String>, bool)>,
}

/// Reads one object of a sample in a known layout; `keep` is the most records that are kept.
pub fn records(bytes: &[u8], input: &Input, keep: usize) -> Sample {
    let mut sample = Sample {
        input: input.clone(),
        records: Vec::new(),
        further: 0,
        unsound: 0,
        wrapper: wrapper(bytes, input),
    };
    for_each_block(bytes, input, |block| {
        for record in &block.records {
            let value = (record.fault.is_none())
                .then(|| value(record.bytes(block), block.header.as_deref(), input))
                .flatten();
            match value {
                None => sample.unsound += 1,
                Some(_) if sample.records.len() >= keep => sample.further += 1,
                Some(value) => sample.records.push(value),
            }
        }
    });
    sample
}

/// Frames an object as it is framed in a run.
pub fn for_each_block(bytes: &[u8], input: &Input, mut see: impl FnMut(&RecordBlock)) {
    let mut framer = Framer::new(input);
    framer.push(Bytes::copy_from_slice(bytes));
    while let Some(block) = framer.next_block() {
        see(&block);
    }
    framer.finish();
    while let Some(block) = framer.next_block() {
        see(&block);
    }
}

/// One record; none if it is not sound.
pub fn value(bytes: &[u8], header: Option<&Vec<String>>, input: &Input) -> Option<Json> {
    let Format::Csv(settings) = &input.format else {
        let text = String::from_utf8_lossy(bytes);
        if !input.utf8_replace || std::str::from_utf8(bytes).is_ok() {
            sound::check(bytes, input.depth_max).ok()?;
        }
        return Some(json::read(&text).0);
    };
    let (row, damaged) = settings.encoding.decode_without_bom_handling(bytes);
    if damaged && !input.utf8_replace {
        return None;
    }
    let mut cells = Vec::new();
    csv::split(row.as_bytes(), settings, &mut cells);
    let names = header.or(settings.columns.as_ref())?;
    if cells.len() > names.len() {
        return None;
    }
    let members = names.iter().zip(&cells).map(|(name, cell)| {
        let text = csv::text(row.as_bytes(), *cell, settings);
        let text = String::from_utf8_lossy(&text);
        let text = if settings.trim { text.trim() } else { &text };
        (name.clone(), Json::Text(text.to_owned()))
    });
    Some(Json::Object(members.collect()))
}

/// Guesses the layout of a sample.
///
/// # Errors
///
/// In plain words, why it looks like no log.
pub fn layout(bytes: &[u8]) -> Result<Input, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = &bytes[..bytes.len().min(LAYOUT_BYTES_MAX)];
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.contains(&0) {
        return Err("the sample is binary or UTF-16; weir reads text in UTF-8, and CSV in encodings of single bytes".to_owned());
    }
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err("the sample is empty".to_owned()),
        Some(b'{') => Ok(objects(head, head.len() < bytes.len())),
        Some(b'[') => Ok(Input::new(Format::Json(Records::default()))),
        Some(b'<') => Err("the sample looks like XML, which weir does not read".to_owned()),
        Some(_) => separated(head, head.len() < bytes.len()),
    }
}

/// NDJSON, or documents.
fn objects(head: &[u8], cut: bool) -> Input {
    let text = String::from_utf8_lossy(head);
    let (document, end, whole) = json::read(&text);
    let path = records_path(&document);
    // What looks like a wrapper is one only if there are records in it.
    if !path.is_empty() {
        let input = Input::new(Format::Json(Records { path, ..Records::default() }));
        if !records(head, &input, 1).records.is_empty() {
            return input;
        }
    }
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if cut && lines.len() > 1 {
        lines.pop();
    }
    let sound = |line: &&str| sound::check(line.as_bytes(), 64).is_ok();
    let count = lines.len().min(LINES_MAX);
    let good = lines[..count].iter().filter(|line| sound(line)).count();
    // A broken line among many is a bad record; a document over many lines has hardly a sound one.
    if good * 2 > count || !whole && end == text.len() && lines.len() == 1 {
        return Input::new(Format::Ndjson);
    }
    Input::new(Format::Json(Records::default()))
}

/// Names of arrays that hold the records of a document.
const RECORD_LISTS: [&str; 22] = [
    "data",
    "records",
    "items",
    "events",
    "logs",
    "entries",
    "results",
    "value",
    "values",
    "rows",
    "hits",
    "activities",
    "auditlogs",
    "auditevents",
    "logevents",
    "elements",
    "objects",
    "content",
    "list",
    "messages",
    "changes",
    "alerts",
];

/// Where the records of a document are, if it wraps an array of them; else empty.
fn records_path(document: &Json) -> Vec<RecordsStep> {
    let Json::Object(members) = document else { return Vec::new() };
    if let Some(name) = record_list(members) {
        return vec![RecordsStep::Member(name.to_owned()), RecordsStep::Elements];
    }
    // `{"response": {"items": [...]}}`
    for (name, value) in members {
        if let Json::Object(inner) = value
            && members.len() <= 4
            && let Some(list) = record_list(inner)
            && RECORD_LISTS.contains(&plain(list).as_str())
        {
            let steps = [name.as_str(), list].map(|name| RecordsStep::Member(name.to_owned()));
            return steps.into_iter().chain([RecordsStep::Elements]).collect();
        }
    }
    Vec::new()
}

/// The member that is a list of records, if the others do not look like a record of their own.
fn record_list(members: &[(String, Json)]) -> Option<&str> {
    let is_list = |value: &Json| match value {
        Json::Array(items) => {
            items.iter().take(3).all(|item| matches!(item, Json::Object(_))) && !items.is_empty()
        }
        _ => false,
    };
    let looks_like_time = |(name, value): &(String, Json)| {
        let name = plain(name);
        value.scalar().is_some()
            && (name.ends_with("time")
                || name.ends_with("timestamp")
                || name.ends_with("at")
                || name == "id"
                || name == "type")
    };
    if members.iter().any(looks_like_time) {
        return None;
    }
    let mut lists = members.iter().filter(|(_, value)| is_list(value));
    let known = lists.clone().find(|(name, _)| RECORD_LISTS.contains(&plain(name).as_str()));
    let only = lists.next().filter(|_| lists.next().is_none() && members.len() <= 2);
    known.or(only).map(|(name, _)| name.as_str())
}

/// A name in small letters without separators.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The members around the records of the first document: their ways, and whether they stand behind the records.
pub(crate) fn wrapper(bytes: &[u8], input: &Input) -> Vec<(Vec<String>, bool)> {
    let Format::Json(Records { path, .. }) = &input.format else { return Vec::new() };
    if path.is_empty() {
        return Vec::new();
    }
    let bytes = &bytes[..bytes.len().min(16 << 20)];
    let text = String::from_utf8_lossy(bytes);
    let (document, _, _) = json::read(text.trim_start_matches('\u{feff}'));
    let mut found = Vec::new();
    let mut behind = false;
    around(&document, path, &mut Vec::new(), &mut behind, &mut found);
    found
}

fn around(
    value: &Json,
    path: &[RecordsStep],
    way: &mut Vec<String>,
    behind: &mut bool,
    found: &mut Vec<(Vec<String>, bool)>,
) {
    let Json::Object(members) = value else { return };
    let mut seen = false;
    for (name, value) in members {
        way.push(name.clone());
        match path {
            [RecordsStep::Member(next), rest @ ..] if next == name && !seen => {
                seen = true;
                match rest {
                    [RecordsStep::Elements, ..] => *behind = true,
                    rest => around(value, rest, way, behind, found),
                }
            }
            _ => members_below(value, way, *behind, found),
        }
        way.pop();
    }
}

fn members_below(
    value: &Json,
    way: &mut Vec<String>,
    behind: bool,
    found: &mut Vec<(Vec<String>, bool)>,
) {
    if found.len() >= 100 {
        return;
    }
    found.push((way.clone(), behind));
    if let Json::Object(members) = value {
        for (name, value) in members {
            way.push(name.clone());
            members_below(value, way, behind, found);
            way.pop();
        }
    }
}

/// CSV: which delimiter, whether there is a header, how numbers are written.
fn separated(head: &[u8], cut: bool) -> Result<Input, String> {
    let encoding = match std::str::from_utf8(head) {
        Ok(_) => encoding_rs::UTF_8,
        Err(error) if cut && error.error_len().is_none() => encoding_rs::UTF_8,
        Err(_) => encoding_rs::WINDOWS_1252,
    };
    let (text, _) = encoding.decode_without_bom_handling(head);
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if cut {
        lines.pop();
    }
    lines.truncate(LAYOUT_ROWS_MAX);
    let fit = |delimiter: &u8| delimiter_fit(&lines, *delimiter);
    let delimiter = [b';', b'\t', b',', b'|'].into_iter().rev().max_by_key(fit);
    let Some(delimiter) = delimiter.filter(|delimiter| fit(delimiter) > 0) else {
        return Err("the sample is neither JSON nor separated values (, ; | or tab)".to_owned());
    };
    let mut settings = Csv { delimiter, encoding, ..Csv::default() };
    let rows: Vec<Vec<String>> = lines.iter().map(|line| cells(line, &settings)).collect();
    settings.trim = rows.iter().flatten().any(|cell| cell.trim() != cell);
    let (header, body) = rows.split_first().ok_or("the sample is empty")?;
    if !is_header(header) {
        let columns = (1..=header.len()).map(|number| format!("column_{number}"));
        settings.columns = Some(columns.collect());
    }
    if delimiter != b',' {
        (settings.decimal, settings.grouping) = number_signs(body);
    }
    Ok(Input::new(Format::Csv(settings)))
}

fn cells(line: &str, settings: &Csv) -> Vec<String> {
    let mut cells = Vec::new();
    csv::split(line.as_bytes(), settings, &mut cells);
    let text = |cell: &csv::Cell| {
        String::from_utf8_lossy(&csv::text(line.as_bytes(), *cell, settings)).into_owned()
    };
    cells.iter().map(text).collect()
}

/// How many rows have as many cells as the first, if that has more than one.
fn delimiter_fit(lines: &[&str], delimiter: u8) -> usize {
    let settings = Csv { delimiter, ..Csv::default() };
    let mut split = Vec::new();
    let mut count = |line: &&str| {
        csv::split(line.as_bytes(), &settings, &mut split);
        split.len()
    };
    let Some(first) = lines.first().map(&mut count).filter(|first| *first > 1) else { return 0 };
    lines.iter().map(count).filter(|cells| *cells == first).count() * 64 + first.min(63)
}

/// Names are there, differ, and are no numbers.
fn is_header(cells: &[String]) -> bool {
    let name = |cell: &String| {
        let cell = cell.trim();
        !cell.is_empty()
            && cell.len() <= 100
            && !cell.bytes().all(|byte| byte.is_ascii_digit() || b".,:-+ ".contains(&byte))
            && weir_engine::read::timestamp(cell).is_none()
            && !cell.contains('@')
    };
    let distinct: std::collections::BTreeSet<&str> = cells.iter().map(|cell| cell.trim()).collect();
    cells.iter().all(name) && distinct.len() == cells.len()
}

/// The decimal sign and the sign between groups, by what occurs.
fn number_signs(rows: &[Vec<String>]) -> (u8, Option<u8>) {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mut comma, mut point, mut grouped) = (0, 0, false);
    for cell in rows.iter().flatten() {
        let cell = cell.trim().trim_start_matches('-');
        let (whole, fraction) = match cell.split_once(',') {
            Some((whole, fraction)) if digits(fraction) => (whole, true),
            Some(_) => continue,
            None => (cell, false),
        };
        let groups: Vec<&str> = whole.split('.').collect();
        let is_grouped = groups.len() > 1
            && groups.iter().all(|group| digits(group))
            && groups[1..].iter().all(|group| group.len() == 3)
            && (1..=3).contains(&groups[0].len());
        match groups.as_slice() {
            [whole] if fraction && digits(whole) => comma += 1,
            _ if is_grouped && (fraction || groups.len() > 2) => {
                comma += 1;
                grouped = true;
            }
            [whole, part] if !fraction && digits(whole) && digits(part) && part.len() != 3 => {
                point += 1
            }
            _ => {}
        }
    }
    if comma > point { (b',', grouped.then_some(b'.')) } else { (b'.', None) }
}

/// The `input` block of a program that reads this layout.
pub fn input_block(input: &Input) -> String {
    let mut settings: Vec<String> = Vec::new();
    let quoted = |byte: u8| write::text(&char::from(byte).to_string());
    let format = match &input.format {
        Format::Ndjson => "ndjson",
        Format::Json(records) => {
            settings.push(format!("records {}", records_text(&records.path)));
            "json"
        }
        Format::Csv(csv) => {
            if csv.delimiter != b',' {
                settings.push(format!("delimiter {}", quoted(csv.delimiter)));
            }
            if let Some(columns) = &csv.columns {
                settings.push("header none".to_owned());
                settings.push(format!("columns {}", write::text(&columns.join(", "))));
            }
            if csv.decimal != b'.' {
                settings.push(format!("decimal {}", quoted(csv.decimal)));
            }
            if let Some(grouping) = csv.grouping {
                settings.push(format!("grouping {}", quoted(grouping)));
            }
            if csv.encoding != encoding_rs::UTF_8 {
                let name = csv.encoding.name().to_ascii_lowercase();
                settings.push(format!("encoding {}", write::text(&name)));
            }
            if csv.trim {
                settings.push("trim yes".to_owned());
            }
            "csv"
        }
    };
    let lines: String = settings.iter().map(|line| format!("  {line}\n")).collect();
    if lines.is_empty() {
        format!("input {format} {{ }}")
    } else {
        format!("input {format} {{\n{lines}}}")
    }
}

/// `$.data[*]`
pub fn records_text(path: &[RecordsStep]) -> String {
    let step = |step: &RecordsStep| match step {
        RecordsStep::Member(name) => format!(".{}", write::key(name)),
        RecordsStep::Elements => "[*]".to_owned(),
    };
    format!("${}", path.iter().map(step).collect::<String>())
}

/// The header that rows are read with, of a sample of CSV.
pub fn header(bytes: &[u8], input: &Input) -> Option<Arc<Vec<String>>> {
    let mut header = None;
    for_each_block(&bytes[..bytes.len().min(LAYOUT_BYTES_MAX)], input, |block| {
        header = header.take().or_else(|| block.header.clone());
    });
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], block: &str, records: usize) {
        let input = layout(bytes).unwrap();
        let shown = input_block(&input);
        assert_eq!(shown.split_whitespace().collect::<Vec<_>>().join(" "), block);
        assert_eq!(super::records(bytes, &input, 100).records.len(), records);
    }

    #[test]
    fn json_in_all_its_forms() {
        check(b"{\"a\":1}\n{\"a\":2}\n", "input ndjson { }", 2);
        check(b"\xef\xbb\xbf{\"a\":1}", "input ndjson { }", 1);
        check(b"{\"a\":1}\n{\"a\":\n{\"a\":2}\n", "input ndjson { }", 2);
        check(b"{\n \"a\": 1,\n \"b\": 2\n}\n", "input json { records $ }", 1);
        check(b"[{\"a\":1},{\"a\":2}]", "input json { records $ }", 2);
        check(
            b"{\"object\":\"list\",\"data\":[{\"id\":1},{\"id\":2}]}",
            "input json { records $.data[*] }",
            2,
        );
        check(
            b"{\"Records\":[{\"id\":1}]}\n{\"Records\":[{\"id\":2}]}",
            "input json { records $.Records[*] }",
            2,
        );
        check(
            b"{\"response\":{\"log entries\":1,\"items\":[{\"a\":1}]}}",
            "input json { records $.response.items[*] }",
            1,
        );
    }

    #[test]
    fn a_record_with_a_list_is_no_wrapper() {
        check(b"{\"id\":\"r\",\"data\":[{\"x\":1},{\"x\":2}]}", "input ndjson { }", 1);
        check(b"{\"at\":\"x\",\"steps\":[{\"x\":1}],\"b\":1,\"c\":2}", "input ndjson { }", 1);
    }

    #[test]
    fn separated_values() {
        check(b"a,b\n1,x\n2,y\n", "input csv { }", 2);
        check(
            b"Zeit;Kosten;Gr\xf6\xdfe\n1;1.234,50;x\n2;0,5;\n",
            "input csv { delimiter \";\" decimal \",\" grouping \".\" encoding \"windows-1252\" }",
            2,
        );
        check(
            b"2026-01-01T00:00:00Z\tjo@x.org\t5\n2026-01-01T00:00:00Z\tmo@x.org\t6\n",
            "input csv { delimiter \"\\t\" header none columns \"column_1, column_2, column_3\" }",
            2,
        );
        check(b"a | b\n1 | 2\n", "input csv { delimiter \"|\" trim yes }", 1);
    }

    #[test]
    fn what_is_no_log_is_refused() {
        for bytes in [&b""[..], b" \n", b"\xff\xfea\0", b"<x/>", b"hello", b"\0\0"] {
            assert!(layout(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn members_behind_the_records_are_told() {
        let bytes = br#"{"org":{"id":1},"data":[{"a":1}],"has_more":false}"#;
        let input = layout(bytes).unwrap();
        let found: Vec<_> = records(bytes, &input, 9)
            .wrapper
            .into_iter()
            .map(|(way, behind)| (way.join("."), behind))
            .collect();
        assert_eq!(
            found,
            [
                ("org".to_owned(), false),
                ("org.id".to_owned(), false),
                ("has_more".to_owned(), true)
            ]
        );
    }
}
