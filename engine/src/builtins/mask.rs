//! `mask`: a text of which only the end is shown.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, constant_count, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "mask",
    params: &[Param::TEXT, Param::new("keep_last", ParamKind::ConstantInt)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Puts a `*` for every character but the last ones. A text that is not longer than \
          those is hidden whole.",
    examples: &[
        Example::gives(r#""4111111111111111" |> mask(4)"#, r#"************1111"#),
        Example::gives(r#""Größe" |> mask(2)"#, r#"***ße"#),
        Example::gives(r#""1234" |> mask(4)"#, r#"****"#),
        Example::gives(r#""secret" |> mask(0)"#, r#"******"#),
    ],
    prepare: |constants, _| {
        bind("mask", constant_count(constants, 0, 0)?, |keep_last, args, arena| {
            let text = text_arg(args, 0);
            let count = text.chars().count();
            let hidden = if count > *keep_last { count - keep_last } else { count };
            let stars = std::iter::repeat_n('*', hidden);
            let letters = stars.chain(text.chars().skip(hidden));
            Value::Text(bumpalo::collections::String::from_iter_in(letters, arena).into_bump_str())
        })
    },
};
