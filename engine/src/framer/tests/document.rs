use super::*;

/// `a[*].b[*]` as steps.
fn path(text: &str) -> Vec<RecordsStep> {
    let mut steps = Vec::new();
    for part in text.split('.').filter(|part| !part.is_empty()) {
        let name = part.split('[').next().unwrap_or_default();
        if !name.is_empty() {
            steps.push(RecordsStep::Member(name.to_owned()));
        }
        steps.extend(vec![RecordsStep::Elements; part.matches("[*]").count()]);
    }
    steps
}

fn input(records: Records) -> Input {
    Input { record_bytes_max: 1000, ..Input::new(Format::Json(records)) }
}

fn at(text: &str) -> Input {
    input(Records { path: path(text), ..Records::default() })
}

fn with_wrapper(text: &str, ways: &[&[&str]]) -> Input {
    let way = |way: &&[&str]| way.iter().map(|&name| name.to_owned()).collect();
    let wrapper = ways.iter().map(way).collect();
    input(Records { path: path(text), wrapper, ..Records::default() })
}

/// Records as text, refused ones with their code and where the fault is.
#[track_caller]
fn seen(input: &Input, bytes: &str) -> Vec<String> {
    let framed = records(input, bytes.as_bytes());
    let show = |record: &Framed| match record.fault {
        None => record.text().to_owned(),
        Some((code, _, at)) => format!("{code} {at} {}", record.text()),
    };
    framed.iter().map(show).collect()
}

#[test]
fn a_document_is_a_record_or_an_array_of_them() {
    let plain = at("");
    assert_eq!(seen(&plain, "{\"a\": [1]}"), ["{\"a\": [1]}"]);
    let two = " [{\"a\": 1} ,\n{\"b\": \"]\\\"\"}]\n";
    assert_eq!(seen(&plain, two), ["{\"a\": 1}", "{\"b\": \"]\\\"\"}"]);
    assert_eq!(seen(&plain, "{}\n{}{} [{}, {}] []"), ["{}"; 5]);
    assert_eq!(seen(&plain, ""), [""; 0]);
    assert_eq!(seen(&plain, "\u{feff} [] "), [""; 0]);
    let odd = "[1, \"a,]\", [2, [3]], nil, tr\"ue]";
    assert_eq!(seen(&plain, odd), ["1", "\"a,]\"", "[2, [3]]", "nil", "tr\"ue"]);
    assert_eq!(seen(&plain, "1 \"a\" null"), ["1", "\"a\"", "null"]);
    assert_eq!(seen(&plain, "[{\"a\": 1], {}]"), ["{\"a\": 1]", "{}"]);
}

#[test]
fn every_document_may_be_a_record() {
    let documents = input(Records { documents_are_records: true, ..Records::default() });
    assert_eq!(seen(&documents, "{\n}\n[{}, 1] 2"), ["{\n}", "[{}, 1]", "2"]);
}

#[test]
fn lines_and_places_count_everything() {
    let bytes = b"{\n\"x\": [\n\n],\n\"a\": [{\n}, {}\n, {}]}\n\n{\"a\": [{}]}";
    let framed = records(&at("a[*]"), bytes);
    let places: Vec<_> = framed.iter().map(|r| (r.line, r.offset, r.size)).collect();
    assert_eq!(places, [(5, 19, 3), (6, 24, 2), (7, 29, 2), (9, 42, 2)]);
}

#[test]
fn a_path_leads_to_the_records() {
    let around = "{\"b\": [5], \"a\": [1, 2], \"c\": {\"a\": [3]}} {\"a\": [4]}";
    assert_eq!(seen(&at("a[*]"), around), ["1", "2", "4"]);
    assert_eq!(seen(&at("a[*]"), "{\"a\": []}"), [""; 0]);
    assert_eq!(seen(&at("[*]"), "[1, {}]"), ["1", "{}"]);
    assert_eq!(seen(&at("[*][*]"), "[[1, {}], [], [2]]"), ["1", "{}", "2"]);
    let deep = "{\"a\": [{\"x\": 0, \"b\": [1, 2]}, {\"b\": []}, {\"b\": [3], \"b\": [9]}], \
                \"a\": [{\"b\": [9]}]}";
    assert_eq!(seen(&at("a[*].b[*]"), deep), ["1", "2", "3"]);
    let members = "{\"b\": {}, \"a\": {\"c\": [9], \"b\": {\"c\": [1]}}}";
    assert_eq!(seen(&at("a.b.c[*]"), members), ["1"]);
}

