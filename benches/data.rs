//! Generated audit logs: the same bytes for the same wish, on every machine.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

mod audit;
mod random;
mod shapes;
mod tree;

use audit::Audit;
use tree::Tree;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One record a line.
    Ndjson,
    /// All records in one array, on one line.
    Array,
    /// One row a record, some with line ends in a cell, below a header.
    Csv,
}

/// What the records look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Audit records of 1.6 kB, a tenth of them with shuffled keys
    Audit,
    /// The same with their keys in one order
    Fixed,
    /// The same with all keys shuffled
    Shuffled,
    /// The same values under other names and at other depths
    Other,
    /// With values nested sixty deep
    Deep,
    /// With 300 keys
    Wide,
    /// With about 130 bytes
    Tiny,
    /// With 5 MB
    Huge,
    /// One line in a hundred is cut off
    Damaged,
}

/// How data is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// One gzip member, level 6.
    Gzip,
    /// One zstd frame, level 3.
    Zstd,
}

/// What data is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// What the records look like.
    pub shape: Shape,
    /// How they are written.
    pub format: Format,
    /// Bytes that they take as NDJSON at least, whatever the format: all formats hold the same records. Fewer bytes
    /// are a prefix of the same records.
    pub size_bytes: u64,
    /// Other seeds give other records.
    pub seed: u64,
}

impl Format {
    /// The formats in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Array, Self::Csv];

    /// As peers are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Array => "array",
            Self::Csv => "csv",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Array => "json",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ndjson => "NDJSON",
            Self::Array => "JSON array",
            Self::Csv => "CSV",
        })
    }
}

impl Shape {
    /// As it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Fixed => "fixed",
            Self::Shuffled => "shuffled",
            Self::Other => "other",
            Self::Deep => "deep",
            Self::Wide => "wide",
            Self::Tiny => "tiny",
            Self::Huge => "huge",
            Self::Damaged => "damaged",
        }
    }

    /// The formats that the shape makes a difference to: rows have neither keys nor nesting, and an array with a broken
    /// record is a broken document.
    pub fn formats(self) -> &'static [Format] {
        match self {
            Self::Audit | Self::Tiny | Self::Huge => &Format::ALL,
            Self::Fixed | Self::Shuffled | Self::Other | Self::Deep | Self::Wide => {
                &[Format::Ndjson, Format::Array]
            }
            Self::Damaged => &[Format::Ndjson],
        }
    }
}

impl Wish {
    /// A file in `folder` with the data, which is made unless it is there.
    ///
    /// # Errors
    ///
    /// If files cannot be read or written.
    pub fn file(&self, folder: &Path, packing: Packing) -> io::Result<PathBuf> {
        let Self { shape, format, size_bytes, seed } = self;
        let (shape, extension) = (shape.name(), format.extension());
        let plain = folder.join(format!("{shape}-{size_bytes}-seed{seed}.{extension}"));
        if !plain.exists() {
            fs::create_dir_all(folder)?;
            whole(&plain, |file| self.write(file))?;
        }
        let packed = match packing {
            Packing::None => return Ok(plain),
            Packing::Gzip => plain.with_extension(format!("{extension}.gz")),
            Packing::Zstd => plain.with_extension(format!("{extension}.zst")),
        };
        if !packed.exists() {
            let mut bytes = Vec::new();
            File::open(&plain)?.read_to_end(&mut bytes)?;
            whole(&packed, |file| match packing {
                Packing::None => file.write_all(&bytes),
                Packing::Gzip => {
                    let mut encoder =
                        flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
                    encoder.write_all(&bytes)?;
                    encoder.finish().map(|_| ())
                }
                Packing::Zstd => {
                    let mut encoder = zstd::stream::Encoder::new(file, 3)?;
                    encoder.write_all(&bytes)?;
                    encoder.finish().map(|_| ())
                }
            })?;
        }
        Ok(packed)
    }

