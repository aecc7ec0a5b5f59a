//! Members seen at once, against code that looks at one byte at a time.

use proptest::prelude::*;

use crate::simd::index::Index;
use crate::simd::member::{Member, Usual};
use crate::simd::{BLOCK, Kernel, Lanes, Level};

struct Value<'b>(Member<'b>);

impl<'b> Kernel for Value<'b> {
    type Output = Option<Usual<'b>>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Option<Usual<'b>> {
        self.0.value(lanes)
    }
}

/// The value whose key ends before `behind`, if it is of a usual kind.
fn usual(text: &str, behind: usize) -> Option<Usual<'_>> {
    let value = text[behind..].strip_prefix(':')?;
    let near = &value.as_bytes()[1..=BLOCK + 1];
    let (end, is_string) = match value.as_bytes()[0] {
        b'"' => (near.iter().position(|byte| *byte == b'"')? + 2, true),
        b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            let ends = |byte: &u8| *byte <= b',' || b"{}[]".contains(byte);
            (near.iter().position(ends)? + 1, false)
        }
        _ => return None,
    };
    let is_plain = !is_string || !value[..end].contains('\\');
    let follows = matches!(value.as_bytes()[end], b',' | b'}');
    (is_plain && follows).then(|| match is_string {
        true => Usual::String(&value[1..end - 1]),
        false => Usual::Bare(&value[..end]),
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "\"[a-z, }\u{e9}]{0,70}\"",
        "\"[a-z]{58,66}\" ?",
        "\"[a-z]{0,10}(\\\\\"|\\\\\\\\)[a-z]{0,60}\"",
        "-?[0-9]{1,20}(\\.[0-9]{1,60})? ?",
        "true|false|null",
        Just("{\"a\":[]}".to_owned()),
        Just("[{}]".to_owned()),
        Just("1[2]".to_owned()),
    ]
}

proptest! {
    #[test]
    fn usual_values_are_what_stands_there(
        members in prop::collection::vec(("[a-z\u{e9}]{0,40}", value()), 1..20),
    ) {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let mut index = Index::default();
        for level in Level::all() {
            let Ok(indexed) = index.build(level, text.as_bytes(), 0..text.len(), 64, usize::MAX)
            else {
                continue;
            };
            for token in (0..indexed.len()).filter(|token| indexed.kind(*token) == b':') {
                let behind = indexed.offset(token);
                let member = indexed.member(behind);
                prop_assert_eq!(member.is_some(), behind >= 33 && behind + 68 <= text.len());
                if let Some(member) = member {
                    prop_assert_eq!(&member.key()[..], &text.as_bytes()[behind - 33..behind]);
                    prop_assert_eq!(level.run(Value(member)), usual(&text, behind), "{}", level.name());
                }
            }
        }
    }
}
