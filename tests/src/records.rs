//! Random records that are hard on whoever looks at many bytes at once: keys in disguise, twice, or nearly alike, spaces
//! where nobody writes any, backslashes and characters over the ends of blocks, objects without members and with hundreds,
//! brackets up to the limit and beyond; and the same damaged.
//!
//! The names are those that [`crate::readers`] look for.

use crate::generate::Random;
use crate::readers::NAMES;

/// What is put where it does not belong.
const PIECES: [&str; 26] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    "\u{1f}",
    "\u{7f}",
    "é",
    "\u{feff}",
    "null",
    "\"\"",
    "{}",
    "[]",
    "\\u0069",
    "\\ud800",
    "\"id\":1,",
    "1e",
    "\\\"",
];

/// Bytes that are no character.
const INVALID: [&[u8]; 6] =
    [b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\x98"];

/// How the records of an object lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Lines, with line ends of both kinds and some blank ones.
    Lines,
    /// Documents one behind the other, arrays of them among these.
    Documents,
    /// In `{"data": [..]}`.
    Wrapped,
    /// In `{"data": [{"list": [..]}, ..]}`.
    TwoLevels,
}

/// What sizes records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// A few members, or none.
    Tiny,
    /// Some of everything.
    Mixed,
    /// Up to 300 members.
    Wide,
    /// Values that are longer than what is looked at together.
    Long,
    /// Brackets up to 64 deep, and beyond.
    Deep,
}

impl Sizes {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Tiny, Self::Mixed, Self::Wide, Self::Long, Self::Deep];
}

/// An object with records of about so many bytes, of which so many in a hundred are damaged.
pub fn object(
    layout: Layout,
    sizes: Sizes,
    bytes: usize,
    damaged: u64,
    random: &mut Random,
) -> Vec<u8> {
    let mut object = Vec::new();
    let (front, back): (&str, &str) = match layout {
        Layout::Lines | Layout::Documents => ("", ""),
        Layout::Wrapped => ("{\"v\":[1,{}],\"actor\":{\"name\":\"around\"},\"data\":[", "]}"),
        Layout::TwoLevels => ("{\"data\":[{\"list\":[", "]}],\"v\":1}"),
    };
    object.extend_from_slice(front.as_bytes());
    let mut first = true;
    while object.len() < bytes || first {
        let mut record = record(sizes, random).into_bytes();
        if random.below(100) < damaged {
            damage(&mut record, random);
        }
        if !first {
            object.extend_from_slice(separator(layout, random).as_bytes());
        }
        object.extend_from_slice(&record);
        first = false;
    }
    object.extend_from_slice(back.as_bytes());
    object
}

fn separator(layout: Layout, random: &mut Random) -> &'static str {
    let separators: [&str; 8] = match layout {
        Layout::Lines => ["\n", "\n", "\n", "\n", "\r\n", "\n\n", "\n \t\n", "\r\n\r\n"],
        Layout::Documents => ["\n", " ", "", "\n", "\r\n", "\n\n", "\t", "\n[]\n"],
        Layout::Wrapped => [",", ",", ",", ", ", ",\n", " , ", "\n,\n", ",\t"],
        Layout::TwoLevels => {
            [",", ",", ",", ", ", "]},{\"list\":[", "]}, {},\n{\"list\" : [ ", "\n,\n", ",\t"]
        }
    };
    separators[random.below(separators.len() as u64) as usize]
}

/// A few bytes taken away, put in, or changed.
pub fn damage(record: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(record.len() as u64 + 1) as usize;
    let end = (at + 1 + random.below(9) as usize).min(record.len());
    match random.below(6) {
        0 => record.truncate(at),
        1 => drop(record.drain(at..end)),
        2 => drop(record.splice(at..at, random.pick(&INVALID).iter().copied())),
        3 if at < end => record[at] = random.below(256) as u8,
        _ => drop(record.splice(at..at, random.pick(&PIECES).bytes())),
    }
}

