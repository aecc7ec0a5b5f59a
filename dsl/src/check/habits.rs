//! Functions of other languages, and how weir says the same.
//!
//! A name that only differs is replaced; a call that weir writes as an operator is rewritten as a whole; what weir does
//! not do is explained.

use crate::ast::{Expr, ExprKind};
use crate::source::{Source, Span};

/// What is said to somebody who calls a function of another language.
pub(super) struct Advice {
    pub(super) help: String,
    /// What to write, and instead of what.
    pub(super) edit: Option<(Span, String)>,
}

/// The same function under another name, with the same arguments.
const RENAMED: &[(&str, &[&str])] = &[
    (
        "lower",
        &["lowercase", "downcase", "to_lower", "tolower", "tolowercase", "ascii_downcase", "lcase"],
    ),
    (
        "upper",
        &["uppercase", "upcase", "to_upper", "toupper", "touppercase", "ascii_upcase", "ucase"],
    ),
    (
        "trim",
        &[
            "strip",
            "strip_whitespace",
            "trim_space",
            "trimspace",
            "ltrim",
            "rtrim",
            "lstrip",
            "rstrip",
        ],
    ),
    (
        "int",
        &[
            "to_int",
            "parse_int",
            "toint",
            "integer",
            "parseint",
            "to_integer",
            "int64",
            "long",
            "to_long",
        ],
    ),
    (
        "decimal",
        &[
            "to_number",
            "tonumber",
            "number",
            "to_float",
            "parse_float",
            "todouble",
            "to_double",
            "double",
            "to_decimal",
            "real",
        ],
    ),
    ("bool", &["to_bool", "boolean", "to_boolean", "parse_bool", "tobool"]),
    ("length", &["len", "size", "strlen", "strsize", "char_length"]),
    (
        "timestamp",
        &[
            "to_timestamp",
            "parse_time",
            "strptime",
            "date",
            "todatetime",
            "parse_date",
            "datetime",
            "to_date",
            "iso8601",
            "fromisoformat",
            "todate",
            "parse_timestamp",
        ],
    ),
    (
        "format_time",
        &[
            "strftime",
            "format_timestamp",
            "format_date",
            "date_format",
            "ts_strftime",
            "to_char",
            "format_datetime",
        ],
    ),
    ("ip", &["to_ip", "parse_ip", "ip_address", "ipv4", "toip"]),
    ("in_cidr", &["cidr_match", "ip_cidr_contains", "cidrmatch", "ipv4_is_in_range", "ip_in_cidr"]),
    (
        "json",
        &[
            "parse_json",
            "json_parse",
            "from_json",
            "fromjson",
            "parsejson",
            "decode_json",
            "json_decode",
            "todynamic",
            "json_extract",
        ],
    ),
    ("kv", &["parse_key_value", "parse_kv", "key_value", "parse_logfmt", "logfmt"]),
    (
        "extract",
        &[
            "parse_regex",
            "rex",
            "regex_extract",
            "match_regex",
            "capture",
            "regexp_extract",
            "re_match",
            "parse_pattern",
        ],
    ),
    ("grok", &["parse_grok", "match_grok"]),
    ("url", &["parse_url", "url_parse", "urlparse", "parseurl"]),
    ("base64", &["decode_base64", "base64_decode", "b64decode", "atob", "from_base64", "unbase64"]),
    (
        "url_decode",
        &["decode_percent", "urldecode", "unquote", "decodeuricomponent", "url_unescape"],
    ),
    ("sha256", &["hash", "sha2", "hash_sha256", "sha_256"]),
    (
        "unix_seconds",
        &[
            "from_unix",
            "from_epoch",
            "epoch",
            "fromtimestamp",
            "from_unixtime",
            "unix_to_timestamp",
            "from_unix_timestamp",
            "unix",
            "todatetime_unix",
            "unix_timestamp",
            "epoch_seconds",
        ],
    ),
    (
        "unix_ms",
        &[
            "from_unix_ms",
            "epoch_ms",
            "epoch_millis",
            "unix_millis",
            "from_epoch_ms",
            "unix_milliseconds",
            "milliseconds",
            "unixtime_milliseconds_todatetime",
        ],
    ),
    ("to_enum", &["enum", "toenum"]),
    ("truncate", &["left", "prefix"]),
    ("part", &["split_part", "split_index"]),
    ("mask_email", &["redact_email"]),
    ("scrub", &["redact", "anonymize", "anonymise"]),
    ("any", &["some", "exists_in", "any_of"]),
    ("all", &["every", "all_of"]),
    ("count", &["count_if", "countif"]),
    ("distinct", &["unique", "uniq", "dedup"]),
    ("take", &["limit", "first_n", "head"]),
    ("abs", &["absolute"]),
];

