//! `kv`: pairs of names and values.

use bumpalo::Bump;
use bumpalo::collections::{String, Vec};

use super::{
    BadArgument, Builtin, Example, Fields, Param, ParamKind, ResultType, bind, constant_nonempty,
    text_arg,
};
use crate::convert;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kv",
    params: &[
        Param::TEXT,
        Param::new("between", ParamKind::ConstantText),
        Param::new("within", ParamKind::ConstantText),
    ],
    result: ResultType::Record(Fields::Pairs),
    takes_missing: false,
    doc: "Cuts a text into pairs at every `between`, and each pair into its name and its value at \
          the first `within`. White space around both is left out. A value may stand in double \
          quotes, and then hold anything; a quote in it is written `\\\"`, a backslash `\\\\`. What \
          has no `within` is no pair; of two pairs of one name the first counts. A quote that is \
          not closed, or something between the closing one and the next `between`, makes the whole \
          invalid: the text was cut off, or is of another kind.",
    examples: &[
        Example::gives(r#"("user=ann id=7" |> kv(" ", "=")).id"#, "7"),
        Example::gives(r#"("msg=\"a b\"; n=1" |> kv(";", "=")).msg"#, "a b"),
        Example::gives(r#"("q=a=b&q=c" |> kv("&", "=")).q"#, "a=b"),
        Example::missing(r#"("user=ann" |> kv(" ", "=")).id"#),
        Example::missing(r#"("no pairs here" |> kv(" ", "=")).here"#),
        Example::invalid(r#"("n=1 msg=\"a b" |> kv(" ", "=")).n"#),
    ],
    prepare: |constants, _| {
        let (between, within) =
            (constant_nonempty(constants, 0)?, constant_nonempty(constants, 1)?);
        if between.contains(&within) || within.contains(&between) {
            return Err(BadArgument::literal(
                1,
                "what stands between pairs must differ from what stands within them",
                "for `a=1 b=2` write `kv(\" \", \"=\")`",
            ));
        }
        bind("kv", Signs { between, within }, |signs, args, arena| {
            let text = text_arg(args, 0);
            match signs.pairs(text, arena) {
                Some(pairs) => Value::List(pairs.into_bump_slice()),
                None => convert::fault(arena, "pairs with closed quotes", text),
            }
        })
    },
};

/// The two separators.
#[derive(Debug)]
struct Signs {
    between: std::string::String,
    within: std::string::String,
}

impl Signs {
    /// Names and values by turns; none if a quote is not closed.
    fn pairs<'a>(&self, text: &'a str, arena: &'a Bump) -> Option<Vec<'a, Value<'a>>> {
        let mut pairs = Vec::new_in(arena);
        let mut rest = Some(text);
        while let Some(here) = rest {
            let end = here.find(&self.between);
            let piece = &here[..end.unwrap_or(here.len())];
            let Some((name, _)) = piece.split_once(&self.within) else {
                rest = end.map(|end| &here[end + self.between.len()..]);
                continue;
            };
            let behind = &here[name.len() + self.within.len()..];
            let (value, next) = self.value(behind, arena)?;
            pairs.extend([Value::Text(name.trim()), Value::Text(value)]);
            rest = next;
        }
        Some(pairs)
    }

    /// The value that `text` starts with, and what stands behind the next separator.
    fn value<'a>(&self, text: &'a str, arena: &'a Bump) -> Option<(&'a str, Option<&'a str>)> {
        // White space that separates pairs is none before a value: `a= b=1` has an empty `a`.
        let end = text.find(&self.between).unwrap_or(text.len());
        let start = end.min(text.len() - text.trim_start().len());
        let Some(quoted) = text[start..].strip_prefix('"') else {
            let next = text.get(end + self.between.len()..);
            return Some((text[..end].trim(), next));
        };
        let (value, behind) = unquote(quoted, arena)?;
        if behind.trim_start().is_empty() {
            return Some((value, None));
        }
        if let Some(next) = behind.strip_prefix(&self.between) {
            return Some((value, Some(next)));
        }
        Some((value, Some(behind.trim_start().strip_prefix(&self.between)?)))
    }
}

/// The text up to the closing quote, its escapes resolved, and what stands behind that.
fn unquote<'a>(text: &'a str, arena: &'a Bump) -> Option<(&'a str, &'a str)> {
    let bytes = text.as_bytes();
    let mut resolved: Option<String<'a>> = None;
    let (mut from, mut at) = (0, 0);
    loop {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            let (last, behind) = (&text[from..at], &text[at + 1..]);
            let value = match resolved {
                None => last,
                Some(mut before) => {
                    before.push_str(last);
                    before.into_bump_str()
                }
            };
            return Some((value, behind));
        }
        if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) {
            let before = resolved.get_or_insert_with(|| String::new_in(arena));
            before.push_str(&text[from..at]);
            // The escaped character is part of the next stretch, and is not looked at again.
            from = at + 1;
            at += 2;
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Text = std::string::String;

    fn pairs(text: &str, between: &str, within: &str) -> Option<std::vec::Vec<(Text, Text)>> {
        let arena = Bump::new();
        let signs = Signs { between: between.into(), within: within.into() };
        let values = signs.pairs(text, &arena)?;
        let texts: std::vec::Vec<_> = values
            .iter()
            .map(|value| match value {
                Value::Text(text) => (*text).to_owned(),
                other => panic!("{other:?} is no text"),
            })
            .collect();
        Some(texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
    }

    #[track_caller]
    fn check(text: &str, between: &str, within: &str, expected: Option<&[(&str, &str)]>) {
        let expected = expected.map(|pairs| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        });
        assert_eq!(pairs(text, between, within), expected, "{text}");
    }

    #[test]
    fn texts_are_cut_into_pairs() {
        check("a=1 b=2", " ", "=", Some(&[("a", "1"), ("b", "2")]));
        check("  a=1   b=  c", " ", "=", Some(&[("a", "1"), ("b", "")]));
        check("a= b=1", " ", "=", Some(&[("a", ""), ("b", "1")]));
        check(" a : 1 ,b: 2 , c", ",", ":", Some(&[("a", "1"), ("b", "2")]));
        check("=1;;a==;", ";", "=", Some(&[("", "1"), ("a", "=")]));
        check("k\u{e9}=\u{1f600}", " ", "=", Some(&[("k\u{e9}", "\u{1f600}")]));
        check("a::1||b::2", "||", "::", Some(&[("a", "1"), ("b", "2")]));
        check("nothing", " ", "=", Some(&[]));
    }

    #[test]
    fn quotes_hold_anything() {
        check(r#"a="x y=1" b=2"#, " ", "=", Some(&[("a", "x y=1"), ("b", "2")]));
        check(r#"a="\"\\\n" b=2"#, " ", "=", Some(&[("a", r#""\\n"#), ("b", "2")]));
        check(r#"a="C:\\x\"y""#, " ", "=", Some(&[("a", r#"C:\x"y"#)]));
        check(r#"a="" ,b= "1" , c=2"#, ",", "=", Some(&[("a", ""), ("b", "1"), ("c", "2")]));
        check(r#"a=5" b=2"#, " ", "=", Some(&[("a", "5\""), ("b", "2")]));
        check(r#"a="x"#, " ", "=", None);
        check(r#"a="x\""#, " ", "=", None);
        check(r#"a="x"y b=1"#, " ", "=", None);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_or_refused(text in "([ =;\"\\\\a-c\u{e9}]|\\PC){0,40}", between in "[ ;]|;;", within in "=|: ") {
            if let Some(pairs) = pairs(&text, &between, &within) {
                let plain = !text.contains('"');
                for (name, value) in pairs {
                    prop_assert!(!plain || (text.contains(&name) && text.contains(&value)));
                    prop_assert!(!plain || !value.contains(&between));
                }
            }
        }
    }
}
