//! What functions of time share: units by their names.

use super::{BadArgument, Constant, constant_text};

const NAMES: [(&str, i64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The nanoseconds of a unit.
pub(super) fn of_duration(constants: &[Constant], place: usize) -> Result<i64, BadArgument> {
    let name = constant_text(constants, place);
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, ns)| *ns).ok_or_else(|| {
        BadArgument::literal(
            place,
            format!("there is no unit `{name}`"),
            "the units are ns, us, ms, s, m, h and d",
        )
    })
}