#[test]
fn names_are_compared_unescaped() {
    let escaped = "{\"\\u00e9\\uD83D\\ude00\\\"\": [1]}";
    assert_eq!(seen(&at("é\u{1f600}\"[*]"), escaped), ["1"]);
    assert_eq!(seen(&at("ab[*]"), "{\"a\\u0062\": [1], \"ab\": [2]}"), ["1"]);
    let lone = "{\"\\ud800\": [1], \"aa\": [3], \"\\u0061\": [2]}";
    assert_eq!(seen(&at("a[*]"), lone), ["2"]);
    assert_eq!(seen(&at("a/\n[*]"), "{\"a\\/\\n\": [2]}"), ["2"]);
}

#[test]
fn what_has_no_records_is_refused() {
    let one = at("a[*]");
    for document in [
        "{}",
        "{\"b\": [1]}",
        "{\"a\": {\"a\": [1]}}",
        "{\"a\": null, \"a\": [1]}",
        "[[1]]",
        "-1.5e+3",
        "\"x\"",
        "true",
    ] {
        let framed = records(&one, format!(" {document} {{\"a\": [1]}}").as_bytes());
        assert_eq!((framed[0].code(), framed[0].text()), (Some("R1003"), document));
        assert_eq!((framed[0].offset, framed[1].text()), (1, "1"));
    }
    assert_eq!(seen(&one, "0"), ["R1003 0 0"]);
    // Behind an array it is the element that lacks them.
    let two = at("a[*].b[*]");
    assert_eq!(
        seen(&two, "{\"a\": [{\"b\": [1]}, {\"c\": [9]}, 5, {\"b\": [2]}]}"),
        ["1", "R1003 0 {\"c\": [9]}", "R1003 0 5", "2"]
    );
    let document = "{\"a\": {\"b\": [1]}}";
    assert_eq!(seen(&two, document), [format!("R1003 0 {document}")]);
}

#[test]
fn of_a_refused_document_64_kib_are_kept() {
    let large = format!("{{\"b\": \"{}\"}}", "x".repeat(100_000));
    let input = Input { record_bytes_max: 1 << 20, ..at("a[*]") };
    for chunk in [usize::MAX, 70_000] {
        let (framed, _) = frame(&input, large.as_bytes(), &[chunk], Position::start());
        assert_eq!((framed[0].bytes.len(), framed[0].size), (64 << 10, large.len() as u64));
    }
}

#[test]
fn a_fault_outside_the_records_ends_the_object() {
    let one = at("a[*]");
    for (document, fault) in [
        ("{\"a\": [1 2]}", 1),
        ("{\"a\": [1, ]}", 2),
        ("{\"a\": [1}", 0),
        ("{\"a\": [1], }", 3),
        ("{\"a\": [1], \"b\" 1}", 7),
        ("{\"a\": [1], \"b\": 01}", 9),
        ("{\"a\": [1], \"b\": 1.}", 10),
        ("{\"a\": [1], \"b\": tru}", 11),
        ("{\"a\": [1], \"b\": x}", 8),
        ("{\"a\": [1], \"b\n\": 1}", 5),
        ("{\"a\": [1], \"b\\x\": 1}", 6),
        ("{\"a\": [1], \"b\\u00g0\": 1}", 9),
        ("{\"a\": [1], 5: 1}", 3),
        ("{\"a\": [1]]", 1),
        ("{\"a\": [1]} , {}", 3),
        ("{\"a\": [1]} }", 3),
    ] {
        let framed = records(&one, format!("{document} {{\"a\": [3]}}").as_bytes());
        assert_eq!((framed.len(), framed[0].text()), (2, "1"), "{document}");
        let offset = document.find('1').unwrap() + 1;
        assert_eq!((framed[1].code(), framed[1].offset), (Some("R1002"), offset as u64));
        assert_eq!(framed[1].fault.unwrap().2, fault, "{document}");
        assert_eq!(framed[1].text(), format!("{} {{\"a\": [3]}}", &document[offset..]));
    }
}

