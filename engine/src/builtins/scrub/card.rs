//! `4111 1111 1111 1111`: 13 to 19 digits, with single spaces or hyphens between them, whose check digit is right.

use std::ops::Range;

use super::begins_word;

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// Numbers that are so long begin with 2 to 6 if they are those of cards.
pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    (from..bytes.len())
        .filter(|at| matches!(bytes[*at], b'2'..=b'6') && (*at == from || begins_word(bytes, *at)))
        .find_map(|start| card_end(bytes, start).map(|end| start..end))
}

/// The end of the longest card number that begins here; looks at 37 bytes at most.
fn card_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut digits = Vec::with_capacity(DIGITS_MAX);
    let (mut at, mut end) = (start, None);
    while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
        digits.push(digit - b'0');
        if digits.len() > DIGITS_MAX {
            break;
        }
        at += 1;
        let next = bytes.get(at).copied();
        if !next.is_some_and(super::is_word) && digits.len() >= DIGITS_MIN && is_luhn(&digits) {
            end = Some(at);
        }
        if matches!(next, Some(b' ' | b'-')) {
            at += 1;
        }
    }
    end
}

/// Every second digit from the right counts twice, with its own digits added up; the sum is a multiple of 10.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
