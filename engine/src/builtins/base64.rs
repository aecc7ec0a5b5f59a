//! `base64`: Base64 resolved.

use bumpalo::Bump;

use ::base64::Engine;
use ::base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::convert::fault;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "base64",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Decodes Base64 (RFC 4648) to text, of the standard or the URL-safe alphabet, padded \
          or not. What is no UTF-8 is invalid.",
    examples: &[
        Example::gives(r#""R3LDtsOfZQ==" |> base64"#, r#"Größe"#),
        Example::gives(r#""R3LDtsOfZQ" |> base64"#, r#"Größe"#),
        Example::gives(r#""fn5-fj8_" |> base64"#, r#"~~~~??"#),
        Example::invalid(r#""R3LDt" |> base64"#),
        Example::invalid(r#""/w==" |> base64"#),
        Example::invalid(r#""a b" |> base64"#),
    ],
    prepare: |_, _| bind("base64", (), run),
};

const fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let padding = DecodePaddingMode::Indifferent;
    GeneralPurpose::new(alphabet, GeneralPurposeConfig::new().with_decode_padding_mode(padding))
}

static STANDARD_ENGINE: GeneralPurpose = engine(&STANDARD);
static URL_SAFE_ENGINE: GeneralPurpose = engine(&URL_SAFE);

fn run<'a>((): &(), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let text = text_arg(args, 0);
    let url_safe = text.contains(['-', '_']);
    let engine = if url_safe { &URL_SAFE_ENGINE } else { &STANDARD_ENGINE };
    // Decoding never lengthens; the estimate of the decoder is rounded up to whole groups.
    let buffer = arena.alloc_slice_fill_copy(text.len() / 4 * 3 + 3, 0_u8);
    match engine.decode_slice(text, buffer) {
        Ok(len) => match std::str::from_utf8(&buffer[..len]) {
            Ok(decoded) => Value::Text(decoded),
            Err(_) => fault(arena, "Base64 of text", text),
        },
        Err(_) => fault(arena, "Base64 of text", text),
    }
}
