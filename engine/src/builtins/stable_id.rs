//! `stable_id`: an id made of what identifies a record.

use bumpalo::Bump;

use sha2::{Digest, Sha256};

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, hex};
use crate::convert::text_of;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "stable_id",
    params: &[Param::new("value", ParamKind::Scalar).repeated()],
    result: ResultType::Fixed(Type::Text),
    takes_missing: true,
    doc: "Makes an id of 32 hexadecimal digits from the texts of its arguments: equal \
          arguments give equal ids, always. A missing argument is not an empty one; if all are \
          missing, so is the id.",
    examples: &[
        Example::gives(r#"stable_id("a", "b")"#, r#"a14a77efaa26e678aefddb05d7a13029"#),
        Example::gives(r#"stable_id("ab", "")"#, r#"2d0f411338cce0b890538ada8788ac6b"#),
        Example::gives(r#"stable_id("a", missing)"#, r#"b2aae1751bb1530392d6ad4f8ebcbf29"#),
        Example::gives(r#"stable_id(1.50, 7)"#, r#"9f04901e3bb61c9cf7dec7cc7e38261b"#),
        Example::missing(r#"stable_id(missing, missing)"#),
    ],
    prepare: |_, _| bind("stable_id", (), run),
};

/// How much of the SHA-256 is the id: as much as a UUID has.
const ID_BYTES: usize = 16;

/// The hash of, for each argument, a byte 0 if it is missing; else a byte 1, the length of its text as 8 bytes, the lowest
/// first, and its text. So no two lists of arguments are hashed alike.
fn run<'a>((): &(), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let mut hash = Sha256::new();
    let mut all_missing = true;
    for arg in args {
        match text_of(*arg, arena) {
            Value::Missing => hash.update([0]),
            Value::Text(text) => {
                all_missing = false;
                hash.update([1]);
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
            invalid => return invalid,
        }
    }
    if all_missing { Value::Missing } else { hex(&hash.finalize()[..ID_BYTES], arena) }
}