#[test]
fn a_document_that_ends_too_early_is_one_refused_rest() {
    assert_eq!(seen(&at("a[*]"), "{\"a\": [1, {\"b\""), ["1", "R1002 6 , {\"b\""]);
    assert_eq!(seen(&at("a[*]"), "{\"a\": [1"), ["R1002 8 {\"a\": [1"]);
    assert_eq!(seen(&at("a[*]"), "{\"a\": [{}"), ["{}", "R1002 0 "]);
    assert_eq!(seen(&at("a[*]"), "{\"a\": [1] "), ["1", "R1002 2 ] "]);
    assert_eq!(seen(&at(""), "{\"a\": "), ["R1002 6 {\"a\": "]);
    assert_eq!(seen(&at(""), "{} \"a"), ["{}", "R1002 3  \"a"]);
    assert_eq!(seen(&at("a[*]"), "-"), ["R1002 1 -"]);
    assert_eq!(seen(&at("a[*]"), "tru"), ["R1002 3 tru"]);
    assert_eq!(seen(&at(""), "<html>"), ["R1002 0 <html>"]);
}

#[test]
fn text_outside_the_records_is_valid_utf8() {
    for (text, replace, code) in [
        (&b"{\"b\": \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\", \"a\": [1]}"[..], false, None),
        (b"{\"b\": \"\xc3\", \"a\": [1]}", false, Some("R1002")),
        (b"{\"b\": \"\xed\xa0\x80\", \"a\": [1]}", false, Some("R1002")),
        (b"{\"b\": \"\xc0\x80\", \"a\": [1]}", false, Some("R1002")),
        (b"{\"\xff\": 1, \"a\": [1]}", false, Some("R1002")),
        (b"{\"b\": \"\xc3\", \"a\": [1]}", true, None),
    ] {
        let wrapped = with_wrapper("a[*]", &[&["b"]]);
        let framed = records(&Input { utf8_replace: replace, ..wrapped }, text);
        assert_eq!(framed[0].code(), code, "{}", text.escape_ascii());
    }
}

#[test]
fn brackets_outside_the_records_nest_to_the_limit() {
    let input = Input { depth_max: 3, ..at("a[*]") };
    assert_eq!(seen(&input, "{\"b\": [[]], \"a\": [[[[[1]]]]]}"), ["[[[[1]]]]"]);
    assert_eq!(seen(&input, "{\"b\": [[["), ["R1002 8 {\"b\": [[["]);
}

#[test]
fn an_oversized_element_costs_no_other() {
    let input = Input { record_bytes_max: 8, ..at("a[*]") };
    assert_eq!(
        seen(&input, "{\"a\": [{\"b\": 1}, {\"b\": 22222}, 1234567890, {}]}"),
        ["{\"b\": 1}", "R1001 8 {\"b\": 22", "R1001 8 12345678", "{}"]
    );
}

/// The wrapper members of each record, `-` for none.
#[track_caller]
fn wrappers(input: &Input, bytes: &str) -> Vec<String> {
    let framed = records(input, bytes.as_bytes());
    let show = |member: &Option<String>| member.clone().unwrap_or("-".to_owned());
    let all = |record: &Framed| record.wrapper.iter().map(show).collect::<Vec<_>>().join(" ");
    framed.iter().map(all).collect()
}

