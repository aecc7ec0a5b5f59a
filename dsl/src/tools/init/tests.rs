use super::*;
use proptest::prelude::*;

fn object(name: &str, bytes: &[u8]) -> Object {
    Object { name: name.to_owned(), bytes: Bytes::copy_from_slice(bytes) }
}

/// The program for a sample; it compiles without an error and passes its test.
#[track_caller]
fn first(sample: &str) -> FirstProgram {
    first_of(sample.as_bytes(), "1.8.0")
}

#[track_caller]
fn first_of(sample: &[u8], ocsf: &str) -> FirstProgram {
    let made = init(&[object("sample", sample)], "acme", ocsf);
    let made = made.unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(sample)));
    let source = Source::new("made", made.text.clone());
    let compiled = compile(&source);
    assert!(!has_errors(&compiled.diagnostics), "{}\n{:?}", made.text, compiled.diagnostics);
    let tests = testing::run_tests(&source, &compiled);
    assert_eq!(tests.len(), 1, "{}", made.text);
    assert_eq!(tests[0].failure, None, "{}", made.text);
    made
}

#[track_caller]
fn has(made: &FirstProgram, lines: &[&str]) {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(&made.text);
    for line in lines {
        assert!(text.contains(&words(line)), "`{line}` is not in\n{}", made.text);
    }
}

const FEED: &str = r#"
{"id":"e1","created_at":"2026-04-10T08:09:10Z","org_id":"o1","type":"project_created","actor":{"kind":"user","email":"ann@example.com","user_id":"u1","ip_address":"192.0.2.1","user_agent":"Mozilla/5.0"},"project_id":"p1","labels":["a","b"]}
{"id":"e2","created_at":"2026-04-10T08:10:10Z","org_id":"o1","type":"project_deleted","actor":{"kind":"user","email":"bo@example.com","user_id":"u2","ip_address":"192.0.2.2"},"project_id":"p2","api_token":"hunter2"}
{"id":"e3","created_at":"2026-04-10T08:11:10Z","org_id":"o1","type":"user_login_failed","actor":{"kind":"user","email":"bo@example.com","user_id":"u2","ip_address":"192.0.2.2"}}
{"id":"e4","created_at":"2026-04-10T08:12:10Z","org_id":"o1","type":"user_deleted","actor":{"kind":"api","user_id":"u9"},"target":{"id":"u3"}}
"#;

#[test]
fn an_audit_feed() {
    let made = first(FEED);
    assert_eq!((made.records, made.mapped), (4, 4), "{:?}", made.rejects);
    has(
        &made,
        &[
            "input ndjson",
            "let who = .actor.email ?? .actor.user_id",
            "id = .id",
            "time = .created_at |> timestamp",
            "when what in [\"user_login_failed\"]",
            "emit authentication",
            "emit account_change",
            "\"project_created\" => \"Create\"",
            "email_addr = .actor.email",
            "org.uid = .org_id",
            "src_endpoint.ip = .actor.ip_address |> ip",
            "http_request.user_agent = .actor.user_agent",
            "unmapped.labels = .labels",
            "raw redact [.api_token]",
        ],
    );
    assert!(!made.text.contains("hunter2"));
    assert!(!made.text.contains("unmapped.api_token"));
}

#[test]
fn every_pin() {
    for version in ocsf::VERSIONS {
        let made = first_of(FEED.as_bytes(), version);
        assert_eq!(made.mapped, 4, "{}", made.text);
        has(&made, &[&format!("ocsf \"{version}\""), "emit authentication"]);
    }
    assert!(init(&[object("x", FEED.as_bytes())], "acme", "9.9.9").is_err());
}

#[test]
fn model_calls_with_costs() {
    let made = first(
        r#"{"request_id":"r1","startTime":"2025-01-24 09:20:46.847371","model":"gpt-4o","user":"ann","call_type":"completion","spend":0.000225,"prompt_tokens":10,"completion_tokens":20,"status":"success","metadata":"{\"a\":1}"}
           {"request_id":"r2","startTime":"2025-01-24 09:21:46.1","model":"gpt-4o","user":"bo","call_type":"completion","spend":0.5,"prompt_tokens":1,"completion_tokens":2,"status":"failure"}"#,
    );
    assert_eq!(made.mapped, 2);
    has(
        &made,
        &[
            "with ai_operation",
            "time = .startTime |> timestamp(\"%Y-%m-%d %H:%M:%S%.f\", \"UTC\")",
            "cost_usd = .spend",
            "tokens_input = .prompt_tokens",
            "\"success\" => \"Success\"",
            "target = .model",
        ],
    );
}

