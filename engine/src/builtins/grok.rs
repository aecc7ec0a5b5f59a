//! `grok`: a regular expression made of named patterns.
//!
//! `%{INT:n}` stands for the pattern `INT` and names what it finds `n`. All of it is expanded when the program is
//! compiled, into one regular expression of the same engine as any other; the names of patterns cost nothing later.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::extract::{self, Groups};
use super::{
    BadArgument, Builtin, CODE_BAD_PATTERN, Constant, Example, Field, Fields, Param, ParamKind,
    Prepared, ResultType, constant_text,
};
use crate::pattern;
use crate::suggest;
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "grok",
    params: &[Param::TEXT, Param::new("pattern", ParamKind::ConstantRegex)],
    result: ResultType::Record(Fields::Named(fields)),
    takes_missing: false,
    doc: "Looks for a pattern in a text: `%{NAME:field}` is what the pattern NAME finds, as a \
          field; `%{NAME}` only has to be there; everything else is a regular expression, as \
          for `extract`. `INT`, `POSINT` and `NONNEGINT` give whole numbers, `NUMBER` and \
          `BASE10NUM` decimals, with a point in every input; other fields are read as what is \
          wanted. Without a match all fields are missing. An expression that must fit the whole \
          text starts with `^` and ends with `$`.",
    examples: &[
        Example::gives(r#"("10.0.0.7 200" |> grok(r"%{IP:ip} %{INT:code}")).code"#, "200"),
        Example::gives(
            r#"("GET /a?b=1 in 0.25s" |> grok(r"%{WORD:verb} %{URIPATHPARAM:uri}")).uri"#,
            "/a?b=1",
        ),
        Example::gives(r#"("x=-007" |> grok(r"x=%{INT:x}$")).x"#, "-7"),
        Example::missing(r#"("nothing" |> grok(r"%{IP:ip}")).ip"#),
        Example::missing(r#"("GET" |> grok(r"^%{WORD:verb}( %{URIPATH:path})?$")).path"#),
    ],
    prepare,
};

/// The patterns: name, definition, type. A definition may use those above it, and has no groups of its own.
///
/// They are ASCII, so that programs stay small, and generous: what an address or a time is exactly, the types decide.
const PATTERNS: &[(&str, &str, Option<Type>)] = &[
    // Words and everything.
    ("WORD", r"[A-Za-z0-9_]+", None),
    ("NOTSPACE", r"[^ \t\r\n]+", None),
    ("SPACE", r"[ \t\r\n]*", None),
    ("DATA", r"(?s:.*?)", None),
    ("GREEDYDATA", r"(?s:.*)", None),
    ("QUOTEDSTRING", r#"(?:"(?:[^"\\]|\\(?s:.))*"|'(?:[^'\\]|\\(?s:.))*')"#, None),
    ("QS", r"%{QUOTEDSTRING}", None),
    // Numbers.
    ("INT", r"[+-]?[0-9]+", Some(Type::Int)),
    ("POSINT", r"[1-9][0-9]*", Some(Type::Int)),
    ("NONNEGINT", r"[0-9]+", Some(Type::Int)),
    ("BASE10NUM", r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)", Some(Type::Decimal)),
    ("NUMBER", r"%{BASE10NUM}", Some(Type::Decimal)),
    ("BASE16NUM", r"[+-]?(?:0[xX])?[0-9A-Fa-f]+", None),
    ("BOOL", r"(?:true|false)", None),
    // Names.
    ("USERNAME", r"[A-Za-z0-9._-]+", None),
    ("USER", r"%{USERNAME}", None),
    ("UUID", r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}", None),
    (
        "LOGLEVEL",
        r"(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|alert|fatal|severe|emerg(?:ency)?)",
        None,
    ),
    ("PROG", r"[!-Z\\^-~]+", None),
    ("SYSLOGPROG", r"%{PROG}(?:\[%{POSINT}\])?", None),
    // Hosts.
    (
        "MAC",
        r"(?:(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})",
        None,
    ),
    (
        "IPV4",
        r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])",
        None,
    ),
    (
        "IPV6",
        r"(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){7}|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?::(?:(?:[0-9A-Fa-f]{1,4}:){0,6}(?:%{IPV4}|[0-9A-Fa-f]{1,4}))?)",
        None,
    ),
    ("IP", r"(?:%{IPV6}|%{IPV4})", None),
    (
        "HOSTNAME",
        r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\.?",
        None,
    ),
    ("IPORHOST", r"(?:%{IP}|%{HOSTNAME})", None),
    ("HOSTPORT", r"%{IPORHOST}:%{POSINT}", None),
    ("EMAILADDRESS", r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@%{HOSTNAME}", None),
    // Paths and addresses.
    ("UNIXPATH", r"(?:/[A-Za-z0-9_%!$@:.,+~-]*)+", None),
    ("WINPATH", r"(?:[A-Za-z]:|\\)(?:\\[^\\?*\r\n]*)+", None),
    ("PATH", r"(?:%{UNIXPATH}|%{WINPATH})", None),
    ("URIPROTO", r"[A-Za-z][A-Za-z0-9+.-]*", None),
    ("URIHOST", r"%{IPORHOST}(?::%{POSINT})?", None),
    ("URIPATH", r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+", None),
    ("URIPARAM", r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*", None),
    ("URIPATHPARAM", r"%{URIPATH}(?:%{URIPARAM})?", None),
    ("URI", r"%{URIPROTO}://(?:%{USER}(?::[^@/ ]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?", None),
    // Times.
    (
        "MONTH",
        r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)",
        None,
    ),
    ("MONTHNUM", r"(?:0[1-9]|1[0-2]|[1-9])", None),
    ("MONTHDAY", r"(?:0[1-9]|[12][0-9]|3[01]|[1-9])", None),
    (
        "DAY",
        r"(?i:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)",
        None,
    ),
    ("YEAR", r"[0-9]{4}", None),
    ("HOUR", r"(?:2[0-3]|[01]?[0-9])", None),
    ("MINUTE", r"[0-5][0-9]", None),
    ("SECOND", r"(?:[0-5][0-9]|60)(?:[.,][0-9]+)?", None),
    ("TIME", r"%{HOUR}:%{MINUTE}(?::%{SECOND})?", None),
    ("DATE_US", r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}", None),
    ("DATE_EU", r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}", None),
    ("DATE", r"(?:%{DATE_US}|%{DATE_EU})", None),
    ("ISO8601_TIMEZONE", r"(?:Z|[+-]%{HOUR}:?%{MINUTE})", None),
    (
        "TIMESTAMP_ISO8601",
        r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?",
        None,
    ),
    ("SYSLOGTIMESTAMP", r"%{MONTH} +%{MONTHDAY} %{TIME}", None),
    ("HTTPDATE", r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} [+-][0-9]{4}", None),
];

/// One piece of a pattern as written.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'p> {
    /// A regular expression, or a part of one.
    Plain(&'p str),
    /// `%{NAME}`, `%{NAME:field}`: what stands between the braces, and where.
    Reference(&'p str, Range<usize>),
    /// `%{` without its end.
    Open(Range<usize>),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("%{").map(|at| from + at) {
        pieces.push(Piece::Plain(&text[from..at]));
        let Some(length) = text[at..].find('}') else {
            pieces.push(Piece::Open(at..at + 2));
            return pieces;
        };
        pieces.push(Piece::Reference(&text[at + 2..at + length], at + 2..at + length));
        from = at + length + 1;
    }
    pieces.push(Piece::Plain(&text[from..]));
    pieces
}

fn find(name: &str) -> Option<&'static (&'static str, &'static str, Option<Type>)> {
    PATTERNS.iter().find(|(known, ..)| *known == name)
}

/// The fields, if the pattern can be read: what references name, and the groups that the text names itself.
fn fields(constants: &[Constant]) -> Vec<Field> {
    let [Constant::Text(text)] = constants else { return Vec::new() };
    let (mut expanded, mut types) = (String::new(), HashMap::new());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => expanded.push_str(plain),
            Piece::Reference(reference, range) => {
                if let Ok(Some(field)) = expand_reference(reference, &range, &mut expanded) {
                    let pattern = reference.split(':').next().and_then(find);
                    types.insert(field, pattern.and_then(|(.., ty)| *ty));
                }
            }
            Piece::Open(_) => {}
        }
    }
    let field = |name: String| Field { ty: types.get(name.as_str()).copied().flatten(), name };
    extract::group_names(&expanded).into_iter().map(field).collect()
}

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    let text = constant_text(constants, 0);
    let mut expanded = String::new();
    let (mut seen, mut numbers) = (HashSet::new(), HashSet::new());
    // Where each stretch of the expansion was written, for faults of the whole.
    let mut written: Vec<(usize, Range<usize>)> = Vec::new();
    let mut at = 0;
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => {
                written.push((expanded.len(), at..at + plain.len()));
                expanded.push_str(plain);
                at += plain.len();
            }
            Piece::Reference(reference, range) => {
                let field = expand_reference(reference, &range, &mut expanded)?;
                if let Some(field) = field {
                    let pattern = reference.split(':').next().and_then(find);
                    if pattern.is_some_and(|(.., ty)| ty.is_some()) {
                        numbers.insert(field);
                    }
                    if !seen.insert(field) {
                        let message = format!("the field `{field}` stands here twice");
                        return Err(bad(range, message, "give each part a name of its own"));
                    }
                }
                at = range.end + 1;
            }
            Piece::Open(range) => {
                let help = "write `%{NAME:field}`; for a percent sign before a brace, `%[{]`";
                return Err(bad(range, "this `%{` is not closed", help));
            }
        }
    }
    let compiled = pattern::compile(&expanded).map_err(|fault| {
        let place = fault.at.and_then(|at| place_of(&written, &at));
        let message = format!("this pattern cannot be used: {}", fault.message);
        BadArgument { at: place, ..bad(0..0, message, fault.help) }
    })?;
    let Some(groups) = Groups::of("grok", compiled, |name| numbers.contains(name)) else {
        return Err(BadArgument::literal(
            0,
            "this pattern names no field, so there is nothing to read",
            "name what you need: `%{IP:ip}`",
        ));
    };
    Ok(Box::new(groups))
}

