//! The constant texts of a template.

use crate::simd::BLOCK;
use crate::simd::sink::{Block, Padded};

/// Constant texts, each of which begins in a block of its own.
#[derive(Debug, Default)]
pub(super) struct Constants {
    blocks: Vec<Block>,
}

/// A constant text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Constant {
    first: u32,
    len: u32,
}

impl Constants {
    /// Keeps a text.
    pub(super) fn add(&mut self, text: &str) -> Constant {
        let first = self.blocks.len();
        let mut rest = text.as_bytes();
        loop {
            let mut block = [0; BLOCK];
            let (part, behind) = rest.split_at(rest.len().min(BLOCK));
            block[..part.len()].copy_from_slice(part);
            self.blocks.push(Block(block));
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        // A program's text is limited to far less than 4 GiB.
        Constant { first: first as u32, len: text.len() as u32 }
    }

    /// One of them, to be written.
    #[inline(always)]
    pub(super) fn get(&self, constant: Constant) -> Padded<'_> {
        Padded::new(&self.blocks[constant.first as usize..], constant.len as usize)
            .expect("every constant has a block")
    }

    /// One of them.
    pub(super) fn text(&self, constant: Constant) -> String {
        let blocks = &self.blocks[constant.first as usize..];
        let bytes: Vec<u8> =
            blocks.iter().flat_map(|block| block.0).take(constant.len as usize).collect();
        String::from_utf8(bytes).unwrap_or_default()
    }
}
