//! The usual forms of texts, read fast.
//!
//! Each reader gives a value only of a text that is written in the most usual way, and none of any other: what that one
//! means, if anything, others say. So none of them has to know all forms.

use crate::civil::DateTime;
use crate::decimal::Decimal;
use crate::read;
use crate::rows::{Rows, row_bit, rows_in};
use crate::simd::{Kernel, Lanes, Level, low_bits};

/// Digits up to here fit into 64 bits, whatever they are.
const DIGITS_MAX: usize = 18;

/// The first eight bytes of a text as a word, the first one lowest. Behind a shorter one stand zeros.
#[inline(always)]
pub(super) fn first_word(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(first) => u64::from_le_bytes(*first),
        None => short_word(text),
    }
}

/// The same of less than eight bytes, by loads that overlap.
#[inline(always)]
fn short_word(text: &[u8]) -> u64 {
    let len = text.len();
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return first | last << (8 * (len - 4));
    }
    let byte = |at: usize| text.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
    byte(0) | byte(1) | byte(2)
}

/// A whole number of at most 18 digits without sign, point or needless zero.
#[inline(always)]
pub(super) fn int(text: &[u8]) -> Option<i64> {
    if text.len() > DIGITS_MAX || text.is_empty() || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    digits(text)
}

/// The number that at most 18 digits are; of none it is 0.
#[inline(always)]
fn digits(text: &[u8]) -> Option<i64> {
    const HUNDRED_MILLIONS: i64 = 100_000_000;
    let Some((high, low)) = text.split_last_chunk::<8>() else { return eight_digits(text) };
    let (highest, high) = high.split_at(high.len().saturating_sub(8));
    let high = eight_digits(highest)? * HUNDRED_MILLIONS + eight_digits(high)?;
    Some(high * HUNDRED_MILLIONS + eight_digits(low)?)
}

/// The number that at most eight digits are: neighbours become numbers of two digits, all at once, then of four, and then
/// of eight.
#[inline(always)]
fn eight_digits(text: &[u8]) -> Option<i64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH_HALVES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let lacking = 64 - 8 * text.len() as u32;
    // The first digit stands lowest. Below it there are zeros for those that lack.
    let word = first_word(text).unbounded_shl(lacking) | (ZEROS & !u64::MAX.unbounded_shl(lacking));
    // What is a digit begins with 3, also when 6 is added.
    let above = word.wrapping_add(0x0606_0606_0606_0606);
    if word & HIGH_HALVES != ZEROS || above & HIGH_HALVES != ZEROS {
        return None;
    }
    let ones = word & !HIGH_HALVES;
    let twos = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    let eight = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    Some(eight as i64)
}

/// A decimal of at most 18 digits, with or without a point, in the way of JSON.
#[inline(always)]
pub(super) fn decimal(text: &[u8]) -> Option<Decimal> {
    const POWERS: [i64; DIGITS_MAX + 1] = {
        let mut powers = [1; DIGITS_MAX + 1];
        let mut at = 1;
        while at <= DIGITS_MAX {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    if text.len() > DIGITS_MAX {
        return None;
    }
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    let ends_with_point = point + 1 == text.len();
    if whole.is_empty() || (whole[0] == b'0' && whole.len() > 1) || ends_with_point {
        return None;
    }
    let (whole, places) = (digits(whole)?, fraction.len());
    let fraction = digits(fraction)?;
    let scaled = i128::from(whole) * i128::from(POWERS[DIGITS_MAX])
        + i128::from(fraction * POWERS[DIGITS_MAX - places]);
    Some(Decimal(scaled))
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
        rows_in(self.of).fold(0, |rows, row| {
            let text = self.texts[row].as_bytes();
            let is_canonical = text.len() <= IPV4_BYTES_MAX && is_canonical_ipv4_block(lanes, text);
            rows | u64::from(is_canonical) << row
        })
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
            [b'.', a, b, c] => digits(&[*a, *b, *c])? * 1_000_000,
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
            year: digits(&[y1, y2, y3, y4])?,
            month: digits(&[m1, m2])?,
            day: digits(&[d1, d2])?,
            hour: digits(&[h1, h2])?,
            minute: digits(&[n1, n2])?,
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
            if let Some(number) = int(text.as_bytes()) {
                prop_assert_eq!(read::int(&text, meant), Some(number));
            }
            if let Some(number) = decimal(text.as_bytes()) {
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
        assert_eq!(int(b"0"), Some(0));
        assert_eq!(int(b"4096"), Some(4096));
        assert_eq!(int(b"04"), None);
        assert_eq!(decimal(b"0.004452"), Decimal::parse("0.004452"));
        assert_eq!(decimal(b"17"), Decimal::parse("17"));
        assert_eq!(decimal(b"1."), None);
        assert_eq!(decimal(b".5"), None);
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