/// What weir does otherwise, or not at all.
const EXPLAINED: &[(&[&str], &str)] = &[
    (
        &[
            "now",
            "current_timestamp",
            "getdate",
            "today",
            "sysdate",
            "current_time",
            "utcnow",
            "ts_now",
        ],
        "there is no clock: the same record gives the same event at any time; when the object was stored is `meta.received_at`",
    ),
    (
        &[
            "uuid",
            "uuid_v4",
            "uuid4",
            "uuidv4",
            "gen_random_uuid",
            "random",
            "rand",
            "newid",
            "nanoid",
            "ksuid",
            "uuid_v7",
        ],
        "nothing is random: the same record gives the same event; an id from fields is `stable_id(.a, .b)`",
    ),
    (
        &["env", "get_env_var", "getenv", "environ", "secret", "get_secret"],
        "a program reads nothing but the record; write the value into the file",
    ),
    (
        &[
            "geoip",
            "geo",
            "get_geo",
            "iplocation",
            "geoip_lookup",
            "dns",
            "dns_lookup",
            "reverse_dns",
            "http",
            "http_request",
            "fetch",
            "get_enrichment_table_record",
            "lookup",
        ],
        "a program asks nobody: look up in a `table`, or enrich the events afterwards",
    ),
    (
        &["split", "strsplit"],
        "one piece is read by `|> part(\",\", 0)`, the last by `|> part(\",\", last)`",
    ),
    (
        &["substring", "substr", "slice", "mid", "right"],
        "the beginning is read by `|> truncate(3)`, a piece by `|> part(\",\", 0)`, anything else by `|> extract(r\"...\")`",
    ),
    (
        &[
            "regex_replace",
            "replace_regex",
            "gsub",
            "sub",
            "re_replace",
            "regexp_replace",
            "replace_all",
            "replace_pattern",
            "gsubi",
        ],
        "`|> replace(\"a\", \"b\")` replaces a constant text; a part is read by `|> extract(r\"...\")`",
    ),
    (
        &[
            "map",
            "filter",
            "reduce",
            "for_each",
            "map_values",
            "select",
            "sort",
            "sort_by",
            "reverse",
            "group_by",
            "reversed",
            "sorted",
            "zip",
            "flatten",
            "unnest",
            "fold",
            "map_each",
            "each",
        ],
        "lists are asked with `any`, `all`, `count`; to make something of each element, write `each .list[*] as x max 100 { ... }` or `add resources each ...`",
    ),
    (
        &[
            "del",
            "delete",
            "remove",
            "unset",
            "rename",
            "set",
            "put",
            "push",
            "append",
            "merge",
            "deleted",
            "remove_field",
        ],
        "a record is read, never changed: leave the field out, only what a line names is taken over",
    ),
    (
        &["sprintf", "printf", "format", "string_format", "fmt"],
        "a text with values in it is written `\"{.a}/{.b}\"`",
    ),
    (&["floor", "ceil", "ceiling", "trunc"], "a number is rounded by `|> round(0)`"),
    (
        &["md5", "sha1", "crc32", "xxhash", "murmur3"],
        "hashes are made by `|> sha256`, ids by `stable_id(.a, .b)`",
    ),
    (
        &[
            "typeof",
            "type",
            "is_string",
            "isstring",
            "is_integer",
            "is_array",
            "is_object",
            "is_number",
            "isnumber",
            "type_def",
        ],
        "a value has no type of its own: ask whether it can be read, `(.a |> int) is invalid`",
    ),
    (
        &[
            "keys",
            "values",
            "entries",
            "object_keys",
            "to_entries",
            "unnest_object",
            "get",
            "getpath",
        ],
        "every field is named in the file: `.a.b`, or one of several, `.(\"a\" | \"b\")`",
    ),
    (
        &["print", "log", "debug", "assert", "panic", "throw", "error", "raise"],
        "a program prints nothing; `reject \"reason\"` refuses a record, and a `test` shows what becomes of one",
    ),
    (
        &[
            "encode_json",
            "to_json",
            "tojson",
            "json_encode",
            "stringify",
            "encode_base64",
            "json_stringify",
        ],
        "a value under `unmapped` or in a `data` attribute is kept as it stands: `unmapped.details = .details`",
    ),
    (
        &["min_by", "max_by", "sum_by", "avg", "mean", "average", "percentile"],
        "records are mapped one by one; sums over a list of the record are written `sum(.list[*].tokens)`",
    ),
    (
        &["unix_timestamp_ms", "to_unix_timestamp", "to_epoch", "toepoch", "tounixtime"],
        "a time is written as its attribute wants it; leave the conversion out",
    ),
];

