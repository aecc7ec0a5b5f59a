//! The editor's questions about small programs; `§` marks the cursor.

use super::*;

const HEAD: &str = "weir 1\nparser \"x\" version 1\nocsf \"1.8.0\" with ai_operation\nproduct \"x\"\ninput ndjson { }\n\
                    on error { required reject optional skip }\n";

const TEST: &str = "\ntest \"t\" { given \"\"\" {\"id\": 7, \"who\": {\"mail\": \"a@b\"}, \"steps\": [{\"tool\": \"x\", \"odd key\": 1}], \"pairs\": \"user=ann; odd key=1\", \"text\": \"{\\\"usage\\\":{\\\"tokens\\\":7}}\"} \"\"\" expect dropped }\n";

/// A document, and the offset of the cursor.
fn document(body: &str) -> (Document, u32) {
    let text = format!("{HEAD}{body}{TEST}");
    let at = text.find('§').unwrap();
    (Document::new(Source::new("x", text.replace('§', "")), None), at as u32)
}

fn labels(body: &str) -> Vec<String> {
    let (document, at) = document(body);
    let mut found = document.complete(at);
    found.sort_by_key(|completion| completion.rank);
    found.into_iter().map(|completion| completion.label).collect()
}

#[track_caller]
fn offers(body: &str, wanted: &[&str], unwanted: &[&str]) {
    let labels = labels(body);
    for label in wanted {
        assert!(labels.iter().any(|known| known == label), "{label} is not in {labels:?}");
    }
    for label in unwanted {
        assert!(!labels.iter().any(|known| known == label), "{label} is in {labels:?}");
    }
}

#[test]
fn attributes_are_offered_where_a_line_of_an_object_starts() {
    offers(
        "emit api_activity {\n  §\n}",
        &["activity_id", "actor", "event", "ai_model"],
        &["activity_name", ".id"],
    );
    offers("emit api_activity {\n  act§ = 1\n}", &["activity_id", "actor"], &[]);
    offers("emit api_activity {\n  actor.user.§\n}", &["email_addr", "uid"], &["activity_id"]);
    offers(
        "emit api_activity {\n  actor { user { name = .x  em§ } }\n}",
        &["email_addr"],
        &["class_uid"],
    );
    offers(
        "emit api_activity {\n  add resources each .f[*] as f max 5 {\n    §\n  }\n}",
        &["uid", "name"],
        &["actor"],
    );
    offers(
        "test \"u\" { given \"{}\" expect api_activity { actor.user { § } } }",
        &["email_addr"],
        &[],
    );
}

#[test]
fn captions_are_offered_where_an_enum_is_set() {
    offers("emit api_activity { activity_id = § }", &["\"Create\"", "\"Delete\""], &["Create"]);
    offers("emit api_activity { activity_id = \"Cr§\" }", &["Create"], &["\"Create\""]);
    offers(
        "emit api_activity { activity_id = match .x { \"a\" => \"§\" else => \"Other\" } }",
        &["Create"],
        &[],
    );
    offers("emit api_activity { actor.user.type_id = if .a == 1 then \"§", &["Admin"], &[]);
}

#[test]
fn paths_of_the_samples_are_offered() {
    offers("let a = §", &[".id", ".who", ".steps", "if"], &[]);
    offers("let a = .§", &["id", "who"], &["if", "mail"]);
    offers("let a = .who.§", &["mail"], &["id"]);
    offers(
        "each .steps[*] as step max 5 {\n  when step.§ {\n  }\n}",
        &["tool", "\"odd key\""],
        &["id"],
    );
    offers("let w = .who\nlet b = w.§", &["mail"], &["id"]);
    offers("let b = meta.§", &["key", "received_at"], &[]);
}

#[test]
fn fields_of_records_in_texts_are_offered() {
    let grok = r#"let r = .who.mail |> grok(r"^%{USER:name}@%{INT:number}")"#;
    offers(&format!("{grok}\nlet n = r.§"), &["name", "number"], &["id", "mail"]);
    offers(&format!("{grok}\nlet s = r\nlet n = s.§"), &["name", "number"], &[]);
    offers(&format!("{grok}\nlet n = r.name.§"), &[], &["name", "number", "id"]);
    offers("let r = extract(.x, r\"(?<who>a)(b)\")\nlet n = r.w§", &["who"], &["id"]);
    offers("let r = .x |> url\nlet n = r.§", &["scheme", "host", "query"], &["id"]);
    offers(
        "let r = .pairs |> kv(\"; \", \"=\")\nlet n = r.§",
        &["user", "\"odd key\""],
        &["text", "id"],
    );
    offers("let r = .text |> json\nlet n = r.§", &["usage"], &["tokens", "id"]);
    offers("let r = .text |> json\nlet n = r.usage.§", &["tokens"], &["usage"]);
    offers("let r = .missing |> kv(\";\", \"=\")\nlet n = r.§", &[], &["id", "lower"]);
    offers("let r = find(.steps[*], it.tool == \"x\")\nlet n = r.§", &["tool"], &["id"]);
    offers("let r = .x |> lower\nlet n = r.§", &[], &["id", "lower"]);
    offers(
        "each .steps[*] as step max 5 {\n  let r = step.tool |> grok(r\"%{WORD:word}\")\n  when r.§ {\n  }\n}",
        &["word"],
        &["tool"],
    );
    let (document, at) = document(&format!("{grok}\nlet n = r.§"));
    let number = document.complete(at).into_iter().find(|it| it.label == "number").unwrap();
    assert_eq!(number.detail, "a whole number");
}