/// Appends what `NAME` or `NAME:field` stands for; gives the field.
fn expand_reference<'p>(
    reference: &'p str,
    range: &Range<usize>,
    expanded: &mut String,
) -> Result<Option<&'p str>, BadArgument> {
    let (name, field) = match reference.split_once(':') {
        Some((name, field)) => (name, Some(field)),
        None => (reference, None),
    };
    let Some((_, definition, _)) = find(name) else {
        return Err(unknown(name, range.start..range.start + name.len()));
    };
    match field {
        None => expanded.push_str("(?:"),
        Some(field) if is_name(field) => {
            expanded.push_str("(?P<");
            expanded.push_str(field);
            expanded.push('>');
        }
        Some(field) => return Err(bad_field(name, field, range.start + name.len() + 1)),
    }
    expand(definition, expanded);
    expanded.push(')');
    Ok(field)
}

/// Appends a definition. It uses only definitions above it, so this ends.
fn expand(definition: &str, expanded: &mut String) {
    for piece in pieces(definition) {
        match piece {
            Piece::Plain(plain) => expanded.push_str(plain),
            Piece::Reference(name, _) => {
                expanded.push_str("(?:");
                if let Some((_, definition, _)) = find(name) {
                    expand(definition, expanded);
                }
                expanded.push(')');
            }
            Piece::Open(_) => {}
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Where a stretch of the expansion was written, if the author wrote it.
fn place_of(written: &[(usize, Range<usize>)], at: &Range<usize>) -> Option<Range<usize>> {
    written.iter().find_map(|(from, range)| {
        let start = at.start.checked_sub(*from)?;
        let end = at.end.checked_sub(*from)?;
        (end <= range.len()).then(|| range.start + start..range.start + end)
    })
}

fn bad(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> BadArgument {
    let (message, help) = (message.into(), Some(help.into()));
    BadArgument { index: 0, code: CODE_BAD_PATTERN, message, help, at: Some(at), fix: None }
}

fn unknown(name: &str, at: Range<usize>) -> BadArgument {
    let upper = name.to_ascii_uppercase();
    let known = PATTERNS.iter().map(|(known, ..)| *known);
    // `IPADDR`, `TIMESTAMP`
    let akin = |known: &&str| known.starts_with(&upper) || upper.starts_with(known);
    let near = suggest::misspelt(name, known.clone()).or_else(|| known.filter(akin).max());
    let message = format!("there is no pattern `{name}`");
    match near {
        Some(near) => {
            let report = bad(at, message, format!("did you mean `{near}`?"));
            BadArgument { fix: Some(near.to_owned()), ..report }
        }
        None => {
            let known: Vec<_> = PATTERNS.iter().map(|(known, ..)| *known).collect();
            bad(at, message, format!("the patterns are {}", known.join(", ")))
        }
    }
}

/// `%{INT:n:int}`, `%{IP:client.ip}`
fn bad_field(name: &str, field: &str, start: usize) -> BadArgument {
    let at = start..start + field.len();
    if let Some((field, ty)) = field.split_once(':')
        && is_name(field)
    {
        let message = format!("a field is read as what its target wants, so `:{ty}` is not needed");
        let report = bad(at, message, format!("write `%{{{name}:{field}}}`"));
        return BadArgument { fix: Some(field.to_owned()), ..report };
    }
    let message = format!("`{field}` cannot be the name of a field here");
    bad(at, message, "a name has letters, digits and `_`, as in `%{IP:client_ip}`")
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;
    use proptest::prelude::*;

    use super::*;
    use crate::value::Value;

    fn error(text: &str) -> BadArgument {
        prepare(&[Constant::Text(text.into())], &Default::default()).unwrap_err()
    }

    fn find_all(text: &str, input: &str) -> Vec<String> {
        let call = prepare(&[Constant::Text(text.into())], &Default::default()).unwrap();
        let arena = Bump::new();
        match call.call(&[Value::Text(input)], &arena) {
            Value::List(values) => values
                .iter()
                .map(|value| match value {
                    Value::Text(text) => (*text).to_owned(),
                    other => format!("{other:?}"),
                })
                .collect(),
            other => vec![format!("{other:?}")],
        }
    }

    /// What each pattern finds as a whole, and what it does not.
    #[test]
    fn patterns_find_what_their_names_say() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("WORD", &["a_1"], &["", "a-b"]),
            ("NOTSPACE", &["a-\u{e9}"], &["a b", ""]),
            ("SPACE", &["", " \t"], &["x"]),
            ("DATA", &["", "a\nb"], &[]),
            ("GREEDYDATA", &["", "a\nb"], &[]),
            ("QUOTEDSTRING", &[r#""a \" b""#, "'x'", "\"\""], &["\"", "\"a", "'a\""]),
            ("QS", &["'x'"], &["x"]),
            ("INT", &["0", "-12", "+007"], &["", "1.5", "a"]),
            ("POSINT", &["10"], &["0", "-1", "01"]),
            ("NONNEGINT", &["0", "01"], &["-1"]),
            ("BASE10NUM", &["1", "-1.5", ".5"], &["1.", "1e3", "."]),
            ("NUMBER", &["+1.50"], &["1,5"]),
            ("BASE16NUM", &["0xFf", "ab"], &["0x", "g"]),
            ("BOOL", &["true", "false"], &["TRUE", "yes"]),
            ("USERNAME", &["a.b-c_1"], &["a b", ""]),
            ("USER", &["root"], &["a@b"]),
            (
                "UUID",
                &["00000000-0000-4000-8000-0000000000aF"],
                &["0000000-0000-4000-8000-0000000000aF"],
            ),
            ("LOGLEVEL", &["INFO", "warning", "Err"], &["loud", "infos"]),
            ("PROG", &["sshd", "a/b"], &["a b", "x[1]"]),
            ("SYSLOGPROG", &["sshd[12]", "cron"], &["sshd[]", "sshd[x]"]),
            (
                "MAC",
                &["00:1b:44:11:3A:B7", "00-1b-44-11-3A-B7", "001b.4411.3AB7"],
                &["00:1b", "0g:1b:44:11:3A:B7"],
            ),
            (
                "IPV4",
                &["0.0.0.0", "255.255.255.255"],
                &["256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4"],
            ),
            (
                "IPV6",
                &["::", "::1", "2001:db8::7", "1:2:3:4:5:6:7:8", "fe80::a:b", "::ffff:1.2.3.4"],
                &[":", "1:2", "g::", "12345::"],
            ),
            ("IP", &["::1", "10.0.0.1"], &["h"]),
            (
                "HOSTNAME",
                &["a", "a-b.example.com", "x.", "7up.example"],
                &["-a", "a..b", "a_b", ""],
            ),
            ("IPORHOST", &["a.b", "::1"], &["a b"]),
            ("HOSTPORT", &["a.b:80", "10.0.0.1:1"], &["a.b", "a:0"]),
            ("EMAILADDRESS", &["a.b+c@x.example"], &["a@", "@x", "a b@c"]),
            ("UNIXPATH", &["/", "/a/b.c", "/var/log/x-1.log"], &["a", "/a b", ""]),
            ("WINPATH", &[r"C:\a b\c.txt", r"\\host\share"], &["C:", "a"]),
            ("PATH", &["/a", r"C:\a"], &["a"]),
            ("URIPROTO", &["https", "svn+ssh"], &["1a", ""]),
            ("URIHOST", &["a.b:80", "a.b"], &[":80"]),
            ("URIPATH", &["/", "/a/%20b"], &["a", "/a?b"]),
            ("URIPARAM", &["?", "?a=1&b[]=2"], &["a=1", "? "]),
            ("URIPATHPARAM", &["/a", "/a?b=1"], &["?b=1"]),
            ("URI", &["http://a", "https://u:p@a.b:8/c?d=1"], &["a.b/c", "http:/a"]),
            ("MONTH", &["Jan", "september", "SEPT", "may"], &["ja", "mayo"]),
            ("MONTHNUM", &["1", "09", "12"], &["0", "13", "00"]),
            ("MONTHDAY", &["1", "01", "31"], &["0", "32", "00"]),
            ("DAY", &["Mon", "Sunday"], &["Mo", "8"]),
            ("YEAR", &["2026"], &["26", "20260"]),
            ("HOUR", &["0", "09", "23"], &["24", "-1"]),
            ("MINUTE", &["00", "59"], &["60", "5"]),
            ("SECOND", &["00", "59.5", "60", "01,25"], &["61", "5"]),
            ("TIME", &["9:05", "23:59:60", "01:02:03.004"], &["24:00", "1:2"]),
            ("DATE_US", &["12/31/2026", "1-2-2026"], &["31/12/2026"]),
            ("DATE_EU", &["31.12.2026", "1/2/2026"], &["12.31.2026"]),
            ("DATE", &["31.12.2026", "12/31/2026"], &["2026-12-31"]),
            ("ISO8601_TIMEZONE", &["Z", "+01:00", "-0130"], &["", "CET"]),
            (
                "TIMESTAMP_ISO8601",
                &["2026-11-22T01:02:03.5Z", "2026-11-22 01:02", "2026-11-22T010203+0100"],
                &["2026-13-01T00:00", "22.11.2026"],
            ),
            ("SYSLOGTIMESTAMP", &["Nov 22 01:02:03", "Nov  2 1:02"], &["22 Nov 01:02:03"]),
            ("HTTPDATE", &["22/Nov/2026:01:02:03 +0100"], &["22/11/2026:01:02:03 +0100"]),
        ];
        let names: Vec<_> = cases.iter().map(|(name, ..)| *name).collect();
        let known: Vec<_> = PATTERNS.iter().map(|(known, ..)| *known).collect();
        assert_eq!(names, known);
        for (name, whole, not) in cases {
            let pattern = format!("^(?:%{{{name}}})$|^%{{DATA:x}}%{{{name}:y}}$");
            let mut expanded = String::new();
            expand(&format!("^%{{{name}}}$"), &mut expanded);
            let regex = pattern::compile(&expanded).unwrap().regex;
            for text in *whole {
                assert!(regex.is_match(text), "{name}: {text}");
            }
            for text in *not {
                assert!(!regex.is_match(text), "{name}: {text}");
            }
            assert!(prepare(&[Constant::Text(pattern)], &Default::default()).is_ok(), "{name}");
        }
    }

    /// A definition uses only those above it, so expanding ends; and it brings no groups, so that fields keep their order.
    #[test]
    fn definitions_are_sound() {
        for (index, (name, definition, _)) in PATTERNS.iter().enumerate() {
            for piece in pieces(definition) {
                if let Piece::Reference(used, _) = piece {
                    let above = PATTERNS[..index].iter().any(|(known, ..)| *known == used);
                    assert!(above, "{name} uses {used}");
                }
            }
            let mut expanded = String::new();
            expand(definition, &mut expanded);
            let compiled = pattern::compile(&expanded).unwrap();
            assert_eq!(compiled.regex.captures_len(), 1, "{name}");
            assert!(compiled.program_bytes < 64 << 10, "{name}: {}", compiled.program_bytes);
        }
    }

    #[test]
    fn a_line_of_a_web_server() {
        let pattern = r#"^%{IPORHOST:client} \S+ %{USER:user} \[%{HTTPDATE:at}\] "%{WORD:verb} %{NOTSPACE:path}( HTTP/%{NUMBER:version})?" %{INT:code} (?:%{INT:bytes}|-)$"#;
        let line = r#"2001:db8::1 - ann [22/Nov/2026:01:02:03 +0000] "GET /a?b=1 HTTP/1.1" 200 -"#;
        let found = find_all(pattern, line);
        let expected = [
            "2001:db8::1",
            "ann",
            "22/Nov/2026:01:02:03 +0000",
            "GET",
            "/a?b=1",
            "1.1",
            "200",
            "Missing",
        ];
        assert_eq!(found, expected);
        let fields = fields(&[Constant::Text(pattern.into())]);
        let types: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.ty)).collect();
        assert_eq!(
            types[5..],
            [
                ("version", Some(Type::Decimal)),
                ("code", Some(Type::Int)),
                ("bytes", Some(Type::Int))
            ]
        );
    }

    #[test]
    fn faults_are_placed_in_what_was_written() {
        for (text, at, fix) in [
            ("%{IPP:x}", 2..5, Some("IP")),
            ("a %{int:x}", 4..7, Some("INT")),
            ("%{IPADDR:x}", 2..8, Some("IP")),
            ("%{TIMESTAMP:x}", 2..11, Some("TIMESTAMP_ISO8601")),
            ("%{NUMBRE:x}", 2..8, Some("NUMBER")),
            ("%{XQZ:x}", 2..5, None),
            ("%{INT:n:int}", 6..11, Some("n")),
            ("%{IP:client.ip}", 5..14, None),
            ("%{INT:}", 6..6, None),
            ("%{INT:a} %{INT:a}", 11..16, None),
            ("%{INT:a} %{INT", 9..11, None),
            ("%{INT:a} (b", 9..10, None),
            ("%{INT:a} %{INT:b} [z-a]", 19..22, None),
        ] {
            let error = error(text);
            assert_eq!(
                (error.at, error.fix.as_deref()),
                (Some(at), fix),
                "{text}: {}",
                error.message
            );
            assert_eq!((error.index, error.code), (0, CODE_BAD_PATTERN));
        }
        // An open bracket that closes within an expansion cannot be placed.
        assert_eq!(error("%{INT:a}[").code, CODE_BAD_PATTERN);
        assert_eq!(error("%{INT}").code, super::super::CODE_BAD_LITERAL);
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_refused(text in "(%\\{|\\}|:|IP|INT|[a-c(\\[)\\]*\\\\]|\\PC){0,20}") {
            let constants = [Constant::Text(text.clone())];
            if let Ok(call) = prepare(&constants, &Default::default()) {
                let arena = Bump::new();
                let found = call.call(&[Value::Text("10.0.0.1 a[b] 7")], &arena);
                prop_assert!(matches!(found, Value::Missing | Value::List(_)));
            }
        }

        #[test]
        fn fields_and_values_go_together(text in "([a-c0-9 .:/-]|\\PC){0,40}") {
            let found = find_all(r"^(?:%{IP:ip}|%{INT:n})?%{DATA:rest}(?: %{URI:uri})?$", &text);
            prop_assert!(found.len() == 4 || found == ["Missing"], "{found:?}");
        }
    }
}
