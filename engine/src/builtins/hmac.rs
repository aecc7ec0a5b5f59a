//! `hmac`: a pseudonym that only the holder of a secret can make.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    BadArgument, Builtin, CODE_NO_SECRET, Constant, Example, Param, ParamKind, Prepared,
    ResultType, bind, constant_nonempty, hex, text_arg,
};
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "hmac",
    params: &[Param::TEXT, Param::new("secret", ParamKind::ConstantText)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "The HMAC-SHA256 of a text's UTF-8, as 64 hexadecimal digits: equal texts stay equal, and nobody without the \
          secret can find out what they were. The secret is named here and given to whoever runs the program; in \
          checks and tests every secret is the text `weir test key`.",
    examples: &[Example::gives(
        r#""anna" |> hmac("users")"#,
        "c5c0bd045871c74c756a3b14a21b1a506f9ec3bdd8ccfd96de76b0b56e690e34",
    )],
    prepare,
};

/// The state behind the key; shows nothing of it.
struct Keyed(Hmac<Sha256>);

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

fn prepare(constants: &[Constant], environment: &super::Environment) -> Prepared {
    let name = constant_nonempty(constants, 0)?;
    let keyed = environment
        .secrets
        .key(&name)
        .and_then(|key| Hmac::<Sha256>::new_from_slice(key).ok())
        .ok_or_else(|| BadArgument {
            index: 0,
            code: CODE_NO_SECRET,
            message: format!("the secret `{name}` was not given"),
            help: Some("give it to whoever runs the program".to_owned()),
            ..BadArgument::default()
        })?;
    bind("hmac", Keyed(keyed), |Keyed(keyed), args, arena| {
        let mut mac = keyed.clone();
        mac.update(text_arg(args, 0).as_bytes());
        hex(&mac.finalize().into_bytes(), arena)
    })
}
