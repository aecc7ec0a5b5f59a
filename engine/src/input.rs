//! What the `input` block of a program says about the bytes that come in.

/// The input settings of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// How records are laid out.
    pub format: Format,
    /// Which compression the object has. The engine sees decompressed bytes; the reader of the object uses this.
    pub compression: Compression,
    /// An empty text is a missing value (`empty missing`, the default) or a text (`empty text`).
    pub empty_is_missing: bool,
    /// Larger records are refused (R1001).
    pub record_bytes_max: u32,
    /// Brackets nest at most this deep in a sound record.
    pub depth_max: u32,
    /// Invalid UTF-8 is replaced by U+FFFD (`utf8 replace`) or makes the record unsound (`utf8 reject`, the default).
    pub utf8_replace: bool,
    /// A wanted name that occurs twice in one object refuses the record (R1004); otherwise the first counts.
    pub duplicate_keys_reject: bool,
}

/// The three formats.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// JSON documents, one or several in a row.
    Json(Records),
    /// Separated values.
    Csv(Csv),
}

/// Where the records of a JSON document are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records {
    /// `$` is empty: the document is a record, or an array of records.
    /// `$.a[*].b[*]` is `[Member(a), Elements, Member(b), Elements]`; it ends in `Elements`.
    pub path: Vec<RecordsStep>,
    /// A document is one record whatever it is: also an array, which is then refused as no object.
    /// So are samples of NDJSON read, whose records may span lines.
    pub documents_are_records: bool,
    /// The wanted wrapper members, by their way from `$`: `$.org.id` is `[org, id]`.
    /// They are handed on with the records that stand behind them.
    pub wrapper: Vec<Vec<String>>,
}

/// A step on the way to the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordsStep {
    /// The first member of this (unescaped) name.
    Member(String),
    /// Every element.
    Elements,
}

/// The settings of a CSV input.
#[derive(Debug, Clone, PartialEq)]
pub struct Csv {
    /// Between cells.
    pub delimiter: u8,
    /// Around cells that hold delimiters or line ends; doubled inside.
    pub quote: u8,
    /// Column names: `None` means that the first row holds them.
    pub columns: Option<Vec<String>>,
    /// The decimal sign of numbers.
    pub decimal: u8,
    /// The sign between groups of three digits, if any.
    pub grouping: Option<u8>,
    /// How bytes become characters. Supersets of ASCII only, so that framing needs no decoding.
    pub encoding: &'static encoding_rs::Encoding,
    /// White space around cells is removed.
    pub trim: bool,
    /// Lines that start with this byte are no rows.
    pub comment: Option<u8>,
}

/// The compression of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Told by the first bytes.
    #[default]
    Auto,
    /// As it is, whatever the first bytes look like.
    None,
    /// gzip, of one or several members.
    Gzip,
    /// Zstandard, of one or several frames.
    Zstd,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            columns: None,
            decimal: b'.',
            grouping: None,
            encoding: encoding_rs::UTF_8,
            trim: false,
            comment: None,
        }
    }
}

impl Input {
    /// The defaults of a format.
    pub fn new(format: Format) -> Self {
        let record_bytes_max = if matches!(format, Format::Csv(_)) { 64 << 10 } else { 1 << 20 };
        Self {
            format,
            compression: Compression::Auto,
            empty_is_missing: true,
            record_bytes_max,
            depth_max: 64,
            utf8_replace: false,
            duplicate_keys_reject: false,
        }
    }
}
