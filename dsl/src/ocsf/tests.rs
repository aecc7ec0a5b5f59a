//! Facts that the compiler relies on, and the consistency of all of them.

use super::*;

fn all() -> impl Iterator<Item = &'static Schema> {
    VERSIONS.iter().map(|version| schema(version).expect("a known version"))
}

/// A class or an object: version, name, attributes and constraints.
type Entity = (&'static str, &'static str, &'static Attributes, &'static [Constraint]);

fn entities() -> Vec<Entity> {
    all()
        .flat_map(|schema| {
            let classes = schema.classes.iter().map(|class| {
                (schema.version, class.name, &class.attributes, class.constraints.as_slice())
            });
            let objects = schema.objects.iter().map(|object| {
                (schema.version, object.name, &object.attributes, object.constraints.as_slice())
            });
            classes.chain(objects)
        })
        .collect()
}

fn class(version: &str, name: &str) -> &'static Class {
    schema(version).and_then(|schema| schema.class(name)).expect("a class of the version")
}

fn object(version: &str, name: &str) -> &'static Object {
    schema(version).and_then(|schema| schema.object(name)).expect("an object of the version")
}

fn attribute(version: &str, class_name: &str, name: &str) -> &'static Attribute {
    class(version, class_name).attributes.get(name).expect("an attribute of the class")
}

/// What an event or object must have when it declares `profiles`.
fn required(attributes: &Attributes, profiles: &[&str]) -> Vec<&'static str> {
    attributes
        .iter()
        .filter(|attribute| attribute.requirement == Requirement::Required)
        .filter(|attribute| attribute.exists_with(profiles))
        .map(|attribute| attribute.name)
        .collect()
}

const ALWAYS_REQUIRED: [&str; 7] =
    ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];

/// Compares what a class requires beyond [`ALWAYS_REQUIRED`].
#[track_caller]
fn check_required(version: &str, name: &str, expected: &[&str]) {
    let mut found = required(&class(version, name).attributes, &[]);
    for always in ALWAYS_REQUIRED {
        assert!(found.contains(&always), "{version} {name} requires {always}");
    }
    found.retain(|attribute| !ALWAYS_REQUIRED.contains(attribute));
    assert_eq!(found, expected, "{version} {name}");
}

#[track_caller]
fn check_constraint(constraints: &[Constraint], kind: ConstraintKind, members: &[&str]) {
    let found: Vec<_> = constraints.iter().map(|c| (c.kind, c.members.as_slice())).collect();
    assert_eq!(found, [(kind, members)]);
}

#[test]
fn versions_that_can_be_pinned() {
    for version in VERSIONS {
        assert_eq!(schema(version).map(|schema| schema.version), Some(version));
    }
    for version in ["1.8", "1.9.0", ""] {
        assert!(schema(version).is_none());
    }
}

#[test]
fn sizes() {
    let sizes: Vec<_> = all()
        .map(|s| (s.classes.len(), s.objects.len(), s.types.len(), s.profiles.len()))
        .collect();
    assert_eq!(sizes, [(50, 106, 22, 8), (81, 161, 24, 12), (83, 178, 24, 14)]);
}

#[test]
fn classes_state_their_numbers_and_captions() {
    for version in VERSIONS {
        let class = class(version, "api_activity");
        assert_eq!((class.uid, class.caption), (6003, "API Activity"));
        assert_eq!((class.category_uid, class.category_name), (6, "Application Activity"));
    }
    let uids = |version: &str| {
        let schema = schema(version).expect("a known version");
        ["authentication", "account_change", "entity_management", "user_access"]
            .map(|name| schema.class(name).map(|class| class.uid))
    };
    for version in VERSIONS {
        assert_eq!(uids(version), [Some(3002), Some(3001), Some(3004), Some(3005)]);
    }
    let base = class("1.8.0", "base_event");
    assert_eq!((base.uid, base.category_uid, base.category_name), (0, 0, "Uncategorized"));
}

