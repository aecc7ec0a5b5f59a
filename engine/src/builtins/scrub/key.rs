//! API keys by the beginnings that their makers give them, JSON web tokens, `Bearer ...`, and private keys in PEM.

use std::ops::Range;

use super::begins_word;

/// Behind a beginning so many characters make a key of it.
const REST_MIN: usize = 16;

const BEGINNINGS: [&str; 33] = [
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "pk_live_",
    "pk_test_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "npm_",
    "pypi-",
    "hf_",
    "dop_v1_",
    "shpat_",
    "SG.",
    "lw_is_",
];

const PEM: &str = "-----BEGIN ";

pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let may_begin = |at: &usize| *at == from || bytes[*at] == b'-' || begins_word(bytes, *at);
    // Where a run of these signs was looked at from its beginning, it is not looked at again.
    let begins_run = |at: usize| at == 0 || !in_key(bytes[at - 1]);
    (from..bytes.len()).filter(may_begin).find_map(|start| match bytes[start] {
        b'-' => private_key_end(text, start).map(|end| start..end),
        b'e' if begins_run(start) => web_token_end(bytes, start).map(|end| start..end),
        b'B' | b'b' => bearer(bytes, start),
        _ => key_end(bytes, start).map(|end| start..end),
    })
}

const fn in_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn run(bytes: &[u8], start: usize, wanted: fn(u8) -> bool) -> usize {
    bytes.get(start..).unwrap_or_default().iter().take_while(|byte| wanted(**byte)).count()
}

fn key_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = &bytes[start..];
    let beginning = BEGINNINGS.iter().find(|beginning| rest.starts_with(beginning.as_bytes()))?;
    let len = run(bytes, start + beginning.len(), |byte| in_key(byte) || byte == b'.');
    // A dot behind it ends a sentence.
    let dots = rest[..beginning.len() + len].iter().rev().take_while(|byte| **byte == b'.').count();
    let len = len.saturating_sub(dots);
    (len >= REST_MIN).then_some(start + beginning.len() + len)
}

/// `eyJ...` and two further parts, with dots between.
fn web_token_end(bytes: &[u8], start: usize) -> Option<usize> {
    if !bytes[start..].starts_with(b"eyJ") {
        return None;
    }
    let mut at = start;
    for part in 0..3 {
        if part > 0 {
            (bytes.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
        let len = run(bytes, at, in_key);
        // The signature of an unsigned token is blank.
        (len > 0 || part == 2).then_some(())?;
        at += len;
    }
    Some(at)
}

/// What stands behind the word.
fn bearer(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    const WORD: &[u8] = b"bearer ";
    bytes.get(start..start + WORD.len()).filter(|word| word.eq_ignore_ascii_case(WORD))?;
    let token = start + WORD.len();
    let in_token = |byte| in_key(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=');
    let len = run(bytes, token, in_token);
    (len >= REST_MIN).then_some(token..token + len)
}

/// Up to the line that ends it, or to the end of the text.
fn private_key_end(text: &str, start: usize) -> Option<usize> {
    const LABEL_BYTES_MAX: usize = 40;
    let label = text[start..].strip_prefix(PEM)?;
    let label = label.as_bytes().get(..LABEL_BYTES_MAX.min(label.len())).unwrap_or_default();
    memchr::memmem::find(label, b"PRIVATE KEY-----")?;
    let end = memchr::memmem::find(&text.as_bytes()[start..], b"-----END ");
    let Some(end) = end.map(|end| start + end) else { return Some(text.len()) };
    let behind = end + "-----END ".len();
    let dashes = memchr::memmem::find(&text.as_bytes()[behind..], b"-----");
    Some(dashes.map_or(text.len(), |dashes| behind + dashes + "-----".len()))
}
