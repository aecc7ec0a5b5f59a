//! Numbers as text: eight digits at once, as the bytes of a word.

use crate::decimal::Decimal;
use crate::simd::sink::Sink;

/// What eight digits can tell apart.
const EIGHT: u64 = 10_u64.pow(8);
const ONE: u64 = 10_u64.pow(Decimal::PLACES);
/// Added to digits it makes them characters.
const ZEROS: u64 = u64::from_le_bytes(*b"00000000");

/// What collects text in words.
pub(super) trait Words {
    /// Takes the first bytes of a word, the lowest first; at most all eight.
    fn word(&mut self, word: u64, len: usize);
}

impl Words for Sink<'_> {
    #[inline(always)]
    fn word(&mut self, word: u64, len: usize) {
        self.put_word(word, len);
    }
}

/// Room for the text of a number.
pub(super) struct NumberBuffer {
    /// A sign, 21 digits, a point, 18 digits; and a word behind them.
    bytes: [u8; 56],
    len: usize,
}

impl Default for NumberBuffer {
    #[inline(always)]
    fn default() -> Self {
        Self { bytes: [0; 56], len: 0 }
    }
}

impl Words for NumberBuffer {
    #[inline(always)]
    fn word(&mut self, word: u64, len: usize) {
        self.bytes[self.len..self.len + 8].copy_from_slice(&word.to_le_bytes());
        self.len += len;
    }
}

impl NumberBuffer {
    /// The text.
    #[inline(always)]
    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Writes a whole number.
#[inline(always)]
pub(super) fn write_int(number: i64, out: &mut impl Words) {
    if number < 0 {
        out.word(b'-'.into(), 1);
    }
    write_unsigned(number.unsigned_abs(), out);
}

/// Writes a decimal without trailing zeros.
#[inline(always)]
pub(super) fn write_decimal(number: Decimal, out: &mut impl Words) {
    if number.0 < 0 {
        out.word(b'-'.into(), 1);
    }
    let magnitude = number.0.unsigned_abs();
    let fraction = match u64::try_from(magnitude) {
        // Amounts are mostly small, and dividing 128 bits takes long.
        Ok(magnitude) => {
            write_unsigned(magnitude / ONE, out);
            magnitude % ONE
        }
        Err(_) => {
            write_large(magnitude / u128::from(ONE), out);
            // Less than 10^18.
            (magnitude % u128::from(ONE)) as u64
        }
    };
    if fraction != 0 {
        out.word(b'.'.into(), 1);
        write_fraction(fraction, out);
    }
}

/// Writes the 18 places of a fraction that is not 0, as 2 and 8 and 8 of them.
#[inline(always)]
fn write_fraction(fraction: u64, out: &mut impl Words) {
    let first = eight_digits(fraction / (EIGHT * EIGHT)) >> 48;
    let (second, third) = (fraction / EIGHT % EIGHT, fraction % EIGHT);
    if second == 0 && third == 0 {
        return write_trimmed(first, out);
    }
    out.word(first + ZEROS, 2);
    let second = eight_digits(second);
    if third == 0 {
        return write_trimmed(second, out);
    }
    out.word(second + ZEROS, 8);
    write_trimmed(eight_digits(third), out);
}

#[inline(always)]
fn write_unsigned(number: u64, out: &mut impl Words) {
    if number < EIGHT {
        return write_first(number, out);
    }
    if number < EIGHT * EIGHT {
        write_first(number / EIGHT, out);
    } else {
        write_first(number / (EIGHT * EIGHT), out);
        out.word(eight_digits(number / EIGHT % EIGHT) + ZEROS, 8);
    }
    out.word(eight_digits(number % EIGHT) + ZEROS, 8);
}

/// The same for what may be larger: the whole part of any decimal, which is below 10^24.
#[inline(always)]
fn write_large(number: u128, out: &mut impl Words) {
    match u64::try_from(number) {
        Ok(number) => write_unsigned(number, out),
        Err(_) => {
            let sixteen = u128::from(EIGHT * EIGHT);
            let (first, rest) = ((number / sixteen) as u64, (number % sixteen) as u64);
            write_first(first, out);
            out.word(eight_digits(rest / EIGHT) + ZEROS, 8);
            out.word(eight_digits(rest % EIGHT) + ZEROS, 8);
        }
    }
}

/// Writes a number of at most eight digits without leading zeros.
#[inline(always)]
fn write_first(number: u64, out: &mut impl Words) {
    let digits = eight_digits(number);
    // The last digit is written in any case.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    out.word((digits + ZEROS) >> (8 * zeros), 8 - zeros as usize);
}

/// Writes digits, which are not all 0, without trailing zeros.
#[inline(always)]
fn write_trimmed(digits: u64, out: &mut impl Words) {
    let zeros = digits.leading_zeros() / 8;
    out.word(digits + ZEROS, 8 - zeros as usize);
}

/// The digits of a number below 10^8, one in each byte, the first lowest. The number is halved into numbers of four
/// digits, each of those into two of two digits, and those into digits, each time all at once, in lanes of half the width:
/// the quotient stays, and the remainder goes into the lane above. Multiplying and shifting divides numbers so small exactly.
#[inline(always)]
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - 10 * tens) << 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut NumberBuffer)) -> String {
        let mut buffer = NumberBuffer::default();
        write(&mut buffer);
        String::from_utf8(buffer.text().to_vec()).unwrap()
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_they_are_shown(number in any::<i128>(), shift in 0_u32..128) {
            let number = number >> shift;
            let decimal = Decimal(number);
            prop_assert_eq!(written(|out| write_decimal(decimal, out)), decimal.to_string());
            let int = number as i64;
            prop_assert_eq!(written(|out| write_int(int, out)), int.to_string());
        }

        #[test]
        fn trailing_zeros_are_left_out(digits in 0_i128..1_000_000, zeros in 0_u32..18) {
            let decimal = Decimal(digits * 10_i128.pow(zeros));
            prop_assert_eq!(written(|out| write_decimal(decimal, out)), decimal.to_string());
        }
    }

    #[test]
    fn all_parts_of_eight_digits_are_exact() {
        // Each half is taken apart by itself.
        for half in 0..10_000 {
            let number = half * 10_000 + (9_999 - half);
            let digits = (eight_digits(number) + ZEROS).to_le_bytes();
            assert_eq!(str::from_utf8(&digits).unwrap(), format!("{number:08}"));
        }
    }
}
