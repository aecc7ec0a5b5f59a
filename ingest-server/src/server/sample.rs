//! A dead letter's record in a text of its own, from which the parser reads the same record: to be tried out.
//!
//! A row of separated values means nothing without the names of its columns, and a record of a document may need what
//! stood around it. So the row gets its header, and the record a document with nothing in it but the record, where the
//! parser looks for it, behind the members that the parser takes from there.

use std::collections::BTreeMap;

use weir_engine::input::{Csv, Format, RecordsStep};

use crate::pipeline::gather::Context;

/// What `raw` is in an object of this format. `is_first` says that it stood at its object's very beginning.
pub(super) fn sample(format: &Format, context: &Context, raw: &str, is_first: bool) -> String {
    let mut text = match format {
        Format::Csv(csv) => match (&csv.columns, &context.header) {
            (None, Some(header)) => format!("{}\n{raw}", header_row(csv, header)),
            _ => raw.to_owned(),
        },
        // A whole document in which no records were found.
        Format::Json(_) if is_first => raw.to_owned(),
        Format::Json(records) => {
            let known = records.wrapper.iter().filter_map(|path| {
                Some((path.as_slice(), context.wrapper.get(&path.join("."))?.as_str()))
            });
            document(&known.collect::<Vec<_>>(), Some(&records.path), raw)
        }
        Format::Ndjson => raw.to_owned(),
    };
    text.push('\n');
    text
}

fn header_row(csv: &Csv, header: &[String]) -> String {
    let quote = char::from(csv.quote);
    let cells = header.iter().map(|name| {
        let special = [Some(csv.delimiter), Some(csv.quote), csv.comment];
        let is_plain = name.chars().all(|c| {
            let is_special = special.iter().flatten().any(|&special| c == char::from(special));
            !is_special && (c.is_alphanumeric() || "_-. ".contains(c))
        });
        if is_plain && name.trim() == name {
            return name.clone();
        }
        format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
    });
    cells.collect::<Vec<_>>().join(&char::from(csv.delimiter).to_string())
}

/// A value with `members` at their ways, and the record at the end of `path`, behind them.
fn document(members: &[(&[String], &str)], path: Option<&[RecordsStep]>, record: &str) -> String {
    match (members, path) {
        (_, Some([])) => return record.to_owned(),
        (_, Some([RecordsStep::Elements, rest @ ..])) => {
            return format!("[{}]", document(&[], Some(rest), record));
        }
        _ => {}
    }
    // All of a member holds its parts, which may be wanted, too.
    if let (Some((_, text)), None) = (members.iter().find(|(way, _)| way.is_empty()), path) {
        return (*text).to_owned();
    }
    let mut below = BTreeMap::<&str, Vec<(&[String], &str)>>::new();
    for (way, text) in members {
        if let Some((name, rest)) = way.split_first() {
            below.entry(name).or_default().push((rest, text));
        }
    }
    let mut parts = Vec::new();
    let on_the_way = match path {
        Some([RecordsStep::Member(name), rest @ ..]) => Some((name.as_str(), rest)),
        _ => None,
    };
    let last = on_the_way.map(|(name, rest)| (name, below.remove(name).unwrap_or_default(), rest));
    for (name, members) in below {
        parts.push(member(name, &document(&members, None, record)));
    }
    if let Some((name, members, rest)) = last {
        parts.push(member(name, &document(&members, Some(rest), record)));
    }
    format!("{{{}}}", parts.join(","))
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{value}", serde_json::Value::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use weir_dsl::compile;
    use weir_dsl::source::Source;
    use weir_engine::block::RecordBlock;
    use weir_engine::framer::Framer;
    use weir_engine::input::Input;

    fn input(input: &str, target: &str) -> Input {
        let program = format!(
            "weir 1\nparser \"p\" version 1\nocsf \"1.8.0\"\nproduct \"P\" by \"P\"\ninput {input}\n\
             on error {{ required reject  optional skip }}\n\
             event {{ id = .id  time = .at |> unix_seconds  actor = .who  action = \"a\"\n\
             target = {target} on missing \"t\" }}\n\
             emit api_activity {{ activity_id = \"Create\"  src_endpoint.name = \"n\" }}\n"
        );
        let compiled = compile(&Source::new("p", program.as_str()));
        let plan = compiled.plan.unwrap_or_else(|| panic!("{program}{:?}", compiled.diagnostics));
        plan.input.clone()
    }

    fn blocks(input: &Input, text: &str) -> Vec<RecordBlock> {
        let mut framer = Framer::new(input);
        framer.push(Bytes::copy_from_slice(text.as_bytes()));
        framer.finish();
        std::iter::from_fn(|| framer.next_block()).collect()
    }

    type Found = (String, Option<Vec<String>>, Vec<Option<String>>);

    /// Each record with what stands around it, and its offset.
    fn records(input: &Input, text: &str) -> Vec<(Found, u64)> {
        let shown = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let found = blocks(input, text).into_iter().flat_map(|block| {
            let around = block.wrapper.iter().map(|text| text.as_deref().map(shown));
            let around: Vec<_> = around.collect();
            let header = block.header.as_deref().cloned();
            let each = block.records.iter().map(|record| {
                ((shown(record.bytes(&block)), header.clone(), around.clone()), record.offset)
            });
            each.collect::<Vec<_>>()
        });
        found.collect()
    }

    #[track_caller]
    fn comes_back(input: &Input, text: &str, count: usize) {
        let all = records(input, text);
        assert_eq!(all.len(), count, "{all:?}");
        for (found, offset) in all {
            let (raw, header, around) = &found;
            let wrapper = match &input.format {
                Format::Json(records) => {
                    let named = records.wrapper.iter().zip(around);
                    named.filter_map(|(path, text)| Some((path.join("."), text.clone()?))).collect()
                }
                _ => BTreeMap::new(),
            };
            let context = Context { header: header.clone(), wrapper, ..Context::default() };
            let alone = sample(&input.format, &context, raw, offset == 0);
            let again: Vec<_> =
                records(input, &alone).into_iter().map(|(found, _)| found).collect();
            assert_eq!(again, std::slice::from_ref(&found), "{alone}");
        }
    }

    #[test]
    fn a_record_alone_is_read_as_it_was() {
        comes_back(&input("ndjson { }", ".t"), "{\"id\":1}\n{\"id\":2}\n", 2);
        comes_back(&input("csv { }", ".t"), "id,\"a \"\"b\"\", c\",t\n1,2,3\n4,\"5\n6\",7\n", 2);
        comes_back(&input("csv { header none  columns \"id, t\" }", ".t"), "1,2\n3,4\n", 2);
        comes_back(&input("csv { delimiter \"\\t\" }", ".t"), "id\tt\n1\t2\n", 1);
        comes_back(&input("json { }", ".t"), "{\"id\":1}{\"id\":2}", 2);
        comes_back(&input("json { }", ".t"), "[{\"id\":1},{\"id\":2}]", 2);
        let deep = "{\"org\":{\"name\":\"o\",\"id\":[7]},\"a\":{\"n\":1,\"x\\\"y\":[{\"b\":[{\"id\":1},{\"id\":2}]},\
                    {\"b\":[{\"id\":3}]}]}}";
        let program = "json { records $.a.\"x\\\"y\"[*].b[*] }";
        comes_back(&input(program, "$.org.name ?? $.a.n"), deep, 3);
        comes_back(&input("json { records $.data[*] }", "$.org"), "{\"data\":[{\"id\":1}]}", 1);
    }
}
