//! `weir migrate`: older mappings to programs, and programs from one OCSF version to another.
//!
//! - [`legacy`]: the line form `field=$.path`, and the JSON object `eventMapping`
//! - [`to_version`]: a program whose `ocsf` line names another of the shipped versions

mod legacy;
mod version;

pub use legacy::legacy;
pub use version::to_version;

/// What a migration gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The program; it compiles.
    pub text: String,
    /// What was changed, or means something else now: line of the old text (0 of none) and words.
    pub notes: Vec<(u32, String)>,
}
