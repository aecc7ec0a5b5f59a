//! Why a record was refused: the run-time codes.

/// A stable run-time code. Each has a page in the compiler's registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// R1001: the record is longer than `max_record`.
    TooLong,
    /// R1002: the record, or the document around it, is not sound.
    Unsound,
    /// R1003: the document does not have the `records` path.
    NoRecords,
    /// R1004: a wanted name occurs twice in one object, and the input says `duplicate_keys reject`.
    DuplicateKey,
    /// R1005: the row has more cells than the header.
    TooManyCells,
    /// R1201: a required value is missing.
    Missing,
    /// R1204: a required value is there, and cannot be read.
    Invalid,
    /// R1205: `event.time` lies outside 2000 to 2100.
    TimeRange,
    /// R1206: the program says `reject`.
    Rejected,
    /// R1207: a condition cannot be decided, since a value in it cannot be read.
    InvalidCondition,
    /// R1210: the event would lack a required attribute or break a constraint.
    Incomplete,
    /// R1301: `each` over something that is no array, or has more elements than `max`.
    Each,
    /// R1302: the events of one record are too large together.
    OutputTooLarge,
    /// R1303: two events of one record have the same id.
    EqualIds,
    /// R1304: one record gives too many events.
    TooManyEvents,
    /// R1401: an event with this id and other bytes is already stored.
    Conflict,
}

impl Code {
    /// The code as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "R1001",
            Self::Unsound => "R1002",
            Self::NoRecords => "R1003",
            Self::DuplicateKey => "R1004",
            Self::TooManyCells => "R1005",
            Self::Missing => "R1201",
            Self::Invalid => "R1204",
            Self::TimeRange => "R1205",
            Self::Rejected => "R1206",
            Self::InvalidCondition => "R1207",
            Self::Incomplete => "R1210",
            Self::Each => "R1301",
            Self::OutputTooLarge => "R1302",
            Self::EqualIds => "R1303",
            Self::TooManyEvents => "R1304",
            Self::Conflict => "R1401",
        }
    }
}
