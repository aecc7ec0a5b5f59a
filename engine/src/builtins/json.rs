//! `json`: what a text holds.

use super::{Builtin, Example, Fields, Param, ResultType, bind, text_arg};
use crate::convert;
use crate::project::strict;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "json",
    params: &[Param::TEXT],
    result: ResultType::Record(Fields::Json),
    takes_missing: false,
    doc: "Reads a text that holds JSON: exactly one value, of which fields and elements are read \
          by a path behind it, or which is copied as it stands. Its brackets nest at most as \
          deep as the `max_depth` of the input. What is no JSON is invalid, and so is each of \
          its fields; a member that is not there is missing, and so is `null`.",
    examples: &[
        Example::gives(r#"("{\"usage\": {\"n\": 3}}" |> json).usage.n"#, "3"),
        Example::gives(r#"(" [1, 20.10] " |> json)[1]"#, "20.10"),
        Example::gives(r#""[1, 2]" |> json"#, "[1, 2]"),
        Example::missing(r#"("{\"a\": null}" |> json).a"#),
        Example::missing(r#"("7" |> json).a"#),
        Example::invalid(r#"("{\"a\": 1" |> json).a"#),
        Example::invalid(r#""{'a': 1}" |> json"#),
    ],
    prepare: |_, environment| {
        bind("json", environment.depth_max as usize, |depth_max, args, arena| {
            let whole = text_arg(args, 0);
            let text = whole.trim_matches([' ', '\t', '\n', '\r']);
            if strict::is_value(text, *depth_max) {
                Value::Json(text)
            } else {
                convert::fault(arena, Type::Json.noun(), whole)
            }
        })
    },
};

#[cfg(test)]
mod tests {
    use bumpalo::Bump;
    use proptest::prelude::*;

    use super::*;
    use crate::builtins::Environment;

    fn is_json(text: &str, depth_max: u32) -> bool {
        let environment = Environment { depth_max, ..Environment::default() };
        let call = (BUILTIN.prepare)(&[], &environment).unwrap();
        let arena = Bump::new();
        match call.call(&[Value::Text(text)], &arena) {
            Value::Json(json) => {
                assert_eq!(json, text.trim_matches([' ', '\t', '\n', '\r']));
                true
            }
            Value::Invalid(_) => false,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn brackets_nest_as_deep_as_the_input_says() {
        assert!(is_json("[{\"a\":[]}]", 3));
        assert!(!is_json("[{\"a\":[]}]", 2));
        assert!(is_json("7", 0));
        assert!(!is_json(&"[".repeat(1 << 20), 64));
        assert!(!is_json(&format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20)), 64));
    }

    proptest! {
        #[test]
        fn any_text_is_json_or_not(
            text in "([\\[\\]{},: \t\n]|\"|\\\\|\"a\"|-?[0-9]{1,2}(\\.[0-9])?|true|null|\"\\\\u[0-9a-f]{4}\"|\\PC|[\u{0}-\u{1f}]){0,24}",
        ) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(&text, 64), theirs);
        }

        #[test]
        fn damaged_json_is_json_or_not(at in any::<prop::sample::Index>(), byte in "[\\[\\]{}\",:0a\\\\ \u{0}]") {
            let text = r#"{"a": [1, -2.5e+3, {"b": "\u00e9\\"}, null], "c": {"d": true}}"#;
            let at = at.index(text.len());
            let mut damaged = text.to_owned();
            damaged.replace_range(at..at + usize::from(at % 2 == 0), &byte);
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&damaged).is_ok();
            prop_assert_eq!(is_json(&damaged, 64), theirs, "{}", damaged);
        }
    }
}
