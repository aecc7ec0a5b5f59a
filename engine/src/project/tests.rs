//! The projection against a slow and obvious reader, over all kinds of texts.

use std::ops::Range;

use bumpalo::Bump;
use proptest::prelude::*;

use super::found::Found;
use super::indexed::{self, IndexedRecords, Search};
use super::json::{DuplicateKey, Elements, Scratch, project};
use super::{strict, string};
use crate::block::Record;
use crate::plan::Projection;
use crate::simd::Level;
use crate::simd::index::Index;
use crate::sound;
use crate::testing::{Step, add_path, steps};

/// The slots of one path each.
fn find<'a>(text: &'a str, paths: &[&str]) -> Vec<Option<&'a str>> {
    let paths: Vec<_> = paths.iter().map(|path| steps(path)).collect();
    find_steps(text, &paths, false).unwrap()
}

fn find_steps<'a>(
    text: &'a str,
    paths: &[Vec<Step>],
    reject_duplicates: bool,
) -> Result<Vec<Option<&'a str>>, DuplicateKey> {
    let mut projection = Projection::default();
    let places: Vec<_> = paths.iter().map(|path| add_path(&mut projection, path)).collect();
    let mut slots = vec![Some("left over"); usize::from(projection.slots)];
    let found = project(text, &projection, reject_duplicates, &mut slots, &mut Scratch::default());
    let walked = found.map(|()| slots.clone());
    for level in Level::all() {
        for (before, behind) in [(0, 0), (1, 200), (200, 1)] {
            let bytes = [&vec![b' '; before][..], text.as_bytes(), &vec![b' '; behind]].concat();
            let place = before..before + text.len();
            if let Some(slots) = find_by_index(level, &bytes, place, &projection, reject_duplicates)
            {
                let slots = slots.iter().map(Option::as_deref).collect();
                assert_eq!(Ok(slots), walked, "{} {text}", level.name());
            }
        }
    }
    found?;
    Ok(places.into_iter().map(|slot| slots[usize::from(slot)]).collect())
}

/// The slots, if the record can be read by its index.
fn find_by_index(
    level: Level,
    bytes: &[u8],
    place: Range<usize>,
    projection: &Projection,
    reject_duplicates: bool,
) -> Option<Vec<Option<String>>> {
    let search = Search::new(projection, reject_duplicates)?;
    let mut index = Index::default();
    let indexed = index.build(level, bytes, place.clone(), 64, usize::MAX).ok()?;
    let (start, end) = (u32::try_from(place.start).ok()?, u32::try_from(place.end).ok()?);
    let record = Record { start, end, offset: 0, size: 0, index: 0, line: 0, fault: None };
    let records = IndexedRecords { indexed, bytes, records: &[record], row: 0 };
    let (arena, mut scratch) = (Bump::new(), indexed::Scratch::default());
    let mut found = Found::new(projection.slots, 1, Some(bytes), &arena);
    let left = search.project(level, records, projection, &mut found, &mut scratch).left;
    let slots: Vec<_> = found.row(0).collect();
    for (slot, text) in (0..).zip(&slots) {
        let is_string = text.is_some_and(|text| text.starts_with('"') && !text.contains('\\'));
        assert!(found.plain(slot) == 0 || is_string);
    }
    assert!(left == 0 || slots.iter().all(Option::is_none));
    (left == 0).then(|| slots.into_iter().map(|slot| slot.map(str::to_owned)).collect())
}

