//! A block together with the bytes before it.

use super::{BLOCK, Lanes};

/// A block is looked at together with so many bytes before it.
pub(super) const BEFORE: usize = 4;

/// These bytes, then the block.
pub(super) type Window = [u8; BEFORE + BLOCK];

/// A window near the ends of the bytes, with line ends where there are none.
#[cold]
pub(super) fn padded(bytes: &[u8], at: usize) -> Window {
    let mut window = [b'\n'; BEFORE + BLOCK];
    let from = at.saturating_sub(BEFORE);
    let there = &bytes[from..bytes.len().min(at + BLOCK)];
    let skipped = BEFORE - (at - from);
    window[skipped..skipped + there.len()].copy_from_slice(there);
    window
}

/// The block that starts so many bytes before that of the window.
#[inline(always)]
pub(super) fn earlier<L: Lanes, const BY: usize>(lanes: L, window: &Window) -> L::Block {
    lanes.load(window[BEFORE - BY..].first_chunk().expect("there are four bytes before a block"))
}
