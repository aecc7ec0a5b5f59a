//! The wanted values of several records: a column for each slot.
//!
//! Most values are strings without escapes, and most of these are read as texts. So a column holds what is between their
//! quotes, and the quotes are found again where somebody wants the JSON text.

use bumpalo::Bump;

use crate::rows::{Rows, row_bit};

/// What was found in records.
pub(crate) struct Found<'a> {
    rows: usize,
    /// The bytes around the values of JSON records; none around cells, which have no quotes.
    around: Option<&'a [u8]>,
    /// By slot, then by row.
    texts: &'a mut [&'a str],
    there: &'a mut [Rows],
    plain: &'a mut [Rows],
}

/// What was found for a slot, to be filled.
pub(crate) struct Column<'f, 'a> {
    /// By row.
    pub(crate) texts: &'f mut [&'a str],
    /// The rows in which it was found, and those in which it is what a string without escapes says.
    pub(crate) there: &'f mut Rows,
    pub(crate) plain: &'f mut Rows,
}

impl<'a> Found<'a> {
    /// Nothing yet.
    pub(crate) fn new(slots: u16, rows: usize, around: Option<&'a [u8]>, arena: &'a Bump) -> Self {
        let slots = usize::from(slots);
        Self {
            rows,
            around,
            texts: arena.alloc_slice_fill_copy(slots * rows, ""),
            there: arena.alloc_slice_fill_copy(slots, 0),
            plain: arena.alloc_slice_fill_copy(slots, 0),
        }
    }

    /// Of how many records.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Sets the text of a slot; `plain` if it is what a string without escapes says, or a cell.
    #[inline(always)]
    pub(crate) fn set(&mut self, slot: u16, row: usize, text: &'a str, plain: bool) {
        let slot = usize::from(slot);
        self.texts[slot * self.rows + row] = text;
        self.there[slot] |= row_bit(row);
        self.plain[slot] = self.plain[slot] & !row_bit(row) | u64::from(plain) << row;
    }

    /// The column of a slot, to be filled.
    #[inline(always)]
    pub(crate) fn column(&mut self, slot: u16) -> Column<'_, 'a> {
        let slot = usize::from(slot);
        Column {
            texts: &mut self.texts[slot * self.rows..][..self.rows],
            there: &mut self.there[slot],
            plain: &mut self.plain[slot],
        }
    }

    /// The texts of a slot, by row.
    #[inline(always)]
    pub(crate) fn texts(&self, slot: u16) -> &[&'a str] {
        &self.texts[usize::from(slot) * self.rows..][..self.rows]
    }

    /// The rows in which a slot was found.
    #[inline(always)]
    pub(crate) fn there(&self, slot: u16) -> Rows {
        self.there[usize::from(slot)]
    }

    /// Those in which it is known to be what a string without escapes says, or a cell.
    #[inline(always)]
    pub(crate) fn plain(&self, slot: u16) -> Rows {
        self.plain[usize::from(slot)]
    }

    /// The JSON text of a slot, or the cell.
    #[inline(always)]
    pub(crate) fn get(&self, slot: u16, row: usize) -> Option<&'a str> {
        let bit = row_bit(row);
        if self.there(slot) & bit == 0 {
            return None;
        }
        let text = self.texts(slot)[row];
        match self.around {
            Some(around) if self.plain(slot) & bit != 0 => Some(quoted(text, around)),
            _ => Some(text),
        }
    }

    /// All slots of a row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = Option<&'a str>> {
        (0..self.there.len() as u16).map(move |slot| self.get(slot, row))
    }

    /// Nothing was found in a row.
    pub(crate) fn clear(&mut self, row: usize) {
        for there in &mut *self.there {
            *there &= !row_bit(row);
        }
        for plain in &mut *self.plain {
            *plain &= !row_bit(row);
        }
    }
}

/// A string with its quotes, of what is between them.
fn quoted<'a>(inside: &str, around: &'a [u8]) -> &'a str {
    let start = inside.as_ptr().addr() - around.as_ptr().addr();
    let quoted = &around[start - 1..=start + inside.len()];
    std::str::from_utf8(quoted).expect("a valid text with a quote on both sides is valid")
}
