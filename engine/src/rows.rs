//! Up to sixty-four records at once, one bit for each.
//!
//! What is known of all of them fits into a word: who has a value, who goes on. Conditions are then a few operations on
//! words, and no branch depends on a record.

/// A set of records, the first one lowest.
pub(crate) type Rows = u64;

/// So many are worked on at once, at most.
pub(crate) const ROWS_MAX: usize = 64;

/// The set of one.
#[inline(always)]
pub(crate) const fn row_bit(row: usize) -> Rows {
    1 << row
}

/// The rows in a set, in order.
#[inline(always)]
pub(crate) fn rows_in(mut rows: Rows) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if rows == 0 {
            return None;
        }
        let row = rows.trailing_zeros() as usize;
        rows &= rows - 1;
        Some(row)
    })
}
