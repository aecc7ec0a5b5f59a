//! Finds the wanted cells of a row by their column names.

use bumpalo::Bump;
use bumpalo::collections::String;
use memchr::memchr;

use crate::input::Csv;
use crate::plan::Projection;
use crate::project::found::Found;
use crate::rows::rows_in;
use crate::simd::cells::{InColumn, KnownRows};

/// For each column the slot that its cell goes to; the first of equal names counts.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    slots: Vec<Option<u16>>,
    /// The columns that have one, from left to right.
    wanted: Vec<(usize, u16)>,
}

impl Columns {
    /// Looks the wanted names up in a header.
    pub(crate) fn new(header: &[std::string::String], projection: &Projection) -> Self {
        let mut slots = vec![None; header.len()];
        for (name, node) in &projection.nodes[0].members {
            if let Some(column) = header.iter().position(|column| column == name) {
                slots[column] = projection.nodes[usize::from(*node)].slot;
            }
        }
        let wanted = slots.iter().enumerate();
        let wanted = wanted.filter_map(|(column, slot)| Some((column, (*slot)?))).collect();
        Self { slots, wanted }
    }

    /// The slot of each column.
    pub(crate) fn slots(&self) -> &[Option<u16>] {
        &self.slots
    }

    /// Sets the texts of the wanted cells of rows.
    pub(crate) fn fill<'a>(
        &self,
        rows: &KnownRows<'a, '_>,
        csv: &Csv,
        found: &mut Found<'a>,
        arena: &'a Bump,
    ) {
        for (column, slot) in &self.wanted {
            let found = found.column(*slot);
            let InColumn { there, quoted } = rows.column(*column, found.texts);
            for row in rows_in(quoted) {
                let text = &mut found.texts[row];
                *text = unquoted(text, csv.quote, arena);
            }
            if csv.trim {
                for row in rows_in(there) {
                    let text = &mut found.texts[row];
                    *text = text.trim();
                }
            }
            *found.there |= there;
            *found.plain |= there;
        }
    }
}

/// What a cell says that starts with a quote. It is copied only if it has to be.
fn unquoted<'a>(cell: &'a str, quote: u8, arena: &'a Bump) -> &'a str {
    match cell[1..].strip_suffix(char::from(quote)) {
        Some(inside) if memchr(quote, inside.as_bytes()).is_none() => inside,
        _ => joined(&cell[1..], quote, arena),
    }
}

/// What follows an opening quote: of doubled quotes one stays, none of the one that closes, and all that is behind that.
#[cold]
#[inline(never)]
fn joined<'a>(cell: &'a str, quote: u8, arena: &'a Bump) -> &'a str {
    let mut text = String::with_capacity_in(cell.len(), arena);
    let mut rest = cell;
    while let Some(at) = memchr(quote, rest.as_bytes()) {
        let behind = &rest[at + 1..];
        let Some(goes_on) = behind.strip_prefix(char::from(quote)) else {
            text.push_str(&rest[..at]);
            text.push_str(behind);
            return text.into_bump_str();
        };
        text.push_str(&rest[..=at]);
        rest = goes_on;
    }
    text.push_str(rest);
    text.into_bump_str()
}
