//! `anna.muster+x@mail.example.com`

use std::ops::Range;

/// Goes from `@` to `@`; what stands between two is looked at twice at most.
pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'@', &bytes[from..]).map(|at| from + at).find_map(|at| {
        let before = bytes[from..at].iter().rev().take_while(|byte| is_local(**byte)).count();
        // A dot in front belongs to the sentence.
        let dots = bytes[at - before..at].iter().take_while(|byte| **byte == b'.').count();
        let start = at - before + dots;
        let end = domain_end(bytes, at + 1)?;
        (start < at).then_some(start..end)
    })
}

const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(
            byte,
            b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'=' | b'&' | b'!' | b'#' | b'~' | b'*'
        )
}

/// Labels with dots between them, of which the last begins with a letter and has two characters or more.
fn domain_end(bytes: &[u8], start: usize) -> Option<usize> {
    let in_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80;
    let mut end = None;
    let mut label = start;
    for labels in 0_usize.. {
        let len = bytes[label..].iter().take_while(|byte| in_label(**byte)).count();
        if len == 0 {
            break;
        }
        let next = label + len;
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80;
        if labels > 0 && len >= 2 && is_letter(bytes[label]) {
            end = Some(next);
        }
        if bytes.get(next) != Some(&b'.') {
            break;
        }
        label = next + 1;
    }
    end
}
