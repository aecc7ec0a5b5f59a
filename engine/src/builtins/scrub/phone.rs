//! `+49 30 123456`, `(555) 123-4567`, `555-123-4567`, `0171 1234567`.
//!
//! A number that begins with `+` or `00` may be written in any way; others need the signs between their groups by which
//! people know phone numbers, so that dates, ids and amounts stay.

use std::ops::Range;

use super::begins_word;

const DIGITS_MAX: usize = 15;

pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let may_begin = |at: &usize| {
        matches!(bytes[*at], b'+' | b'(' | b'0'..=b'9')
            && (*at == from || begins_word(bytes, *at))
            && !is_inside(bytes, *at)
    };
    (from..bytes.len()).filter(may_begin).find_map(|start| {
        let number = Number::read(bytes, start);
        number.is_phone().then_some(start..number.end)
    })
}

/// Behind a sign that joins it to digits before: `1.555-123-4567` begins at the 1.
fn is_inside(bytes: &[u8], at: usize) -> bool {
    at >= 2
        && matches!(bytes[at - 1], b'.' | b',' | b':' | b'/' | b'-')
        && bytes[at - 2].is_ascii_digit()
}

/// Groups of digits with signs between them.
struct Number {
    plus: bool,
    bracket: bool,
    /// Of each group how many digits it has.
    groups: Vec<usize>,
    /// The signs between the groups.
    signs: Vec<u8>,
    zeros: usize,
    digits: usize,
    end: usize,
    /// Letters or further digits follow.
    goes_on: bool,
}

impl Number {
    /// Looks at a few dozen bytes at most.
    fn read(bytes: &[u8], start: usize) -> Self {
        let mut number = Self {
            plus: bytes[start] == b'+',
            bracket: false,
            groups: Vec::new(),
            signs: Vec::new(),
            zeros: 0,
            digits: 0,
            end: start,
            goes_on: false,
        };
        let mut at = start + usize::from(number.plus);
        while number.digits <= DIGITS_MAX {
            let open = bytes.get(at) == Some(&b'(');
            let begin = at + usize::from(open);
            let room = bytes.get(begin..).unwrap_or_default();
            let len =
                room.iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
            if len == 0 {
                break;
            }
            if number.groups.is_empty() {
                number.zeros = room.iter().take_while(|byte| **byte == b'0').take(3).count();
            }
            let mut end = begin + len;
            if open {
                if bytes.get(end) != Some(&b')') {
                    break;
                }
                end += 1;
                number.bracket = true;
            }
            number.groups.push(len);
            number.digits += len;
            number.end = end;
            number.goes_on = bytes.get(end).is_some_and(|byte| super::is_word(*byte));
            at = end;
            match bytes.get(at) {
                Some(sign @ (b' ' | b'-' | b'.' | b'/')) => {
                    number.signs.push(*sign);
                    at += 1;
                    // `(030) / 123`: one sign with spaces around it is too rare to be worth it.
                }
                Some(b'(' | b'0'..=b'9') if open || bytes.get(at) == Some(&b'(') => {
                    number.signs.push(b' ')
                }
                _ => break,
            }
        }
        number
    }

    fn is_phone(&self) -> bool {
        if self.goes_on || self.digits > DIGITS_MAX {
            return false;
        }
        // One sign more than needed stands behind the last group.
        let signs = &self.signs[..self.signs.len().min(self.groups.len().saturating_sub(1))];
        if self.plus || (self.zeros == 2 && self.digits >= 10 && !signs.contains(&b'.')) {
            return self.digits >= 8;
        }
        if signs.is_empty() {
            return false;
        }
        let north_american =
            matches!(self.groups[..], [3, 3, 4]) && self.zeros == 0 && !signs.contains(&b'/');
        let national = (self.zeros == 1 || self.bracket)
            && self.digits >= if self.bracket { 7 } else { 9 }
            && !signs.contains(&b'.')
            && !matches!(self.groups[..], [2, 2, 4, ..]);
        north_american || national
    }
}