#[test]
fn wrapper_members_are_handed_on() {
    let input = with_wrapper("a[*]", &[&["org", "id"], &["n"]]);
    let document = "{\"n\": [1, 2 ], \"org\": {\"x\": {\"id\": 1}, \"id\": \"o\"}, \"a\": [1, 2]}";
    assert_eq!(wrappers(&input, document), ["\"o\" [1, 2 ]"; 2]);
    // What stands behind is missing, and a document knows nothing of the last one.
    let documents = "{\"n\": 1, \"a\": [1], \"n\": 2} {\"a\": [1], \"org\": {\"id\": 2}} \
                     {\"n\": {}, \"a\": [1]}";
    assert_eq!(wrappers(&input, documents), ["- 1", "- -", "- {}"]);
    // The first of equal names counts, at every step.
    let document = "{\"org\": 1, \"org\": {\"id\": 2}, \"n\": 1, \"n\": 2, \"a\": [1]}";
    assert_eq!(wrappers(&input, document), ["- 1"]);
    assert_eq!(wrappers(&input, "{\"org\": {}, \"org\": {\"id\": 2}, \"a\": [1]}"), ["- -"]);
    assert_eq!(wrappers(&input, "{\"org\": {\"id\": 1, \"id\": 2}, \"a\": [1]}"), ["1 -"]);
    let document =
        "{\"org\": [{\"id\": 1}], \"x\": {\"id\": 1, \"n\": 1}, \"\\u006e\": -1e5, \"a\": [1]}";
    assert_eq!(wrappers(&input, document), ["- -1e5"]);
}

#[test]
fn wrapper_members_may_hold_each_other_or_the_records() {
    let input = with_wrapper("r.a[*]", &[&["r"], &["r", "n"], &["s"], &["s", "t"]]);
    let document = "{\"s\": {\"t\": 1}, \"r\": {\"n\": 5, \"a\": [1]}}";
    assert_eq!(wrappers(&input, document), ["- 5 {\"t\": 1} 1"]);
}

#[test]
fn wrapper_members_are_limited() {
    let input = Input { record_bytes_max: 8, ..with_wrapper("a[*]", &[&["n"], &["m"]]) };
    assert_eq!(seen(&input, "{\"n\": \"123\", \"m\": 123, \"a\": [1]}"), ["1"]);
    assert_eq!(seen(&input, "{\"n\": \"123\", \"m\": 1234, \"a\": [1]}"), ["R1001 22 {\"n\": \"1"]);
    assert_eq!(seen(&input, "{\"n\": 123456789, \"a\": [1]}"), ["R1001 15 {\"n\": 12"]);
}

