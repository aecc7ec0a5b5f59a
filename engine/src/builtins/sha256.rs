//! `sha256`: a hash.

use sha2::{Digest, Sha256};

use super::{Builtin, Example, Param, ResultType, bind, hex, text_arg};
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "sha256",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "The SHA-256 of a text's UTF-8, as 64 hexadecimal digits.",
    examples: &[Example::gives(
        r#""abc" |> sha256"#,
        r#"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"#,
    )],
    prepare: |_, _| {
        bind("sha256", (), |(), args, arena| hex(&Sha256::digest(text_arg(args, 0)), arena))
    },
};
