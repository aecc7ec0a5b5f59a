//! Programs that read records in every way that there is, for records that are random or hostile.
//!
//! They share one vocabulary ([`NAMES`]), with names that are hard to tell apart: of equal ends, one within the other,
//! long ones, short ones, such that need a closer look.

/// The names that the programs for JSON look for in a record, and some that look like them.
pub const NAMES: [&str; 30] = [
    "id",
    "at",
    "ms",
    "kind",
    "n",
    "d",
    "f",
    "ok",
    "ip",
    "v",
    "actor",
    "factor",
    "xactor",
    "tor",
    "aac",
    // Of the same signature as the one before.
    "abb",
    "name",
    "deep",
    "a",
    "b",
    "c",
    "",
    "two words",
    "ключ",
    "steps",
    "call",
    "list",
    "text",
    "a_name_that_is_longer_than_the_bytes_that_are_compared_at_once",
    "b_name_that_is_longer_than_the_bytes_that_are_compared_at_once",
];

const HEAD: &str =
    "weir 1\nparser \"readers\" version 1\nocsf \"1.8.0\"\nproduct \"Readers\" by \"Weir\"\n";

/// Reads values of every type, in objects only.
const FLAT: &str = r#"
drop when .kind == "noise"

event {
  id     = .id
  time   = .at |> timestamp  on missing meta.received_at  on invalid meta.received_at
  actor  = .actor.name  on missing "nobody"  on invalid "bad"
  action = match .kind { "a" => "A"  "b" | "c*" => "B or C"  else => "else" }  on missing "none"  on invalid "bad"
  target = (.tor ?? .factor)  on missing "nothing"  on invalid "bad"
  cost_usd     = .d |> decimal
  tokens_input = .n |> int
}

emit api_activity {
  activity_id = match .kind { "a" => "Create"  "b" => "Read"  else => "Other" }  on missing "Other"  on invalid "Other"
  actor.user.name = .actor.name  on missing "somebody"  on invalid "bad"
  src_endpoint.ip = .ip |> ip
  message         = "{.kind}/{.factor}"
  duration        = (.ms |> int) - 1
  unmapped.v      = .v
  unmapped.f      = .f |> float
  unmapped.ok     = .ok |> bool
  unmapped.at     = .ms |> unix_ms
  unmapped.aac    = .aac  on missing "none"  on invalid "bad"
  unmapped.abb    = .abb |> upper
  unmapped.empty  = .""
  unmapped.deep   = .deep.a.b.c
  unmapped.words  = .deep."two words"  on missing "none"  on invalid "bad"
  unmapped.key    = ."ключ"
  unmapped.long   = .a_name_that_is_longer_than_the_bytes_that_are_compared_at_once
}
"#;

/// Reads elements of lists, loops, and records in texts.
const LISTS: &str = r#"
let inner = .text |> json

event {
  id     = .id
  time   = meta.received_at
  actor  = .actor.name  on missing "nobody"  on invalid "bad"
  action = .list[0]  on missing "none"  on invalid "bad"
  target = .list[last].name  on missing "nothing"  on invalid "bad"
}

emit api_activity {
  activity_id     = "Other"
  actor.user.name = "somebody"
  unmapped.second = .list[1]
  unmapped.nested = .list[0][1].a
  unmapped.names  = .steps[*].name |> join(",")
  unmapped.count  = count(.steps[*])
  unmapped.inner  = inner.a
}

each .steps[*] as step max 40 {
  drop when step.kind == "noise"
  emit api_activity {
    event { id = "{.id}:{index}"  target = step.name on missing "nothing" on invalid "bad" }
    activity_id     = "Read"
    actor.user.name = "somebody"
    unmapped.call   = step.call.a
    unmapped.n      = step.n |> int
  }
}
"#;

/// Reads the document around the records too.
const WRAPPED: &str = r#"
event {
  id     = .id
  time   = meta.received_at
  actor  = $.actor.name  on missing "nobody"  on invalid "bad"
  action = .kind  on missing "none"  on invalid "bad"
  target = .deep.a  on missing "nothing"  on invalid "bad"
}

