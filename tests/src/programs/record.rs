//! The shape of the records that a program reads, and random records of it.

use super::Layout;
use super::expr::Kind;
use crate::generate::Random;

/// The bound of every generated loop.
pub(super) const LIST_MAX: u64 = 6;

/// What a program reads of an object, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shape(Vec<Member>);

#[derive(Debug, Clone, PartialEq)]
struct Member {
    name: String,
    holds: Holds,
    /// Records are refused without it, so it is mostly right.
    vital: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Holds {
    Scalar(Kind),
    /// A list of such values.
    Values(Kind),
    Object(Shape),
    /// A list of such objects.
    Objects(Shape),
}

/// How much is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temper {
    Calm,
    Mixed,
    Wild,
}

impl Temper {
    /// Of a hundred values so many are right.
    fn right(self, vital: bool) -> u64 {
        match (self, vital) {
            (Self::Calm, _) => 98,
            (Self::Mixed, true) => 98,
            (Self::Mixed, false) => 70,
            (Self::Wild, true) => 92,
            (Self::Wild, false) => 35,
        }
    }
}

impl Shape {
    fn insert(&mut self, name: &str, holds: Holds, vital: bool) {
        self.0.push(Member { name: name.to_owned(), holds, vital });
    }

    /// A value that nobody needs wrong.
    pub(super) fn insert_plain(&mut self, name: &str, kind: Kind) {
        self.insert(name, Holds::Scalar(kind), true);
    }

    pub(super) fn insert_value(&mut self, name: &str, kind: Kind, vital: bool) {
        self.insert(name, Holds::Scalar(kind), vital);
    }

    pub(super) fn insert_values(&mut self, name: &str, kind: Kind) {
        self.insert(name, Holds::Values(kind), false);
    }

    pub(super) fn insert_list(&mut self, name: &str, element: Shape) {
        self.insert(name, Holds::Objects(element), false);
    }

    /// A text of JSON with such a list in it.
    pub(super) fn insert_document(&mut self, name: &str, list: &str, element: Shape) {
        let mut document = Self::default();
        document.insert_list(list, element);
        self.insert_value(name, Kind::Document(document), false);
    }

    /// The object of a name, made if there is none.
    pub(super) fn object(&mut self, name: &str) -> &mut Self {
        let at = self.0.iter().position(|member| member.name == name);
        let at = at.unwrap_or_else(|| {
            self.insert(name, Holds::Object(Self::default()), true);
            self.0.len() - 1
        });
        match &mut self.0[at].holds {
            Holds::Object(shape) => shape,
            _ => panic!("names of objects are not used for other things"),
        }
    }

    /// The names of plain members that hold such a value.
    pub(super) fn with_kind(&self, kind: &Kind) -> Vec<&str> {
        self.0
            .iter()
            .filter(|member| matches!(&member.holds, Holds::Scalar(of) if of == kind))
            .map(|member| member.name.as_str())
            .collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|member| member.name.clone()).collect()
    }

    /// Paths to redact.
    pub(super) fn paths(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|member| member.name != "id")
            .map(|member| match &member.holds {
                Holds::Scalar(_) => member_path(&member.name),
                Holds::Values(_) => format!("{}[last]", member_path(&member.name)),
                Holds::Object(shape) => format!(".{}{}", member.name, first_path(shape)),
                Holds::Objects(shape) => format!(".{}[*]{}", member.name, first_path(shape)),
            })
            .collect()
    }

    /// Members as JSON, each `"name":value`.
    pub(super) fn members(&self, random: &mut Random, temper: Temper) -> Vec<String> {
        let mut members = Vec::new();
        // Nobody writes spaces before colons; so somebody does.
        let space = *random.pick(&["", "", "", "", "", "", "", " "]);
        for member in &self.0 {
            let Some(value) = member.value(random, temper) else { continue };
            let name = format!("{}{space}", json_name(&member.name, random));
            if random.below(100) == 0 {
                members.push(format!("{name}:{}", hostile(random)));
            }
            members.push(format!("{name}:{space}{value}"));
            if random.below(100) == 0 {
                // Equal names stand anywhere.
                let other = random.below(members.len() as u64) as usize;
                members.push(members[other].clone());
            }
        }
        if random.below(10) == 0 {
            members.push(format!("\"unread\":{}", hostile(random)));
        }
        members
    }

    pub(super) fn object_text(&self, random: &mut Random, temper: Temper) -> String {
        format!("{{{}}}", self.members(random, temper).join(","))
    }
}

