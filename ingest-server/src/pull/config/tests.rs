use proptest::prelude::*;
use serde_json::{Value, json};
use weir_engine::input::{Csv, Format, Input, Records};

use super::*;

/// A small right configuration with something changed.
fn with(changes: Value) -> Value {
    let mut config = json!({"adapter": "s3_polling", "bucket": "acme-audit"});
    let (Some(config_of), Value::Object(changes)) = (config.as_object_mut(), changes) else {
        panic!("a change is an object");
    };
    config_of.extend(changes);
    config
}

fn parse(changes: Value) -> S3Polling {
    S3Polling::parse(&with(changes)).unwrap()
}

/// What is wrong, one to a line.
fn wrong(changes: Value) -> String {
    let errors = S3Polling::parse(&with(changes)).unwrap_err();
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_configuration_in_use_is_taken_as_it_is() {
    let config = S3Polling::parse(&json!({
        "adapter": "s3_polling", "bucket": "acme-audit", "prefix": "copilot/", "region": "eu-west-1",
        "credentialRef": "aws-main", "roleArn": "arn:aws:iam::123456789012:role/team/weir",
        "externalId": "weir:7f3a", "parser": "json-array", "schedule": "*/15 * * * *",
        "eventMapping": {"source_event_id": "$.id", "actor": null, "extra": {"team": "$.team"}},
        "endpoint": "https://minio.example.com:9000/", "path_style": false, "compression": "gzip",
        "records_path": "$.data[*][\"odd \\\"name\"].rows[*]", "lookback_seconds": 3600,
        "max_record_bytes": 65536, "on_error": "fail", "discovery": "date_prefix",
        "date_prefix_format": "dt=%Y-%m-%d/", "date_prefix_days": 7, "reconcile_every_sec": 600,
        "csv": null,
    }))
    .unwrap();
    assert_eq!((config.bucket.as_str(), config.prefix.as_str()), ("acme-audit", "copilot/"));
    assert_eq!(config.parser, Some(RecordFormat::JsonArray));
    assert_eq!(config.endpoint.as_deref(), Some("https://minio.example.com:9000"));
    assert_eq!(config.records_path.as_ref().unwrap().len(), 5);
    assert_eq!(config.on_error, OnError::Fail);
    assert_eq!(config.record_bytes_max, Some(65536));
    let format = "dt=%Y-%m-%d/".to_owned();
    assert_eq!(config.discovery.mode, DiscoveryMode::DatePrefix { format, days: 7 });
    assert_eq!(config.discovery.reconcile_every, SignedDuration::from_secs(600));

    let options = config.s3_options(None, "weir/source: copilot");
    assert_eq!(options.path_style, Some(false));
    let role = options.role.unwrap();
    assert_eq!(role.external_id.as_deref(), Some("weir:7f3a"));
    assert_eq!(role.session_name, "weirsourcecopilot");
    for text in [format!("{config:?}"), format!("{role:?}")] {
        assert!(!text.contains("7f3a") && text.contains("team/weir"), "{text}");
    }
    let errors = S3Polling::parse(&json!({"adapter": "s3_polling", "bucket": null})).unwrap_err();
    assert_eq!(errors[0].field, "pull_config.bucket");
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = parse(json!({}));
    assert_eq!((config.prefix.as_str(), config.on_error), ("", OnError::Quarantine));
    assert_eq!(config.discovery.mode, DiscoveryMode::Unordered);
    assert_eq!(config.discovery.lookback, SignedDuration::from_hours(24));
    assert_eq!(config.discovery.reconcile_every, SignedDuration::from_hours(24));
    assert!(config.s3_options(None, "").role.is_none());
}

#[test]
fn every_wrong_field_is_named() {
    let text = wrong(json!({
        "bucket": "Acme", "prefix": 7, "region": "eu west", "roleArn": "arn:aws:s3:::x",
        "externalId": "x", "parser": "ndjsn", "schedule": "* * *", "eventMapping": {"actor": 1},
        "endpoint": "ftp://x", "path_style": "yes", "compression": "bzip2", "records_path": "$.a",
        "csv": {"delimiter": ";;", "delimeter": ";"}, "lookback_seconds": -1,
        "max_record_bytes": 1, "on_error": "ignore", "discovery": "ordered", "reconcile_every_sec": 1,
        "credentialRef": "", "roel_arn": "x",
    }));
    let lines: Vec<&str> = text.lines().collect();
    for (field, part) in [
        ("bucket", "3 to 63 lower-case letters"),
        ("prefix", "write a text"),
        ("region", "\"eu-central-1\""),
        ("roleArn", "write the ARN of a role"),
        ("externalId", "2 to 1,224"),
        ("parser", "did you mean \"ndjson\"?"),
        ("schedule", "it has 3 fields; write five fields in UTC"),
        ("eventMapping.actor", "write a path"),
        ("endpoint", "http:// or https://"),
        ("path_style", "true or false"),
        ("compression", "\"auto\" or \"none\" or \"gzip\" or \"zstd\""),
        ("records_path", "ends in [*]"),
        ("csv.delimiter", "one ASCII character"),
        ("csv.delimeter", "did you mean `delimiter`?"),
        ("lookback_seconds", "from 0 to 2592000"),
        ("max_record_bytes", "from 1024 to 268435456"),
        ("on_error", "\"quarantine\" or \"fail\""),
        ("discovery", "\"lexicographic\""),
        ("reconcile_every_sec", "from 60"),
        ("credentialRef", "1 to 256"),
        ("roel_arn", "did you mean `roleArn`?"),
    ] {
        let start = format!("pull_config.{field}: ");
        let line = lines.iter().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("nothing about {field} in\n{text}"));
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(lines.len(), 21, "{text}");
}

#[test]
fn names_of_buckets() {
    for bucket in ["abc", "a.b-c.d", "1bucket", "acme-alias-8jx-s3alias", &"x".repeat(63)] {
        parse(json!({"bucket": bucket}));
    }
    for (bucket, part) in [
        ("ab", "3 to 63"),
        ("-abc", "begins and ends"),
        ("abc.", "begins and ends"),
        ("a_b", "lower-case"),
        ("a..b", "a dot stands between"),
        ("a.-b", "a dot stands between"),
        ("192.168.0.1", "like an address"),
        ("s3://acme", "the name of the bucket alone"),
        ("acme/logs", "the name of the bucket alone"),
        ("arn:aws:s3:::acme", "no ARN"),
    ] {
        assert!(wrong(json!({"bucket": bucket})).contains(part), "{bucket}");
    }
    assert!(wrong(json!({"prefix": "x".repeat(1025)})).contains("at most 1024 bytes"));
    assert!(wrong(json!({"prefix": "s3://acme/logs"})).contains("without the bucket"));
}

#[test]
fn no_secret_is_repeated() {
    for changes in [
        json!({"endpoint": "https://user:hunter2@s3.example.com"}),
        json!({"endpoint": "hunter2"}),
        json!({"externalId": "hunter2 hunter2", "roleArn": "arn:aws:iam::123456789012:role/weir"}),
        json!({"secretAccessKey": "hunter2"}),
        json!({"credentials": {"secret_access_key": "hunter2"}}),
    ] {
        let text = wrong(changes);
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(wrong(json!({"secret_access_key": "x"})).contains("the credentials of the source"));
}

#[test]
fn fields_that_hang_together() {
    for (changes, text) in [
        (json!({"externalId": "abc"}), "pull_config.externalId: belongs to a role"),
        (json!({"sts_endpoint": "http://sts"}), "pull_config.sts_endpoint: belongs to a role"),
        (json!({"parser": "csv", "records_path": "$"}), "pull_config.records_path: belongs to"),
        (json!({"parser": "ndjson", "csv": {}}), "pull_config.csv: belongs to \"csv\""),
        (json!({"csv": {}, "records_path": "$"}), "pull_config.records_path: is for JSON"),
        (json!({"csv": {"header": false}}), "pull_config.csv.header: without a header row"),
        (json!({"csv": {"header": true, "columns": "a,b"}}), "pull_config.csv.columns: the header"),
        (json!({"csv": {"columns": ["a", "a"]}}), "pull_config.csv.columns: write names"),
        (json!({"csv": ";"}), "pull_config.csv: is not an object"),
        (json!({"date_prefix_days": 2}), "pull_config.date_prefix_days: belongs to"),
        (
            json!({"discovery": "date_prefix", "date_prefix_format": "%m/%d/"}),
            "pull_config.date_prefix_format: write what names a day",
        ),
        (
            json!({"discovery": "date_prefix", "date_prefix_format": "%Y/%H"}),
            "pull_config.date_prefix_format: write what names a day",
        ),
    ] {
        assert!(wrong(changes.clone()).starts_with(text), "{}", wrong(changes));
    }
}

#[test]
fn other_adapters_are_refused() {
    let refused = |config: Value| S3Polling::parse(&config).unwrap_err()[0].to_string();
    assert!(refused(json!({"adapter": "http_polling", "url": 1})).contains("polls buckets only"));
    assert!(refused(json!({"adapter": "ftp"})).contains("pull_config.adapter: is no adapter"));
    assert!(refused(json!({})).contains("pull_config.adapter: is missing"));
    assert!(refused(json!([])).contains("pull_config: is not an object"));
}

#[test]
fn what_contradicts_the_program_is_refused() {
    let ndjson = Input::new(Format::Ndjson);
    let member = |name: &str| RecordsStep::Member(name.to_owned());
    let path = vec![member("data"), member("odd \"name"), RecordsStep::Elements];
    let json = Input::new(Format::Json(Records { path, ..Records::default() }));
    let mut gzip = Input::new(Format::Ndjson);
    gzip.compression = Compression::Gzip;
    let csv = Input::new(Format::Csv(Csv { delimiter: b';', ..Csv::default() }));
    let columns = Some(vec!["a".to_owned(), "b".to_owned()]);
    let named = Input::new(Format::Csv(Csv { columns, ..Csv::default() }));
    for (changes, input, text) in [
        (json!({}), &gzip, ""),
        (json!({"parser": "ndjson", "compression": "zstd"}), &ndjson, ""),
        (json!({"compression": "auto"}), &gzip, ""),
        (json!({"compression": "gzip"}), &gzip, ""),
        (
            json!({"compression": "none"}),
            &gzip,
            "compression: is \"none\", but the program of the parser says `compression gzip`",
        ),
        (
            json!({"parser": "csv"}),
            &ndjson,
            "parser: is \"csv\", but the program of the parser says `input ndjson`",
        ),
        (json!({"parser": "ndjson"}), &json, "says `input json`"),
        (json!({"parser": "json-array"}), &json, ""),
        (json!({"records_path": "$.data[\"odd \\\"name\"][*]"}), &json, ""),
        (
            json!({"records_path": "$"}),
            &json,
            "records_path: is $, but the program of the parser says `records $.data[\"odd \\\"name\"][*]`",
        ),
        (json!({"records_path": "$"}), &csv, "records_path: is for JSON documents"),
        (json!({"csv": {}}), &ndjson, "csv: is for separated values"),
        (json!({"csv": {"delimiter": ";", "header": true, "comment": "none"}}), &csv, ""),
        (
            json!({"csv": {"delimiter": ","}}),
            &csv,
            "csv.delimiter: is something else, but the program of the parser says `delimiter \";\"`",
        ),
        (json!({"csv": {"columns": "a, b", "header": "none"}}), &named, ""),
        (json!({"csv": {"columns": ["a"]}}), &named, "says `columns \"a, b\"`"),
        (json!({"csv": {"columns": ["a"]}}), &csv, "says `columns in the first row`"),
        (json!({"csv": {"header": true}}), &named, "csv.header: "),
        (json!({"csv": {"encoding": "latin1"}}), &csv, "says `encoding utf-8`"),
        (json!({"csv": {"grouping": "."}}), &csv, "says `grouping none`"),
    ] {
        let errors = parse(changes.clone()).contradictions(input);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        match text {
            "" => assert!(errors.is_empty(), "{changes}: {errors:?}"),
            text => assert!(errors.len() == 1 && errors[0].contains(text), "{changes}: {errors:?}"),
        }
    }
    let auto = source::Compression::Auto;
    assert_eq!(parse(json!({})).compression(Compression::Auto), auto);
    let zstd = parse(json!({"compression": "zstd"}));
    assert_eq!(zstd.compression(Compression::Auto), source::Compression::Zstd);
    let open = parse(json!({"compression": "auto"}));
    assert_eq!(open.compression(Compression::Gzip), source::Compression::Gzip);
}

#[test]
fn days_have_folders_of_their_own() {
    let day = jiff::civil::date(2025, 6, 1);
    for (format, folder) in [
        ("%Y/%m/%d/", "2025/06/01/"),
        ("dt=%F/", "dt=2025-06-01/"),
        ("%Y-%j%%/", "2025-152%/"),
        ("\u{fc}/%d.%m.%Y/", "\u{fc}/01.06.2025/"),
    ] {
        assert_eq!(rules::date_format(&json!(format)), Ok(format.to_owned()));
        assert_eq!(rules::day_folder(format, day), folder);
    }
}

proptest! {
    /// Whatever somebody pastes in: an answer, and only about what is there.
    #[test]
    fn nothing_makes_it_panic(
        name in proptest::sample::select(&NAMES[1..]),
        value in prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
            "[$.\\[\\]*\"a%Y:/-]{0,40}".prop_map(Value::from),
            Just(json!({"delimiter": "", "x": [1]})),
            Just(json!([[], {}])),
        ],
    ) {
        let config = with(json!({name: value}));
        match S3Polling::parse(&config) {
            Ok(config) => drop(format!("{config:?}")),
            Err(errors) => for error in errors {
                let start = format!("pull_config.{name}");
                prop_assert!(error.field.starts_with(&start), "{}", error);
            },
        }
    }

    /// A folder differs from that of every other day.
    #[test]
    fn no_two_days_share_a_folder(
        format in "(%[YmdjF%]|[a-z/=-]){1,8}", first in 0_i32..800, second in 0_i32..800,
    ) {
        if rules::date_format(&json!(format)).is_ok() && first != second {
            let day = |number| {
                jiff::civil::date(2023, 1, 1).checked_add(jiff::Span::new().days(number)).unwrap()
            };
            prop_assert_ne!(
                rules::day_folder(&format, day(first)),
                rules::day_folder(&format, day(second)),
            );
        }
    }
}
