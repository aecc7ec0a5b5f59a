//! Mappings of ten columns by JSONPath: the line form, and the JSON object.
//!
//! Both name the columns of the normalized event and say where each stands in a record. A program says more, so what
//! those forms left open is decided here and told in comments: how a time is read, and what becomes of a record that
//! lacks something.

use std::fmt::Write as _;

use super::Migrated;
use crate::format::format;
use crate::tools::infer::{Step, path_text};
use crate::tools::json::{self, Json};
use crate::tools::write;
use crate::{Source, compile, has_errors, ocsf};

/// Longest mapping that is read.
const BYTES_MAX: usize = 1 << 20;
/// Most columns with `event.extra`.
const COLUMNS_MAX: usize = 400;

/// The columns of a mapping by their names in both forms, and in a program.
const COLUMNS: [(&str, &str); 8] = [
    ("source_event_id", "id"),
    ("event_timestamp", "time"),
    ("actor", "actor"),
    ("action", "action"),
    ("target", "target"),
    ("cost_usd", "cost_usd"),
    ("tokens_input", "tokens_input"),
    ("tokens_output", "tokens_output"),
];

/// A column: its name in the program (`extra.team`), its path, and the line it stands on.
struct Column {
    name: String,
    path: String,
    line: u32,
    /// Comments that stood above it.
    comments: Vec<String>,
}

/// The program that means the same as a mapping. `name` becomes the parser's.
///
/// # Errors
///
/// In plain words with lines, why it is no such mapping.
pub fn legacy(text: &str, name: &str, ocsf_version: &str) -> Result<Migrated, String> {
    if text.len() > BYTES_MAX {
        return Err("the mapping is larger than 1 MiB".to_owned());
    }
    if ocsf::schema(ocsf_version).is_none() {
        return Err(format!("OCSF {ocsf_version} is not among {}", ocsf::VERSIONS.join(", ")));
    }
    let text = text.trim_start_matches('\u{feff}');
    let columns = if text.trim_start().starts_with('{') { of_json(text)? } else { of_lines(text)? };
    if columns.len() > COLUMNS_MAX {
        return Err(format!("the mapping has more than {COLUMNS_MAX} columns"));
    }
    let mut notes = Vec::new();
    let program = program(&columns, name, ocsf_version, &mut notes)?;
    let source = Source::new(name, program);
    let text = format(&source).unwrap_or(source.text);
    let compiled = compile(&Source::new(name, text.clone()));
    if has_errors(&compiled.diagnostics) {
        let said: Vec<String> =
            compiled.diagnostics.iter().map(|report| report.message.clone()).collect();
        return Err(format!("the program that it gives does not compile: {}", said.join("; ")));
    }
    Ok(Migrated { text, notes })
}

/// `field=$.path`, one a line; `#` comments and blank lines.
fn of_lines(text: &str) -> Result<Vec<Column>, String> {
    let mut columns: Vec<Column> = Vec::new();
    let mut comments = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            comments.push(write::comment(comment.trim()));
        } else if !line.is_empty() {
            let Some((field, path)) = line.split_once('=') else {
                return Err(format!(
                    "line {number}: `{}` is not of the form field=$.path",
                    write::comment(line)
                ));
            };
            add(&mut columns, field.trim(), path.trim(), number, std::mem::take(&mut comments))?;
        }
    }
    Ok(columns)
}

/// `{"source_event_id": "$.id", ..., "extra": {"team": "$.team"}}`, perhaps as the member `eventMapping`.
fn of_json(text: &str) -> Result<Vec<Column>, String> {
    let (value, end, whole) = json::read(text);
    if !whole || !text[end..].trim().is_empty() {
        return Err("the mapping is not one JSON object".to_owned());
    }
    let mapping =
        ["eventMapping", "event_mapping"].iter().find_map(|name| value.get(name)).unwrap_or(&value);
    let Json::Object(members) = mapping else {
        return Err("`eventMapping` is not an object".to_owned());
    };
    let mut columns = Vec::new();
    for (name, value) in members {
        match value {
            Json::Text(path) => add(&mut columns, name, path, 0, Vec::new())?,
            Json::Null => {}
            Json::Object(extra) if name == "extra" => {
                for (name, path) in extra {
                    let Json::Text(path) = path else {
                        return Err(format!(
                            "`extra.{}` is not a path such as \"$.team\"",
                            write::comment(name)
                        ));
                    };
                    add(&mut columns, &format!("extra.{name}"), path, 0, Vec::new())?;
                }
            }
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                return Err(format!(
                    "`{}` is not a path such as \"$.actor.email\"",
                    write::comment(name)
                ));
            }
        }
    }
    Ok(columns)
}

