//! A Bloom filter in blocks: whether a hash was seen, wrong in one direction only.
//!
//! A hash sets one bit in each of the eight words of one 32-byte block, so a question costs one cache
//! line. At 16 bits a hash, about one unseen hash in a thousand looks seen. When a layer is full,
//! another of the same size as all before it is put on top: growing never means reading everything
//! again, at the price of asking a few layers.
//!
//! Source: Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2009.

const WORDS: usize = 8;
const BITS_PER_HASH: usize = 16;
const HASHES_PER_BLOCK: usize = WORDS * 32 / BITS_PER_HASH;
/// The smallest layer: 128 kB.
const HASHES_MIN: usize = 1 << 16;

struct Layer {
    blocks: Vec<[u32; WORDS]>,
    /// How many more hashes it takes.
    room: usize,
}

impl Layer {
    fn new(hashes: usize) -> Layer {
        let blocks = hashes.max(HASHES_MIN).div_ceil(HASHES_PER_BLOCK);
        Layer { blocks: vec![[0; WORDS]; blocks], room: blocks * HASHES_PER_BLOCK }
    }

    /// The upper half of the hash chooses the block, so sorted hashes walk through memory in order.
    fn block_index(&self, hash: u128) -> usize {
        let high = (hash >> 64) as u64;
        ((u128::from(high) * self.blocks.len() as u128) >> 64) as usize
    }

    fn contains(&self, hash: u128) -> bool {
        let block = &self.blocks[self.block_index(hash)];
        block.iter().zip(mask(hash)).all(|(word, bit)| word & bit != 0)
    }

    fn insert(&mut self, hash: u128) {
        let index = self.block_index(hash);
        for (word, bit) in self.blocks[index].iter_mut().zip(mask(hash)) {
            *word |= bit;
        }
        self.room = self.room.saturating_sub(1);
    }
}

/// One bit for each word of a block, from five bits each of the lower half of the hash.
fn mask(hash: u128) -> [u32; WORDS] {
    let low = hash as u64;
    std::array::from_fn(|word| 1 << ((low >> (5 * word)) & 31))
}

/// A growing filter. Invariant: a hash that was inserted is contained, forever.
pub(crate) struct Filter {
    layers: Vec<Layer>,
}

impl Filter {
    /// A filter that takes `hashes` of them in one layer.
    pub(crate) fn with_capacity(hashes: usize) -> Filter {
        Filter { layers: vec![Layer::new(hashes)] }
    }

    pub(crate) fn contains(&self, hash: u128) -> bool {
        self.layers.iter().any(|layer| layer.contains(hash))
    }

    pub(crate) fn insert(&mut self, hash: u128) {
        if self.layers.last().is_none_or(|layer| layer.room == 0) {
            let blocks: usize = self.layers.iter().map(|layer| layer.blocks.len()).sum();
            self.layers.push(Layer::new(blocks * HASHES_PER_BLOCK));
        }
        if let Some(layer) = self.layers.last_mut() {
            layer.insert(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 128-bit mix of a counter, good enough to stand for a keyed hash.
    fn hash(number: u64) -> u128 {
        use std::hash::Hasher;
        let mut hasher = siphasher::sip128::SipHasher13::new_with_key(&[7; 16]);
        hasher.write_u64(number);
        siphasher::sip128::Hasher128::finish128(&hasher).as_u128()
    }

    #[test]
    fn everything_inserted_is_contained_across_layers() {
        let mut filter = Filter::with_capacity(0);
        let count = 5 * HASHES_MIN as u64;
        (0..count).for_each(|number| filter.insert(hash(number)));
        assert!(filter.layers.len() > 2);
        assert!((0..count).all(|number| filter.contains(hash(number))));
    }

    #[test]
    fn few_others_are_contained() {
        let count = 1_000_000;
        let mut filter = Filter::with_capacity(count as usize);
        (0..count).for_each(|number| filter.insert(hash(number)));
        let wrong = (count..2 * count).filter(|&number| filter.contains(hash(number))).count();
        assert!(wrong < 2_000, "{wrong} in a million");
        assert_eq!(filter.layers.len(), 1);
    }
}