#[test]
fn requirements_of_the_classes_for_ai_events() {
    for version in VERSIONS {
        check_required(version, "api_activity", &["actor", "api", "src_endpoint"]);
        check_required(version, "datastore_activity", &["actor", "src_endpoint"]);
        check_required(version, "web_resources_activity", &["web_resources"]);
        check_required(version, "application_lifecycle", &["app"]);
        check_required(version, "authentication", &["user"]);
        check_required(version, "account_change", &["user"]);
        check_required(version, "entity_management", &["entity"]);
        check_required(version, "user_access", &["privileges", "user"]);
        check_required(version, "group_management", &["group"]);
        check_required(version, "detection_finding", &["finding_info"]);
        assert_eq!(required(&object(version, "api").attributes, &[]), ["operation"]);
        assert_eq!(required(&object(version, "metadata").attributes, &[]), ["product", "version"]);
        assert_eq!(required(&object(version, "request").attributes, &[]), ["uid"]);
        assert!(required(&object(version, "enrichment").attributes, &[]).contains(&"data"));
    }
    assert_eq!(required(&object("1.8.0", "ai_model").attributes, &[]), ["ai_provider", "name"]);
}

#[test]
fn a_requirement_counts_only_with_its_profile() {
    for version in VERSIONS {
        let attributes = &class(version, "api_activity").attributes;
        assert!(!required(attributes, &[]).contains(&"cloud"));
        assert!(required(attributes, &["host", "cloud"]).contains(&"cloud"));
    }
    let osint = attribute("1.8.0", "api_activity", "osint");
    assert_eq!((osint.requirement, osint.exists_with(&[])), (Requirement::Required, false));
}

#[test]
fn actor_needs_the_host_profile_in_some_classes() {
    let with_host = |version| {
        let classes = &schema(version).expect("a known version").classes;
        let has = |class: &&Class| {
            class.attributes.get("actor").is_some_and(|actor| actor.profiles == ["host"])
        };
        classes.iter().filter(has).map(|class| class.uid).collect::<Vec<_>>()
    };
    for version in VERSIONS {
        let found = with_host(version);
        for uid in [6001, 6002, 2004] {
            assert!(found.contains(&uid), "{version} {uid}");
        }
        for uid in [3004, 3005, 3006] {
            assert_eq!(found.contains(&uid), version == "1.1.0", "{version} {uid}");
        }
        assert!(!found.contains(&6003) && !found.contains(&6005));
    }
}

#[test]
fn profile_ai_operation_is_of_three_classes_of_one_version() {
    for schema in all() {
        let newest = schema.version == "1.8.0";
        assert_eq!(schema.profiles.contains(&"ai_operation"), newest);
        let having = schema.classes.iter().filter(|class| class.profiles.contains(&"ai_operation"));
        let mut uids: Vec<_> = having.map(|class| class.uid).collect();
        uids.sort_unstable();
        assert_eq!(uids, if newest { vec![1007, 6003, 6005] } else { vec![] });
    }
    let model = attribute("1.8.0", "api_activity", "ai_model");
    assert_eq!(model.profiles, ["ai_operation"]);
    assert!(matches!(model.ty, AttributeType::Object("ai_model")));
}

#[test]
fn an_attribute_may_belong_to_two_profiles() {
    let process = object("1.8.0", "process");
    let egid = process.attributes.get("egid").expect("an attribute of process");
    assert_eq!(egid.profiles, ["linux/linux_users", "macos/macos_users"]);
    assert!(egid.exists_with(&["macos/macos_users"]) && !egid.exists_with(&["host"]));
}

