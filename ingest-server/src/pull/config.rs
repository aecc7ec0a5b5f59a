//! `pull_config` of a source that reads a bucket: `"adapter": "s3_polling"`.
//!
//! A configuration is refused before it is stored, with every wrong field named and not only the first.
//! The names are those that configurations in use have, so they paste in; what is new is written in
//! snake case. `null` is the same as leaving a field out.
//!
//! ```
//! use serde_json::json;
//! use weir_server::pull::S3Polling;
//!
//! let config = S3Polling::parse(&json!({
//!     "adapter": "s3_polling",
//!     "bucket": "acme-audit",
//!     "prefix": "copilot/",
//!     "region": "eu-central-1",
//!     "roleArn": "arn:aws:iam::123456789012:role/weir-reader",
//!     "externalId": "weir-7f3a",
//!     "schedule": "*/15 * * * *",
//! }))?;
//! assert_eq!(config.bucket, "acme-audit");
//!
//! let wrong = S3Polling::parse(&json!({"adapter": "s3_polling", "buket": "acme-audit"}));
//! let wrong: Vec<String> = wrong.unwrap_err().iter().map(ToString::to_string).collect();
//! assert_eq!(wrong, [
//!     "pull_config.bucket: is missing: name the bucket",
//!     "pull_config.buket: there is no such field; did you mean `bucket`?",
//! ]);
//! # Ok::<(), Vec<weir_server::pull::FieldError>>(())
//! ```

mod csv;
mod fields;
mod input;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::SignedDuration;
use serde_json::Value;
use weir_engine::input::{Compression, RecordsStep};

use super::schedule::Schedule;
use crate::source::{self, AccessKey, AssumedRole, S3Options};

pub use self::csv::CsvOptions;
pub use self::fields::FieldError;
pub(super) use self::rules::day_folder;

use self::fields::Fields;

/// Every name that may stand in the configuration.
const NAMES: [&str; 23] = [
    "adapter",
    "bucket",
    "prefix",
    "region",
    "credentialRef",
    "roleArn",
    "externalId",
    "parser",
    "schedule",
    "eventMapping",
    "endpoint",
    "sts_endpoint",
    "path_style",
    "compression",
    "records_path",
    "csv",
    "lookback_seconds",
    "max_record_bytes",
    "on_error",
    "discovery",
    "date_prefix_format",
    "date_prefix_days",
    "reconcile_every_sec",
];

/// A day, in seconds: the default of the look-back and of the time between two full listings.
const DAY_SECONDS: u64 = 24 * 3600;

/// A bucket that is polled.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct S3Polling {
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with; empty for all of the bucket.
    pub prefix: String,
    /// The region; by default that of the machine, and `us-east-1` for a store of one's own.
    pub region: Option<String>,
    /// Which of the stored credentials to use.
    pub credential_ref: Option<String>,
    /// The role to take on.
    pub role_arn: Option<String>,
    /// What the owner of the role demands to be told. Not shown by `Debug`.
    pub external_id: Option<String>,
    /// How records are laid out, if it is said here too.
    pub parser: Option<RecordFormat>,
    /// When to poll, if it is said here: a cron pattern.
    pub schedule: Option<Schedule>,
    /// The older form of a mapping: names of fields to paths.
    pub event_mapping: Option<serde_json::Map<String, Value>>,
    /// Another store than AWS, as a URL.
    pub endpoint: Option<String>,
    /// Another service to ask for roles than that of AWS, or of the endpoint.
    pub sts_endpoint: Option<String>,
    /// Buckets are named in the path and not in the host name.
    pub path_style: Option<bool>,
    /// How objects are compressed, if it is said here too.
    pub compression: Option<Compression>,
    /// Where the records of a JSON document are, if it is said here too.
    pub records_path: Option<Vec<RecordsStep>>,
    /// What is said here about separated values.
    pub csv: Option<CsvOptions>,
    /// The largest record, if it is not the program's own limit.
    pub record_bytes_max: Option<u32>,
    /// What becomes of an object with bad records.
    pub on_error: OnError,
    /// How objects are found.
    pub discovery: Discovery,
}

/// How records are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFormat {
    /// `ndjson`: one JSON object a line.
    Ndjson,
    /// `csv`: separated values.
    Csv,
    /// `json-array`: JSON documents with records in them.
    JsonArray,
}

impl RecordFormat {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::JsonArray => "json-array",
        }
    }
}

/// What becomes of an object with bad records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// They become dead letters, and the rest is stored.
    #[default]
    Quarantine,
    /// The object fails at the first one.
    Fail,
}

/// How the objects of a bucket are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// What is listed on an ordinary run.
    pub mode: DiscoveryMode,
    /// How much later than its greater neighbours a key may arrive and still be found by the next
    /// run of `lexicographic`.
    pub lookback: SignedDuration,
    /// How often everything is listed, whatever the mode.
    pub reconcile_every: SignedDuration,
}

