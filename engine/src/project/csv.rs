//! Finds the wanted cells of a row by their column names.

use crate::plan::Projection;

/// For each column the slot that its cell goes to; the first of equal names counts.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    slots: Vec<Option<u16>>,
}

impl Columns {
    /// Looks the wanted names up in a header.
    pub(crate) fn new(header: &[String], projection: &Projection) -> Self {
        let mut slots = vec![None; header.len()];
        for (name, node) in &projection.nodes[0].members {
            if let Some(column) = header.iter().position(|column| column == name) {
                slots[column] = projection.nodes[usize::from(*node)].slot;
            }
        }
        Self { slots }
    }

    /// The slot of each column.
    pub(crate) fn slots(&self) -> &[Option<u16>] {
        &self.slots
    }
}