fn add(
    columns: &mut Vec<Column>,
    field: &str,
    path: &str,
    line: u32,
    comments: Vec<String>,
) -> Result<(), String> {
    let place = if line > 0 { format!("line {line}: ") } else { String::new() };
    let known =
        COLUMNS.iter().find(|(legacy, _)| *legacy == field).map(|(_, name)| (*name).to_owned());
    let extra = || {
        field
            .strip_prefix("extra.")
            .filter(|name| !name.is_empty())
            .map(|name| format!("extra.{}", write::key(name)))
    };
    let Some(name) = known.or_else(extra) else {
        let names: Vec<&str> = COLUMNS.iter().map(|(legacy, _)| *legacy).collect();
        return Err(format!(
            "{place}there is no field `{}`; there are {} and extra.NAME",
            write::comment(field),
            names.join(", ")
        ));
    };
    if columns.iter().any(|column| column.name == name) {
        return Err(format!("{place}`{}` is set twice", write::comment(field)));
    }
    columns.push(Column { name, path: path.to_owned(), line, comments });
    Ok(())
}

fn program(
    columns: &[Column],
    name: &str,
    version: &str,
    notes: &mut Vec<(u32, String)>,
) -> Result<String, String> {
    let quoted = write::text(name);
    let mut out = format!(
        "weir 1\nparser {quoted} version 1\nocsf \"{version}\"\nproduct {quoted} by {quoted}    # write the product and its vendor\n\n\
         # The older form did not say how the input is laid out: `json` reads documents and arrays, `csv` rows.\ninput ndjson {{ }}\n\n\
         on error {{ required reject  optional skip }}\n\nevent {{\n"
    );
    notes.push((0, "the input is taken for NDJSON".to_owned()));
    for (legacy, of) in COLUMNS {
        match columns.iter().find(|column| column.name == of) {
            Some(column) => self::column(column, &mut out, notes)?,
            None => absent(legacy, of, &quoted, &mut out, notes),
        }
    }
    for column in columns.iter().filter(|column| column.name.starts_with("extra.")) {
        self::column(column, &mut out, notes)?;
    }
    out.push_str("}\n\n# The older form had no classes.\nemit api_activity {\n  activity_id = \"Other\"\n}\n");
    Ok(out)
}

fn column(column: &Column, out: &mut String, notes: &mut Vec<(u32, String)>) -> Result<(), String> {
    let Column { name, path, line, comments } = column;
    let place = if *line > 0 { format!("line {line}: ") } else { String::new() };
    let (path, differs) =
        json_path(path).map_err(|why| format!("{place}`{}`: {why}", write::comment(path)))?;
    for comment in comments {
        let _ = writeln!(out, "  # {comment}");
    }
    if let Some(differs) = differs {
        let _ = writeln!(out, "  # {differs}");
        notes.push((*line, format!("{name}: {differs}")));
    }
    if name == "time" {
        // Milliseconds are no time of this century in seconds, and the other way round.
        let _ = writeln!(
            out,
            "  # Text is read as RFC 3339, a number as seconds since 1970; write `|> unix_ms` if it counts milliseconds.\n  \
             time = {path} |> timestamp  on invalid {path} |> unix_seconds"
        );
        notes.push((
            *line,
            "time: text is read as RFC 3339, a number as seconds since 1970".to_owned(),
        ));
    } else {
        let _ = writeln!(out, "  {name} = {path}");
    }
    Ok(())
}

/// A column that the mapping does not have, and every event needs.
fn absent(
    legacy: &str,
    name: &str,
    product: &str,
    out: &mut String,
    notes: &mut Vec<(u32, String)>,
) {
    let value = match name {
        "id" => "raw_id()",
        "time" => "meta.received_at",
        "actor" | "action" => "\"unknown\"",
        "target" => product,
        _ => return,
    };
    let _ = writeln!(
        out,
        "  # The mapping has no `{legacy}`, and every event needs one.\n  {name} = {value}"
    );
    notes.push((0, format!("`{legacy}` is not in the mapping: {name} = {value}")));
}