#[test]
fn a_wrapped_array_with_keys_named_like_the_action() {
    let made = first(
        r#"{"object":"list","data":[
            {"id":"a1","type":"project.archived","effective_at":1722461446,"project.archived":{"id":"p1"},"actor":{"type":"session"}},
            {"id":"a2","type":"key.created","effective_at":1722461447,"key.created":{"id":"k1"},"actor":{"type":"session"}}
           ],"has_more":false}"#,
    );
    assert_eq!(made.mapped, 2);
    has(
        &made,
        &[
            "records $.data[*]",
            ".(\"project.archived\" | \"key.created\").id",
            "time = .effective_at |> unix_seconds",
        ],
    );
}

#[test]
fn separated_values() {
    let made = first_of(
        "Zeitpunkt;Benutzer;Vorgang;Modell;Kosten (EUR)\n01.11.2026 09:15:00;Anna@Muster.de;\"chat \"\"x\"\"\";m;1.234,56\n02.11.2026 09:15:00;Bo@Müster.de;chat;m;0,5\n"
            .replace('ü', "\u{1}")
            .bytes()
            .map(|byte| if byte == 1 { 0xfc } else { byte })
            .collect::<Vec<_>>()
            .as_slice(),
        "1.8.0",
    );
    assert_eq!(made.mapped, 2, "{}", made.text);
    has(
        &made,
        &[
            "delimiter \";\" decimal \",\" grouping \".\" encoding \"windows-1252\"",
            "timestamp(\"%d.%m.%Y %H:%M:%S\", \"UTC\")",
            "who = .Benutzer",
            "unmapped.\"Kosten (EUR)\" = .\"Kosten (EUR)\"",
        ],
    );
}

#[test]
fn times_of_two_forms_and_gaps() {
    let made = first(
        r#"{"created_at":1621305118553,"action":"a"}
           {"created_at":"2022-08-16 16:56:49.309","action":"b"}
           {"ts":"2022-08-16T16:56:49Z","action":"c"}
           {"action":"d"}"#,
    );
    assert_eq!(made.mapped, 4, "{}\n{:?}", made.text, made.rejects);
    has(&made, &["stable_id(", "on missing meta.received_at", "is invalid then"]);
}

const ACCESS: &str = r#"
{"id":"e1","at":"2026-04-10T08:09:10Z","action":"group.member_added","actor":{"email":"ann@example.com"},"group":{"id":"g1","name":"admins"},"member":{"email":"bo@example.com"},"ip":"192.0.2.1"}
{"id":"e2","at":"2026-04-10T08:09:11Z","action":"group.member_removed","actor":{"email":"ann@example.com"},"group":{"id":"g1","name":"admins"},"member":{"email":"bo@example.com"}}
{"id":"e3","at":"2026-04-10T08:09:12Z","action":"group.created","actor":{"email":"ann@example.com"},"group":{"id":"g2","name":"sales"}}
{"id":"e4","at":"2026-04-10T08:09:13Z","action":"role.assigned","actor":{"email":"ann@example.com"},"member":{"email":"bo@example.com"},"permissions":["read","write"]}
{"id":"e5","at":"2026-04-10T08:09:14Z","action":"role.revoked","actor":{"email":"ann@example.com"},"member":{"email":"bo@example.com"}}
{"id":"e6","at":"2026-04-10T08:09:15Z","action":"file.read","actor":{"email":"bo@example.com"},"member":{"email":"x"},"group":{"name":"sales"}}
"#;

#[test]
fn changes_of_groups_and_rights() {
    for version in ocsf::VERSIONS {
        let made = first_of(ACCESS.as_bytes(), version);
        assert_eq!((made.records, made.mapped), (6, 6), "{}\n{:?}", made.text, made.rejects);
        has(
            &made,
            &[
                "emit group_management",
                "\"group.member_added\" => \"Add User\"",
                "\"group.member_removed\" => \"Remove User\"",
                "\"group.created\" => \"Create\"",
                "group.name = .group.name",
                "user.name = .member.email",
                "emit user_access",
                "\"role.assigned\" => \"Assign Privileges\"",
                "\"role.revoked\" => \"Revoke Privileges\"",
                "privileges = .permissions[*] |> take(100) on missing [\"unknown\"]",
                "emit api_activity",
                "\"file.read\" => \"Read\"",
            ],
        );
    }
    let made = first(
        r#"{"id":"1","time":"2026-04-10T08:09:10Z","eventName":"AddUserToGroup","user":"ann","requestParameters":{"userName":"bo","groupName":"admins"}}
           {"id":"2","time":"2026-04-10T08:09:11Z","eventName":"AttachUserPolicy","user":"ann","requestParameters":{"userName":"bo","policyArn":"p"}}"#,
    );
    assert_eq!(made.mapped, 2, "{}", made.text);
    has(
        &made,
        &[
            "group.name = .requestParameters.groupName",
            "user.name = .requestParameters.userName",
            "privileges = [.requestParameters.policyArn ?? \"unknown\"]",
        ],
    );
    // Nothing says who, which group or what.
    let made = first(
        r#"{"id":"1","time":"2026-04-10T08:09:10Z","action":"group_user_added"}
           {"id":"2","time":"2026-04-10T08:09:11Z","action":"permission_granted"}"#,
    );
    assert_eq!(made.mapped, 2, "{}", made.text);
    has(&made, &["group.name = \"unknown\"", "privileges = [\"unknown\"]"]);
}

