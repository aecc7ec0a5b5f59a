//! `extract`: named groups of a regular expression.

use std::fmt;

use bumpalo::Bump;
use regex_syntax::hir::{Hir, HirKind};

use super::{
    BadArgument, Builtin, Call, Constant, Example, Field, Fields, Param, ParamKind, Prepared,
    ResultType, constant_text, text_arg,
};
use crate::pattern::{self, Pattern, PatternFault};
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "extract",
    params: &[Param::TEXT, Param::new("pattern", ParamKind::ConstantRegex)],
    result: ResultType::Record(Fields::Named(fields)),
    takes_missing: false,
    doc: "Looks for a regular expression in a text and gives its named groups, `(?<name>...)`. \
          Without a match all of them are missing; so is a group that took no part in the match. \
          An expression that must fit the whole text starts with `^` and ends with `$`. Matching \
          takes linear time, so there is no look-around and no back-reference.",
    examples: &[
        Example::gives(r#"("run 17 failed" |> extract(r"run (?<n>\d+)")).n"#, "17"),
        Example::gives(r#"("a-b" |> extract(r"^(?<x>\w)-(?<y>\w)$")).y"#, "b"),
        Example::missing(r#"("a" |> extract(r"^(?<x>\w)(-(?<y>\w))?$")).y"#),
        Example::missing(r#"("nothing" |> extract(r"run (?<n>\d+)")).n"#),
    ],
    prepare,
};

fn fields(constants: &[Constant]) -> Vec<Field> {
    let [Constant::Text(text)] = constants else { return Vec::new() };
    group_names(text).into_iter().map(|name| Field { name, ty: None }).collect()
}

/// The names of the groups of an expression, in their order; none if it cannot be read.
pub(super) fn group_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(parsed) = regex_syntax::Parser::new().parse(text) {
        collect_names(&parsed, &mut names);
    }
    names
}

/// The parser bounds how deep expressions nest.
fn collect_names(hir: &Hir, names: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Capture(group) => {
            names.extend(group.name.as_deref().map(str::to_owned));
            collect_names(&group.sub, names);
        }
        HirKind::Repetition(repetition) => collect_names(&repetition.sub, names),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_names(part, names));
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    let text = constant_text(constants, 0);
    let pattern = pattern::compile(text).map_err(bad_pattern)?;
    let Some(groups) = Groups::of("extract", pattern, |_| false) else {
        return Err(BadArgument::literal(
            0,
            "this expression names no group, so there is nothing to extract",
            "name what you need: `(?<user>\\w+)`; to ask for a match only, use `matches`",
        ));
    };
    Ok(Box::new(groups))
}

/// The report about an expression that cannot be read.
fn bad_pattern(fault: PatternFault) -> BadArgument {
    BadArgument {
        code: super::CODE_BAD_PATTERN,
        message: format!("this regular expression cannot be used: {}", fault.message),
        help: Some(fault.help.to_owned()),
        at: fault.at,
        ..BadArgument::default()
    }
}

/// A regular expression and its named groups.
pub(super) struct Groups {
    /// The function's name.
    name: &'static str,
    pattern: Pattern,
    /// Their numbers, in order; true: of a number.
    groups: Vec<(usize, bool)>,
}

impl Groups {
    /// None if the expression names no group.
    pub(super) fn of(
        name: &'static str,
        pattern: Pattern,
        is_number: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let names = pattern.regex.capture_names().enumerate();
        let groups: Vec<_> =
            names.filter_map(|(group, name)| Some((group, is_number(name?)))).collect();
        (!groups.is_empty()).then_some(Self { name, pattern, groups })
    }
}

impl Call for Groups {
    fn call<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
        let Some(found) = self.pattern.regex.captures(text_arg(args, 0)) else {
            return Value::Missing;
        };
        let group = |(group, is_number): &(usize, bool)| match found.get(*group) {
            Some(text) if text.is_empty() => Value::Missing,
            Some(text) if *is_number => Value::Text(plain_number(text.as_str(), arena)),
            Some(text) => Value::Text(text.as_str()),
            None => Value::Missing,
        };
        Value::List(arena.alloc_slice_fill_iter(self.groups.iter().map(group)))
    }

    fn program_bytes(&self) -> usize {
        self.pattern.program_bytes
    }
}

/// `+7`, `-007` and `.5` as `7`, `-7` and `0.5`: in the form in which numbers are read.
fn plain_number<'a>(text: &'a str, arena: &'a Bump) -> &'a str {
    let unsigned = text.trim_start_matches(['+', '-']);
    let digits = unsigned.trim_start_matches('0');
    let zero = if digits.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
    let sign = if text.starts_with('-') { "-" } else { "" };
    if zero.is_empty() && sign.is_empty() {
        return digits;
    }
    arena.alloc_str(&format!("{sign}{zero}{digits}"))
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.name, self.pattern.regex.as_str())
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn fields_and_groups_are_in_one_order() {
        for text in
            [r"(?<a>x)|(?<b>(y)(?<c>z)*)+(?<d>)", r"(?P<n>\d+)(?:(?<m>a)){0}", "(?i)(?<q>a|b)"]
        {
            let listed: Vec<_> = fields(&[Constant::Text(text.into())])
                .into_iter()
                .map(|field| field.name)
                .collect();
            let regex = Regex::new(text).unwrap();
            let compiled: Vec<_> = regex.capture_names().flatten().map(str::to_owned).collect();
            assert_eq!(listed, compiled, "{text}");
        }
    }

    #[test]
    fn numbers_get_their_usual_form() {
        let arena = Bump::new();
        for (text, plain) in [
            ("7", "7"),
            ("+7", "7"),
            ("-007", "-7"),
            (".5", "0.5"),
            ("-00", "-0"),
            ("00.10", "0.10"),
        ] {
            assert_eq!(plain_number(text, &arena), plain);
        }
    }

    #[test]
    fn bad_patterns_have_a_place() {
        let error =
            |text: &str| prepare(&[Constant::Text(text.into())], &Default::default()).unwrap_err();
        assert_eq!(error("(?<a>x)(?=y)").at, Some(7..10));
        assert_eq!(error("(x)").code, crate::builtins::CODE_BAD_LITERAL);
        assert_eq!(error(r"(?<a>\w{9999})").code, crate::builtins::CODE_BAD_PATTERN);
    }
}
