//! Jumps over parts of a sound JSON text.
//!
//! Every function takes an offset and gives one. They are total: on a text that ends too early they give its length.

/// Is it white space of JSON?
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The first byte that is no white space.
#[inline]
pub(crate) fn space(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    at
}

/// One behind the last byte before `end` that is no white space.
#[inline]
pub(crate) fn space_back(text: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && is_space(text[end - 1]) {
        end -= 1;
    }
    end
}

/// Behind the string whose opening quote is at `at`.
#[inline]
pub(crate) fn string(text: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        // Most strings are keys and short values: look at some bytes before memchr has to be set up.
        let near = text.len().min(at + 16);
        while at < near && text[at] != b'"' && text[at] != b'\\' {
            at += 1;
        }
        if at == near {
            match memchr::memchr2(b'"', b'\\', &text[at..]) {
                Some(distance) => at += distance,
                None => return text.len(),
            }
        }
        if text[at] == b'"' {
            return at + 1;
        }
        at = text.len().min(at + 2);
    }
}

/// Behind the closing bracket of what was opened before `at`.
#[inline]
pub(crate) fn rest_of_container(text: &[u8], mut at: usize) -> usize {
    let mut depth = 1_u32;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Behind the one value that starts at `at`; nowhere further if none does.
#[inline]
pub(crate) fn value(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b'"') => string(text, at),
        Some(b'{' | b'[') => rest_of_container(text, at + 1),
        _ => bare_word(text, at),
    }
}

/// Behind a number or a literal, or what stands in the place of one.
#[inline]
pub(crate) fn bare_word(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b',' | b'}' | b']' | b'"' | b'{' | b'[' | b' ' | b'\t' | b'\n' | b'\r' => break,
            _ => at += 1,
        }
    }
    at
}

/// The comma or closing bracket that ends the piece of an object or array in which `at` is; or the end of the text.
#[inline]
pub(crate) fn to_separator(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b',' | b'}' | b']' => break,
            b'"' => at = string(text, at),
            b'{' | b'[' => at = rest_of_container(text, at + 1),
            _ => at += 1,
        }
    }
    at
}

/// Does a piece of an object or array end here?
#[inline]
pub(crate) fn is_separator(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), None | Some(b',' | b'}' | b']'))
}
