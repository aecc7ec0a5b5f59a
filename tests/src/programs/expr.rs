//! Expressions of every type, and what the paths in them should hold.

use super::record::{Shape, Value};
use super::texts::{self, Composed};
use super::{Code, Format, Writer};
use crate::generate::Random;

/// The readers of numbers as times.
pub(super) const UNITS: [&str; 4] = ["unix_seconds", "unix_ms", "unix_us", "unix_ns"];

/// How deep expressions nest.
const DEPTH_MAX: usize = 3;

/// What the value at a path should be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// The id of the record.
    Id,
    /// One of these texts.
    Words(Vec<String>),
    /// A whole number between these.
    Int(i64, i64),
    Decimal,
    Bool,
    /// RFC 3339 text.
    Time,
    /// `2024-05-06 07:08:09`
    LocalTime,
    /// A number for this reader.
    Epoch(&'static str),
    Ip,
    Json,
    /// Text that is JSON, of an object with these members.
    Embedded(&'static str),
    /// Text of another language: a URL, `key=value` pairs, a line of a log.
    Written(&'static str),
    /// Text that holds values of its own.
    Composed(Box<Composed>),
    /// Text that is JSON, of an object of this shape.
    Document(Shape),
    /// A text for this data type of OCSF.
    Of(&'static str),
}

const TEXTS: [&str; 16] = [
    "alice",
    "Bob Example",
    "run.finished",
    "/etc/passwd",
    "gpt-4o-2024-08-06",
    "claude-opus-4-1",
    "7",
    "20.10",
    "true",
    "Zürich",
    "日本語",
    "\u{1F600}\u{1F1E8}\u{1F1ED}",
    "say \"hi\"\\",
    "line\nline\ttab",
    "a=b&c=%20d",
    "2024-05-06T07:08:09Z",
];

impl Kind {
    /// A value that is right.
    pub(super) fn right(&self, random: &mut Random) -> Value {
        let text = |text: String| Value::Text(text);
        match self {
            Self::Text => text((*random.pick(&TEXTS)).to_owned()),
            Self::Id => text(format!("ev-{}", random.below(1_000_000))),
            Self::Words(words) => text(random.pick(words).clone()),
            Self::Int(low, high) => int_between(*low, *high, random),
            Self::Decimal => {
                let number = format!("{}.{:03}", random.below(1_000), random.below(1_000));
                if random.below(8) == 0 { text(number) } else { Value::Bare(number) }
            }
            Self::Bool => Value::Bare((*random.pick(&["true", "false"])).to_owned()),
            Self::Time => {
                let (day, hour, zone) = (1 + random.below(28), random.below(24), random.below(4));
                let zone = ["Z", "+02:00", "-05:30", "z"][zone as usize];
                let fraction = ["", ".5", ".123456789"][random.below(3) as usize];
                text(format!("2024-0{}-{day:02}T{hour:02}:14:15{fraction}{zone}", 1 + day % 9))
            }
            Self::LocalTime => text(format!("2024-05-{:02} 07:08:09", 1 + random.below(28))),
            Self::Epoch(unit) => {
                let seconds = 1_700_000_000 + random.below(50_000_000);
                let zeros = UNITS.iter().position(|it| it == unit).unwrap_or(0) * 3;
                let number = format!("{seconds}{}", "0".repeat(zeros));
                if random.below(6) == 0 { text(number) } else { Value::Bare(number) }
            }
            Self::Ip => text(
                (*random.pick(&["192.0.2.7", "10.1.2.3", "2001:db8::1", "::ffff:1.2.3.4", "::"]))
                    .to_owned(),
            ),
            Self::Json => Value::Bare(
                (*random.pick(&["{\"a\":[1,2.50,\"x\"]}", "[true,false]", "\"text\"", "12", "{}"]))
                    .to_owned(),
            ),
            Self::Embedded(json) | Self::Written(json) => text((*json).to_owned()),
            Self::Composed(composed) => text(composed.right(random)),
            Self::Document(shape) => texts::document_text(shape, random),
            Self::Of(data_type) => text(text_of_type(data_type, random)),
        }
    }

    /// It as a literal, if it is of a scalar type that has literals.
    fn literal(&self, random: &mut Random) -> Option<String> {
        match (self, self.right(random)) {
            (Self::Text | Self::Words(_) | Self::Of(_), Value::Text(text)) => Some(quoted(&text)),
            (Self::Int(..) | Self::Decimal | Self::Bool, Value::Bare(literal)) => {
                Some(literal.strip_suffix(".0").map_or(literal.clone(), str::to_owned))
            }
            _ => None,
        }
    }
}

fn int_between(low: i64, high: i64, random: &mut Random) -> Value {
    let (least, most) = (low.max(-50), high.min(70_000));
    let span = most.saturating_sub(least).max(0) as u64 + 1;
    let number = match random.below(12) {
        0 => low,
        1 => high,
        _ => least + random.below(span) as i64,
    };
    match random.below(10) {
        0 => Value::Text(number.to_string()),
        1 => Value::Bare(format!("{number}.0")),
        _ => Value::Bare(number.to_string()),
    }
}

fn text_of_type(data_type: &str, random: &mut Random) -> String {
    let number = random.below(100);
    match data_type {
        "email_t" => format!("user.{number}+x@Mail-{number}.example"),
        "mac_t" => format!("00:1a:2B:{:02x}:44:{:02X}", number, number / 2),
        "uuid_t" => format!("{}-1234-4321-abcd-{}", random.hex(8), random.hex(12)),
        "hostname_t" => format!("host-{number}.corp.example"),
        "subnet_t" => format!("10.{number}.0.0/16"),
        "bytestring_t" => ["", "YQ==", "YWI=", "YWJj", "-_-_"][number as usize % 5].to_owned(),
        "file_hash_t" => random.hex(64),
        _ => random.pick(&TEXTS).to_string(),
    }
}

/// A text as a literal of the language.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '{' | '*' => literal.extend(['\\', character]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            control if control.is_control() => {
                literal.push_str(&format!("\\u{{{:X}}}", control as u32));
            }
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

impl Writer {
    /// A path to a value that should be of a kind; records are refused without a vital one.
    pub(super) fn path(&mut self, kind: &Kind, vital: bool) -> String {
        let scope = self.scope();
        if self.format == Format::Json && !vital && self.percent(4) {
            let name = self.fresh("w");
            self.wrapper.insert_value(&name, kind.clone(), true);
            return format!("$.{name}");
        }
        if self.percent(7)
            && let Some(field) = self.field(kind, vital)
        {
            return field;
        }
        let Some(way) = self.way(scope, kind, vital) else {
            return self.plain_path(scope, kind, vital);
        };
        format!("{}{way}", self.scopes[scope].variable)
    }

    /// A path of names only, as it may stand in an interpolation.
    fn simple_path(&mut self, kind: &Kind, vital: bool) -> String {
        let scope = self.scope();
        let name = self.fresh("f");
        self.scopes[scope].shape.insert_value(&name, kind.clone(), vital);
        format!("{}.{name}", self.scopes[scope].variable)
    }

    /// The innermost scope mostly, else the record.
    pub(super) fn scope(&mut self) -> usize {
        if self.percent(75) { self.scopes.len() - 1 } else { 0 }
    }

    pub(super) fn plain_path(&mut self, scope: usize, kind: &Kind, vital: bool) -> String {
        let known = self.scopes[scope].shape.with_kind(kind);
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let name = if !known.is_empty() && self.percent(30) {
            self.random.pick(&known).clone()
        } else {
            let name = self.fresh("f");
            self.scopes[scope].shape.insert_value(&name, kind.clone(), vital);
            name
        };
        let step = if name.contains(' ') { format!("\"{name}\"") } else { name };
        format!("{}.{step}", self.scopes[scope].variable)
    }

    /// The rarer ways to a new value: in an object or a list, of an odd name, by a choice.
    fn way(&mut self, scope: usize, kind: &Kind, vital: bool) -> Option<String> {
        let is_flat = self.format == Format::Csv;
        let roll = self.random.below(30);
        let name = self.fresh("f");
        let shape = &mut self.scopes[scope].shape;
        match roll {
            0..=1 => {
                let odd = format!("{name} (ö)");
                shape.insert_value(&odd, kind.clone(), vital);
                Some(format!(".\"{odd}\""))
            }
            2..=4 if !is_flat => {
                let object = ["o1", "o2", "o3"][roll as usize - 2];
                shape.object(object).insert_value(&name, kind.clone(), vital);
                Some(format!(".{object}.{name}"))
            }
            5 if !is_flat && !vital => {
                shape.insert_values(&name, kind.clone());
                Some(format!(".{name}[0]"))
            }
            6 if !is_flat && !vital => {
                shape.insert_values(&name, kind.clone());
                Some(format!(".{name}[last]"))
            }
            7 if !is_flat => {
                let other = format!("{name}b");
                shape.insert_value(&name, kind.clone(), false);
                shape.insert_value(&other, kind.clone(), vital);
                Some(format!(".(\"{name}\" | \"{other}\")"))
            }
            _ => None,
        }
    }

    /// A text that should be of a kind.
    pub(super) fn text(&mut self, kind: &Kind, depth: usize) -> String {
        let vital = depth == 0;
        if depth >= DEPTH_MAX {
            return self.path(kind, vital);
        }
        let deeper = depth + 1;
        match self.random.below(24) {
            0..=1 => kind.literal(&mut self.random).unwrap_or_else(|| self.path(kind, vital)),
            2 => format!("{} ?? {}", self.path(kind, false), self.path(kind, vital)),
            3 => {
                let (condition, then) = (self.condition(), self.text(kind, deeper));
                format!("if {condition} then {then} else {}", self.path(kind, vital))
            }
            4 => self.text_by_match(kind, deeper),
            5 => format!("({}) |> trim", self.text(kind, deeper)),
            6 => self.named(kind, deeper),
            7..=12 if *kind == Kind::Text => self.computed_text(vital),
            _ => self.path(kind, vital),
        }
    }

    fn text_by_match(&mut self, kind: &Kind, depth: usize) -> String {
        let subject = self.path(&Kind::Words(vec!["a".into(), "bc".into(), "d".into()]), false);
        let (first, second) = (self.text(kind, depth), self.text(kind, DEPTH_MAX));
        let otherwise = self.text(kind, DEPTH_MAX);
        format!(
            "match {subject} {{ \"a\" => {first}  \"b*\" | \"d\" => {second}  else => {otherwise} }}"
        )
    }

    /// A `let` at the top, new or known.
    fn named(&mut self, kind: &Kind, depth: usize) -> String {
        let known = self.lets.iter().rfind(|(_, of)| of == kind);
        if let Some((name, _)) = known {
            return name.clone();
        }
        // What stands at the top reads the record only.
        let inner = self.scopes.split_off(1);
        let value = self.text(kind, depth);
        self.scopes.extend(inner);
        let name = self.fresh("let_");
        self.top.push(Code::line(format!("let {name} = {value}")));
        self.lets.push((name.clone(), kind.clone()));
        name
    }

    fn computed_text(&mut self, vital: bool) -> String {
        let path = self.path(&Kind::Text, vital);
        match self.random.below(22) {
            14 => format!("{path} |> nfc"),
            15 => format!("{path} |> scrub(email, card)"),
            16 => format!("{} |> mask_ip(24)", self.path(&Kind::Ip, false)),
            17..=18 if self.format != Format::Csv => {
                let list = self.list_path(&Kind::Text);
                format!("join({list}, \"/\")")
            }
            19 if self.format != Format::Csv => self.found(&Kind::Text),
            20..=21 => self.taken_apart(),
            0 => format!("{path} |> lower"),
            1 => format!("{path} |> upper"),
            2 => format!("{path} |> truncate(3)"),
            3 => format!("{path} |> mask(2)"),
            4 => format!("{path} |> sha256"),
            5 => format!("{path} |> replace(\"a\", \"\")"),
            6 => format!("{path} |> part(\"/\", last)"),
            7 => format!("stable_id({path}, {})", self.path(&Kind::Json, false)),
            8 => format!("{path} |> url_decode"),
            9 => format!("{path} |> strip_prefix(\"a\")"),
            10 => self.cell("name"),
            11 => format!("({}) |> format_time(\"%Y-%m-%d\")", self.time(1)),
            12 => (*self.random.pick(&["meta.key", "meta.source", "meta.line"])).to_owned(),
            _ => {
                let (first, second) =
                    (self.simple_path(&Kind::Text, vital), self.simple_path(&Kind::Text, false));
                format!("\"{{{first}}}/{{{second}}}\"")
            }
        }
    }

    /// A field of what a text holds.
    fn taken_apart(&mut self) -> String {
        match self.random.below(6) {
            0 => {
                let kind = Kind::Embedded("{\"a\":{\"b\":\"deep\\u00e9\"},\"n\":[1,\"two\"]}");
                let path = self.path(&kind, false);
                let way = *self.random.pick(&["a.b", "n[last]", "n[0]", "(\"x\" | \"a\").b"]);
                format!("({path} |> json).{way}")
            }
            1 => {
                let path = self.path(&Kind::Written("https://example.org:8443/a?q=1#f"), false);
                let part =
                    *self.random.pick(&["scheme", "host", "port", "path", "query", "fragment"]);
                format!("({path} |> url).{part}")
            }
            2 => {
                let path = self.path(&Kind::Written("a=1&b=two&c=%20"), false);
                format!("({path} |> kv(\"&\", \"=\")).b")
            }
            3 => {
                let path = self.path(&Kind::Written("alice logged in 7 times"), false);
                format!("({path} |> extract(r\"^(?<who>\\w+) .*?(?<n>[0-9]+)?\")).who")
            }
            4 => {
                let path = self.path(&Kind::Written("alice 7"), false);
                format!("({path} |> grok(r\"%{{WORD:who}} %{{INT:n}}\")).n")
            }
            _ => "raw_id()".to_owned(),
        }
    }

    /// A cell of the table, which is written when it is first needed.
    pub(super) fn cell(&mut self, column: &str) -> String {
        if !self.has_table {
            self.has_table = true;
            let rows = [
                "\"gpt-4o*\" => \"GPT \\\"4o\\\"\", 2.50, 7",
                "\"claude*\" | \"alice\" => \"Claude\", 15, 80_000",
            ];
            let mut rows: Vec<Code> = rows.into_iter().map(Code::line).collect();
            if self.percent(50) {
                rows.push(Code::line("else => \"\", 0, 0"));
            }
            let head = "table price (key, name, rate decimal, count int)";
            self.top.insert(0, Code::block(head, rows));
        }
        format!("price[{}].{column}", self.path(&Kind::Text, false))
    }

    /// A whole number that should be between two.
    pub(super) fn int(&mut self, low: i64, high: i64, depth: usize) -> String {
        let kind = Kind::Int(low, high);
        if depth >= DEPTH_MAX {
            return self.path(&kind, depth == 0);
        }
        let deeper = depth + 1;
        match self.random.below(23) {
            20 if self.format != Format::Csv => {
                format!("sum({})", self.list_path(&Kind::Int(0, 1_000)))
            }
            21 => {
                let path = self.path(&Kind::Written("alice 7"), depth == 0);
                format!("({path} |> grok(r\"%{{WORD:who}} %{{INT:n}}\")).n |> int")
            }
            22 if depth == 0 => {
                let path = self.path(&Kind::Written("1m32.5s"), true);
                format!("{path} |> duration")
            }
            0 => kind.literal(&mut self.random).unwrap_or_else(|| "7".to_owned()),
            1 => format!("({}) + 3", self.int(low, high, deeper)),
            2 => {
                format!("{} * {}", self.path(&kind, depth == 0), self.path(&Kind::Int(0, 9), false))
            }
            3 => format!("{} |> int", self.path(&kind, depth == 0)),
            4 => format!("({}) |> length", self.path(&Kind::Text, depth == 0)),
            5 if self.format != Format::Csv => self.count(),
            6 => format!("{} ?? {}", self.path(&kind, false), self.path(&kind, depth == 0)),
            7 => {
                let condition = self.condition();
                format!("if {condition} then {} else 1", self.int(low, high, deeper))
            }
            8 => self.cell("count"),
            9 => format!("min({} |> int, 5)", self.path(&kind, depth == 0)),
            10 if depth == 0 => {
                let (to, from) = (self.time(1), self.time(1));
                format!("({to}) - ({from})")
            }
            11 => "meta.offset".to_owned(),
            12 if self.scopes.len() > 1 => "index".to_owned(),
            _ => self.path(&kind, depth == 0),
        }
    }

    pub(super) fn decimal(&mut self, depth: usize) -> String {
        match self.random.below(13) {
            12 if self.format != Format::Csv => format!("sum({})", self.list_path(&Kind::Decimal)),
            0 => "0.25".to_owned(),
            1 => format!(
                "{} / {}",
                self.path(&Kind::Decimal, true),
                self.path(&Kind::Decimal, false)
            ),
            2 => self.cell("rate"),
            3 => format!("{} |> round(1)", self.path(&Kind::Decimal, true)),
            4 => format!("({} |> decimal) * 1_000_000", self.path(&Kind::Decimal, true)),
            5 => self.path(&Kind::Int(-5, 5), depth == 0),
            _ => self.path(&Kind::Decimal, depth == 0),
        }
    }

    pub(super) fn boolean(&mut self) -> String {
        match self.random.below(9) {
            0 => (*self.random.pick(&["true", "false"])).to_owned(),
            1 => self.condition(),
            2 => {
                let words = Kind::Words(vec!["ja".into(), "nein".into()]);
                format!("{} |> bool(\"ja\", \"nein\")", self.path(&words, true))
            }
            3 => format!("{} |> is_private", self.path(&Kind::Ip, false)),
            4 if self.format != Format::Csv => self.any_or_all(),
            _ => self.path(&Kind::Bool, true),
        }
    }

    pub(super) fn time(&mut self, depth: usize) -> String {
        let vital = depth == 0;
        match self.random.below(8) {
            0..=2 => {
                let unit = *self.random.pick(&UNITS);
                format!("{} |> {unit}", self.path(&Kind::Epoch(unit), vital))
            }
            3 => format!("{} |> timestamp", self.path(&Kind::Time, vital)),
            4 => {
                let path = self.path(&Kind::LocalTime, vital);
                format!("{path} |> timestamp(\"%Y-%m-%d %H:%M:%S\", \"Europe/Zurich\")")
            }
            5 => "meta.received_at".to_owned(),
            6 if self.percent(50) => {
                let path = self.path(&Kind::Time, vital);
                format!("{path} |> truncate_time(\"hour\")")
            }
            6 => format!("({} |> unix_ms) + 5m", self.path(&Kind::Epoch("unix_ms"), vital)),
            _ => self.path(&Kind::Time, vital),
        }
    }

    pub(super) fn ip(&mut self) -> String {
        let path = self.path(&Kind::Ip, true);
        if self.percent(50) { format!("{path} |> ip") } else { path }
    }

    pub(super) fn json(&mut self, depth: usize) -> String {
        match self.random.below(8) {
            0 => self.int(-5, 5, depth),
            1 => self.text(&Kind::Text, depth),
            2 => self.path(&Kind::Text, false),
            _ => self.path(&Kind::Json, true),
        }
    }

    /// A condition that is seldom invalid.
    pub(super) fn condition(&mut self) -> String {
        let words = Kind::Words(vec!["a".into(), "b".into(), "ab".into()]);
        match self.random.below(15) {
            11..=12 if self.format != Format::Csv => self.any_or_all(),
            13 => format!("{} in [{}, \"b\"]", self.path(&words, true), self.path(&words, false)),
            14 if self.format != Format::Csv => {
                format!("{} in ({} |> take(3))", self.path(&words, true), self.list_path(&words))
            }
            0 => format!("{} is present", self.path(&Kind::Json, false)),
            1 => format!("{} is missing", self.path(&Kind::Text, false)),
            2 => format!("({} |> ip) is invalid", self.path(&Kind::Ip, false)),
            10 => {
                format!("({} |> in_cidr([\"10.0.0.0/8\"])) is present", self.path(&Kind::Ip, false))
            }
            3 => format!("{} > 10", self.path(&Kind::Int(-20, 20), true)),
            4 => format!("{} in [\"a\", \"b\"]", self.path(&words, true)),
            5 => format!("{} starts_with \"a\"", self.path(&words, true)),
            6 => format!("{} matches r\"^a+b?$\"", self.path(&words, true)),
            7 => format!("{} == true", self.path(&Kind::Bool, true)),
            8 => {
                let (left, right) = (self.path(&words, true), self.path(&words, true));
                format!("{left} == {right} or {left} contains \"b\"")
            }
            9 => format!(
                "not ({} == \"a\" and {} is present)",
                self.path(&words, true),
                self.path(&Kind::Text, false)
            ),
            _ => format!("{} == \"a\"", self.path(&words, true)),
        }
    }

    /// The handlers of a line.
    pub(super) fn handlers(&mut self, kind: Option<&Kind>, required: bool) -> String {
        let mut handlers = String::new();
        for outcome in ["missing", "invalid"] {
            if !self.percent(if required { 60 } else { 12 }) {
                continue;
            }
            let literal = kind.and_then(|kind| kind.literal(&mut self.random));
            let action = match (self.random.below(10), literal) {
                (0, _) if required => "reject".to_owned(),
                (0..=3, _) if !required => "skip".to_owned(),
                (_, Some(literal)) => literal,
                (_, None) => continue,
            };
            handlers.push_str(&format!(" on {outcome} {action}"));
        }
        handlers
    }
}