/// What is listed on an ordinary run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DiscoveryMode {
    /// Everything. Right for every store and every way of naming objects.
    #[default]
    Unordered,
    /// The folders of the last days, for `PREFIX2025/06/01/...`.
    DatePrefix {
        /// What stands behind the prefix, in the terms of strftime: `%Y/%m/%d/`.
        format: String,
        /// How many days, today among them.
        days: u32,
    },
    /// The keys behind a cursor, for keys that ascend with time.
    Lexicographic,
}

impl S3Polling {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// Every field that is wrong, unknown or missing.
    pub fn parse(config: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::open(config)?;
        check_adapter(&mut fields)?;
        let parsed = read(&mut fields);
        fields.refuse_unknown(&NAMES, hint);
        let errors = fields.into_errors();
        match parsed {
            Some(parsed) if errors.is_empty() => Ok(parsed),
            _ => Err(errors),
        }
    }

    /// How to reach the store, with these credentials, or with those of the machine. The role is taken
    /// on under a name that its owner sees in the logs.
    pub fn s3_options(&self, access_key: Option<AccessKey>, session_name: &str) -> S3Options {
        S3Options {
            endpoint_url: self.endpoint.clone(),
            sts_endpoint_url: self.sts_endpoint.clone(),
            path_style: self.path_style,
            region: self.region.clone(),
            access_key,
            role: self.role_arn.as_ref().map(|arn| AssumedRole {
                arn: arn.clone(),
                external_id: self.external_id.clone(),
                session_name: rules::session_name(session_name),
            }),
            ..S3Options::default()
        }
    }

    /// How the objects are compressed, read by a program that says `program` about it: what is said
    /// here counts, unless it is `auto`.
    pub fn compression(&self, program: Compression) -> source::Compression {
        match self.compression.filter(|own| *own != Compression::Auto).unwrap_or(program) {
            Compression::Auto => source::Compression::Auto,
            Compression::None => source::Compression::None,
            Compression::Gzip => source::Compression::Gzip,
            Compression::Zstd => source::Compression::Zstd,
        }
    }
}

impl fmt::Debug for S3Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Polling")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("role_arn", &self.role_arn)
            .field("has_external_id", &self.external_id.is_some())
            .field("schedule", &self.schedule)
            .field("discovery", &self.discovery)
            .finish_non_exhaustive()
    }
}

/// Nothing else of a configuration for another adapter would make sense.
fn check_adapter(fields: &mut Fields<'_>) -> Result<(), Vec<FieldError>> {
    let problem = match fields.take("adapter").map(Value::as_str) {
        Some(Some("s3_polling")) => return Ok(()),
        None => "is missing: write \"s3_polling\"".to_owned(),
        Some(Some("http_polling")) => {
            "this version polls buckets only (\"s3_polling\"); a feed over HTTP can be sent to the \
             webhook of the source instead"
                .to_owned()
        }
        Some(_) => "is no adapter of this version: write \"s3_polling\"".to_owned(),
    };
    fields.wrong("adapter", problem);
    Err(std::mem::take(&mut fields.errors))
}

/// Reads every field, so that everything wrong with them is said at once.
fn read(fields: &mut Fields<'_>) -> Option<S3Polling> {
    let bucket = match fields.read("bucket", rules::bucket) {
        None if !fields.is_wrong("bucket") => {
            fields.wrong("bucket", "is missing: name the bucket".to_owned());
            None
        }
        bucket => bucket,
    };
    let prefix = fields.read("prefix", rules::prefix).unwrap_or_default();
    let endpoint = fields.read("endpoint", rules::endpoint);
    let role_arn = fields.read("roleArn", rules::role_arn);
    let external_id = fields.read("externalId", rules::external_id);
    if external_id.is_some() && role_arn.is_none() && !fields.is_wrong("roleArn") {
        fields.wrong("externalId", "belongs to a role: give `roleArn`, too".to_owned());
    }
    let sts_endpoint = fields.read("sts_endpoint", rules::endpoint);
    if sts_endpoint.is_some() && role_arn.is_none() && !fields.is_wrong("roleArn") {
        fields.wrong("sts_endpoint", "belongs to a role: give `roleArn`, too".to_owned());
    }
    let parser = fields.read("parser", |value| {
        rules::word(
            value,
            &[
                ("ndjson", RecordFormat::Ndjson),
                ("csv", RecordFormat::Csv),
                ("json-array", RecordFormat::JsonArray),
            ],
        )
    });
    let region = fields.read("region", rules::region);
    let credential_ref = fields.read("credentialRef", rules::credential_ref);
    let schedule = fields.read("schedule", |value| {
        Schedule::cron(rules::text(value)?).map_err(|error| error.to_string())
    });
    let event_mapping = read_event_mapping(fields);
    let path_style = fields.read("path_style", rules::yes_or_no);
    let compression = fields.read("compression", |value| {
        rules::word(
            value,
            &[
                ("auto", Compression::Auto),
                ("none", Compression::None),
                ("gzip", Compression::Gzip),
                ("zstd", Compression::Zstd),
            ],
        )
    });
    let records_path = fields.read("records_path", input::records_path);
    let csv = csv::read(fields);
    input::check_layout(fields, parser, records_path.is_some(), csv.is_some());
    let record_bytes_max = fields.read("max_record_bytes", rules::record_bytes_max);
    let on_error = fields.read("on_error", |value| {
        rules::word(value, &[("quarantine", OnError::Quarantine), ("fail", OnError::Fail)])
    });
    let discovery = read_discovery(fields);
    Some(S3Polling {
        bucket: bucket?,
        prefix,
        region,
        credential_ref,
        role_arn,
        external_id,
        parser,
        schedule,
        event_mapping,
        endpoint,
        sts_endpoint,
        path_style,
        compression,
        records_path,
        csv,
        record_bytes_max,
        on_error: on_error.unwrap_or_default(),
        discovery,
    })
}

