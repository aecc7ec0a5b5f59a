//! Exact decimals: 128 bits, 18 places.

/// A number with 18 decimal places: the value times 10^18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub i128);
