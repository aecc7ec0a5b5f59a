//! The usual forms of texts, read fast.
//!
//! Each reader gives a value only of a text that is written in the most usual way, and none of any other: what that one
//! means, if anything, others say. So none of them has to know all forms.

use super::ends::Ends;
use crate::civil::DateTime;
use crate::decimal::Decimal;
use crate::read;
use crate::rows::{Rows, row_bit, rows_in};
use crate::simd::{Kernel, Lanes, Level, low_bits};

/// Reads numbers.
pub(super) struct Numbers<'r, 't, T, R> {
    pub(super) texts: &'r [&'t str],
    pub(super) of: Rows,
    pub(super) read: R,
    pub(super) numbers: &'r mut [T],
}

impl<T, R: Fn(Ends) -> Option<T>> Kernel for Numbers<'_, '_, T, R> {
    /// Those that could be read.
    type Output = Rows;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Rows {
        let mut rows = 0;
        for row in rows_in(self.of) {
            if let Some(number) = (self.read)(Ends::by(lanes, self.texts[row].as_bytes())) {
                self.numbers[row] = number;
                rows |= row_bit(row);
            }
        }
        rows
    }
}

/// A whole number of at most 16 digits without sign, point or needless zero.
#[inline(always)]
pub(super) fn int(text: Ends) -> Option<i64> {
    let is_padded = text.first as u8 == b'0' && text.len > 1;
    if text.len == 0 || text.len > Ends::WHOLE_MAX || is_padded {
        return None;
    }
    // The first word has what stands before the last.
    let low = digits(text.last, text.len.min(8))?;
    let high = if text.len > 8 { digits(text.first, text.len - 8)? } else { 0 };
    Some(high * 100_000_000 + low)
}

/// A decimal of at most 16 bytes, with or without a point, in the way of JSON.
#[inline(always)]
pub(super) fn decimal(text: Ends) -> Option<Decimal> {
    const POINTS: u128 = u128::from_le_bytes([b'.'; Ends::WHOLE_MAX]);
    let (bytes, len) = (text.whole(), text.len);
    let point = first_zero(bytes ^ POINTS);
    let (has_point, whole_len) = (point < len, point.min(len));
    let is_padded = text.first as u8 == b'0' && whole_len > 1;
    if len > Ends::WHOLE_MAX || whole_len == 0 || is_padded || point + 1 == len {
        return None;
    }
    // What stands behind the point moves to its place.
    let behind = u128::MAX.unbounded_shl(8 * whole_len as u32);
    let bytes = (bytes & !behind) | (bytes >> 8 & behind);
    let count = len - usize::from(has_point);
    let low = digits((bytes >> 64) as u64, count.saturating_sub(8))?;
    let number = digits(bytes as u64, count.min(8))? * TENS[count.saturating_sub(8)] + low;
    let places = (len - whole_len).saturating_sub(1);
    Some(Decimal(i128::from(number) * POWERS[Decimal::PLACES as usize - places]))
}

const TENS: [i64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

const POWERS: [i128; Decimal::PLACES as usize + 1] = {
    let mut powers = [1; Decimal::PLACES as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The first byte that is zero, the lowest one being the first; 16 if none is.
#[inline(always)]
fn first_zero(bytes: u128) -> usize {
    const ONES: u128 = u128::from_le_bytes([1; 16]);
    const TOPS: u128 = u128::from_le_bytes([0x80; 16]);
    // Only a zero borrows from its own top bit; above the first one, more may seem to be.
    (bytes.wrapping_sub(ONES) & !bytes & TOPS).trailing_zeros() as usize / 8
}

/// The number that the lowest bytes of a word are, as at most eight digits, the first one lowest: neighbours become numbers
/// of two digits, all at once, then of four, and then of eight.
#[inline(always)]
fn digits(bytes: u64, count: usize) -> Option<i64> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0xf0; 8]);
    const SIXES: u64 = u64::from_le_bytes([6; 8]);
    // Zeros go before it.
    let lacking = 64 - 8 * count as u32;
    let bytes = bytes.unbounded_shl(lacking) | (ZEROS & !u64::MAX.unbounded_shl(lacking));
    // The upper four bits of a digit are those of zero, also when 6 is added.
    let above = bytes.wrapping_add(SIXES);
    if (bytes & HIGHS) != ZEROS || (above & HIGHS) != ZEROS {
        return None;
    }
    let ones = bytes & !HIGHS;
    let twos = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    Some(((fours * 10_000 + (fours >> 32)) & 0xffff_ffff) as i64)
}

