//! Bytes to record blocks. Placeholder written with the framer.

/// Where a framer stands between two records.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Offset in the decompressed object of the next byte to be pushed.
    pub offset: u64,
}