/// What a call of an unknown function may have meant.
pub(super) fn function(
    source: &Source,
    name: &str,
    span: Span,
    subject: Option<&Expr>,
    args: &[&Expr],
    call: Span,
) -> Option<Advice> {
    let lower = name.to_ascii_lowercase();
    let said = |help: &str| Some(Advice { help: help.to_owned(), edit: None });
    if let Some(text) = rewritten(source, &lower, args) {
        let text = if subject.is_none() { text } else { format!("({text})") };
        return Some(Advice { help: format!("write `{text}`"), edit: Some((call, text)) });
    }
    if matches!(
        &*lower,
        "to_string" | "tostring" | "string" | "str" | "string!" | "text" | "tochar"
    ) {
        let edit = args.first().map(|value| (call, source.slice(value.span).to_owned()));
        let help = "leave it out: a value is text where text is wanted";
        return Some(Advice { help: help.to_owned(), edit: edit.filter(|_| args.len() == 1) });
    }
    if let Some((_, help)) = EXPLAINED.iter().find(|(names, _)| names.contains(&&*lower)) {
        return said(help);
    }
    let (meant, _) = RENAMED.iter().find(|(_, names)| names.contains(&&*lower))?;
    Some(Advice { help: format!("write `{meant}`"), edit: Some((span, (*meant).to_owned())) })
}

/// A call that weir writes with an operator.
fn rewritten(source: &Source, name: &str, args: &[&Expr]) -> Option<String> {
    let text = |index: usize| args.get(index).map(|arg| source.slice(arg.span));
    match (name, args.len()) {
        (
            "coalesce" | "nvl" | "ifnull" | "first" | "firstnonnull" | "isnull" | "or" | "default",
            2..,
        ) => {
            let sides: Vec<&str> = args.iter().map(|arg| source.slice(arg.span)).collect();
            Some(sides.join(" ?? "))
        }
        (
            "exists" | "isset" | "isnotnull" | "is_not_null" | "isnotempty" | "has" | "exist"
            | "defined" | "present",
            1,
        ) => Some(format!("({} is present)", text(0)?)),
        (
            "is_nullish" | "isnull" | "is_null" | "isempty" | "is_empty" | "empty"
            | "isnullorempty" | "missing" | "isna" | "isblank",
            1,
        ) => Some(format!("({} is missing)", text(0)?)),
        (
            "startswith" | "starts_with" | "hasprefix" | "has_prefix" | "beginswith"
            | "begins_with",
            2,
        ) => Some(format!("({} starts_with {})", text(0)?, text(1)?)),
        ("endswith" | "ends_with" | "hassuffix" | "has_suffix", 2) => {
            Some(format!("({} ends_with {})", text(0)?, text(1)?))
        }
        ("includes" | "has" | "instr" | "strpos" | "contains_all", 2) => {
            Some(format!("({} contains {})", text(0)?, text(1)?))
        }
        ("iff" | "iif" | "if_else" | "ifelse" | "cond" | "choose", 3) => {
            Some(format!("(if {} then {} else {})", text(0)?, text(1)?, text(2)?))
        }
        ("concat" | "strcat" | "join_strings" | "str_concat" | "cat", 1..) => {
            let mut joined = String::from("\"");
            for arg in args {
                let written = source.slice(arg.span);
                match &arg.node {
                    ExprKind::Text(_) => joined.push_str(written.trim_matches('"')),
                    _ if written.contains(['"', '{']) => return None,
                    _ => {
                        joined.push('{');
                        joined.push_str(written);
                        joined.push('}');
                    }
                }
            }
            joined.push('"');
            Some(joined)
        }
        _ => None,
    }
}
