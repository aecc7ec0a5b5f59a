//! `bool`: true or false by other words.

use bumpalo::Bump;

use super::{
    BadArgument, Builtin, Constant, Example, Param, ParamKind, ResultType, bind, constant_text,
    text_arg,
};
use crate::convert::fault;
use crate::read;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "bool",
    params: &[
        Param::TEXT,
        Param::new("true_word", ParamKind::ConstantText).optional(),
        Param::new("false_word", ParamKind::ConstantText).optional(),
    ],
    result: ResultType::Fixed(Type::Bool),
    takes_missing: false,
    doc: "Reads `true` and `false`, or the two words given instead, letter by letter.",
    examples: &[
        Example::gives(r#""true" |> bool"#, r#"true"#),
        Example::gives(r#""nein" |> bool("ja", "nein")"#, r#"false"#),
        Example::invalid(r#""yes" |> bool"#),
        Example::invalid(r#""true" |> bool("ja", "nein")"#),
    ],
    prepare: |constants, _| bind("bool", words(constants)?, run),
};

/// The words for true and false.
fn words(constants: &[Constant]) -> Result<Option<(String, String)>, BadArgument> {
    let help = "write both words: `bool(\"yes\", \"no\")`";
    match constants.len() {
        0 => Ok(None),
        1 => Err(BadArgument::literal(0, "there is a word for true and none for false", help)),
        _ => {
            let (yes, no) = (constant_text(constants, 0), constant_text(constants, 1));
            if yes == no {
                return Err(BadArgument::literal(1, "true and false have the same word", help));
            }
            Ok(Some((yes.to_owned(), no.to_owned())))
        }
    }
}

fn run<'a>(words: &Option<(String, String)>, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let text = text_arg(args, 0);
    let truth = match words {
        None => read::boolean(text),
        Some((yes, _)) if text == yes => Some(true),
        Some((_, no)) if text == no => Some(false),
        Some(_) => None,
    };
    truth.map_or_else(|| fault(arena, Type::Bool.noun(), text), Value::Bool)
}