    /// The data in memory.
    ///
    /// # Panics
    ///
    /// Never: memory takes everything that is written to it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("memory can be written");
        bytes
    }

    /// Writes the data.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut records = Records::new(self);
        match self.format {
            Format::Ndjson => {
                while let Some(record) = records.next() {
                    out.write_all(record.text.as_bytes())?;
                    out.write_all(b"\n")?;
                }
                Ok(())
            }
            Format::Array => {
                let mut separator = "[";
                while let Some(record) = records.next() {
                    out.write_all(separator.as_bytes())?;
                    out.write_all(record.text.as_bytes())?;
                    separator = ",";
                }
                out.write_all(b"]\n")
            }
            Format::Csv => {
                let names: Vec<_> = COLUMNS.iter().map(|&(name, _)| name).collect();
                writeln!(out, "{},preview", names.join(","))?;
                let mut row = String::new();
                while let Some(record) = records.next() {
                    row.clear();
                    write_row(record.tree, &mut row);
                    out.write_all(row.as_bytes())?;
                }
                Ok(())
            }
        }
    }
}

/// Writes a file under another name first, so that a file is always whole.
fn whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let part = path.with_extension(format!("part{}", std::process::id()));
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&part)?);
    write(&mut file)?;
    file.flush()?;
    fs::rename(part, path)
}

/// The records of a wish.
struct Records {
    audit: Audit,
    shape: Shape,
    tree: Tree,
    text: String,
    left: u64,
}

struct Record<'a> {
    tree: &'a Tree,
    text: &'a str,
}

impl Records {
    fn new(wish: &Wish) -> Self {
        let (audit, left) = (Audit::new(wish.seed), wish.size_bytes);
        Self { audit, shape: wish.shape, tree: Tree::Null, text: String::new(), left }
    }

    fn next(&mut self) -> Option<Record<'_>> {
        if self.left == 0 {
            return None;
        }
        self.tree = shapes::record(&mut self.audit, self.shape);
        self.text.clear();
        let ascii = self.audit.random.chance(0.1);
        self.tree.write(ascii, &mut self.text);
        if self.shape == Shape::Damaged && self.audit.random.chance(0.01) {
            shapes::damage(&mut self.text, &mut self.audit.random);
        }
        self.left = self.left.saturating_sub(self.text.len() as u64 + 1);
        Some(Record { tree: &self.tree, text: &self.text })
    }
}

/// The columns of CSV but for the last, and where their values are.
const COLUMNS: [(&str, &[&str]); 28] = [
    ("id", &["id"]),
    ("created_at", &["created_at"]),
    ("type", &["type"]),
    ("severity", &["severity"]),
    ("org_id", &["organization", "id"]),
    ("org_name", &["organization", "name"]),
    ("org_region", &["organization", "region"]),
    ("project_id", &["project", "id"]),
    ("actor_type", &["actor", "type"]),
    ("actor_id", &["actor", "id"]),
    ("actor_email", &["actor", "email"]),
    ("actor_name", &["actor", "name"]),
    ("session_id", &["actor", "session", "id"]),
    ("actor_ip", &["actor", "session", "ip"]),
    ("user_agent", &["actor", "session", "user_agent"]),
    ("target_type", &["target", "type"]),
    ("target_id", &["target", "id"]),
    ("target_name", &["target", "name"]),
    ("request_id", &["request", "id"]),
    ("model", &["request", "model"]),
    ("endpoint", &["request", "endpoint"]),
    ("status", &["response", "status"]),
    ("latency_ms", &["response", "latency_ms"]),
    ("input_tokens", &["usage", "input_tokens"]),
    ("output_tokens", &["usage", "output_tokens"]),
    ("cached_tokens", &["usage", "cached_tokens"]),
    ("cost_amount", &["cost", "amount"]),
    ("trace_id", &["metadata", "trace_id"]),
];

fn write_row(record: &Tree, row: &mut String) {
    for (_, path) in COLUMNS {
        if let Some(value) = record.at(path) {
            value.write_cell(row);
        }
        row.push(',');
    }
    // A huge record is a huge cell.
    let preview = match (record.at(&["transcript"]), record.at(&["request", "messages"])) {
        (Some(text), _) => Some(text),
        (None, Some(Tree::Array(messages))) => {
            messages.last().and_then(|message| message.at(&["preview"]))
        }
        (None, _) => None,
    };
    if let Some(preview) = preview {
        preview.write_cell(row);
    }
    row.push('\n');
}