#[test]
fn constraints() {
    use ConstraintKind::{AtLeastOne, JustOne};
    for version in VERSIONS {
        let members = ["account", "name", "uid"];
        check_constraint(&object(version, "user").constraints, AtLeastOne, &members);
        let members = ["dst_endpoint", "service"];
        check_constraint(&class(version, "authentication").constraints, AtLeastOne, &members);
        let members = ["database", "databucket", "table"];
        check_constraint(&class(version, "datastore_activity").constraints, AtLeastOne, &members);
        let members = ["group", "privileges"];
        check_constraint(&class(version, "authorize_session").constraints, JustOne, &members);
    }
    let members = ["application", "service"];
    check_constraint(&object("1.8.0", "message_context").constraints, AtLeastOne, &members);
}

#[test]
fn enumerations_look_up_both_ways() {
    let captions = |version: &str, name: &str| {
        let activity = attribute(version, name, "activity_id");
        assert_eq!(activity.sibling, Some("activity_name"));
        let values = &activity.enumeration.expect("activities are listed").values;
        values.iter().map(|value| (value.number, value.caption)).collect::<Vec<_>>()
    };
    let expected = [
        (Some(0), "Unknown"),
        (Some(1), "Logon"),
        (Some(2), "Logoff"),
        (Some(3), "Authentication Ticket"),
        (Some(4), "Service Ticket Request"),
        (Some(5), "Service Ticket Renew"),
        (Some(6), "Preauth"),
        (Some(7), "Account Switch"),
        (Some(99), "Other"),
    ];
    assert_eq!(captions("1.8.0", "authentication"), expected);
    for version in VERSIONS {
        let numbers: Vec<_> =
            captions(version, "api_activity").iter().filter_map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 99]);
    }

    let severity = attribute("1.5.0", "api_activity", "severity_id").enumeration.expect("listed");
    assert_eq!(severity.by_caption("Informational").and_then(|value| value.number), Some(1));
    assert_eq!(severity.by_number(6).map(|value| value.caption), Some("Fatal"));
    assert!(severity.by_caption("informational").is_none() && severity.by_number(7).is_none());
}

#[test]
fn an_enumeration_may_list_texts() {
    let http = object("1.8.0", "http_request");
    let method = http.attributes.get("http_method").expect("an attribute of http_request");
    let values = method.enumeration.expect("methods are listed");
    let patch = values.by_key("PATCH").expect("a method");
    assert_eq!((patch.caption, patch.number), ("Patch", None));
    assert!(values.by_key("patch").is_none());
    assert!(method.sibling.is_none());
}

#[test]
fn deprecations() {
    assert_eq!(class("1.8.0", "file_query").deprecated, Some("1.5.0"));
    assert_eq!(class("1.8.0", "api_activity").deprecated, None);
    assert_eq!(object("1.8.0", "cis_benchmark").deprecated, Some("1.5.0"));
    let fix = object("1.8.0", "vulnerability").attributes.get("fix_available");
    assert_eq!(fix.and_then(|attribute| attribute.deprecated), Some("1.1.0"));
    let kind = object("1.8.0", "account").attributes.get("type_id").and_then(|a| a.enumeration);
    let deprecated = kind.map(|kind| {
        let of = kind.values.iter().filter(|value| value.deprecated == Some("1.6.0"));
        of.filter_map(|value| value.number).collect::<Vec<_>>()
    });
    assert_eq!(deprecated, Some(vec![3, 4]));
}

#[test]
fn data_types() {
    let schema = schema("1.8.0").expect("a known version");
    let find = |name| schema.data_type(name).expect("a type of the version");
    assert_eq!(find("port_t").base, Base::Integer);
    assert_eq!(find("port_t").range, Some((0, 65535)));
    assert_eq!(find("timestamp_t").base, Base::Long);
    assert_eq!(find("ip_t").max_len, Some(40));
    assert_eq!(find("boolean_t").values, ["false", "true"]);
    assert_eq!(find("json_t").base, Base::Json);
    assert!(schema.data_type("nothing_t").is_none());
}

#[test]
fn unmapped_is_an_object_of_anything() {
    for version in VERSIONS {
        let unmapped = attribute(version, "api_activity", "unmapped");
        assert!(matches!(unmapped.ty, AttributeType::Object("object")));
        assert!(object(version, "object").attributes.is_empty());
    }
}