/// Usual records are read by their index, and not by what it falls back to.
#[test]
fn usual_records_are_read_by_their_index() {
    let wide: Vec<_> = (0..300).map(|number| format!("\"key{number}\":{number}")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    let long = "long".repeat(20);
    let long = format!("{{\"{long}\":{{\"é\":1}},\"x\":\"{long}\\n{long}\"}}");
    for (text, path) in [
        (r#"{"a":{"b":1},"c":[1,{"b":2}]}"#, "a.b"),
        (r#"{"a" : {"b" : 1 }, "\u0063": "\"" }"#, "a.b"),
        (r#"{"a":[1,{"b":2}]}"#, "a[last].b"),
        (wide.as_str(), "key299"),
        (long.as_str(), "x"),
    ] {
        let mut projection = Projection::default();
        let slot = add_path(&mut projection, &steps(path));
        let walked = find(text, &[path]);
        for level in Level::all() {
            let found = find_by_index(level, text.as_bytes(), 0..text.len(), &projection, false);
            let found = found.unwrap_or_else(|| panic!("{} {text}", level.name()));
            assert_eq!(found[usize::from(slot)].as_deref(), walked[0], "{text}");
            assert!(walked[0].is_some());
        }
    }
}

#[test]
fn finds_members_and_elements() {
    let text = r#" {"a": {"b" : [ 1 , {"c":"x,]}"} , [ ] ], "d":null}, "e" : -1.50e3 } "#;
    assert_eq!(
        find(text, &["e", "a.b[1].c", "a.b[last]", "a.b[0]", "a.b[3]", "a.d", "a.d.x", "z", "a"]),
        [
            Some("-1.50e3"),
            Some("\"x,]}\""),
            Some("[ ]"),
            Some("1"),
            None,
            Some("null"),
            None,
            None,
            Some(r#"{"b" : [ 1 , {"c":"x,]}"} , [ ] ], "d":null}"#),
        ]
    );
}

#[test]
fn an_element_may_be_wanted_twice() {
    let found = find(r#"{"a":[{"b":1}]}"#, &["a[0].b", "a[last].b", "a[last]", "a[0]"]);
    assert_eq!(found, [Some("1"), Some("1"), Some(r#"{"b":1}"#), Some(r#"{"b":1}"#)]);
}

#[test]
fn the_first_member_of_a_name_counts_however_it_is_written() {
    let text = r#"{"\u0061":1,"a":2,"b":{"c":1},"b":{"c":2,"d":3}}"#;
    assert_eq!(find(text, &["a", "b.c", "b.d"]), [Some("1"), Some("1"), None]);
    assert_eq!(find(r#"{"\ud83d\ude00":1}"#, &["\u{1f600}"]), [Some("1")]);
    // A key that is no text has no name.
    assert_eq!(find(r#"{"\ud83d":1,"\x":2,"a\u00":3}"#, &["a"]), [None]);
}

#[test]
fn what_is_no_member_is_passed_over() {
    let text = r#"{"a" "b":1, "b" 2, 3, "b", :4, {"b":5}:6, , "b":7}"#;
    assert_eq!(find(text, &["a", "b"]), [None, Some("7")]);
}

#[test]
fn several_values_are_not_looked_into() {
    let text = r#"{"a":{"b":1} 2 ,"c":[1]"x", "d": , "e":1 2,"f":{"b":{"b":1}}}"#;
    assert_eq!(
        find(text, &["a.b", "a", "c[0]", "c", "d", "e", "f.b.b"]),
        [None, Some(r#"{"b":1} 2"#), None, Some(r#"[1]"x""#), Some(""), Some("1 2"), Some("1"),]
    );
}

#[test]
fn blank_elements_count() {
    assert_eq!(
        find(r#"{"a":[,1,]}"#, &["a[0]", "a[1]", "a[2]", "a[last]"]),
        [Some(""), Some("1"), Some(""), Some("")]
    );
    assert_eq!(find(r#"{"a":[ ]}"#, &["a[0]", "a[last]"]), [None, None]);
}

#[test]
fn duplicates_of_wanted_names_can_be_refused() {
    let check = |text, path| find_steps(text, &[steps(path)], true).is_err();
    assert!(check(r#"{"a":1,"b":2,"\u0061":3}"#, "a"));
    assert!(check(r#"{"a":{"b":2,"b":3}}"#, "a.b"));
    assert!(check(r#"{"a":[1,{"b":2,"b":3}]}"#, "a[last].b"));
    // Of names that nobody looks for, and in objects that nobody looks into, they do not matter.
    assert!(!check(r#"{"a":1,"b":2,"b":3}"#, "a"));
    assert!(!check(r#"{"a":{"b":2,"b":3}}"#, "a"));
    assert!(!check(r#"{"a":{"b":2,"b":3} 1}"#, "a.b"));
}

#[test]
fn elements_are_given_one_by_one() {
    let elements = |text| Elements::of(text).map(|elements| elements.collect::<Vec<_>>());
    assert_eq!(elements(r#"[ 1 , [2,3] ,"a,b" , ]"#), Some(vec!["1", "[2,3]", "\"a,b\"", ""]));
    assert_eq!(elements("[ ]"), Some(vec![]));
    assert_eq!(elements("[1] 2"), None);
    assert_eq!(elements("{}"), None);
}

#[test]
fn escapes_are_resolved() {
    let arena = Bump::new();
    let resolve = |inner| string::unescape(inner, &arena);
    assert_eq!(resolve("plain \u{e9}"), Some("plain \u{e9}"));
    assert_eq!(
        resolve(r#"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00!"#),
        Some("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}!")
    );
    for bad in [r"\ud83d", r"\ud83dx", r"\ude00", r"\ud83d\u0041", r"\x", r"\u12", r"\u12g4", "\\"]
    {
        assert_eq!(resolve(bad), None, "{bad}");
    }
}

#[test]
fn values_are_checked_strictly() {
    for good in [
        "0",
        "-0",
        "10",
        "1.5",
        "-1.5e+10",
        "1E0",
        "1e400",
        "true",
        "null",
        "\"\"",
        r#""\ud800""#,
        "[ ]",
        "{ }",
        "[1 , [{}] ]",
        r#"{"a" : [] , "b":{"c":1}}"#,
    ] {
        assert!(strict::is_value(good, 64), "{good}");
    }
    for bad in [
        "",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nulll",
        "[1,]",
        "[,1]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{1:2}",
        "[1 2]",
        "1 2",
        r#""\x""#,
        r#""\u12""#,
        "{\"a\":1,}",
        "[}",
        "{]",
        "[1}",
        "[",
        "{\"a\":1",
        "\"",
        "\u{e9}",
    ] {
        assert!(!strict::is_value(bad, 64), "{bad}");
    }
}

#[test]
fn numbers_that_readers_cannot_hold_are_not_copied() {
    let nines = "9".repeat(309);
    for good in ["1.7976931348623157e308", "[-1e308]", "1e-999", &nines[..308], "\"1e400\""] {
        assert!(strict::check_copy(good).is_ok(), "{good}");
    }
    for bad in ["1e400", "{\"a\":[-2E308]}", &nines] {
        assert_eq!(strict::check_copy(bad), Err(strict::NoCopy::HugeNumber), "{bad}");
    }
}

/// Texts that look like records: sound ones, and many that are nearly JSON.
fn record() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        4 => "(-?[0-9]{1,3}|true|null|\"[a-c]?\"|\"\\\\u0061\")",
        1 => r#"(01x|"\\ud800"|"[\{\[,:\]\}]{1,3}"|"\\\\"|"\\""|1 2| )"#,
        1 => Just("\"\u{e9}\u{1f600}\"".to_owned()),
    ];
    let key = prop_oneof![
        6 => "\"[a-c]\"",
        2 => "\"\\\\u006[1-3]\"",
        1 => "(\"\\\\ud800\"|\"\\\\x\"|\"\"|a|\"a\" 1)",
    ];
    let space = "[ \t\n]{0,2}";
    let value = scalar.prop_recursive(4, 40, 5, move |inner| {
        let inner =
            (space, inner, space).prop_map(|(before, inner, behind)| before + &inner + &behind);
        let array = proptest::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            array.prop_map(|items| format!("[{}]", items.join(","))),
            object(key.clone(), inner)
        ]
    });
    let member = ("\"[a-c]\"", value).prop_map(|(key, value)| format!("{key}:{value}"));
    let members = proptest::collection::vec(member, 0..6);
    (space, members, space)
        .prop_map(|(before, members, behind)| format!("{before}{{{}}}{behind}", members.join(",")))
}

fn object(
    key: impl Strategy<Value = String> + Clone + 'static,
    value: impl Strategy<Value = String> + Clone + 'static,
) -> impl Strategy<Value = String> {
    let colon = prop_oneof![20 => Just(":"), 1 => Just(" : "), 1 => Just("::"), 1 => Just("")];
    let member = (key, colon, value).prop_map(|(key, colon, value)| key + colon + &value);
    proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn path() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => "[a-c]".prop_map(Step::Member),
        1 => (0_u32..3).prop_map(Step::Element),
        1 => Just(Step::Last),
    ];
    proptest::collection::vec(step, 1..4)
}

/// A slow and obvious reader, which shares nothing with the projection.
mod oracle {
    use simd_json::prelude::ValueAsScalar as _;

    use super::Step;

    pub(super) fn find<'a>(text: &'a str, steps: &[Step]) -> Option<&'a str> {
        let Some((step, rest)) = steps.split_first() else { return Some(text) };
        let below = match step {
            Step::Member(name) => {
                let members = pieces(text, '{', '}')?;
                members.iter().filter_map(|piece| member(piece)).find(|(key, _)| key == name)?.1
            }
            Step::Element(index) => *pieces(text, '[', ']')?.get(*index as usize)?,
            Step::Last => pieces(text, '[', ']')?.pop()?,
        };
        find(below, rest)
    }

    /// Does a wanted name occur twice on the way?
    pub(super) fn repeats(text: &str, steps: &[Step]) -> bool {
        let Some((step, rest)) = steps.split_first() else { return false };
        let own = match (step, pieces(text, '{', '}')) {
            (Step::Member(name), Some(pieces)) => {
                pieces
                    .iter()
                    .filter_map(|piece| member(piece))
                    .filter(|(key, _)| key == name)
                    .count()
                    > 1
            }
            _ => false,
        };
        own || find(text, &steps[..1]).is_some_and(|below| repeats(below, rest))
    }

    /// What stands between the commas of the text, if it is one object or array.
    fn pieces(text: &str, open: char, close: char) -> Option<Vec<&str>> {
        let inside = text.strip_prefix(open)?.strip_suffix(close)?;
        let mut pieces = Vec::new();
        let (mut start, mut depth, mut quoted, mut escaped) = (0, 0, false, false);
        for (at, c) in inside.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '{' | '[' => depth += 1,
                '}' | ']' if depth == 0 => return None,
                '}' | ']' => depth -= 1,
                ',' if depth == 0 => {
                    pieces.push(trim(&inside[start..at]));
                    start = at + 1;
                }
                _ => {}
            }
        }
        let last = trim(&inside[start..]);
        if !(pieces.is_empty() && last.is_empty()) {
            pieces.push(last);
        }
        Some(pieces)
    }

    fn member(piece: &str) -> Option<(String, &str)> {
        let mut escaped = false;
        let quote = piece.strip_prefix('"')?.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let value = trim(&piece[quote + 2..]).strip_prefix(':')?;
        // A key that is no text stays a member, of a name that nobody can write.
        let key = simd_json::to_owned_value(&mut piece.as_bytes()[..quote + 2].to_vec());
        let key = key.ok().and_then(|key| key.as_str().map(str::to_owned));
        Some((key.unwrap_or_else(|| "\u{0}no name".to_owned()), trim(value)))
    }

    fn trim(text: &str) -> &str {
        text.trim_matches([' ', '\t', '\n', '\r'])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn equals_the_oracle(text in record(), paths in proptest::collection::vec(path(), 1..6)) {
        prop_assume!(sound::check(text.as_bytes(), 64).is_ok());
        let root = text.trim_matches([' ', '\t', '\n', '\r']);
        let expected: Vec<_> = paths.iter().map(|path| oracle::find(root, path)).collect();
        prop_assert_eq!(find_steps(&text, &paths, false), Ok(expected.clone()));
        let repeats = paths.iter().any(|path| oracle::repeats(root, path));
        let refusing = if repeats { Err(DuplicateKey) } else { Ok(expected) };
        prop_assert_eq!(find_steps(&text, &paths, true), refusing);
    }

    #[test]
    fn any_sound_bytes_are_projected(
        bytes in "\\{[\"a:,\\[\\]{} 1\\\\]{0,30}\\}",
        paths in proptest::collection::vec(path(), 1..4),
    ) {
        let at_all = find_steps(&bytes, &paths, true);
        if sound::check(bytes.as_bytes(), 64).is_ok() {
            let expected: Vec<_> = paths.iter().map(|path| oracle::find(&bytes, path)).collect();
            prop_assert_eq!(find_steps(&bytes, &paths, false), Ok(expected));
        }
        // Not even an unsound text makes it fail.
        drop(at_all);
    }

    #[test]
    fn strict_values_are_those_of_simd_json(text in record()) {
        prop_assume!(sound::check(text.as_bytes(), 64).is_ok() && !text.contains("ud800"));
        let theirs = simd_json::to_borrowed_value(&mut text.clone().into_bytes()).is_ok();
        prop_assert_eq!(strict::is_value(text.trim_matches([' ', '\t', '\n', '\r']), 64), theirs);
    }
}