/// The number that a few digits are.
#[inline(always)]
fn few_digits<const N: usize>(text: [u8; N]) -> Option<i64> {
    let mut number = 0;
    let mut worst = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        worst |= u8::from(digit > 9);
        number = number * 10 + i64::from(digit);
    }
    (worst == 0).then_some(number)
}

/// The IPv4 addresses among texts whose text is the canonical one.
pub(super) fn canonical_ipv4s(level: Level, texts: &[&str], of: Rows) -> Rows {
    if level.has_registers() {
        return level.run(CanonicalIpv4s { texts, of });
    }
    rows_in(of).filter(|row| is_canonical_ipv4(texts[*row].as_bytes())).map(row_bit).sum()
}

/// Of the longest.
const IPV4_BYTES_MAX: usize = 15;

fn is_canonical_ipv4(text: &[u8]) -> bool {
    if text.len() > IPV4_BYTES_MAX {
        return false;
    }
    let (mut parts, mut number, mut len) = (0, 0_u32, 0);
    for byte in text.iter().chain(b".") {
        match byte {
            b'0'..=b'9' if len < 3 && !(len == 1 && number == 0) => {
                number = number * 10 + u32::from(byte - b'0');
                len += 1;
            }
            b'.' if len > 0 && number < 256 => {
                parts += 1;
                (number, len) = (0, 0);
            }
            _ => return false,
        }
    }
    parts == 4
}

/// The same without a branch for each byte.
struct CanonicalIpv4s<'r, 't> {
    texts: &'r [&'t str],
    of: Rows,
}

impl Kernel for CanonicalIpv4s<'_, '_> {
    type Output = Rows;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Rows {
        let mut rows = 0;
        for row in rows_in(self.of) {
            let text = self.texts[row].as_bytes();
            let is_canonical = text.len() <= IPV4_BYTES_MAX && is_canonical_ipv4_block(lanes, text);
            rows |= u64::from(is_canonical) << row;
        }
        rows
    }
}

#[inline(always)]
fn is_canonical_ipv4_block<L: Lanes>(lanes: L, text: &[u8]) -> bool {
    let (block, all) = (lanes.load_part(text), low_bits(text.len()));
    let dots = lanes.equal(block, lanes.splat(b'.')) & all;
    let zeros = lanes.equal(block, lanes.splat(b'0'));
    let twos = lanes.equal(block, lanes.splat(b'2'));
    let fives = lanes.equal(block, lanes.splat(b'5'));
    let up_to_9 = lanes.at_most(block, lanes.splat(b'9')) & all;
    let up_to_5 = lanes.at_most(block, lanes.splat(b'5'));
    let up_to_2 = lanes.at_most(block, lanes.splat(b'2'));
    let digits = up_to_9 & !lanes.at_most(block, lanes.splat(b'/'));
    let starts = dots << 1 | 1;
    let (second, third, fourth) = (digits >> 1, digits >> 2, digits >> 3);
    let has_four_parts = dots | digits == all && dots.count_ones() == 3 && starts & !digits == 0;
    let has_long_part = starts & second & third & fourth != 0;
    let has_needless_zero = starts & zeros & second != 0;
    // Above 299, above 259, above 255.
    let above = !up_to_2 | (twos & (!up_to_5 >> 1 | (fives >> 1 & !up_to_5 >> 2)));
    let has_large_part = starts & second & third & above != 0;
    has_four_parts && !has_long_part && !has_needless_zero && !has_large_part
}

/// Reads RFC 3339 in UTC. Most times of a log lie in the same minute as the one before: that one is remembered.
#[derive(Debug)]
pub(super) struct Clock {
    /// `2026-05-01T00:00`
    minute: [u8; 16],
    ns: i64,
}

/// A minute like every other: there is no text that stands for none.
impl Default for Clock {
    fn default() -> Self {
        Self { minute: *b"1970-01-01T00:00", ns: 0 }
    }
}

