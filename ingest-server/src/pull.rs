//! Pulling: what a source that is polled is configured with, when it is due, and which objects it has
//! to read.
//!
//! ```text
//! pull_config ─parse─▶ S3Polling ─▶ Schedule ──due?──▶ a run
//!                          │                             │
//!                          └────▶ Scan ◀──pages of a listing
//!                                  └──▶ objects to read, cursor
//! ```
//!
//! Nothing here reads a clock, a disk or a network: times, pages and the ledger of objects are handed
//! in, so everything can be played through in a test.

mod config;
mod discover;
mod schedule;

pub use self::config::{
    CsvOptions, Discovery, DiscoveryMode, FieldError, OnError, RecordFormat, S3Polling,
};
pub use self::discover::{
    DiscoveryState, Known, Ledger, ListingRequest, ObjectVerdict, Scan, Warning,
};
pub use self::schedule::{Due, Schedule, ScheduleError};
