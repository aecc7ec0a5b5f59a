//! The OCSF facts of the compiler are what their script makes of the official schema, and the validator of events, which
//! judges all others, itself tells wrong events from right ones.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use weir_dsl::ocsf::VERSIONS;
use weir_tests::python::{validate_events, venv};

/// The one command that makes the files anew.
const UPDATE: &str = "WEIR_UPDATE=1 cargo test -p weir-tests --test facts";

#[test]
fn committed_facts_are_what_the_script_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("dsl").join("ocsf");
    let made = tempfile::tempdir().expect("a temporary folder");
    let update = std::env::var_os("WEIR_UPDATE").is_some();
    let script = folder.join("make_facts.py");
    let into = if update { folder.as_path() } else { made.path() };
    let status = Command::new(venv()).arg(script).arg(into).status().expect("Python runs");
    assert!(status.success(), "make_facts.py: {status}");

    let facts = VERSIONS.iter().map(|version| format!("{version}.facts"));
    for name in facts.chain(["NOTICE".to_owned()]) {
        let fresh = fs::read(into.join(&name)).expect("the script makes every file");
        let committed = fs::read(folder.join(&name)).expect("every file is committed");
        assert!(
            fresh == committed,
            "dsl/ocsf/{name} is not what make_facts.py makes; run {UPDATE}"
        );
    }
}

/// A valid completion.
fn event(version: &str) -> Value {
    json!({
        "class_uid": 6003, "class_name": "API Activity",
        "category_uid": 6, "category_name": "Application Activity",
        "activity_id": 1, "activity_name": "Create",
        "type_uid": 600_301, "type_name": "API Activity: Create",
        "severity_id": 1, "severity": "Informational",
        "time": 1_767_323_045_678_i64,
        "metadata": {
            "version": version,
            "uid": "e-1",
            "product": {"name": "Claude", "vendor_name": "Anthropic"},
            "original_time": "2026-01-02T03:04:05.678Z",
        },
        "actor": {"user": {"name": "Jané", "email_addr": "jane@example.com", "type_id": 1, "type": "User"}},
        "api": {"operation": "completion", "request": {"uid": "r-1"}},
        "src_endpoint": {"svc_name": "Claude", "ip": "10.0.0.1", "port": 443},
        "resources": [{"name": "claude", "type": "model"}],
        "enrichments": [{
            "name": "cost_usd", "value": "0.0117", "type": "cost", "provider": "Anthropic",
            "data": {"amount": 0.0117, "currency": "USD"},
        }],
        "unmapped": {"tokens_input": 10, "anything": [null, {"goes": true}]},
        "raw_data": "{}",
    })
}

/// The valid event with the values at some paths replaced; those of `null` are taken away.
fn with(version: &str, changes: &[(&str, Value)]) -> Value {
    let mut event = event(version);
    for (path, value) in changes {
        let (parent, name) = path.rsplit_once('/').expect("paths start with a slash");
        let parent = event.pointer_mut(parent).and_then(Value::as_object_mut);
        let parent = parent.expect("the path leads to an object");
        match value {
            Value::Null => drop(parent.remove(name)),
            value => drop(parent.insert(name.to_owned(), value.clone())),
        }
    }
    event
}

