//! What the `unix_...` functions share: a number of some unit since 1970 as an instant.

use bumpalo::Bump;

use super::{Environment, Prepared, bind};
use crate::convert::{fault, text_of};
use crate::decimal::Decimal;
use crate::read;
use crate::types::NumberFormat;
use crate::value::Value;

/// What such a function is bound to.
#[derive(Debug)]
struct Epoch {
    /// 1 to 10^9, a power of 10^3.
    unit_ns: i64,
    wanted: &'static str,
    numbers: NumberFormat,
}

/// Binds the function for a unit.
pub(super) fn bind_epoch(
    name: &'static str,
    unit_ns: i64,
    wanted: &'static str,
    environment: &Environment,
) -> Prepared {
    bind(name, Epoch { unit_ns, wanted, numbers: environment.numbers }, run)
}

fn run<'a>(epoch: &Epoch, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let value = args[0];
    match epoch.instant(value) {
        Some(ns) => Value::Timestamp(ns),
        None => match text_of(value, arena) {
            Value::Text(text) => fault(arena, epoch.wanted, text),
            other => other,
        },
    }
}

impl Epoch {
    fn instant(&self, value: Value<'_>) -> Option<i64> {
        let whole = |number: i64| number.checked_mul(self.unit_ns);
        let number = match value {
            Value::Int(number) => return whole(number),
            Value::Text(text) => match read::int(text, self.numbers) {
                Some(number) => return whole(number),
                None => read::decimal(text, self.numbers)?,
            },
            Value::Decimal(number) => number,
            Value::Float(number) => Decimal::from_f64(number)?,
            _ => return None,
        };
        read::epoch_ns(number, self.unit_ns)
    }
}