/// One record.
pub fn record(sizes: Sizes, random: &mut Random) -> String {
    let members = match sizes {
        Sizes::Tiny => random.below(4),
        Sizes::Wide => 1 + random.below(300),
        Sizes::Mixed | Sizes::Long | Sizes::Deep => random.below(24),
    };
    let style = Style { spaced: random.below(6) == 0, sizes };
    let mut names: Vec<String> = Vec::new();
    // Nothing comes of most records without an id.
    if random.below(12) != 0 {
        names.push("id".to_owned());
    }
    for member in 0..members {
        names.push(match random.below(if members > 40 { 8 } else { 3 }) {
            0 | 1 => (*random.pick(&NAMES)).to_owned(),
            2 => format!("{}{}", random.hex(1), random.pick(&NAMES)),
            _ => format!("k{member}"),
        });
    }
    for _ in 0..random.below(3) {
        let again = random.pick(&NAMES);
        names.push((*again).to_owned());
    }
    shuffle(&mut names, random);
    style.object(&names, 0, random)
}

fn shuffle(names: &mut [String], random: &mut Random) {
    for end in (1..names.len()).rev() {
        names.swap(end, random.below(end as u64 + 1) as usize);
    }
}

#[derive(Clone, Copy)]
struct Style {
    /// Spaces around colons and commas.
    spaced: bool,
    sizes: Sizes,
}

/// The last one is nearly as long as a block.
const SPACES: [&str; 4] = [" ", "  ", "\t", "                                                  "];

impl Style {
    fn object(self, names: &[String], depth: u32, random: &mut Random) -> String {
        let mut text = "{".to_owned();
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(self.space(random));
            text.push_str(&key(name, random));
            text.push_str(self.space(random));
            text.push(':');
            text.push_str(self.space(random));
            text.push_str(&self.value(name, depth, random));
            text.push_str(self.space(random));
        }
        text.push('}');
        text
    }

    fn space(self, random: &mut Random) -> &'static str {
        let chance = if self.spaced { 2 } else { 60 };
        match random.below(chance) {
            0 => SPACES[random.below(SPACES.len() as u64) as usize],
            _ => "",
        }
    }

    /// Mostly what is wanted under that name.
    fn value(self, name: &str, depth: u32, random: &mut Random) -> String {
        if random.below(12) == 0 {
            return (*random.pick(&VALUES)).to_owned();
        }
        let pick = |texts: &[&str], random: &mut Random| (*random.pick(texts)).to_owned();
        match name {
            "id" => {
                let digits = 1 + random.below(20) as usize;
                format!("\"{}\"", random.hex(digits))
            }
            "at" => pick(
                &[
                    "\"2026-04-10T08:09:10Z\"",
                    "\"2026-04-10T08:09:10.123456789+02:00\"",
                    "\"2026-04-10\"",
                ],
                random,
            ),
            "ms" => (1_700_000_000_000 + random.below(1 << 40)).to_string(),
            "kind" => pick(
                &["\"a\"", "\"b\"", "\"c\"", "\"cxy\"", "\"noise\"", "\"\\u0061\"", "\"other\""],
                random,
            ),
            "n" => pick(
                &["0", "7", "-12", "9007199254740993", "\"42\"", "1.0", "1e3", "99999999999"],
                random,
            ),
            "d" => {
                pick(&["0.1", "12.50", "\"0.000001\"", "-0", "1e-7", "123456789.123456789"], random)
            }
            "f" => pick(&["0.1", "1e300", "-2.5e-3", "1e999", "\"7\""], random),
            "ok" => pick(&["true", "false", "\"true\"", "1"], random),
            "ip" => pick(
                &["\"10.0.0.1\"", "\"2001:db8::1\"", "\"::ffff:1.2.3.4\"", "\"300.1.1.1\""],
                random,
            ),
            "actor" | "deep" | "a" | "call" if depth < 5 => {
                self.object(&["name", "a", "b", "two words"].map(str::to_owned), depth + 1, random)
            }
            "b" if depth < 5 => self.object(&["c", "id"].map(str::to_owned), depth + 1, random),
            "list" | "steps" if depth < 4 => self.list(depth, random),
            "text" => {
                pick(&["\"{\\\"a\\\":1}\"", "\"{\\\"a\\\":[1,2]}\"", "\"{\"", "\"[]\""], random)
            }
            _ => self.any(random),
        }
    }

    fn list(self, depth: u32, random: &mut Random) -> String {
        let element = |random: &mut Random| match random.below(4) {
            0 => self.any(random),
            1 => format!("[{0},{{\"a\":{0}}}]", random.below(100)),
            _ => self.object(&["name", "n", "call", "kind"].map(str::to_owned), depth + 1, random),
        };
        let count = random.below(6);
        let elements: Vec<String> = (0..count).map(|_| element(random)).collect();
        format!("[{}]", elements.join(","))
    }

    fn any(self, random: &mut Random) -> String {
        match random.below(8) {
            0 if self.sizes == Sizes::Deep => deep(random),
            0 | 1 if self.sizes == Sizes::Long => string((1 << random.below(17)) as usize, random),
            0..=2 => (*random.pick(&VALUES)).to_owned(),
            3 => random.number().to_string(),
            4 => string(30 + random.below(80) as usize, random),
            _ => string(random.below(20) as usize, random),
        }
    }
}

