//! `scrub`: text without what identifies people or opens doors.
//!
//! Each kind is one pass over the text that never looks at a byte more than a few times, so the time is linear
//! whatever the text is. The passes know shapes, not meanings: they find what is written as such things usually are.

use std::ops::Range;

use bumpalo::Bump;
use bumpalo::collections::String;

use super::{
    BadArgument, Builtin, Constant, Example, Param, ParamKind, Prepared, ResultType, bind,
    constant_text, text_arg,
};
use crate::types::Type;
use crate::value::Value;

mod card;
mod email;
mod key;
mod phone;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "scrub",
    params: &[Param::TEXT, Param::new("kind", ParamKind::ConstantWord).optional().repeated()],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Replaces, wherever they stand in a text, e-mail addresses (`email`) by `[email]`, card numbers with a right \
          check digit (`card`) by `[card]`, phone numbers (`phone`) by `[phone]` and API keys, tokens and private keys \
          (`key`) by `[key]`: of the kinds that are named, or of all. It knows usual spellings only: what must never be \
          stored has no place in the mapping at all.",
    examples: &[
        Example::gives(
            r#""mail anna@muster.de or call +49 30 123456" |> scrub(email, phone)"#,
            "mail [email] or call [phone]",
        ),
        Example::gives(
            r#""card 4111 1111 1111 1111, order 4111 1111 1111 1112" |> scrub(card)"#,
            "card [card], order 4111 1111 1111 1112",
        ),
        Example::gives(
            r#""use sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWx please" |> scrub(key)"#,
            "use [key] please",
        ),
        Example::gives(r#""anna@muster.de (555) 123-4567" |> scrub"#, "[email] [phone]"),
        Example::gives(
            r#""2026-11-21 10:15:00 from 192.0.2.34" |> scrub"#,
            "2026-11-21 10:15:00 from 192.0.2.34",
        ),
    ],
    prepare,
};

/// Something to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    // In the order in which they are looked for: a key may hold anything, a card looks like a phone number.
    Key,
    Email,
    Card,
    Phone,
}

impl Kind {
    const ALL: [(&'static str, Self); 4] =
        [("key", Self::Key), ("email", Self::Email), ("card", Self::Card), ("phone", Self::Phone)];

    const fn mark(self) -> &'static str {
        match self {
            Self::Key => "[key]",
            Self::Email => "[email]",
            Self::Card => "[card]",
            Self::Phone => "[phone]",
        }
    }

    /// The first one from here on. Its ends are at characters.
    fn find(self, text: &str, from: usize) -> Option<Range<usize>> {
        match self {
            Self::Key => key::find(text, from),
            Self::Email => email::find(text, from),
            Self::Card => card::find(text, from),
            Self::Phone => phone::find(text, from),
        }
    }
}

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    let named = (0..constants.len()).map(|place| {
        let name = constant_text(constants, place);
        let found = Kind::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            BadArgument::literal(
                place,
                format!("`scrub` does not look for `{name}`"),
                "it looks for email, card, phone and key",
            )
        })
    });
    let mut kinds = named.collect::<Result<Vec<_>, _>>()?;
    if kinds.is_empty() {
        kinds = Kind::ALL.map(|(_, kind)| kind).to_vec();
    }
    kinds.sort_unstable();
    kinds.dedup();
    bind("scrub", kinds, |kinds, args, arena| {
        let scrubbed =
            kinds.iter().fold(text_arg(args, 0), |text, kind| replace(*kind, text, arena));
        Value::Text(scrubbed)
    })
}

/// Marks do not lengthen a text: every kind is longer than its mark, but for the shortest addresses.
fn replace<'a>(kind: Kind, text: &'a str, arena: &'a Bump) -> &'a str {
    let Some(mut found) = kind.find(text, 0) else { return text };
    let mut out = String::with_capacity_in(text.len() + kind.mark().len(), arena);
    let mut copied = 0;
    loop {
        out.push_str(&text[copied..found.start]);
        out.push_str(kind.mark());
        copied = found.end;
        match kind.find(text, copied) {
            Some(next) => found = next,
            None => break,
        }
    }
    out.push_str(&text[copied..]);
    out.into_bump_str()
}

/// Is there no letter or digit before this place?
fn begins_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_word(bytes[at - 1])
}

/// A letter or a digit; every byte of a character beyond ASCII counts as one.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

#[cfg(test)]
mod tests;