fn read_discovery(fields: &mut Fields<'_>) -> Discovery {
    #[derive(Clone, Copy, PartialEq)]
    enum Mode {
        Unordered,
        DatePrefix,
        Lexicographic,
    }
    let mode = fields.read("discovery", |value| {
        rules::word(
            value,
            &[
                ("unordered", Mode::Unordered),
                ("date_prefix", Mode::DatePrefix),
                ("lexicographic", Mode::Lexicographic),
            ],
        )
    });
    let mode = mode.unwrap_or(Mode::Unordered);
    let format = fields.read("date_prefix_format", rules::date_format);
    let days = fields.read("date_prefix_days", |value| rules::number(value, 1, 366));
    if mode != Mode::DatePrefix && !fields.is_wrong("discovery") {
        for (name, is_given) in
            [("date_prefix_format", format.is_some()), ("date_prefix_days", days.is_some())]
        {
            if is_given {
                let problem = "belongs to `\"discovery\": \"date_prefix\"`: give that, too";
                fields.wrong(name, problem.to_owned());
            }
        }
    }
    let seconds = |seconds: Option<u64>| {
        let seconds = i64::try_from(seconds.unwrap_or(DAY_SECONDS)).unwrap_or(i64::MAX);
        SignedDuration::from_secs(seconds)
    };
    let lookback =
        fields.read("lookback_seconds", |value| rules::number(value, 0, 30 * DAY_SECONDS));
    let reconcile =
        fields.read("reconcile_every_sec", |value| rules::number(value, 60, 30 * DAY_SECONDS));
    Discovery {
        mode: match mode {
            Mode::Unordered => DiscoveryMode::Unordered,
            Mode::DatePrefix => DiscoveryMode::DatePrefix {
                format: format.unwrap_or_else(|| "%Y/%m/%d/".to_owned()),
                days: days.and_then(|days| u32::try_from(days).ok()).unwrap_or(3),
            },
            Mode::Lexicographic => DiscoveryMode::Lexicographic,
        },
        lookback: seconds(lookback),
        reconcile_every: seconds(reconcile),
    }
}

/// Names of fields to paths; `extra` holds more of them. What the names and paths mean is said when the
/// mapping is compiled.
fn read_event_mapping(fields: &mut Fields<'_>) -> Option<serde_json::Map<String, Value>> {
    const FORM: &str = "write a path such as \"$.actor.email\"";
    let value = fields.take("eventMapping")?;
    let Value::Object(mapping) = value else {
        let problem = "write an object of paths, such as {\"actor\": \"$.user.email\"}";
        fields.wrong("eventMapping", problem.to_owned());
        return None;
    };
    for (name, value) in mapping {
        match value {
            Value::String(_) | Value::Null => {}
            Value::Object(extra) if name == "extra" => {
                for (name, _) in extra.iter().filter(|(_, path)| !path.is_string()) {
                    fields.wrong(&format!("eventMapping.extra.{name}"), FORM.to_owned());
                }
            }
            _ => fields.wrong(&format!("eventMapping.{name}"), FORM.to_owned()),
        }
    }
    Some(mapping.clone())
}

/// What to say of a name that is not ours, but that has a meaning elsewhere.
fn hint(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match plain.to_ascii_lowercase().as_str() {
        "accesskey" | "accesskeyid" | "awsaccesskeyid" | "secretkey" | "secretaccesskey"
        | "awssecretaccesskey" | "sessiontoken" | "secret" | "password" | "token" | "apikey"
        | "credentials" => {
            "secrets do not belong here, where they can be read: give them as the credentials of \
             the source, which are encrypted"
        }
        "endpointurl" | "s3endpoint" | "host" | "url" => "did you mean `endpoint`?",
        "stsendpointurl" => "did you mean `sts_endpoint`?",
        "forcepathstyle" | "s3forcepathstyle" | "usepathstyle" => "did you mean `path_style`?",
        "format" | "fileformat" | "codec" => "did you mean `parser`?",
        "cron" | "interval" | "pollinterval" => {
            "did you mean `schedule`? An interval is set on the source, as `poll_every_sec`"
        }
        "pollevery" | "polleverysec" => "it is set on the source and not in its `pull_config`",
        "keyprefix" | "path" | "folder" | "objectprefix" => "did you mean `prefix`?",
        "role" | "iamrole" | "assumerole" | "assumerolearn" => "did you mean `roleArn`?",
        _ => return None,
    })
}
