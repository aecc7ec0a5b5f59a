//! Where lines end.
//!
//! Bytes are looked at in *groups* of 64 blocks. First a word is made for each block, then the offsets are written. In
//! between, the blocks in which nothing is are left out by a word that has a bit for each: which ones these are cannot
//! be foreseen, so that a branch for each would cost more than all else.

use crate::rows::rows_in;

use super::{BLOCK, Kernel, Lanes, Level, low_bits};

/// Blocks in a group.
const BLOCKS: usize = 64;
/// Bytes in a group.
pub(super) const GROUP_BYTES: usize = BLOCKS * BLOCK;

/// Offsets in order; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    all: Vec<u32>,
    len: usize,
}

impl Offsets {
    /// What has been found.
    #[inline(always)]
    pub(crate) fn get(&self) -> &[u32] {
        &self.all[..self.len]
    }

    /// Nothing has been found.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Room for those in so many blocks, and for what is written behind them.
    #[inline(always)]
    fn room(&mut self, blocks: u32) -> &mut [u32] {
        let room = self.len + (blocks as usize + 1) * BLOCK;
        if self.all.len() < room {
            self.grow(room);
        }
        &mut self.all[self.len..room]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, room: usize) {
        self.all.resize(room.next_power_of_two(), 0);
    }
}

/// Places in a group of blocks, one word for each block.
pub(super) type Places = [u64; BLOCKS];

/// Those of no block.
pub(super) const NOWHERE: Places = [0; BLOCKS];

impl Offsets {
    /// Adds the places in some blocks of a group that starts at `offset`.
    #[inline(always)]
    pub(super) fn append<L: Lanes>(
        &mut self,
        lanes: L,
        places: &Places,
        blocks: u64,
        offset: usize,
    ) {
        let room = self.room(blocks.count_ones());
        let mut len = 0;
        for block in rows_in(blocks) {
            let places = places[block];
            let room = room[len..].first_chunk_mut();
            let room = room.expect("there is room for one block more");
            // No window and no block of records is larger than 4 GiB.
            lanes.places(places, (offset + BLOCK * block) as u32, room);
            len += places.count_ones() as usize;
        }
        self.len += len;
    }
}

/// Where lines end.
#[derive(Debug, Default)]
pub(crate) struct LineEnds {
    pub(super) offsets: Offsets,
    /// One bit for each byte, set if it stands within quotes. Nothing if there are none.
    pub(super) quoted: Vec<Places>,
}

impl LineEnds {
    /// Finds all line ends.
    ///
    /// # Panics
    ///
    /// If there are more than 4 GiB.
    pub(crate) fn find(&mut self, level: Level, bytes: &[u8]) {
        self.start(bytes);
        level.run(FindLines { offsets: &mut self.offsets, bytes });
    }

    pub(super) fn start(&mut self, bytes: &[u8]) {
        assert!(u32::try_from(bytes.len()).is_ok(), "a window is smaller than 4 GiB");
        self.offsets.clear();
        self.quoted.clear();
    }

    /// The offsets of all that were found, in order.
    #[inline(always)]
    pub(crate) fn offsets(&self) -> &[u32] {
        self.offsets.get()
    }

    /// Whether the one at an offset is text, for it stands within quotes.
    #[inline(always)]
    pub(crate) fn is_quoted(&self, offset: u32) -> bool {
        let at = offset as usize;
        let group = self.quoted.get(at / GROUP_BYTES);
        group.is_some_and(|group| group[at / BLOCK % BLOCKS] >> (at % BLOCK) & 1 != 0)
    }
}

struct FindLines<'b, 'r> {
    offsets: &'r mut Offsets,
    bytes: &'b [u8],
}

impl Kernel for FindLines<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let line_end = lanes.splat(b'\n');
        for (group, bytes) in self.bytes.chunks(GROUP_BYTES).enumerate() {
            let (mut ends, mut blocks) = (NOWHERE, 0);
            for (block, bytes) in bytes.chunks(BLOCK).enumerate() {
                let (bytes, valid) = load(lanes, bytes);
                ends[block] = lanes.equal(bytes, line_end) & valid;
                blocks |= u64::from(ends[block] != 0) << block;
            }
            self.offsets.append(lanes, &ends, blocks, group * GROUP_BYTES);
        }
    }
}

/// The block at the start of some bytes, and which of its bytes are among them.
#[inline(always)]
pub(super) fn load<L: Lanes>(lanes: L, bytes: &[u8]) -> (L::Block, u64) {
    match bytes.first_chunk() {
        Some(block) => (lanes.load(block), !0),
        None => (lanes.load_part(bytes), low_bits(bytes.len())),
    }
}
