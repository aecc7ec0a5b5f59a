//! `url`: the parts of a web address.

use super::{Builtin, Example, Field, Fields, Param, ResultType, bind, text_arg};
use crate::convert;
use crate::value::Value;

/// The parts, in the order in which they stand.
const PARTS: [&str; 6] = ["scheme", "host", "port", "path", "query", "fragment"];

pub(super) static BUILTIN: Builtin = Builtin {
    name: "url",
    params: &[Param::TEXT],
    result: ResultType::Record(Fields::Named(|_| {
        PARTS.iter().map(|name| Field { name: (*name).to_owned(), ty: None }).collect()
    })),
    takes_missing: false,
    doc: "Takes a URL apart: `scheme host port path query fragment`, each as it stands, without \
          the signs around it; an IPv6 address without its brackets. What is not written is \
          missing: a port that is only implied by the scheme, and scheme and host of `/a?b=1`. A \
          user and a password are no part. A text with white space or one of `<>\"\\` in it is no \
          URL, and neither is one with a port above 65535.",
    examples: &[
        Example::gives(r#"("https://a.example:8443/x/y?q=1#top" |> url).host"#, "a.example"),
        Example::gives(r#"("https://a.example:8443/x/y?q=1#top" |> url).port"#, "8443"),
        Example::gives(r#"("https://a.example:8443/x/y?q=1#top" |> url).path"#, "/x/y"),
        Example::gives(r#"("/x/y?q=1" |> url).query"#, "q=1"),
        Example::gives(r#"("ftp://[2001:db8::1]/" |> url).host"#, "2001:db8::1"),
        Example::missing(r#"("https://a.example" |> url).port"#),
        Example::missing(r#"("/x/y?q=1" |> url).host"#),
        Example::invalid(r#"("not a url" |> url).host"#),
    ],
    prepare: |_, _| {
        bind("url", (), |(), args, arena| {
            let text = text_arg(args, 0);
            match parts(text) {
                Some(parts) => {
                    let values = parts.map(|part| part.map_or(Value::Missing, Value::Text));
                    Value::List(arena.alloc_slice_copy(&values))
                }
                None => convert::fault(arena, "a URL", text),
            }
        })
    },
};

/// The parts by the split of RFC 3986, appendix B, with the authority of section 3.2.
fn parts(text: &str) -> Option<[Option<&str>; 6]> {
    let foreign =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\');
    if text.contains(foreign) {
        return None;
    }
    let (rest, fragment) = cut(text, '#');
    let (rest, query) = cut(rest, '?');
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        None => (None, rest),
    };
    let (host, port) = match authority {
        Some(authority) => host_and_port(authority)?,
        None => (None, None),
    };
    Some([scheme, host, port, Some(path), query, fragment])
}

/// What stands before and behind the first of a sign.
fn cut(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// A letter, then letters, digits, `+-.` (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn host_and_port(authority: &str) -> Option<(Option<&str>, Option<&str>)> {
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            match behind.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if behind.is_empty() => (host, None),
                None => return None,
            }
        }
        None => cut(address, ':'),
    };
    // `http://a:/` has no port (section 3.2.3).
    let port = port.filter(|port| !port.is_empty());
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if host.contains(['[', ']']) || port.is_some_and(|port| !is_port(port)) {
        return None;
    }
    Some((Some(host), port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: [Option<&str>; 6]) {
        assert_eq!(parts(text), Some(expected), "{text}");
    }

    #[test]
    fn parts_are_those_of_the_standard() {
        let some = Some;
        check("http://h", [some("http"), some("h"), None, some(""), None, None]);
        check(
            "http://u:p@h:80/a:b@c",
            [some("http"), some("h"), some("80"), some("/a:b@c"), None, None],
        );
        check("//h/a?b?c#d?e#f", [None, some("h"), None, some("/a"), some("b?c"), some("d?e#f")]);
        check("mailto:a@b", [some("mailto"), None, None, some("a@b"), None, None]);
        check("h.example/a", [None, None, None, some("h.example/a"), None, None]);
        check("1:2", [None, None, None, some("1:2"), None, None]);
        check("x://[::1]:9?", [some("x"), some("::1"), some("9"), some(""), some(""), None]);
        check("file:///a", [some("file"), some(""), None, some("/a"), None, None]);
        check("http://h:/\u{e9}", [some("http"), some("h"), None, some("/\u{e9}"), None, None]);
        check("", [None, None, None, some(""), None, None]);
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "a b",
            "\t",
            "http://h:65536/",
            "http://h:+1",
            "http://h:x",
            "http://[::1",
            "http://[1]",
            "http://[::1]x",
            "http://a]b",
            "C:\\x",
            "<a>",
            "\"a\"",
            "\0",
            "http://a:1:2",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_pieces_of_the_text(text in "([a-z0-9:/?#@.\\[\\]%]|\\PC){0,30}") {
            if let Some(parts) = parts(&text) {
                let pieces: Vec<_> = parts.into_iter().flatten().collect();
                prop_assert!(pieces.iter().all(|piece| text.contains(piece)));
                let length: usize = pieces.iter().map(|piece| piece.len()).sum();
                prop_assert!(length <= text.len());
            }
        }
    }
}