#[test]
fn hostile_samples_give_programs_that_compile() {
    for sample in [
        r#"{}"#,
        r#"{"":1,"":2}"#,
        r#"{"when":1,"emit":{"let":"x"},"in":[1,2],"true":false,"2fa":1,"a b":2,"a\"b":3,"a\nb":4,"{x}":5,"*":6,"\u202e":7,"\\":8}"#,
        r#"{"tokens_input":5,"raw_sha256":"x","cost_usd":"y","id":{"id":1},"time":[],"type":{"a":1}}"#,
        r#"{"id":"x","time":"not a time","actor":["a"],"action":{"x":1},"target":true}"#,
        r#"{"type":"a*b{c}\"\\","id":"\"\"\"","user":"\ud800","message":"\"\"\"\u0000"}"#,
        r#"{"id":1,"ts":1e400,"cost":-1e-400,"prompt_tokens":99999999999999999999}"#,
        "a,a\n1,2\n",
        "a,,c\n1,2,3\n\"x\"\"\"\"\"\"\",\"\n\",3\n",
    ] {
        first(sample);
    }
    let wide: Vec<String> = (0..3_000).map(|number| format!("\"k{number}\":{number}")).collect();
    first(&format!("{{{}}}", wide.join(",")));
    first(&format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(60), "}".repeat(60)));
    first(&format!("{{\"id\":\"{}\",\"user\":\"{}\"}}", "x".repeat(100_000), "é".repeat(100_000)));
}

#[test]
fn files_that_are_no_log_are_left_out() {
    let files = [
        object("README.md", b"# About\n\nNothing, really.\n"),
        object("a.ndjson", FEED.as_bytes()),
        object("b.tsv", b"a\tb\n1\t2\n"),
    ];
    let made = init(&files, "acme", "1.8.0").unwrap();
    let names: Vec<_> = made.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((made.records, names), (4, vec!["README.md", "b.tsv"]));
    assert!(init(&files[..1], "acme", "1.8.0").is_err());
    assert!(init(&[], "acme", "1.8.0").is_err());
}

/// A name as logs have them, or an odd one.
fn key() -> impl Strategy<Value = String> {
    let usual = [
        "id",
        "type",
        "time",
        "created_at",
        "actor",
        "user",
        "email",
        "ip",
        "action",
        "target",
        "status",
        "cost",
        "model",
        "prompt_tokens",
        "output_tokens",
        "user_agent",
        "data",
        "session",
        "group",
        "member",
        "roles",
        "permissions",
        "api_key",
        "password",
        "when",
        "emit",
    ];
    prop_oneof![
        5 => prop::sample::select(usual.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => any::<String>(),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    let usual = [
        "1722461446",
        "1722461446123",
        "\"2026-04-10T08:09:10Z\"",
        "\"2026-04-10 08:09:10\"",
        "\"ann@example.com\"",
        "\"192.0.2.1\"",
        "\"user.login\"",
        "\"user.created\"",
        "\"delete_thing\"",
        "\"group.member_added\"",
        "\"role.assigned\"",
        "\"success\"",
        "\"\"",
        "null",
        "true",
        "0.5",
        "-1",
        "1e9",
        "\"\\ud800\"",
        "\"\\\"\\\"\\\"\"",
        "01x",
    ];
    prop_oneof![
        5 => prop::sample::select(usual.to_vec()).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| Json::Text(text).to_string()),
    ]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            members(inner),
        ]
    })
}

fn members(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((key(), value), 0..8).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(name, value)| format!("{}:{value}", Json::Text(name)))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_json_gives_a_program_that_compiles(records in prop::collection::vec(members(value()), 1..6)) {
        first(&records.join("\n"));
    }

    #[test]
    fn any_cells_give_a_program_that_compiles(rows in prop::collection::vec(prop::collection::vec("[^\\x00\n]{0,8}", 3), 2..5)) {
        let rows: Vec<String> = rows.iter().map(|row| row.join(";")).collect();
        // Anything but separated values is refused in words.
        if let Ok(made) = init(&[object("x", format!("{}\n", rows.join("\n")).as_bytes())], "acme", "1.8.0") {
            assert!(!has_errors(&compile(&Source::new("made", made.text.clone())).diagnostics), "{}", made.text);
        }
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = init(&[object("x", &bytes)], "acme", "1.8.0");
    }
}
