//! What comes of an object, in a form that owns everything and can be compared.

use std::fmt;

use weir_engine::code::Code;

/// Everything that a program makes of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Events with the index of their record.
    pub events: Vec<(u64, Event)>,
    /// Refused records.
    pub rejects: Vec<Reject>,
    /// All records.
    pub records: u64,
    /// Records that gave at least one event.
    pub mapped: u64,
    /// Records that gave neither an event nor a reject.
    pub dropped: u64,
    /// Optional values that were invalid and left out, or set to 0.
    pub skipped_values: u64,
    /// Records with events in which a local time was read that there was twice.
    pub ambiguous_times: u64,
}

/// Bytes of a record, shown as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw(pub Vec<u8>);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The class of the emit that made it.
    pub class: String,
    /// `event.id`
    pub id: String,
    /// `event.time`, UTC nanoseconds.
    pub time_ns: i64,
    /// `event.actor`
    pub actor: String,
    /// `event.action`
    pub action: String,
    /// `event.target`
    pub target: String,
    /// `event.cost_usd`, plain notation.
    pub cost_usd: String,
    /// `event.tokens_input`
    pub tokens_input: i64,
    /// `event.tokens_output`
    pub tokens_output: i64,
    /// `event.extra` as a JSON object; empty if there is none.
    pub extra: String,
    /// The OCSF event without `raw_data`.
    pub ocsf: String,
    /// What is stored as the raw record.
    pub raw: Option<Raw>,
}

/// A refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// How many records stood before it.
    pub index: u64,
    /// Where it starts in the object.
    pub offset: u64,
    /// Its size there.
    pub size: u64,
    /// The line of the object on which it starts.
    pub object_line: u64,
    /// Why.
    pub code: Code,
    /// The line of the program that refused it.
    pub line: u32,
    /// What could not be set.
    pub target: String,
    /// The reason in words.
    pub message: String,
    /// The offending text.
    pub text: String,
    /// What is shown of it as it came.
    pub raw: Option<Raw>,
}