/// A JSONPath as a path of the language; says too if it means something else.
fn json_path(text: &str) -> Result<(String, Option<String>), String> {
    let mut rest = text.strip_prefix('$').ok_or("a path starts with `$`")?;
    let mut steps = String::new();
    let mut first_of = false;
    while !rest.is_empty() {
        if rest.starts_with("..") {
            return Err("`..` looks everywhere, and a program names each path".to_owned());
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            if name.is_empty() {
                return Err("a name is missing behind a dot".to_owned());
            }
            if name == "*" {
                return Err(
                    "`.*` stands for every member, and a program names each path".to_owned()
                );
            }
            steps += &path_text(&[Step::Key(name.to_owned())]);
            rest = &after[end..];
            continue;
        }
        let inner = rest.strip_prefix('[').ok_or("a `.` or `[` is expected here")?;
        if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let (name, after) = quoted_name(&inner[1..], quote).ok_or("a quote is not closed")?;
            steps += &path_text(&[Step::Key(name)]);
            rest = after.strip_prefix(']').ok_or("`]` is missing")?;
            continue;
        }
        let (index, after) = inner.split_once(']').ok_or("`]` is missing")?;
        match index.trim() {
            "*" => {
                first_of = true;
                steps += "[0]";
            }
            "-1" => steps += "[last]",
            digits
                if !digits.is_empty()
                    && digits.len() < 7
                    && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                let _ = write!(steps, "[{digits}]");
            }
            other => {
                return Err(format!(
                    "`[{}]` is not a name, a number or `*`",
                    write::comment(other)
                ));
            }
        }
        rest = after;
    }
    if !steps.starts_with('.') {
        return Err("a path leads to a member of the record".to_owned());
    }
    let differs = first_of
        .then(|| "`[*]` is read as the first element; `each` makes an event of each.".to_owned());
    Ok((steps, differs))
}

/// A name up to its closing quote, and what follows.
fn quoted_name(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            c if c == quote => return Some((name, &text[at + 1..])),
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: &str = "
# who and when
source_event_id=$.id
event_timestamp = $.created_at
actor=$.actor['e-mail']
action=$.type
target=$.items[*].id
cost_usd=$.usage.cost
tokens_input=$.usage.in
tokens_output=$.usage.out
extra.team=$.team[\"x y\"][-1]
";

    const OBJECT: &str = r#"{"eventMapping":{"source_event_id":"$.id","event_timestamp":"$.created_at","actor":"$.actor['e-mail']",
        "action":"$.type","target":"$.items[*].id","cost_usd":"$.usage.cost","tokens_input":"$.usage.in",
        "tokens_output":"$.usage.out","extra":{"team":"$.team[\"x y\"][-1]"}}}"#;

    fn squeezed(text: &str) -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_forms_give_the_same_program() {
        let made = legacy(LINES, "acme", "1.8.0").unwrap();
        let squeezed_text = squeezed(&made.text);
        for part in [
            "id = .id",
            "time = .created_at |> timestamp on invalid .created_at |> unix_seconds",
            "actor = .actor.\"e-mail\"",
            "target = .items[0].id",
            "cost_usd = .usage.cost",
            "extra.team = .team.\"x y\"[last]",
        ] {
            assert!(squeezed_text.contains(part), "{part}\n{}", made.text);
        }
        assert!(made.text.contains("# who and when") && made.text.contains("first element"));
        assert_eq!(squeezed(&legacy(OBJECT, "acme", "1.8.0").unwrap().text), squeezed_text);
        for version in ocsf::VERSIONS {
            legacy(LINES, "acme", version).unwrap();
        }
    }

    #[test]
    fn what_every_event_needs_is_put_in() {
        let made = legacy("actor=$.user", "acme", "1.8.0").unwrap();
        for part in ["raw_id()", "meta.received_at", "\"unknown\""] {
            assert!(made.text.contains(part), "{part}\n{}", made.text);
        }
        assert_eq!(made.notes.len(), 5);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, said) in [
            ("actor", "line 1: `actor` is not of the form"),
            ("\nactr=$.x", "line 2: there is no field `actr`"),
            ("actor=$.x\nactor=$.y", "line 2: `actor` is set twice"),
            ("actor=x", "a path starts with `$`"),
            ("actor=$..x", "looks everywhere"),
            ("actor=$.a[?(@.x)]", "is not a name, a number"),
            ("actor=$", "leads to a member"),
            ("actor=$['a", "a quote is not closed"),
            ("extra.=$.a", "there is no field"),
            ("{\"actor\":1}", "`actor` is not a path"),
            ("{\"actor\":", "not one JSON object"),
            ("{\"eventMapping\":[]}", "is not an object"),
        ] {
            let why = legacy(text, "acme", "1.8.0").unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
        assert!(legacy("", "acme", "7").is_err());
    }

    proptest! {
        #[test]
        fn any_text_ends(text in ".{0,200}") {
            let _ = legacy(&text, "acme", "1.8.0");
        }

        #[test]
        fn any_names_give_a_program_that_compiles(names in prop::collection::vec("[^'\\\\]{1,10}", 1..5), extra in "\\PC{1,10}") {
            let path: String = names.iter().map(|name| format!("['{name}']")).collect();
            let mapping = Json::Object(vec![
                ("actor".to_owned(), Json::Text(format!("${path}"))),
                ("extra".to_owned(), Json::Object(vec![(extra, Json::Text("$.x".to_owned()))])),
            ]);
            legacy(&mapping.to_string(), "acme", "1.8.0").unwrap();
        }
    }
}
