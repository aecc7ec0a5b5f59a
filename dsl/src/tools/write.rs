//! Pieces of program text: names, texts and paths, quoted where they must be.

use super::json::is_plain;

/// A text of the language, in quotes.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '{' => out.push_str("\\{"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_plain(c) => out.push(c),
            c => out.push_str(&format!("\\u{{{:X}}}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// A pattern of `match` or a table that means the whole text.
pub fn pattern(pattern: &str) -> String {
    text(pattern).replace('*', "\\*")
}

/// A name behind a dot: quoted unless it is a word.
pub fn key(key: &str) -> String {
    let is_word = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !key.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
    if is_word { key.to_owned() } else { text(key) }
}

/// What can stand in a comment: one line, no longer than is read.
pub fn comment(text: &str) -> String {
    let shown: String = text.chars().map(|c| if is_plain(c) { c } else { ' ' }).take(80).collect();
    shown.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_is_quoted() {
        assert_eq!(key("when"), "when");
        assert_eq!(key("2fa"), "\"2fa\"");
        assert_eq!(key("a b"), "\"a b\"");
        assert_eq!(key(""), "\"\"");
        assert_eq!(text("a\"{x}\u{202e}\n"), r#""a\"\{x}\u{202E}\n""#);
        assert_eq!(pattern("a*"), r#""a\*""#);
        assert_eq!(comment("a\nb  "), "a b");
    }
}