emit api_activity {
  activity_id     = "Other"
  actor.user.name = "somebody"
  unmapped.v      = .v
  unmapped.around = $.v
  unmapped.last   = .list[last]
}
"#;

fn program(input: &str, rest: &str, body: &str) -> String {
    format!("{HEAD}input {input}\n{rest}\n{body}")
}

/// Programs for JSON, with what to call them. Limits are low, so that small records reach them.
pub fn json() -> Vec<(&'static str, String)> {
    const SKIP: &str = "on error { required reject  optional skip }\nraw keep";
    const REJECT: &str = "on error { required reject  optional reject }\nraw keep";
    const REDACT: &str = "on error { required reject  optional skip }\nraw redact [.actor.name, .deep, .list[*].name]";
    const DROP: &str = "on error { required reject  optional skip }\nraw drop";
    vec![
        ("flat", program("ndjson { }", SKIP, FLAT)),
        ("strict", program("ndjson { duplicate_keys reject  max_depth 8 }", REJECT, FLAT)),
        ("lenient", program("ndjson { utf8 replace  empty text }", DROP, FLAT)),
        ("redacted", program("ndjson { max_record 1KiB }", REDACT, FLAT)),
        ("lists", program("ndjson { max_depth 12 }", SKIP, LISTS)),
        ("strict lists", program("ndjson { duplicate_keys reject }", REDACT, LISTS)),
        ("documents", program("json { max_depth 12 }", SKIP, FLAT)),
        ("wrapped", program("json { records $.data[*]  max_record 1KiB }", REDACT, WRAPPED)),
        ("two levels", program("json { records $.data[*].list[*]  utf8 replace }", SKIP, WRAPPED)),
    ]
}

/// [`csv`] has so many programs.
pub const CSV_CHOICES: u16 = 1 << 11;

/// A program for CSV, with settings that follow from a number; the columns are `id`, `who`, `n`, `a b` and `t`.
pub fn csv(choice: u16) -> String {
    let pick = |shift: u32, texts: &[&'static str]| {
        texts[usize::from(choice >> shift) % texts.len().min(4)]
    };
    let input = format!(
        "csv {{ {} {} {} {} {} {} {} max_record 1KiB }}",
        pick(0, &["", "delimiter \";\"", "delimiter \"\\t\"", "delimiter \"|\""]),
        pick(2, &["", "quote \"'\""]),
        pick(3, &["", "header none columns \"id, who, n, a b, t\""]),
        pick(4, &["", "trim yes"]),
        pick(5, &["", "comment \"#\""]),
        pick(6, &["", "empty text"]),
        pick(7, &["", "encoding \"windows-1252\"", "utf8 replace", "decimal \",\" grouping \".\""]),
    );
    let rest = match (choice >> 9) % 4 {
        0 => "on error { required reject  optional skip }\nraw redact [.who, .\"a b\"]",
        1 => "on error { required reject  optional reject }\nraw keep",
        _ => "on error { required reject  optional skip }\nraw keep",
    };
    program(
        &input,
        rest,
        r#"
drop when .who == "noise"

event {
  id     = .id
  time   = .t |> timestamp  on missing meta.received_at  on invalid meta.received_at
  actor  = .who  on missing "nobody"
  action = match .who { "a" => "A"  "b*" => "B"  else => "else" }  on missing "none"
  target = ."a b"  on missing "nothing"
  cost_usd = .n |> decimal
}

emit api_activity {
  activity_id     = "Other"
  actor.user.name = .who on missing "somebody"
  unmapped.n      = .n |> int
  unmapped.text   = .n
  unmapped.upper  = ."a b" |> upper
}
"#,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Subject;

    #[test]
    fn the_programs_compile() {
        for (name, text) in json() {
            Subject::new(name, &text);
        }
        for choice in 0..CSV_CHOICES {
            Subject::new("csv", &csv(choice));
        }
    }
}
