use proptest::prelude::*;

use super::*;

fn scrub(text: &str) -> std::string::String {
    let arena = Bump::new();
    let call = prepare(&[], &super::super::Environment::default()).unwrap();
    match call.call(&[Value::Text(arena.alloc_str(text))], &arena) {
        Value::Text(text) => text.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_goes() {
    for (text, clean) in [
        ("anna@muster.de", "[email]"),
        ("<anna.m+x@a-b.co.uk>, bob@x.io.", "<[email]>, [email]."),
        ("a@b.cd@e.fg", "[email]@e.fg"),
        ("\u{d6}zil@m\u{fc}ller.de", "[email]"),
        ("4111111111111111", "[card]"),
        ("4111-1111-1111-1111 x", "[card] x"),
        ("378282246310005", "[card]"),
        ("no 1234 5500 0000 0000 0004", "no 1234 [card]"),
        ("+49 (30) 123-456.", "[phone]."),
        ("+4930123456", "[phone]"),
        ("0049 30 1234567", "[phone]"),
        ("(555) 123-4567", "[phone]"),
        ("555-123-4567", "[phone]"),
        ("555.123.4567", "[phone]"),
        ("0171/1234567", "[phone]"),
        ("01 23 45 67 89", "[phone]"),
        ("(030) 1234567", "[phone]"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[key]"),
        ("AKIAIOSFODNN7EXAMPLEX", "[key]"),
        ("key=sk-proj-0123456789abcdef.", "key=[key]."),
        ("Authorization: Bearer abcdefghijklmnop==", "Authorization: Bearer [key]"),
        ("eyJhbGciOi.eyJzdWIiOi.c2ln", "[key]"),
        ("eyJhbGciOi.eyJzdWIiOi. x", "[key] x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx", "[key]\nx"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "[key]"),
    ] {
        assert_eq!(scrub(text), clean, "{text}");
    }
}

#[test]
fn what_stays() {
    for text in [
        "",
        "@",
        "anna@localhost",
        "anna@1.2.3.4",
        "@muster.de",
        "4111 1111 1111 1112",
        "1722461446000000000",
        "41111111111111111111111",
        "x4111111111111111",
        "2026-11-21 10:15:00",
        "21.11.2026",
        "01-11-2026 10",
        "01/11/2026",
        "192.168.0.1",
        "10.0.0.0/8",
        "3.14159",
        "550e8400-e29b-41d4-a716-446655440000",
        "1,234,567.89",
        "$1000 for 12 items",
        "0171",
        "+1",
        "sk-short",
        "asterisk-and-more-words-that-follow",
        "bearer of bad news",
        "-----BEGIN CERTIFICATE-----",
        "eyJ",
    ] {
        assert_eq!(scrub(text), text);
    }
}

/// Doubling the text about doubles the time: told by the slowest shapes.
#[test]
fn long_texts_take_linear_time() {
    for piece in [
        "@",
        "a@",
        "a.",
        "a@b.cc.",
        "4 ",
        "4111 ",
        "+1 ",
        "(1",
        "0",
        "-----BEGIN ",
        "eyJ.",
        "sk-",
        "bearer ",
        "e",
    ] {
        let text = piece.repeat(2_000_000 / piece.len());
        let begin = std::time::Instant::now();
        let _ = scrub(&text);
        assert!(begin.elapsed().as_secs() < 20, "{piece}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,60}") {
        let _ = scrub(&text);
    }

    #[test]
    fn nothing_is_found_twice(text in "[-a-z@.0-9+() /_]{0,60}") {
        let once = scrub(&text);
        prop_assert!(once.chars().count() <= text.chars().count() * 5 + 5);
    }
}