fn first_path(shape: &Shape) -> String {
    shape.0.first().map_or(String::new(), |member| member_path(&member.name))
}

fn member_path(name: &str) -> String {
    if name.contains(' ') { format!(".\"{name}\"") } else { format!(".{name}") }
}

/// A name as JSON; at times written in another way.
fn json_name(name: &str, random: &mut Random) -> String {
    match name.chars().next() {
        Some(first) if random.below(30) == 0 => {
            format!("\"\\u{:04x}{}\"", first as u32, &name[first.len_utf8()..])
        }
        _ => text(name),
    }
}

impl Member {
    /// The value as JSON; none if it is missing.
    fn value(&self, random: &mut Random, temper: Temper) -> Option<String> {
        let right = random.below(100) < temper.right(self.vital);
        if !right {
            return match random.below(10) {
                0..=3 => None,
                4 => Some("null".to_owned()),
                _ => Some(hostile(random)),
            };
        }
        Some(match &self.holds {
            Holds::Scalar(kind) => kind.right(random).json(random),
            Holds::Values(kind) => list(random, |random| kind.right(random).json(random)),
            Holds::Object(shape) => shape.object_text(random, temper),
            Holds::Objects(shape) => list(random, |random| match random.below(25) {
                0 => hostile(random),
                _ => shape.object_text(random, temper),
            }),
        })
    }

    /// The value as the text of a cell.
    fn cell(&self, random: &mut Random, temper: Temper) -> String {
        let right = random.below(100) < temper.right(self.vital);
        match &self.holds {
            Holds::Scalar(kind) if right => cell(&kind.right(random).text()),
            _ if random.below(2) == 0 => String::new(),
            _ => cell(&hostile(random)),
        }
    }
}

/// A list of a few elements; seldom of too many.
fn list(random: &mut Random, mut element: impl FnMut(&mut Random) -> String) -> String {
    let count = match random.below(60) {
        0 => LIST_MAX + 1,
        1..=5 => 0,
        _ => 1 + random.below(4),
    };
    let elements: Vec<String> = (0..count).map(|_| element(random)).collect();
    format!("[{}]", elements.join(","))
}

/// A value that is right.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Written in quotes.
    Text(String),
    /// Any other JSON.
    Bare(String),
}