const VALUES: [&str; 28] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "\"\"",
    "\" \"",
    "{}",
    "[]",
    "[[]]",
    "[{}]",
    "\"}\"",
    "\"{\"",
    "\"]\"",
    "\"[\"",
    "\",\"",
    "\":\"",
    "\"\\\"id\\\":1\"",
    "\"\\\\\"",
    "\"\\\"\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "{\"id\":\"inner\"}",
    "[1,{\"id\":2},\"}\"]",
    "01",
    "nul",
    "1 2",
];

/// A name, at times written otherwise.
fn key(name: &str, random: &mut Random) -> String {
    let count = name.chars().count() as u64;
    let escaped = |disguised: &dyn Fn(u64) -> bool| {
        let mut text = String::new();
        for (at, char) in name.chars().enumerate() {
            match disguised(at as u64) {
                true => text.push_str(&format!("\\u{:04x}", char as u32)),
                false => text.push(char),
            }
        }
        text
    };
    let text = match random.below(24) {
        0 if count > 0 => {
            let place = random.below(count);
            escaped(&|at| at == place)
        }
        1 => escaped(&|_| true),
        _ => name.to_owned(),
    };
    format!("\"{text}\"")
}

/// A string of about so many bytes, often with something at its end, which comes to lie anywhere in a block.
fn string(bytes: usize, random: &mut Random) -> String {
    const ENDS: [&str; 12] = [
        "",
        "",
        "",
        "\\\\",
        "\\\"",
        "\\\\\\\\",
        "\\\\\\\"",
        "é",
        "€",
        "\u{1F600}",
        "\\n",
        "\\u00e9",
    ];
    let filler = *random.pick(&[
        "x",
        "x",
        "x",
        "ab ",
        "é",
        "€",
        "\u{1F600}",
        "\\\\",
        "\\\"",
        "{",
        "\\u0041",
        "\\/",
    ]);
    let end = random.pick(&ENDS);
    format!(
        "\"{}{}{end}\"",
        "p".repeat(random.below(64) as usize),
        filler.repeat(bytes / filler.len())
    )
}

/// Brackets around the limits of depth.
fn deep(random: &mut Random) -> String {
    let depth = *random.pick(&[5, 7, 11, 12, 40, 60, 62, 63, 64, 65, 66, 130]);
    let mut closing = String::new();
    let mut text = String::new();
    for _ in 0..depth {
        let is_object = random.below(2) == 0;
        text.push_str(if is_object { "{\"a\":" } else { "[" });
        closing.insert(0, if is_object { '}' } else { ']' });
    }
    format!("{text}1{closing}")
}
