//! `raw_id`: an id made of the whole record.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "raw_id",
    params: &[Param::new("record", ParamKind::Record)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Makes an id of 32 hexadecimal digits from the bytes of the record as it came, for logs that have none: equal \
          records get equal ids, so the same record twice counts as one. It is the same for all events of a record.",
    // The record of examples is `{}`.
    examples: &[Example::gives("raw_id()", "44136fa355b3678a1146ad16f7e8649e")],
    prepare: |_, _| {
        bind("raw_id", (), |(), args, _| {
            let sha256 = text_arg(args, 0);
            Value::Text(sha256.get(..ID_DIGITS).unwrap_or(sha256))
        })
    },
};

/// How much of the SHA-256 is the id: as much as a UUID has.
const ID_DIGITS: usize = 32;