impl Clock {
    /// UTC nanoseconds of `2026-05-01T00:00:00.005Z`, with at most nine places.
    #[inline(always)]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<i64> {
        let (minute, rest) = text.split_first_chunk::<16>()?;
        let [b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9', fraction @ .., b'Z'] = rest else {
            return None;
        };
        let second = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let ns = match fraction {
            [] => 0,
            [b'.', a, b, c] => few_digits([*a, *b, *c])? * 1_000_000,
            [b'.', places @ ..] if (1..=9).contains(&places.len()) => {
                read::fraction_ns(fraction.get(1..)?).filter(|(_, rest)| rest.is_empty())?.0
            }
            _ => return None,
        };
        if *minute != self.minute {
            self.turn_to(minute)?;
        }
        self.ns.checked_add(second * 1_000_000_000 + ns)
    }

    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, minute: &[u8; 16]) -> Option<()> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2] = *minute
        else {
            return None;
        };
        let time = DateTime {
            year: few_digits([y1, y2, y3, y4])?,
            month: few_digits([m1, m2])?,
            day: few_digits([d1, d2])?,
            hour: few_digits([h1, h2])?,
            minute: few_digits([n1, n2])?,
            second: 0,
            nanosecond: 0,
        };
        self.ns = if time.is_valid() { time.to_ns(0)? } else { return None };
        self.minute = *minute;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::NumberFormat;

    proptest! {
        #[test]
        fn what_is_read_is_what_is_meant(text in "[-0-9.eE+]{0,24}|[0-9]{1,20}|[0-9]{1,12}\\.[0-9]{0,12}") {
            let meant = NumberFormat::default();
            if let Some(number) = int(Ends::of(text.as_bytes())) {
                prop_assert_eq!(read::int(&text, meant), Some(number));
            }
            if let Some(number) = decimal(Ends::of(text.as_bytes())) {
                prop_assert_eq!(read::decimal(&text, meant), Some(number));
            }
        }

        #[test]
        fn times(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z?") {
            let mut clock = Clock::default();
            for _ in 0..2 {
                if let Some(ns) = clock.read(text.as_bytes()) {
                    prop_assert_eq!(read::timestamp(&text), Some(ns));
                }
            }
        }

        #[test]
        fn addresses(text in "([0-9]{1,4}\\.){3}[0-9]{0,4}|((1?|2)[0-9]{1,2}\\.?){4}|[0-9./]{0,16}|[0-9a-f:]{2,20}") {
            let is_canonical = is_canonical_ipv4(text.as_bytes());
            for level in Level::all() {
                let expected = if is_canonical { 0b10 } else { 0 };
                prop_assert_eq!(canonical_ipv4s(level, &["1.2.3.4", &text], 0b10), expected);
            }
            if is_canonical {
                prop_assert_eq!(read::ip(&text).map(|address| address.to_string()), Some(text));
            }
        }
    }

    #[test]
    fn usual_texts_are_read() {
        assert_eq!(int(Ends::of(b"0")), Some(0));
        assert_eq!(int(Ends::of(b"4096")), Some(4096));
        assert_eq!(int(Ends::of(b"04")), None);
        assert_eq!(decimal(Ends::of(b"0.004452")), Decimal::parse("0.004452"));
        assert_eq!(decimal(Ends::of(b"17")), Decimal::parse("17"));
        assert_eq!(decimal(Ends::of(b"1.")), None);
        assert_eq!(decimal(Ends::of(b".5")), None);
        let mut clock = Clock::default();
        for text in
            ["2026-05-01T00:00:59.005Z", "2026-05-01T00:00:07Z", "2027-02-28T23:59:00.123456789Z"]
        {
            assert_eq!(clock.read(text.as_bytes()), read::timestamp(text));
        }
        assert_eq!(clock.read(b"2026-02-30T00:00:00Z"), None);
        assert_eq!(Clock::default().read(b"1970-01-01T00:00:07Z"), Some(7_000_000_000));
        assert_eq!(Clock::default().read(&[[0; 16].as_slice(), b":07Z"].concat()), None);
        assert!(is_canonical_ipv4(b"10.0.255.1"));
        assert!(!is_canonical_ipv4(b"10.0.256.1"));
        assert!(!is_canonical_ipv4(b"10.01.25.1"));
    }
}