#[test]
fn names_functions_and_words_are_offered_where_they_fit() {
    offers("let one = .a\nlet two = o§", &["one"], &["two"]);
    offers("let two = .a |> §", &["lower", "unix_ms", "stable_id"], &["one", "if"]);
    offers("emit §", &["api_activity", "authentication"], &["actor"]);
    offers("let t = p[.x].§\ntable p (k, v decimal) { else => 1 }", &[], &["lower"]);
    offers("table p (k, v decimal) { else => 1 }\nlet r = p[.x]\nlet t = p.§", &["v"], &["lower"]);
    offers("event {\n  §\n}", &["id", "time", "cost_usd"], &["activity_id"]);
    offers("event {\n  id = .id on §\n}", &["missing", "invalid"], &[]);
    offers("§", &["emit", "table", "test"], &["actor"]);
    offers("input csv { § }", &["delimiter", "decimal"], &["records"]);
}

#[test]
fn a_place_is_explained() {
    let hover = |body: &str| {
        let (document, at) = document(body);
        document.hover(at).map(|hover| hover.text).unwrap_or_default()
    };
    let rest = "event { id = .id time = .t actor = .a action = .b target = .c }\n";
    assert!(hover("emit api_§activity { }").contains("API Activity"));
    assert!(hover("emit api_activity { activity§_id = \"Create\" }").contains("required"));
    assert!(hover("emit api_activity { actor.user.em§ail_addr = .x }").contains("email_t"));
    assert!(hover("emit api_activity { status = .x |> low§er }").contains("lower(text)"));
    assert!(hover("event { cost§_usd = .x }").contains("US dollars"));
    assert!(hover("let a = .b\nlet c = §a").contains("let a = .b"));
    assert!(hover(&format!("{rest}wh§en .x == 1 {{ drop }}")).contains("first branch"));
    let typed = hover(&format!(
        "{rest}emit api_activity {{ activity_id = \"Other\" actor.user.name = .n src_endpoint.name = .s api.operation = .o count = .i§d }}"
    ));
    assert!(typed.contains("`.id` is read as a whole number") && typed.contains('7'), "{typed}");
}

#[test]
fn a_name_is_followed_and_renamed() {
    let body = "let one = .a\nwhen on§e == \"x\" { let two = \"{one}-{.b}\" drop }\n";
    let (document, at) = document(body);
    let text = &document.source().text;
    let definition = document.definition(at).unwrap();
    assert_eq!(&text[definition.range()], "one");
    assert_eq!(text[..definition.range().start].lines().last(), Some("let "));
    assert_eq!(document.references(at).len(), 3);
    let edits = document.rename(at, "first").unwrap();
    let mut renamed = text.clone();
    for (span, new) in edits.iter().rev() {
        renamed.replace_range(span.range(), new);
    }
    assert!(renamed.contains("let first = .a\nwhen first == \"x\" { let two = \"{first}-{.b}\""));
    assert_eq!(document.rename(at, "two"), Err(RenameError::Taken("two".to_owned())));
    assert_eq!(document.rename(at, "when"), Err(RenameError::Taken("when".to_owned())));
    assert_eq!(document.rename(at, "a b"), Err(RenameError::NotAName("a b".to_owned())));
    assert_eq!(document.rename(0, "x"), Err(RenameError::NoName));
}

#[test]
fn names_of_two_blocks_are_two_names() {
    let body =
        "when .a { let x = .b drop when x == \"1\" } else { let x = .c drop when §x == \"2\" }";
    let (document, at) = document(body);
    assert_eq!(document.references(at).len(), 2);
}

#[test]
fn a_program_has_an_outline() {
    let (document, _) = document("§let a = .b\nwhen .x { emit api_activity { } } else { drop }\n");
    let names: Vec<String> = document.outline().into_iter().map(|part| part.name).collect();
    assert_eq!(names, ["input ndjson", "a", "when", "test t"]);
}

/// Whatever is typed, the editor gets an answer.
#[test]
fn no_place_of_a_broken_program_is_a_problem() {
    let text = include_str!("../../../examples/4_homegrown.weir");
    for end in (0..text.len()).step_by(37).filter(|&end| text.is_char_boundary(end)) {
        let document =
            Document::new(Source::new("x", &text[..end]), Some(b"{\"a\": [1, {\"b\": 2}]"));
        for offset in [0, end / 2, end] {
            document.complete(offset as u32);
            document.hover(offset as u32);
            document.definition(offset as u32);
        }
        document.outline();
    }
}
