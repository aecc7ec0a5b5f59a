//! Objects of every kind that weir reads, of which it is known what must be stored: every event once, and every record
//! that is refused once.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

const MAPPING: &str = r#"
on error { required reject  optional skip }

event {
  id     = .id
  time   = .at |> unix_seconds
  actor  = .who
  action = .what
  target = .where
}

emit api_activity {
  activity_id       = "Other"
  api.operation     = .what
  actor.user.name   = .who
  src_endpoint.name = "here"
}
"#;

/// A kind of object.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    input: &'static str,
    encode: fn(&Records) -> Vec<u8>,
}

/// One of each.
pub const KINDS: [Kind; 6] = [
    Kind { name: "ndjson", input: "input ndjson { }", encode: ndjson },
    Kind { name: "gzip", input: "input ndjson { }", encode: |records| gzip(&ndjson(records)) },
    Kind { name: "gzip of many members", input: "input ndjson { }", encode: members },
    Kind { name: "zstd of many frames", input: "input ndjson { }", encode: frames },
    Kind { name: "csv", input: "input csv { header first_row }", encode: csv },
    Kind { name: "json array", input: "input json { records $.data[*] }", encode: document },
];

/// The records of an object.
#[derive(Debug, Clone)]
pub struct Records {
    /// What their ids begin with.
    pub prefix: String,
    /// How many there are.
    pub count: u64,
}

impl Kind {
    /// A program that reads such objects. Records without a time are refused with R1201.
    pub fn program(&self) -> String {
        let head = "weir 1\nparser \"objects\" version 1\nocsf \"1.8.0\"\nproduct \"Test\"\n";
        format!("{head}{}\n{MAPPING}", self.input)
    }

    /// An object with these records.
    pub fn object(&self, records: &Records) -> Vec<u8> {
        (self.encode)(records)
    }
}

impl Records {
    /// Whether a record has no time: every 97th one.
    pub fn is_bad(index: u64) -> bool {
        index % 97 == 13
    }

    /// The id of a record.
    pub fn id(&self, index: u64) -> String {
        format!("{}-{index:06}", self.prefix)
    }

    /// The indices of those that become events.
    pub fn good(&self) -> impl Iterator<Item = u64> {
        (0..self.count).filter(|&index| !Self::is_bad(index))
    }

    /// The indices of those that are refused.
    pub fn bad(&self) -> impl Iterator<Item = u64> {
        (0..self.count).filter(|&index| Self::is_bad(index))
    }

    fn json(&self, index: u64) -> String {
        let at = match Self::is_bad(index) {
            true => "null".to_owned(),
            false => (1_780_000_000 + index).to_string(),
        };
        format!(
            r#"{{"id":"{}","at":{at},"who":"user-{}@example.com","what":"read","where":"file-{}","note":"{}"}}"#,
            self.id(index),
            index % 300,
            index.wrapping_mul(2_654_435_761) % 100_000,
            "abcdefgh ".repeat(12)
        )
    }
}

fn ndjson(records: &Records) -> Vec<u8> {
    (0..records.count).flat_map(|index| (records.json(index) + "\n").into_bytes()).collect()
}

fn document(records: &Records) -> Vec<u8> {
    let records: Vec<_> = (0..records.count).map(|index| records.json(index)).collect();
    format!("{{\"kind\": \"list\", \"data\": [{}]}}\n", records.join(",\n")).into_bytes()
}

fn csv(records: &Records) -> Vec<u8> {
    let row = |index| {
        let at = match Records::is_bad(index) {
            true => String::new(),
            false => (1_780_000_000 + index).to_string(),
        };
        let note = "\"two\nlines, one cell\"";
        format!("{},{at},user-{}@example.com,read,file,{note}\n", records.id(index), index % 300)
    };
    let rows: String = (0..records.count).map(row).collect();
    format!("id,at,who,what,where,note\n{rows}").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes everything")
}

/// Cut anywhere, not between lines.
fn members(records: &Records) -> Vec<u8> {
    ndjson(records).chunks(700_001).flat_map(gzip).collect()
}

fn frames(records: &Records) -> Vec<u8> {
    let frame = |part| zstd::encode_all(part, 1).expect("a Vec takes everything");
    ndjson(records).chunks(700_001).flat_map(frame).collect()
}