#[test]
fn names_are_sorted_and_unique() {
    #[track_caller]
    fn check(names: impl Iterator<Item = &'static str>) {
        let names: Vec<_> = names.collect();
        assert!(!names.is_empty() && names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
    for schema in all() {
        check(schema.classes.iter().map(|class| class.name));
        check(schema.objects.iter().map(|object| object.name));
        check(schema.types.iter().map(|data_type| data_type.name));
        check(schema.profiles.iter().copied());
        let uids: std::collections::BTreeSet<_> = schema.classes.iter().map(|c| c.uid).collect();
        assert_eq!(uids.len(), schema.classes.len());
    }
    for (_, name, attributes, _) in entities().into_iter().filter(|(.., a, _)| !a.is_empty()) {
        check(attributes.iter().map(|attribute| attribute.name));
        assert!(attributes.iter().all(|it| attributes.get(it.name).is_some()), "{name}");
    }
}

#[test]
fn everything_that_an_attribute_names_exists() {
    for (version, owner, attributes, _) in entities() {
        let schema = schema(version).expect("a known version");
        for attribute in attributes.iter() {
            let context = format!("{version} {owner}.{}", attribute.name);
            if let AttributeType::Object(name) = attribute.ty {
                assert!(schema.object(name).is_some(), "{context}: no object {name}");
            }
            for profile in &attribute.profiles {
                assert!(schema.profiles.contains(profile), "{context}: no profile {profile}");
            }
            let Some(sibling) = attribute.sibling else { continue };
            let sibling = attributes.get(sibling).unwrap_or_else(|| panic!("{context}: {sibling}"));
            assert_eq!(sibling.is_array, attribute.is_array, "{context}");
            assert_eq!(sibling.profiles, attribute.profiles, "{context}");
            assert_ne!(sibling.requirement, Requirement::Required, "{context}");
        }
    }
}

#[test]
fn values_of_enumerations_fit_their_types() {
    for (version, owner, attributes, _) in entities() {
        for attribute in attributes.iter() {
            let Some(values) = attribute.enumeration else { continue };
            let context = format!("{version} {owner}.{}", attribute.name);
            assert!(!values.values.is_empty(), "{context}");
            let AttributeType::Scalar(data_type) = attribute.ty else {
                panic!("{context} lists values of an object")
            };
            let whole = matches!(data_type.base, Base::Integer | Base::Long);
            assert!(whole || data_type.base == Base::String, "{context}");
            for value in &values.values {
                assert_eq!(value.number.is_some(), whole, "{context}");
                let same = values.by_caption(value.caption).map(|found| found.key);
                assert_eq!(same, Some(value.key), "{context}: two values of one caption");
            }
        }
    }
}

#[test]
fn derived_numbers_and_names_follow_from_the_class() {
    for schema in all() {
        for class in &schema.classes {
            let values = |name| {
                let found = class.attributes.get(name).and_then(|it| it.enumeration);
                found.expect("every class lists them").values.iter()
            };
            let activities = values("activity_id").map(|value| {
                let activity = value.number.expect("a number");
                let uid = i64::from(class.uid) * 100 + activity;
                (Some(uid), format!("{}: {}", class.caption, value.caption))
            });
            let types = values("type_uid").map(|value| (value.number, value.caption.to_owned()));
            assert!(activities.eq(types), "{} {}", schema.version, class.name);
            let only = |name| values(name).map(|v| (v.number, v.caption)).collect::<Vec<_>>();
            assert_eq!(only("class_uid"), [(Some(class.uid.into()), class.caption)]);
            let category = (Some(class.category_uid.into()), class.category_name);
            assert_eq!(only("category_uid"), [category]);
        }
    }
}

/// Constraint members that no attribute has: a checker that took them for attributes would look for them in vain.
#[test]
fn members_of_constraints_are_attributes_but_for_known_ones() {
    let mut strange: Vec<String> = Vec::new();
    for (version, owner, attributes, constraints) in entities() {
        for member in constraints.iter().flat_map(|constraint| &constraint.members) {
            match attributes.get(member) {
                Some(attribute) => assert!(attribute.profiles.is_empty(), "{owner}.{member}"),
                None => strange.push(format!("{version} {owner} {member}")),
            }
        }
    }
    let expected = [
        "1.1.0 patch_state device.os.sp_name",
        "1.1.0 patch_state device.os.sp_ver",
        "1.1.0 patch_state device.os.version",
        "1.5.0 event_log_actvity log_file",
        "1.5.0 evidence_info device.hostname",
        "1.5.0 evidence_info device.mac",
        "1.5.0 evidence_info device.name",
        "1.5.0 patch_state device.os.sp_name",
        "1.5.0 patch_state device.os.sp_ver",
        "1.5.0 patch_state device.os.version",
        "1.8.0 event_log_actvity log_file",
        "1.8.0 patch_state device.os.sp_name",
        "1.8.0 patch_state device.os.sp_ver",
        "1.8.0 patch_state device.os.version",
    ];
    assert_eq!(strange, expected);
}

#[test]
fn patterns_are_regular_expressions() {
    let mut patterns = 0;
    for schema in all() {
        for data_type in &schema.types {
            let Some(pattern) = data_type.regex else { continue };
            patterns += 1;
            assert_eq!(data_type.base, Base::String);
            let compiled = regex::Regex::new(pattern);
            assert!(compiled.is_ok(), "{} {}: {compiled:?}", schema.version, data_type.name);
        }
    }
    assert_eq!(patterns, 6 + 6 + 6);
}

#[test]
fn patterns_tell_right_from_wrong() {
    #[track_caller]
    fn check(version: &str, name: &str, text: &str, expected: bool) {
        let data_type = schema(version).and_then(|schema| schema.data_type(name));
        let pattern = data_type.and_then(|data_type| data_type.regex).expect("has a pattern");
        let found = regex::Regex::new(pattern).expect("compiles").is_match(text);
        assert_eq!(found, expected, "{version} {name} {text:?}");
    }
    for version in VERSIONS {
        check(version, "email_t", "jane.doe+x@example.com", true);
        check(version, "email_t", "jane.doe", false);
        check(version, "ip_t", "192.168.0.1", true);
        check(version, "ip_t", "2001:db8::1", true);
        check(version, "ip_t", "example.com", false);
        check(version, "mac_t", "00:1A:2b:3c:4d:5e", true);
        check(version, "mac_t", "001A2b3c4d5e", false);
        check(version, "uuid_t", "123e4567-e89b-12d3-a456-426614174000", true);
        check(version, "uuid_t", "123e4567e89b12d3a456426614174000", false);
        check(version, "datetime_t", "2026-01-02T03:04:05.678Z", true);
        check(version, "datetime_t", "2026-01-02 03:04:05", false);
    }
}

#[test]
fn wrong_facts_are_refused_with_their_line() {
    let cases = [
        ("ocsf", "line 1: a keyword alone: ocsf"),
        ("ocsf 1.0.0\nsurprise 1", "line 2: belongs to nothing: surprise 1"),
        ("object user User\nsurprise 1", "line 2: unknown keyword: surprise 1"),
        (" name", "line 1: no such attribute:  name"),
        ("attribute name text_t optional", "line 1: no such type: "),
        ("type text_t string max_len=many", "line 1: not a number that fits: "),
        ("type text_t words", "line 1: unknown base: "),
        ("enum kind\n 1 One", "line 2: no caption: "),
        ("class 1 thing 7 Thing", "line 1: no such category: "),
    ];
    for (facts, expected) in cases {
        let error = read::read(facts).expect_err("wrong facts");
        assert!(error.starts_with(expected), "{error}");
    }
}