/// A change of the valid event, and what the validator says to it: `PATH: WHY`, of which the beginning counts.
type Case<'a> = (&'a [(&'a str, Value)], &'a str);

/// Checks that each of the changed events is refused, for one reason only.
#[track_caller]
fn check_refused(version: &str, cases: &[Case<'_>]) {
    let events: String =
        cases.iter().map(|(changes, _)| with(version, changes).to_string() + "\n").collect();
    let output = validate_events(version, events.as_bytes()).expect_err("all events are wrong");
    let mut lines = output.lines();
    for (number, (_, expected)) in (1..).zip(cases) {
        let expected = format!("-:{number}: {expected}");
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with(&expected), "expected {expected}\nfound    {line}\nin\n{output}");
    }
    let count = cases.len();
    let summary = format!("OCSF {version}: {count} events, 0 valid, {count} invalid");
    assert_eq!(lines.collect::<Vec<_>>(), [summary]);
}

/// Checks that all of the changed events are accepted.
#[track_caller]
fn check_accepted(version: &str, cases: &[&[(&str, Value)]]) {
    let events: String =
        cases.iter().map(|changes| with(version, changes).to_string() + "\n").collect();
    if let Err(output) = validate_events(version, events.as_bytes()) {
        panic!("{version}: {output}");
    }
}

#[test]
fn right_events_are_accepted() {
    for version in VERSIONS {
        check_accepted(
            version,
            &[
                &[],
                &[("/activity_name", Value::Null), ("/severity", Value::Null)],
                &[
                    ("/activity_id", json!(99)),
                    ("/activity_name", json!("completion")),
                    ("/type_uid", json!(600_399)),
                    ("/type_name", json!("API Activity: Other")),
                ],
                &[("/time", json!(946_684_800_000_i64))],
                &[("/time", json!(4_102_444_799_999_i64))],
                &[("/src_endpoint/port", json!(65535)), ("/src_endpoint/ip", json!("2001:db8::1"))],
                &[("/count", json!(i32::MAX)), ("/start_time", json!(i64::MAX))],
                &[
                    ("/metadata/profiles", json!(["cloud", "datetime"])),
                    ("/cloud", json!({"provider": "AWS"})),
                    ("/time_dt", json!("2026-01-02T03:04:05.678Z")),
                ],
            ],
        );
    }
}

#[test]
fn lists_of_numbers_have_lists_of_names() {
    let url = |names: Value| {
        let ids = json!([1, 99]);
        json!({"url": {"path": "/", "category_ids": ids, "categories": names}})
    };
    for version in VERSIONS {
        let right = [("/http_request", url(json!(["Adult/Mature Content", "Llamas"])))];
        check_accepted(version, &[&right]);
        check_refused(
            version,
            &[
                (
                    &[("/http_request", url(json!(["Adult", "Llamas"])))],
                    "/http_request/url/categories: 'Adult' is not 'Adult/Mature Content'",
                ),
                (
                    &[("/http_request", url(json!(["Adult/Mature Content", ""])))],
                    "/http_request/url/categories: must name what category_ids 99 stands for",
                ),
                (
                    &[("/http_request", url(json!(["Adult/Mature Content"])))],
                    "/http_request/url/categories: has 1 names for 2 of category_ids",
                ),
            ],
        );
    }
}

#[test]
fn profile_of_ai_events_is_accepted() {
    let profile: &[(&str, Value)] = &[
        ("/metadata/profiles", json!(["ai_operation"])),
        ("/ai_model", json!({"name": "claude", "ai_provider": "Anthropic"})),
        ("/message_context", json!({"prompt_tokens": 10, "service": {"name": "Claude"}})),
    ];
    check_accepted("1.8.0", &[profile]);
}

#[test]
fn events_against_the_schema_are_refused() {
    for version in VERSIONS {
        check_refused(
            version,
            &[
                (&[("/actor", Value::Null)], "/: \"actor\" is a required property"),
                (&[("/api/operation", Value::Null)], "/api: \"operation\" is a required property"),
                (&[("/message", json!(7))], "/message: 7 is not of type \"string\""),
                (
                    &[("/colour", json!("red"))],
                    "/: Additional properties are not allowed ('colour'",
                ),
                (
                    &[("/severity_id", json!(7)), ("/severity", Value::Null)],
                    "/severity_id: 7 is not one of",
                ),
                (
                    &[("/actor/user/email_addr", json!("jane"))],
                    "/actor/user/email_addr: \"jane\" does not match",
                ),
                (
                    &[("/src_endpoint/ip", json!("example.com"))],
                    "/src_endpoint/ip: \"example.com\" does not match",
                ),
                (
                    &[("/src_endpoint/port", json!(65536))],
                    "/src_endpoint/port: 65536 is greater than",
                ),
                (
                    &[("/actor/user/name", Value::Null)],
                    "/actor/user: must have at least one of account, name, uid",
                ),
                (
                    &[("/cloud", json!({"provider": "AWS"}))],
                    "/: Additional properties are not allowed ('cloud'",
                ),
                (
                    &[("/metadata/profiles", json!(["cloud"]))],
                    "/: \"cloud\" is a required property",
                ),
                (
                    &[("/resources", json!({"name": "claude"}))],
                    "/resources: {\"name\":\"claude\"} is not of type \"array\"",
                ),
            ],
        );
    }
}

#[test]
fn wrong_profiles_are_refused() {
    let unknown = (
        &[("/metadata/profiles", json!(["weather"]))][..],
        "/metadata/profiles: 'weather' is not a profile of OCSF",
    );
    let foreign = (
        &[("/metadata/profiles", json!(["load_balancer"]))][..],
        "/metadata/profiles: the class api_activity does not have the profile 'load_balancer'",
    );
    for version in VERSIONS {
        check_refused(version, &[unknown, foreign]);
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    for version in VERSIONS {
        check_refused(
            version,
            &[
                (&[("/count", json!(1_i64 << 31))], "/count: 2147483648 does not fit 32 bits"),
                (
                    &[("/count", json!(-(1_i64 << 31) - 1))],
                    "/count: -2147483649 does not fit 32 bits",
                ),
                (&[("/count", json!(7.0))], "/count: 7.0 is not written as a whole number"),
                (
                    &[("/start_time", json!(1_u64 << 63))],
                    "/start_time: 9223372036854775808 does not fit 64 bits",
                ),
                (
                    &[("/api/response", json!({"code": 1_i64 << 31}))],
                    "/api/response/code: 2147483648 does not fit 32 bits",
                ),
            ],
        );
    }
}

#[test]
fn wrong_names_beside_numbers_are_refused() {
    let other = [
        ("/activity_id", json!(99)),
        ("/type_uid", json!(600_399)),
        ("/type_name", json!("API Activity: Other")),
    ];
    let unnamed = [&other[..], &[("/activity_name", Value::Null)]].concat();
    let blank = [&other[..], &[("/activity_name", json!(" "))]].concat();
    for version in VERSIONS {
        check_refused(
            version,
            &[
                (&unnamed, "/activity_name: must name what activity_id 99 stands for"),
                (&blank, "/activity_name: must name what activity_id 99 stands for"),
                (
                    &[("/activity_name", json!("Read"))],
                    "/activity_name: 'Read' is not 'Create', the caption of activity_id 1",
                ),
                (&[("/class_name", json!("API"))], "/class_name: 'API' is not 'API Activity'"),
                (&[("/category_name", json!("Apps"))], "/category_name: 'Apps' is not"),
                (&[("/type_name", json!("Create"))], "/type_name: 'Create' is not"),
                (
                    &[("/actor/user/type_id", json!(99)), ("/actor/user/type", Value::Null)],
                    "/actor/user/type: must name what type_id 99 stands for",
                ),
                (
                    &[("/actor/user/type", json!("Admin"))],
                    "/actor/user/type: 'Admin' is not 'User'",
                ),
                (
                    &[("/observables", json!([{"name": "a", "type_id": 2, "type": "IP"}]))],
                    "/observables/0/type: 'IP' is not 'IP Address', the caption of type_id 2",
                ),
            ],
        );
    }
}

#[test]
fn wrong_derived_values_are_refused() {
    for version in VERSIONS {
        check_refused(
            version,
            &[
                (
                    &[("/type_uid", json!(600_302)), ("/type_name", Value::Null)],
                    "/type_uid: 600302 is not 600301",
                ),
                (&[("/metadata/version", json!("1.0.0"))], "/metadata/version: '1.0.0' is not"),
                (&[("/class_uid", json!(6999))], "/class_uid: 6999 is not a class of OCSF"),
                (&[("/class_uid", json!("6003"))], "/class_uid: '6003' is not a class of OCSF"),
                (&[("/time", json!(1_767_323_045))], "/time: 1767323045 is not in 2000 to 2099"),
                (&[("/time", json!(4_102_444_800_000_i64))], "/time: 4102444800000 is not in"),
            ],
        );
    }
}

#[test]
fn a_class_must_have_its_category() {
    let changes = [("/category_uid", json!(3)), ("/category_name", Value::Null)];
    let line = with("1.8.0", &changes).to_string();
    let output = validate_events("1.8.0", line.as_bytes()).expect_err("the category is wrong");
    assert!(output.contains("-:1: /category_uid: 3 is not 6\n"), "{output}");
}

#[test]
fn lines_that_are_no_event_are_refused() {
    let valid = event("1.8.0").to_string();
    let twice = valid.replacen('{', "{\"time\":1,", 1);
    let cases: [(&[u8], &str); 6] = [
        (b"{", "/: not JSON: "),
        (b"[]", "/: not an object"),
        (b"", "/: not JSON: "),
        (b"{\"class_uid\": NaN}", "/: not JSON: NaN"),
        (b"\xff{}", "/: not JSON: 'utf-8'"),
        (twice.as_bytes(), "/: not JSON: an object has the same key twice"),
    ];
    for (line, expected) in cases {
        let lines = [valid.as_bytes(), b"\n", line, b"\n"].concat();
        let output = validate_events("1.8.0", &lines).expect_err("one line is no event");
        assert!(output.starts_with(&format!("-:2: {expected}")), "{output}");
        assert!(output.ends_with("OCSF 1.8.0: 2 events, 1 valid, 1 invalid\n"), "{output}");
    }
}

#[test]
fn nothing_to_check_is_no_success() {
    let output = validate_events("1.8.0", b"").expect_err("there is no event");
    assert_eq!(output, "OCSF 1.8.0: 0 events, 0 valid, 0 invalid\n");
    let output = validate_events("9.9.9", b"{}").expect_err("there is no such version");
    assert!(output.contains("invalid choice: '9.9.9'"), "{output}");
}