impl Value {
    pub(super) fn json(&self, random: &mut Random) -> String {
        match self {
            Self::Text(plain) if random.below(10) == 0 => escaped(plain),
            Self::Text(plain) => text(plain),
            Self::Bare(json) => json.clone(),
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }
}

/// A text as JSON.
fn text(plain: &str) -> String {
    serde_json::Value::from(plain).to_string()
}

/// A text as JSON, in which every character is escaped.
fn escaped(plain: &str) -> String {
    let units = plain.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
    format!("\"{}\"", units.collect::<String>())
}

/// A text as a cell in quotes.
pub(super) fn cell(plain: &str) -> String {
    format!("\"{}\"", plain.replace('"', "\"\""))
}

/// What a source should never write, but does: JSON of every kind, and things that are no JSON at all.
const HOSTILE: [&str; 79] = [
    "\"\"",
    "\" \"",
    "\"null\"",
    "true",
    "false",
    "\"true\"",
    "0",
    "-0",
    "-1",
    "1",
    "99",
    "1e3",
    "1.5",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999999999999999999999",
    "1e400",
    "-1e400",
    "1e-400",
    "0.000000000000000000000001",
    "123456789012345678901234567890.123456789012345678",
    "\"1_000\"",
    "\"1,5\"",
    "\"0x10\"",
    "{}",
    "[]",
    "[[]]",
    "[null]",
    "[1,\"a\",{\"b\":null}]",
    "{\"a\":null}",
    "{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]}}",
    "{ \"a\" : [ 1 , 2 ] }",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"a\\udc00b\"",
    "\"\\ud83d\\ud83d\"",
    "{\"a\":1,\"\\u0061\":2}",
    "[{\"b\":{\"a\":1,\"a\":1}}]",
    "{\"\\ud800\":1}",
    "\"\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\"",
    "\"\u{202e}abc\u{202c}\"",
    "\"\u{feff}a\"",
    "\"e\u{301}\u{301}\u{301}\"",
    "\"\u{fffd}\u{ffff}\"",
    "\"\u{2028}\u{2029}\u{85}\u{a0}\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u001f\\u007f\"",
    "\"{a}\"",
    "\"a@b\"",
    "\"a@b.c\"",
    "\"a@b.c\\n\"",
    "\"00:11:22:33:44:55\\n\"",
    "\"::ffff:1.2.3.4\"",
    "\"fe80::1%eth0\"",
    "\"256.1.1.1\"",
    "\"1.2.3.4/8\"",
    "\"1970-01-01T00:00:00Z\"",
    "\"1999-12-31T23:59:59.999999999Z\"",
    "\"2100-01-01T00:00:00Z\"",
    "\"2262-04-12T00:00:00Z\"",
    "\"0000-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:60+14:00\"",
    "\"2024-02-30T00:00:00Z\"",
    "\"yesterday\"",
    "01",
    "tru",
    "NaN",
    "-",
    "1.",
    "\"a\" \"b\"",
];

/// A value that is wrong for most.
pub(super) fn hostile(random: &mut Random) -> String {
    match random.below(400) {
        0 => text(&"a".repeat(65_536 + random.below(3) as usize)),
        1 => text(&"\u{e9}".repeat(40_000)),
        2..=5 => text(&"x".repeat(30 + random.below(120) as usize)),
        6..=8 => format!("{}{}", "[".repeat(50), "]".repeat(50)),
        9..=11 => format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40)),
        _ => (*random.pick(&HOSTILE)).to_owned(),
    }
}

/// A record: its members, or its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record(Vec<String>);

impl Record {
    pub(super) fn new(shape: &Shape, layout: &Layout, random: &mut Random) -> Self {
        let temper = match random.below(10) {
            0..=4 => Temper::Calm,
            5..=8 => Temper::Mixed,
            _ => Temper::Wild,
        };
        let mut pieces = match layout {
            Layout::Csv(_) => shape.0.iter().map(|member| member.cell(random, temper)).collect(),
            Layout::Ndjson | Layout::Json(_) => shape.members(random, temper),
        };
        // A record that is none. In a document it would end all, so it is kept whole there.
        if random.below(200) == 0 && matches!(layout, Layout::Ndjson) {
            pieces.push(random.pick(&["}", "\"a\"", "\"a\":\"", "\u{0}", "]"]).to_string());
        }
        Self(pieces)
    }

    pub(super) fn print(&self, layout: &Layout) -> String {
        match layout {
            Layout::Csv(_) => self.0.join(","),
            Layout::Ndjson | Layout::Json(_) => format!("{{{}}}", self.0.join(",")),
        }
    }

    pub(super) fn pieces(&self) -> usize {
        self.0.len()
    }

    /// Takes a member away, or empties a cell.
    pub(super) fn drop_piece(&mut self, at: usize, layout: &Layout) {
        match layout {
            Layout::Csv(_) => self.0[at].clear(),
            Layout::Ndjson | Layout::Json(_) => drop(self.0.remove(at)),
        }
    }
}
