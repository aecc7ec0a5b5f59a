//! `to_enum`: a text or number of the source to a value that OCSF lists for the target.
//!
//! It is not in [`ALL`](super::ALL), since it depends on its target: the checker puts it where a target has listed
//! values and gives these as constants, for each value the number (or text) and its caption.

use std::collections::BTreeMap;

use bumpalo::Bump;

use super::{BadArgument, Builtin, Constant, Environment, Param, ParamKind, ResultType, bind};
use crate::convert::{fault, text_of};
use crate::read;
use crate::types::{NumberFormat, Type};
use crate::value::Value;

/// The number that means *Other* in every enum that has it.
const OTHER: i64 = 99;

/// What messages call a listed value.
const NOUN: &str = "one of the values that OCSF lists";

const PARAMS: &[Param] = &[Param::new("value", ParamKind::Scalar)];

/// `x |> to_enum` for one value.
pub static TO_ENUM: Builtin = Builtin { takes_missing: true, ..conversion() };

/// `list |> to_enum`: the same for each element; a missing list stays missing.
pub static TO_ENUM_EACH: Builtin = conversion();

/// What a text is that `to_enum` does not know: the word beside 99. Of a known one missing; of a list one for each
/// element, and the empty text beside what is known.
pub static OTHER_WORD: Builtin = Builtin {
    // Two calls with one name and the same literals are one.
    name: "other_word",
    result: ResultType::Fixed(Type::Text),
    prepare: |constants, around| bind("other_word", Listed::new(constants, around)?, other_word),
    ..conversion()
};

const fn conversion() -> Builtin {
    Builtin {
        name: "to_enum",
        params: PARAMS,
        result: ResultType::Fixed(Type::Int),
        takes_missing: false,
        doc: "Gives the value of the target that has this caption, without regard to case, or \
              this number. An unknown one gives 99 *Other* with the text beside it, or is invalid \
              where OCSF has no 99 for the target. A missing one gives 0 *Unknown*, or stays \
              missing where OCSF has no *Unknown*.",
        examples: &[],
        prepare: |constants, around| bind("to_enum", Listed::new(constants, around)?, to_enum),
    }
}

/// The values of an enum.
#[derive(Debug)]
struct Listed {
    values: Vec<Constant>,
    /// The index of a value, by its caption and (of texts) by itself, in small letters.
    by_word: BTreeMap<String, usize>,
    word_bytes_max: usize,
    numbers: NumberFormat,
    /// The value for what is missing.
    unknown: Option<i64>,
}

impl Listed {
    fn new(constants: &[Constant], environment: &Environment) -> Result<Self, BadArgument> {
        let mut listed = Self {
            values: Vec::new(),
            by_word: BTreeMap::new(),
            word_bytes_max: 0,
            numbers: environment.numbers,
            unknown: None,
        };
        for (index, pair) in constants.chunks(2).enumerate() {
            let [value, Constant::Text(caption)] = pair else {
                return Err(BadArgument::literal(index, "a value and its caption", "in turn"));
            };
            listed.add_word(caption, index);
            match value {
                Constant::Text(text) => listed.add_word(text, index),
                // In a few enums 0 is a value like others.
                Constant::Int(0) if caption.starts_with("Unknown") => listed.unknown = Some(0),
                _ => {}
            }
            listed.values.push(value.clone());
        }
        Ok(listed)
    }

    fn add_word(&mut self, word: &str, index: usize) {
        self.word_bytes_max = self.word_bytes_max.max(word.len());
        self.by_word.entry(word.to_ascii_lowercase()).or_insert(index);
    }

    fn find(&self, text: &str) -> Option<&Constant> {
        if text.len() <= self.word_bytes_max
            && let Some(index) = self.by_word.get(&text.to_ascii_lowercase())
        {
            return self.values.get(*index);
        }
        let number = Constant::Int(read::int(text, self.numbers)?);
        self.values.iter().find(|value| **value == number)
    }

    fn value<'a>(&self, of: Value<'a>, arena: &'a Bump) -> Value<'a> {
        let text = match text_of(of, arena) {
            Value::Text(text) => text,
            Value::Missing => return self.unknown.map_or(Value::Missing, Value::Int),
            other => return other,
        };
        match self.find(text) {
            Some(Constant::Int(number)) => Value::Int(*number),
            Some(Constant::Text(key)) => Value::Text(arena.alloc_str(key)),
            _ if self.values.contains(&Constant::Int(OTHER)) => Value::Int(OTHER),
            _ => fault(arena, NOUN, text),
        }
    }
}