/// A JSON value as text.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        prop::sample::select(vec!["0", "-1.5e3", "12E-2", "7.25"]).prop_map(str::to_owned),
        "[a-z\u{e9}\u{1f600} {}\\[\\]:,]{0,6}".prop_map(|text| format!("\"{text}\"")),
        Just(r#""\"\\\u00e9\n\ud83d\ude00""#.to_owned()),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let name = prop::sample::select(vec!["a", "b", "n", "\\u0061", "x\\\""]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(" ,\n"))),
            prop::collection::vec((name, inner), 0..4).prop_map(|all| {
                let members = all.iter().map(|(name, value)| format!("\"{name}\": {value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }),
        ]
    })
}

/// A place, a byte, and whether that replaces, comes in, or cuts off.
fn damage() -> impl Strategy<Value = Option<(prop::sample::Index, u8, u8)>> {
    let byte = prop::sample::select(&b"{}[]\",:0-e.\\u\n \0\xc3\xff"[..]);
    prop::option::of((any::<prop::sample::Index>(), byte, 0..3_u8))
}

fn damaged(text: String, damage: Option<(prop::sample::Index, u8, u8)>) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if let Some((place, byte, how)) = damage {
        let at = place.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Whether simd-json takes it. RFC 8259 allows an escaped surrogate without its other half, which simd-json does
/// not: so these are replaced by other characters. A NUL is never valid, but simd-json takes one behind a literal.
fn is_valid(document: &[u8]) -> bool {
    let mut document = document.to_vec();
    for at in 0..document.len().saturating_sub(5) {
        if let [b'\\', b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] =
            document[at..]
        {
            document[at + 2] = b'0';
        }
    }
    !document.contains(&0) && simd_json::to_borrowed_value(&mut document).is_ok()
}

fn inputs() -> impl Strategy<Value = Input> {
    prop::sample::select(vec![
        at(""),
        input(Records { documents_are_records: true, ..Records::default() }),
        with_wrapper("a[*]", &[&["n"], &["b", "n"]]),
        with_wrapper("a[*].b[*]", &[&["n"], &["b"]]),
        with_wrapper("a.b[*]", &[&["a", "n"], &["a"]]),
        at("[*].a[*]"),
        Input { record_bytes_max: 9, ..with_wrapper("a[*]", &[&["b"]]) },
        Input { depth_max: 2, utf8_replace: true, ..at("a[*]") },
    ])
}

/// Elements longer than what is looked at at once, of which one is broken and one too long.
#[test]
fn long_elements_are_framed() {
    let text = "x{[,\\\"]}".repeat(40);
    let elements = [
        format!("{{\"a\": \"{text}\",\n \"b\": [{{}}, [{}]]}}", "[],".repeat(50)),
        "[".repeat(200) + &"\n}".repeat(200),
        format!("{{\"c\" \\\"d\": {}}}", "9".repeat(300)),
        format!("\"{}\"", text.repeat(2)),
        "[[[]]".repeat(60) + "\n" + &"]".repeat(60),
        format!("{{\"e\": \"{}\"}}", "y".repeat(1000)),
    ];
    let bytes = format!("{{\"a\": [{}], \"a\": 1}}", elements.join("\n,"));
    let framed = records_at(&at("a[*]"), bytes.as_bytes(), &[63, 64, 65, 130]);
    let (last, whole) = framed.split_last().unwrap();
    assert_eq!(whole.iter().map(Framed::text).collect::<Vec<_>>(), elements[..5]);
    assert_eq!((last.code(), last.size), (Some("R1001"), 1009));
}

proptest! {
    /// A path that leads nowhere makes all of a document outside: then it is read as strictly as by simd-json.
    #[test]
    fn documents_are_judged_as_by_simd_json(
        document in value(),
        damage in damage(),
        cuts in prop::collection::vec(1_usize..20, 1..5),
    ) {
        let bytes = damaged(document, damage);
        let framed = records_at(&at("nowhere[*]"), &bytes, &cuts);
        let mut codes = framed.iter().map(Framed::code);
        let well = codes.all(|code| code == Some("R1003"));
        if framed.len() == 1 {
            let valid = is_valid(&bytes);
            prop_assert_eq!(well, valid, "{} {:?}", bytes.escape_ascii(), framed);
        }
        // Several documents in a row, or none: each of them for itself.
        for record in framed.iter().filter(|record| record.code() == Some("R1003")) {
            let valid = is_valid(&record.bytes);
            prop_assert!(valid, "{} {:?}", bytes.escape_ascii(), framed);
        }
    }

    /// Records of valid documents are what stands at the path.
    #[test]
    fn records_are_what_stands_at_the_path(
        before in value(),
        elements in prop::collection::vec(value(), 0..5),
        behind in value(),
    ) {
        let bytes = format!("{{\"n\": {before}, \"a\": [{}], \"z\": {behind}}}", elements.join(" , "));
        let framed = records(&with_wrapper("a[*]", &[&["n"], &["z"]]), bytes.as_bytes());
        prop_assert_eq!(framed.iter().map(Framed::text).collect::<Vec<_>>(), elements);
        for record in framed {
            prop_assert_eq!(&record.wrapper, &vec![Some(before.clone()), None]);
        }
    }

    #[test]
    fn records_depend_on_the_bytes_alone(
        documents in prop::collection::vec(value(), 1..4),
        damage in damage(),
        cuts in prop::collection::vec(1_usize..20, 1..5),
        input in inputs(),
    ) {
        records_at(&input, &damaged(documents.join("\n"), damage), &cuts);
    }

    #[test]
    fn hostile_bytes_are_framed(
        bytes in prop::collection::vec(
            prop::sample::select(&b"{}[]{}[]\"\"\"\"a:,:,\\1-t\n \xc3\xa9"[..]), 0..60),
        cuts in prop::collection::vec(1_usize..20, 1..5),
        input in inputs(),
    ) {
        records_at(&input, &bytes, &cuts);
    }
}
