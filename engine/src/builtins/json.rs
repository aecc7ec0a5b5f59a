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