fn to_enum<'a>(listed: &Listed, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    match args.first().copied().unwrap_or(Value::Missing) {
        Value::List(list) => {
            let mut values = bumpalo::collections::Vec::with_capacity_in(list.len(), arena);
            for one in list {
                match listed.value(*one, arena) {
                    invalid @ Value::Invalid(_) => return invalid,
                    value => values.push(value),
                }
            }
            Value::List(values.into_bump_slice())
        }
        one => listed.value(one, arena),
    }
}

fn other_word<'a>(listed: &Listed, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let word = |of: Value<'a>| match text_of(of, arena) {
        Value::Text(text) if listed.find(text).is_none() => Some(text),
        _ => None,
    };
    match args.first().copied().unwrap_or(Value::Missing) {
        Value::List(list) => {
            let words = list.iter().map(|one| Value::Text(word(*one).unwrap_or_default()));
            Value::List(arena.alloc_slice_fill_iter(words))
        }
        one => word(one).map_or(Value::Missing, Value::Text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Fault;

    fn number(number: i64, caption: &str) -> [Constant; 2] {
        [Constant::Int(number), Constant::Text(caption.to_owned())]
    }

    fn status() -> Vec<Constant> {
        [number(0, "Unknown"), number(1, "Success"), number(2, "Failure"), number(99, "Other")]
            .concat()
    }

    fn call<'a>(
        of: &Builtin,
        constants: &[Constant],
        arg: Value<'a>,
        arena: &'a Bump,
    ) -> Value<'a> {
        let prepared = (of.prepare)(constants, &Environment::default());
        prepared.ok().unwrap().call(&[arg], arena)
    }

    #[test]
    fn captions_and_numbers() {
        let arena = Bump::new();
        for (arg, number, word) in [
            (Value::Text("Success"), 1, None),
            (Value::Text("fAILURE"), 2, None),
            (Value::Text("2"), 2, None),
            (Value::Text("2.0"), 2, None),
            (Value::Int(1), 1, None),
            (Value::Text("other"), 99, None),
            (Value::Text("99"), 99, None),
            (Value::Text("7"), 99, Some("7")),
            (Value::Text("Success "), 99, Some("Success ")),
            (Value::Text("\u{212a}"), 99, Some("\u{212a}")),
            (Value::Bool(true), 99, Some("true")),
        ] {
            assert_eq!(call(&TO_ENUM, &status(), arg, &arena), Value::Int(number), "{arg:?}");
            let expected = word.map_or(Value::Missing, Value::Text);
            assert_eq!(call(&OTHER_WORD, &status(), arg, &arena), expected, "{arg:?}");
        }
        assert_eq!(call(&TO_ENUM, &status(), Value::Missing, &arena), Value::Int(0));
    }

    #[test]
    fn where_there_is_no_unknown_and_no_other() {
        let arena = Bump::new();
        let risk = [number(0, "Info"), number(1, "Low")].concat();
        assert_eq!(call(&TO_ENUM, &risk, Value::Text("info"), &arena), Value::Int(0));
        assert_eq!(call(&TO_ENUM, &risk, Value::Missing, &arena), Value::Missing);
        let unlisted = Fault { wanted: NOUN, text: Some("high") };
        assert_eq!(call(&TO_ENUM, &risk, Value::Text("high"), &arena), Value::Invalid(&unlisted));
    }

    #[test]
    fn enums_of_texts() {
        let arena = Bump::new();
        let methods = ["GET", "Get", "POST", "Post"].map(|text| Constant::Text(text.to_owned()));
        assert_eq!(call(&TO_ENUM, &methods, Value::Text("get"), &arena), Value::Text("GET"));
        assert_eq!(call(&TO_ENUM, &methods, Value::Missing, &arena), Value::Missing);
        let unlisted = Fault { wanted: NOUN, text: Some("1") };
        assert_eq!(call(&TO_ENUM, &methods, Value::Int(1), &arena), Value::Invalid(&unlisted));
    }

    #[test]
    fn lists() {
        let arena = Bump::new();
        let list = [Value::Text("success"), Value::Text("odd"), Value::Text("99")];
        let numbers = [Value::Int(1), Value::Int(99), Value::Int(99)];
        let words = [Value::Text(""), Value::Text("odd"), Value::Text("")];
        let list = Value::List(&list);
        assert_eq!(call(&TO_ENUM_EACH, &status(), list, &arena), Value::List(&numbers));
        assert_eq!(call(&OTHER_WORD, &status(), list, &arena), Value::List(&words));
    }

    #[test]
    fn values_come_in_pairs() {
        let odd = [Constant::Int(1)];
        assert!((TO_ENUM.prepare)(&odd, &Environment::default()).is_err());
    }
}
