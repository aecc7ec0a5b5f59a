//! Sixty-four bytes as one value.
//!
//! Every algorithm on many bytes at once is written once, in safe code, over [`Lanes`]: what a machine can do with a
//! block of 64 bytes. There are three of them: one 512-bit register ([`avx512`]), two of 256 bits ([`avx2`]), and plain
//! words ([`portable`]), which run anywhere and are what the other two are tested against.
//!
//! A value of `Avx512` or `Avx2` is the proof that the machine has these instructions: only [`Level::run`] makes one,
//! and [`Level`]s only come from asking the machine. So all code that holds one may use them, and unsafe code stays in
//! this folder. An algorithm is a [`Kernel`]; everything below its `run` has to be `inline(always)`, since only what is
//! inlined into [`Level::run`]'s functions is compiled for the instructions they name.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod cells;
pub(crate) mod extent;
pub(crate) mod index;
mod levels;
pub(crate) mod lines;
pub(crate) mod member;
mod portable;
pub(crate) mod sink;
#[cfg(test)]
mod tests;
mod utf8;
mod window;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Bytes in a block.
pub(crate) const BLOCK: usize = 64;

/// What a machine can do with a block of 64 bytes. Comparisons give one bit for each byte, that of the first byte lowest.
pub(crate) trait Lanes: Copy {
    /// The 64 bytes.
    type Block: Copy;

    /// From memory.
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block;
    /// The lowest `count` bits.
    #[inline(always)]
    fn low_bits(self, count: usize) -> u64 {
        low_bits(count)
    }
    /// From memory of at most 64 bytes; anything behind them.
    fn load_part(self, bytes: &[u8]) -> Self::Block;
    /// To memory.
    fn store(self, block: Self::Block, bytes: &mut [u8; BLOCK]);
    /// The same byte everywhere.
    fn splat(self, byte: u8) -> Self::Block;
    /// `a == b`
    fn equal(self, a: Self::Block, b: Self::Block) -> u64;
    /// `a <= b`, unsigned.
    fn at_most(self, a: Self::Block, b: Self::Block) -> u64;
    /// The highest bit of each byte.
    fn top_bits(self, block: Self::Block) -> u64;
    /// `a | b`
    fn or(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a & b`
    fn and(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a + b`, wrapping.
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// `a - b`, 0 where that is negative.
    fn subtract_saturating(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// The upper four bits of each byte.
    fn high_nibbles(self, block: Self::Block) -> Self::Block;
    /// For each byte the entry of the table that its lower four bits name; 0 where its top bit is set.
    fn look_up(self, table: &[u8; 16], block: Self::Block) -> Self::Block;
    /// For each byte the sum of all up to it, wrapping.
    fn prefix_sum(self, block: Self::Block) -> Self::Block;
    /// The last byte everywhere.
    fn splat_last(self, block: Self::Block) -> Self::Block;

    /// For each bit the parity of all up to it: quotes become the bytes from one that opens to before the one that closes.
    fn prefix_xor(self, bits: u64) -> u64;
    /// The bits at the places of `mask`, moved together.
    fn extract_bits(self, bits: u64, mask: u64) -> u64;

    /// Whether a block costs less than the few bytes that are needed of it.
    const HAS_REGISTERS: bool = true;

    /// Whether a check of every block costs less than to ask first if it is needed.
    const WIDE: bool;

    /// Writes the places that `mask` names, in order, each counted from `offset`. More may be written behind them.
    fn places(self, mask: u64, offset: u32, out: &mut [u32; BLOCK]);

    /// Writes what the index keeps of the bytes of a block that `mask` names, in order: of each its offset counted from
    /// `offset`, the byte itself, and the byte of `marks` at its place. More may be written behind them.
    fn compress(
        self,
        block: Self::Block,
        marks: Self::Block,
        mask: u64,
        offset: u32,
        out: Compressed<'_>,
    );
}

/// Room for what [`Lanes::compress`] writes.
pub(crate) struct Compressed<'t> {
    pub(crate) offsets: &'t mut [u32; BLOCK],
    pub(crate) bytes: &'t mut [u8; BLOCK],
    pub(crate) marks: &'t mut [u8; BLOCK],
}

/// An algorithm over blocks.
pub(crate) trait Kernel {
    /// What it gives.
    type Output;
    /// Runs it. Has to be `inline(always)`, as has everything that it does with blocks.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Which instructions are used. One that this machine lacks cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The machine lacks the instructions that were asked for, or there are none of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchLevel(String);

impl fmt::Display for NoSuchLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Level::all().map(Level::name).collect();
        write!(f, "no instructions `{}` on this machine: it has {}", self.0, names.join(", "))
    }
}

impl std::error::Error for NoSuchLevel {}

impl FromStr for Level {
    type Err = NoSuchLevel;

    fn from_str(name: &str) -> Result<Self, NoSuchLevel> {
        Self::all().find(|level| level.name() == name).ok_or_else(|| NoSuchLevel(name.to_owned()))
    }
}

impl Level {
    /// The variable of the environment that names the one to use.
    pub const VARIABLE: &str = "WEIR_SIMD";

    /// All that this machine has, the best first.
    pub fn all() -> impl Iterator<Item = Self> {
        let all = [
            #[cfg(target_arch = "x86_64")]
            avx512::is_available().then_some(Instructions::Avx512),
            #[cfg(target_arch = "x86_64")]
            avx2::is_available().then_some(Instructions::Avx2),
            Some(Instructions::Portable),
        ];
        all.into_iter().flatten().map(Self)
    }

    /// The best that this machine has, or the one that [`Level::VARIABLE`] names. Asked for once.
    ///
    /// # Errors
    ///
    /// The named one is not there.
    pub fn chosen() -> Result<Self, NoSuchLevel> {
        static CHOSEN: OnceLock<Result<Level, NoSuchLevel>> = OnceLock::new();
        let choose = || match std::env::var(Self::VARIABLE) {
            Ok(name) => name.parse(),
            Err(_) => Ok(Self::all().next().unwrap_or(Self(Instructions::Portable))),
        };
        CHOSEN.get_or_init(choose).clone()
    }

    /// `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
        }
    }

    /// Whether the machine has registers for many bytes, and they are used.
    pub(crate) fn has_registers(self) -> bool {
        self.0 != Instructions::Portable
    }

    /// Runs an algorithm with these instructions.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Instructions::Portable => kernel.run(portable::Portable),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::run(self, kernel),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512::run(self, kernel),
        }
    }
}

/// A block from fewer bytes, by way of a copy.
#[inline(always)]
fn extended(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let count = bytes.len().min(BLOCK);
    block[..count].copy_from_slice(&bytes[..count]);
    block
}

/// The lowest `count` bits.
#[inline(always)]
pub(crate) const fn low_bits(count: usize) -> u64 {
    if count >= 64 { !0 } else { (1 << count) - 1 }
}
